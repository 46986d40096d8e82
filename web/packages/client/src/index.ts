// SPDX-License-Identifier: Apache-2.0
/** What goes over the wire between the pages and the server. */
export * from './pull'
export * from './jobs'
export * from './trips'
export * from './duty'
