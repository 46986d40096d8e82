// SPDX-License-Identifier: Apache-2.0
/** The map's style: our own base map, no tiles, no glyphs, no sprites; the figures recolour it by feature state. */
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl'
import type { Palette } from './ramp'
import { emptyShapes, type ShownLayers } from './shapes'

export const SOURCES = ['base', 'grids', 'dots', 'buildings', 'buildingDots', 'outline', 'points'] as const

const GROUPS: Record<keyof ShownLayers, string[]> = {
  coverage: ['grids-fill'],
  missing: ['dots'],
  stale: ['grids-stale'],
  buildings: ['buildings', 'buildings-left'],
  labels: [],
}

export function makeStyle(palette: Palette): StyleSpecification {
  return {
    version: 8,
    sources: Object.fromEntries(
      SOURCES.map((name) => [name, { type: 'geojson' as const, data: emptyShapes(), promoteId: 'id', tolerance: 0.3 }]),
    ),
    layers: [...ground(palette), ...grids(palette), ...streets(palette), ...marks(palette)],
  }
}

/** Which layers of the style a switch of the page stands for. */
export function layersOf(name: keyof ShownLayers): string[] {
  return GROUPS[name]
}

const only = (drawn: string): ExpressionSpecification => ['==', ['get', 'drawn'], drawn]

function ground(palette: Palette): LayerSpecification[] {
  return [
    { id: 'ground', type: 'background', paint: { 'background-color': palette.ground } },
    { id: 'green', type: 'fill', source: 'base', filter: only('green'), paint: { 'fill-color': palette.green } },
    { id: 'compound', type: 'fill', source: 'base', filter: only('compound'), paint: { 'fill-color': palette.compound } },
  ]
}

function grids(palette: Palette): LayerSpecification[] {
  return [
    {
      id: 'grids-fill',
      type: 'fill',
      source: 'grids',
      paint: {
        'fill-color': [
          'match', ['coalesce', ['feature-state', 'step'], -1],
          0, palette['0'], 1, palette['1'], 2, palette['2'], 3, palette['3'], 4, palette['4'], 5, palette['5'],
          palette.none,
        ],
        'fill-opacity': ['case', ['boolean', ['feature-state', 'hover'], false], 0.95, 0.8],
      },
    },
    { id: 'water', type: 'fill', source: 'base', filter: only('water'), paint: { 'fill-color': palette.water } },
    { id: 'water-line', type: 'line', source: 'base', filter: ['all', only('water'), ['==', ['geometry-type'], 'LineString']], paint: { 'line-color': palette.water, 'line-width': grow(3, 16) } },
    // A grid that sends nothing keeps its colour and gets a dashed edge: old figures, not none.
    {
      id: 'grids-stale', type: 'line', source: 'grids',
      paint: { 'line-color': palette.missing, 'line-width': 2, 'line-dasharray': [2, 2], 'line-opacity': ['case', ['boolean', ['feature-state', 'stale'], false], 0.9, 0] },
    },
  ]
}

function streets(palette: Palette): LayerSpecification[] {
  const width = (extra: number): ExpressionSpecification => [
    'interpolate', ['exponential', 1.6], ['zoom'],
    12, ['+', extra * 0.4, ['*', 0.35, ['get', 'width']]],
    15, ['+', extra, ['*', 0.9, ['get', 'width']]],
    18, ['+', extra * 2, ['*', 4, ['get', 'width']]],
  ]
  return [
    { id: 'building', type: 'fill', source: 'base', filter: only('building'), minzoom: 13.5, paint: { 'fill-color': palette.building } },
    { id: 'buildings', type: 'fill', source: 'buildings', minzoom: 13.5, paint: { 'fill-color': palette.building, 'fill-outline-color': palette.wall } },
    { id: 'road-edge', type: 'line', source: 'base', filter: only('road'), layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': palette['road-edge'], 'line-width': width(1.2) } },
    { id: 'road', type: 'line', source: 'base', filter: only('road'), layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': palette.road, 'line-width': width(0) } },
    { id: 'wall', type: 'line', source: 'base', filter: only('wall'), minzoom: 13, paint: { 'line-color': palette.wall, 'line-width': grow(0.6, 2) } },
    { id: 'rail', type: 'line', source: 'base', filter: only('rail'), paint: { 'line-color': palette.wall, 'line-width': grow(1.2, 4), 'line-dasharray': [4, 2] } },
  ]
}

function marks(palette: Palette): LayerSpecification[] {
  return [
    { id: 'grids-line', type: 'line', source: 'grids', paint: { 'line-color': palette.line, 'line-width': grow(0.6, 2.2) } },
    {
      id: 'grids-chosen', type: 'line', source: 'grids',
      paint: { 'line-color': palette.wall, 'line-width': 3, 'line-opacity': ['case', ['boolean', ['feature-state', 'hover'], false], 1, 0] },
    },
    {
      id: 'buildings-left', type: 'circle', source: 'buildingDots', minzoom: 14.5,
      paint: { 'circle-color': palette.missing, 'circle-radius': 3.5, 'circle-stroke-width': 1, 'circle-stroke-color': palette.line },
    },
    {
      id: 'dots', type: 'circle', source: 'dots',
      paint: {
        'circle-color': palette.missing,
        'circle-radius': ['case', ['>', ['number', ['feature-state', 'missing'], 0], 0], ['min', 16, ['+', 3, ['*', 0.45, ['sqrt', ['number', ['feature-state', 'missing'], 0]]]]], 0],
        'circle-opacity': 0.88,
        'circle-stroke-color': palette.line,
        'circle-stroke-width': ['case', ['>', ['number', ['feature-state', 'missing'], 0], 0], 1, 0],
      },
    },
    // Another division of the same ground, drawn over this one to compare.
    { id: 'outline', type: 'line', source: 'outline', paint: { 'line-color': palette.missing, 'line-width': grow(1.2, 3), 'line-dasharray': [3, 2] } },
    // Things that somebody has to go to, and where the people are who may go: a ring for those.
    {
      id: 'points', type: 'circle', source: 'points', layout: { 'circle-sort-key': ['get', 'weight'] },
      paint: {
        'circle-color': ['match', ['get', 'tone'], 'danger', palette.danger, 'attention', palette.attention, 'person', palette.ground, palette['4']],
        'circle-radius': ['match', ['get', 'tone'], 'danger', 9, 'attention', 7, 'person', 7, 5.5],
        'circle-stroke-color': ['match', ['get', 'tone'], 'person', palette['5'], palette.line],
        'circle-stroke-width': ['match', ['get', 'tone'], 'person', 3, 1.5],
      },
    },
    {
      id: 'points-selected', type: 'circle', source: 'points', filter: ['==', ['get', 'id'], ''],
      paint: { 'circle-color': 'transparent', 'circle-radius': 14, 'circle-stroke-color': palette.wall, 'circle-stroke-width': 3 },
    },
    { id: 'grids-selected', type: 'line', source: 'grids', filter: ['==', ['get', 'id'], -1], paint: { 'line-color': palette.missing, 'line-width': 3.5 } },
  ]
}

function grow(near12: number, near18: number): ExpressionSpecification {
  return ['interpolate', ['linear'], ['zoom'], 12, near12, 18, near18]
}
