// SPDX-License-Identifier: Apache-2.0
/** The few labels of a map as text over it (no glyph files are served): heavier ones win, none overlap. */
import { Marker, type Map as Drawing } from 'maplibre-gl'
import type { MapLabel } from './shapes'

const MOST = 80
const LINE_HEIGHT = 20
const CHARACTER_WIDTH = 13
const ABOVE_THE_DOT = 26

export interface Placed {
  x: number
  y: number
  width: number
}

/** Which labels fit, the heaviest first; a label never covers another. */
export function choose(labels: readonly MapLabel[], place: (label: MapLabel) => { x: number; y: number }): Set<MapLabel['id']> {
  const kept: Placed[] = []
  const chosen = new Set<MapLabel['id']>()
  for (const label of [...labels].sort((a, b) => b.weight - a.weight)) {
    if (chosen.size >= MOST) break
    const spot = { ...place(label), width: Math.max(24, label.text.length * CHARACTER_WIDTH) }
    if (kept.some((other) => overlap(spot, other))) continue
    kept.push(spot)
    chosen.add(label.id)
  }
  return chosen
}

function overlap(a: Placed, b: Placed): boolean {
  return Math.abs(a.x - b.x) < (a.width + b.width) / 2 && Math.abs(a.y - b.y) < LINE_HEIGHT
}

export class LabelLayer {
  private readonly markers = new Map<MapLabel['id'], Marker>()
  private labels: readonly MapLabel[] = []
  private shown = true

  constructor(private readonly drawing: Drawing) {
    drawing.on('moveend', () => this.arrange())
  }

  set(labels: readonly MapLabel[], shown: boolean): void {
    this.labels = labels
    this.shown = shown
    this.arrange()
  }

  private arrange(): void {
    const chosen = this.shown ? choose(this.visible(), (label) => this.drawing.project(label.at)) : new Set()
    for (const [id, marker] of this.markers) {
      if (chosen.has(id)) continue
      marker.remove()
      this.markers.delete(id)
    }
    for (const label of this.labels) if (chosen.has(label.id)) this.show(label)
  }

  private visible(): MapLabel[] {
    const bounds = this.drawing.getBounds()
    return this.labels.filter((label) => bounds.contains(label.at))
  }

  private show(label: MapLabel): void {
    const there = this.markers.get(label.id)
    if (there) {
      there.setLngLat(label.at)
      there.getElement().textContent = label.text
      return
    }
    const element = document.createElement('span')
    element.className = 'm-map-label'
    element.textContent = label.text
    const marker = new Marker({ element, offset: [0, -ABOVE_THE_DOT] }).setLngLat(label.at).addTo(this.drawing)
    // The library marks every marker as a button-like picture; a label is only text.
    element.removeAttribute('role')
    element.setAttribute('aria-hidden', 'true')
    element.removeAttribute('aria-label')
    element.removeAttribute('tabindex')
    this.markers.set(label.id, marker)
  }
}
