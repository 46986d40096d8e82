// SPDX-License-Identifier: Apache-2.0
/** One map on one element: data in, clicks out. The only file that holds a MapLibre map. */
import { Map as Drawing, NavigationControl, setWorkerUrl, type GeoJSONSource, type MapMouseEvent } from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url'
import { sortBase } from './base'
import { boxOf, middleOf } from './geometry'
import { LabelLayer } from './labels'
import { readPalette, stepOf } from './ramp'
import { emptyShapes, type Box, type MapLabel, type Shade, type Shapes, type ShownLayers } from './shapes'
import { layersOf, makeStyle, type SOURCES } from './style'

type Id = string | number
type Source = (typeof SOURCES)[number]
export interface Listeners {
  pick: (id: Id | null) => void
  pickBuilding: (id: Id) => void
  pickPoint: (id: Id) => void
  hover: (id: Id | null) => void
}

setWorkerUrl(workerUrl)

export class CoverageDrawing {
  private readonly map: Drawing
  private readonly labels: LabelLayer
  private readonly data: Record<Source, Shapes> = { base: emptyShapes(), grids: emptyShapes(), dots: emptyShapes(), buildings: emptyShapes(), buildingDots: emptyShapes(), outline: emptyShapes(), points: emptyShapes() }
  private shades = new Map<Id, Shade>()
  private applied = new Map<Id, string>()
  private layers: ShownLayers | null = null
  private selected: Id | null = null
  private chosen: Id | null = null
  private hovered: Id | null = null
  private ready = false

  constructor(private readonly element: HTMLElement, listeners: Listeners, words: Record<string, string>) {
    this.map = new Drawing({
      container: element,
      style: makeStyle(readPalette(element)),
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      fadeDuration: 0,
      maxZoom: 19,
      locale: words,
      canvasContextAttributes: { preserveDrawingBuffer: true },
    })
    this.map.touchZoomRotate.disableRotation()
    this.map.addControl(new NavigationControl({ showCompass: false }), 'top-right')
    this.labels = new LabelLayer(this.map)
    this.map.on('style.load', () => this.restore())
    this.map.on('click', (event) => this.click(event, listeners))
    this.map.on('mousemove', (event) => this.point(event, listeners))
    this.map.on('mouseout', () => this.hover(null, listeners))
  }

  setBase(shapes: Shapes | null): void {
    this.put('base', shapes ? sortBase(shapes) : emptyShapes())
  }

  setGrids(shapes: Shapes | null): void {
    const grids = shapes ?? emptyShapes()
    this.put('grids', grids)
    this.put('dots', middles(grids))
    this.applied.clear()
    this.shade()
  }

  setBuildings(shapes: Shapes | null): void {
    const buildings = shapes ?? emptyShapes()
    this.put('buildings', buildings)
    this.put('buildingDots', middles({ ...buildings, features: buildings.features.filter((shape) => Number(shape.properties.left ?? 0) > 0) }))
  }

  setPoints(shapes: Shapes | null): void {
    this.put('points', shapes ?? emptyShapes())
  }

  /** A ring around one point, and the map brought to it where it is out of view. */
  choose(id: Id | null, isCalm: boolean): void {
    this.chosen = id
    if (!this.ready) return
    this.map.setFilter('points-selected', ['==', ['get', 'id'], id ?? ''])
    const shape = this.data.points.features.find(({ properties }) => properties.id === id)
    const at = shape && middleOf(shape)
    if (at && !this.map.getBounds().contains(at)) this.map.easeTo({ center: at, duration: isCalm ? 0 : 400 })
  }

  setOutline(shapes: Shapes | null): void {
    this.put('outline', shapes ?? emptyShapes())
  }

  /** Recolours only what changed; nothing else is drawn again. */
  setShades(shades: ReadonlyMap<Id, Shade>): void {
    this.shades = new Map(shades)
    this.shade()
  }

  setLabels(labels: readonly MapLabel[], shown: boolean): void {
    this.labels.set(labels, shown)
  }

