// SPDX-License-Identifier: Apache-2.0
import { validateStyleMin } from '@maplibre/maplibre-gl-style-spec'
import { expect, test } from 'vitest'
import { layerOf, sortBase, widthOf } from './base'
import { boxOf, middleOf } from './geometry'
import { choose } from './labels'
import { PALETTE_NAMES, stepOf, type Palette } from './ramp'
import type { MapLabel, Shape } from './shapes'
import { layersOf, makeStyle } from './style'

const square = (x: number, y: number, size: number): number[][] => [[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]
const area = (properties: Record<string, unknown>, ring = square(0, 0, 2)): Shape => ({ type: 'Feature', properties, geometry: { type: 'Polygon', coordinates: [ring] } })
const line = (properties: Record<string, unknown>): Shape => ({ type: 'Feature', properties, geometry: { type: 'LineString', coordinates: [[0, 0], [3, 1]] } })
const PALETTE = Object.fromEntries(PALETTE_NAMES.map((name) => [name, '#123456'])) as Palette

test('the style is a valid one, without tiles, glyphs or pictures from elsewhere', () => {
  const style = makeStyle(PALETTE)
  expect(validateStyleMin(style as never)).toEqual([])
  expect(JSON.stringify(style)).not.toMatch(/https?:|glyphs|sprite/)
})

test('every switch of the page stands for layers that exist', () => {
  const ids = makeStyle(PALETTE).layers.map((layer) => layer.id)
  for (const name of ['coverage', 'missing', 'stale', 'buildings'] as const) for (const id of layersOf(name)) expect(ids).toContain(id)
})

test('the box holds all shapes; nothing has no box', () => {
  expect(boxOf({ type: 'FeatureCollection', features: [area({}), line({})] })).toEqual([0, 0, 3, 2])
  expect(boxOf({ type: 'FeatureCollection', features: [] })).toBeNull()
  expect(boxOf(null)).toBeNull()
})

test('the middle is the centroid, of the larger part where there are two', () => {
  expect(middleOf(area({}, square(107.6, 31.2, 0.002)))?.map((one) => one.toFixed(4))).toEqual(['107.6010', '31.2010'])
  const two: Shape = { type: 'Feature', properties: {}, geometry: { type: 'MultiPolygon', coordinates: [[square(0, 0, 1)], [square(10, 10, 4)]] } }
  expect(middleOf(two)).toEqual([12, 12])
  expect(middleOf(line({}))).toEqual([1.5, 0.5])
})

test('a feature is sorted by its own word, else by its shape', () => {
  expect(layerOf(area({ kind: 'river' }))).toBe('water')
  expect(layerOf(area({ kind: 'compound', klass: 'estate' }))).toBe('compound')
  expect(layerOf(area({ kind: 'something new' }))).toBe('compound')
  expect(layerOf(line({ kind: 'wall' }))).toBe('wall')
  expect(layerOf(line({}))).toBe('road')
})

test('wide streets are wide, unknown ones are lanes', () => {
  expect(widthOf(line({ klass: 'primary' }))).toBeGreaterThan(widthOf(line({ klass: 'residential' })))
  expect(widthOf(line({ klass: 'footway' }))).toBe(1)
  const [sorted] = sortBase({ type: 'FeatureCollection', features: [line({ kind: 'road', klass: 'primary', name: 'x' })] }).features
  expect(sorted?.properties).toMatchObject({ drawn: 'road', width: 4, name: 'x' })
})

test('only what is wholly done has the last step, only what is not begun the first', () => {
  expect([0, 0.1, 0.2, 0.79, 0.95, 0.9999, 1].map(stepOf)).toEqual([0, 0, 1, 2, 4, 4, 5])
  expect(stepOf(null)).toBeNull()
})

test('labels never cover one another, and the heavier stays', () => {
  const labels: MapLabel[] = [
    { id: 1, at: [0, 0], text: 'aaaa', weight: 1 },
    { id: 2, at: [0, 0], text: 'bbbb', weight: 9 },
    { id: 3, at: [9, 9], text: 'cccc', weight: 1 },
  ]
  const chosen = choose(labels, (label) => ({ x: label.at[0] * 100, y: label.at[1] * 100 }))
  expect([...chosen].sort()).toEqual([2, 3])
})
