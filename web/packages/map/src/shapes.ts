// SPDX-License-Identifier: Apache-2.0
/** What a map is given: plain GeoJSON, figures by id, labels. Nothing here knows the drawing library. */
import type { Feature, FeatureCollection, Geometry } from 'geojson'

export type Position2 = [number, number]
export type Box = [number, number, number, number]
export type Shapes = FeatureCollection<Geometry, Record<string, unknown>>
export type Shape = Feature<Geometry, Record<string, unknown>>

/** How a grid or area is to be coloured: share done (null = nothing known), how many are missing, fresh or not. */
export interface Shade {
  share: number | null
  missing: number
  stale?: boolean
}

export interface MapLabel {
  id: string | number
  at: Position2
  text: string
  /** Larger wins where two labels would overlap. */
  weight: number
}

export interface ShownLayers {
  coverage: boolean
  missing: boolean
  stale: boolean
  buildings: boolean
  labels: boolean
}

export const ALL_LAYERS: ShownLayers = { coverage: true, missing: true, stale: true, buildings: true, labels: true }

export function emptyShapes(): Shapes {
  return { type: 'FeatureCollection', features: [] }
}
