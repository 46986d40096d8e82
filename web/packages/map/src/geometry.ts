// SPDX-License-Identifier: Apache-2.0
/** Boxes and middles of shapes, in degrees. */
import type { Geometry, Position } from 'geojson'
import type { Box, Position2, Shape, Shapes } from './shapes'

export function boxOf(shapes: Shapes | null | undefined): Box | null {
  let box: Box | null = null
  for (const shape of shapes?.features ?? []) {
    for (const [x = NaN, y = NaN] of positions(shape.geometry)) {
      if (!Number.isFinite(x) || !Number.isFinite(y)) continue
      if (box === null) box = [x, y, x, y]
      else box = [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x), Math.max(box[3], y)]
    }
  }
  return box
}

/** A point to hang a label or dot on: the centroid of the largest ring, or the middle of its box. */
export function middleOf(shape: Shape): Position2 | null {
  const ring = largestRing(shape.geometry)
  if (ring) return centroid(ring)
  const box = boxOf({ type: 'FeatureCollection', features: [shape] })
  return box && [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]
}

function largestRing(geometry: Geometry | null): Position[] | null {
  if (geometry?.type === 'Polygon') return geometry.coordinates[0] ?? null
  if (geometry?.type !== 'MultiPolygon') return null
  const rings = geometry.coordinates.map((polygon) => polygon[0] ?? [])
  return rings.sort((a, b) => Math.abs(doubleArea(b)) - Math.abs(doubleArea(a)))[0] ?? null
}

function centroid(ring: Position[]): Position2 | null {
  const [x0 = 0, y0 = 0] = ring[0] ?? []
  const area = doubleArea(ring)
  if (area === 0) return ring.length > 0 ? [x0, y0] : null
  let sumX = 0
  let sumY = 0
  for (const [ax, ay, bx, by] of edges(ring)) {
    // Relative to the first corner: degrees times degrees lose digits far from zero.
    const cross = (ax - x0) * (by - y0) - (bx - x0) * (ay - y0)
    sumX += (ax + bx - 2 * x0) * cross
    sumY += (ay + by - 2 * y0) * cross
  }
  return [x0 + sumX / (3 * area), y0 + sumY / (3 * area)]
}

function doubleArea(ring: Position[]): number {
  const [x0 = 0, y0 = 0] = ring[0] ?? []
  let sum = 0
  for (const [ax, ay, bx, by] of edges(ring)) sum += (ax - x0) * (by - y0) - (bx - x0) * (ay - y0)
  return sum
}

function* edges(ring: Position[]): Generator<[number, number, number, number]> {
  for (let index = 0; index + 1 < ring.length; index += 1) {
    const [ax = 0, ay = 0] = ring[index] ?? []
    const [bx = 0, by = 0] = ring[index + 1] ?? []
    yield [ax, ay, bx, by]
  }
}

function* positions(geometry: Geometry | null): Generator<Position> {
  if (!geometry) return
  if (geometry.type === 'GeometryCollection') {
    for (const part of geometry.geometries) yield* positions(part)
  } else {
    yield* flat(geometry.coordinates as unknown[])
  }
}

function* flat(coordinates: unknown[]): Generator<Position> {
  if (typeof coordinates[0] === 'number') yield coordinates as Position
  else for (const inner of coordinates) yield* flat(inner as unknown[])
}
