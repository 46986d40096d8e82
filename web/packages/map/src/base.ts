// SPDX-License-Identifier: Apache-2.0
/** Sorts the features of a base map into the few layers that are drawn. */
import type { Shape, Shapes } from './shapes'

export type BaseLayer = 'road' | 'wall' | 'rail' | 'water' | 'green' | 'compound' | 'building'

const BY_WORD: Record<string, BaseLayer> = {
  road: 'road',
  street: 'road',
  lane: 'road',
  alley: 'road',
  path: 'road',
  wall: 'wall',
  hard_line: 'wall',
  line: 'wall',
  rail: 'rail',
  railway: 'rail',
  river: 'water',
  canal: 'water',
  water: 'water',
  lake: 'water',
  park: 'green',
  green: 'green',
  compound: 'compound',
  building: 'building',
}

/** Wide streets first in a road's own words; anything unknown is a small lane. */
const WIDTHS: Record<string, number> = {
  motorway: 4,
  trunk: 4,
  primary: 4,
  arterial: 4,
  secondary: 3,
  collector: 3,
  tertiary: 2,
  street: 2,
  residential: 2,
  unclassified: 2,
}

export function layerOf(shape: Shape): BaseLayer {
  const { layer, kind, type } = shape.properties ?? {}
  for (const word of [kind, layer, type]) {
    const found = typeof word === 'string' ? BY_WORD[word.toLowerCase()] : undefined
    if (found) return found
  }
  return isArea(shape) ? 'compound' : 'road'
}

export function widthOf(shape: Shape): number {
  const { klass, fclass, class: cls } = shape.properties ?? {}
  const word = [klass, fclass, cls].find((one) => typeof one === 'string')
  return WIDTHS[String(word ?? '').toLowerCase()] ?? 1
}

/** The same features with the two properties that the style reads. */
export function sortBase(shapes: Shapes): Shapes {
  return {
    type: 'FeatureCollection',
    features: shapes.features.map((shape) => ({
      ...shape,
      properties: { ...shape.properties, drawn: layerOf(shape), width: widthOf(shape) },
    })),
  }
}

function isArea(shape: Shape): boolean {
  return shape.geometry?.type === 'Polygon' || shape.geometry?.type === 'MultiPolygon'
}