  setLayers(layers: ShownLayers): void {
    this.layers = layers
    if (!this.ready) return
    for (const name of Object.keys(layers) as (keyof ShownLayers)[]) {
      for (const layer of layersOf(name)) this.map.setLayoutProperty(layer, 'visibility', layers[name] ? 'visible' : 'none')
    }
  }

  select(id: Id | null): void {
    this.selected = id
    if (this.ready) this.map.setFilter('grids-selected', ['==', ['get', 'id'], id ?? -1])
  }

  fit(box: Box | null, isCalm: boolean): void {
    if (!box) return
    this.map.fitBounds(box, { padding: 32, maxZoom: 17, duration: isCalm ? 0 : 400 })
  }

  /** Shows one grid, or all of them, or at least the ground. */
  fitGrids(isCalm: boolean, focus: Id | null = null): void {
    const one = this.data.grids.features.filter((shape) => shape.properties.id === focus)
    this.fit(boxOf({ type: 'FeatureCollection', features: one }) ?? boxOf(this.data.grids) ?? boxOf(this.data.base), isCalm)
  }

  repaint(): void {
    this.ready = false
    this.map.setStyle(makeStyle(readPalette(this.element)), { diff: false })
  }

  resize(): void {
    this.map.resize()
  }

  picture(): string {
    return this.map.getCanvas().toDataURL('image/png')
  }

  remove(): void {
    this.map.remove()
  }

  private put(source: Source, shapes: Shapes): void {
    this.data[source] = shapes
    if (this.ready) this.map.getSource<GeoJSONSource>(source)?.setData(shapes)
  }

  private restore(): void {
    this.ready = true
    this.applied.clear()
    for (const source of Object.keys(this.data) as Source[]) this.put(source, this.data[source])
    if (this.layers) this.setLayers(this.layers)
    this.select(this.selected)
    this.choose(this.chosen, true)
    this.shade()
    this.element.dataset.ready = 'true'
  }

  private shade(): void {
    if (!this.ready) return
    for (const [id, shade] of this.shades) {
      const step = stepOf(shade.share) ?? -1
      const state = `${step}/${shade.missing}/${shade.stale ?? false}`
      if (this.applied.get(id) === state) continue
      this.applied.set(id, state)
      this.map.setFeatureState({ source: 'grids', id }, { step, stale: shade.stale ?? false })
      this.map.setFeatureState({ source: 'dots', id }, { missing: shade.missing })
    }
  }

  private click(event: MapMouseEvent, listeners: Listeners): void {
    const point = this.at(event, 'points')
    if (point !== null) return listeners.pickPoint(point)
    const building = this.at(event, 'buildings')
    if (building !== null) listeners.pickBuilding(building)
    listeners.pick(this.at(event, 'grids-fill'))
  }

  private point(event: MapMouseEvent, listeners: Listeners): void {
    this.hover(this.at(event, 'grids-fill'), listeners)
  }

  private hover(id: Id | null, listeners: Listeners): void {
    if (id === this.hovered) return
    if (this.hovered !== null) this.map.setFeatureState({ source: 'grids', id: this.hovered }, { hover: false })
    if (id !== null) this.map.setFeatureState({ source: 'grids', id }, { hover: true })
    this.hovered = id
    this.map.getCanvas().style.cursor = id === null ? '' : 'pointer'
    listeners.hover(id)
  }

  private at(event: MapMouseEvent, layer: string): Id | null {
    if (!this.ready) return null
    const [feature] = this.map.queryRenderedFeatures(event.point, { layers: [layer] })
    const id: unknown = feature?.properties.id ?? feature?.id
    return typeof id === 'string' || typeof id === 'number' ? id : null
  }
}

/** A dot in the middle of each shape. */
function middles(shapes: Shapes): Shapes {
  return {
    type: 'FeatureCollection',
    features: shapes.features.flatMap((shape) => {
      const at = middleOf(shape)
      return at ? [{ type: 'Feature' as const, properties: { id: shape.properties.id }, geometry: { type: 'Point' as const, coordinates: at } }] : []
    }),
  }
}
