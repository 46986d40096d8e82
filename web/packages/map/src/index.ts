// SPDX-License-Identifier: Apache-2.0
/** Maps without a tile server: one component, plain GeoJSON in, clicks out. */
export { default as CoverageMap } from './CoverageMap.vue'
export { boxOf, middleOf } from './geometry'
export { stepOf } from './ramp'
export * from './shapes'
