// SPDX-License-Identifier: Apache-2.0
/** Which buildings and doors the list shows under its filter, and which buildings stand open. */
import { computed, type ComputedRef } from 'vue'
import type { Session } from '../session/session'
import type { BuildingView, DoorView, StairView } from './view'

export interface Shown {
  whole: BuildingView
  stairs: StairView[]
}

export function useShownBuildings(session: Session): {
  shown: ComputedRef<Shown[]>
  isOpen: (id: string) => boolean
  toggle: (id: string) => void
} {
  const shown = computed<Shown[]>(() =>
    (session.view.value?.buildings ?? [])
      .map((whole) => ({ whole, stairs: filtered(whole.stairs, session.settings.show) }))
      .filter(({ stairs }) => stairs.length > 0),
  )
  // The first building of the walk stands open; the others wait for a tap, so that a large grid opens at once.
  const first = computed(() => shown.value[0]?.whole.building.id)
  const isOpen = (id: string) => session.openBuildings.get(id) ?? id === first.value
  return { shown, isOpen, toggle: (id) => void session.openBuildings.set(id, !isOpen(id)) }
}

/** The first rows of a building, stairwell by stairwell. */
export function firstRows(stairs: readonly StairView[], most: number): StairView[] {
  let left = most
  return stairs.flatMap(({ unit, doors }) => {
    const some = doors.slice(0, Math.max(left, 0))
    left -= some.length
    return some.length > 0 ? [{ unit, doors: some }] : []
  })
}

function filtered(stairs: readonly StairView[], show: 'left' | 'again' | 'all'): StairView[] {
  const wanted = (view: DoorView) => show === 'all' || (view.isLeft && (show === 'left' || wasTried(view)))
  return stairs.map(({ unit, doors }) => ({ unit, doors: doors.filter(wanted) })).filter(({ doors }) => doors.length > 0)
}

export function wasTried({ reading, lines }: DoorView): boolean {
  return reading.attempts > 0 || lines.some(({ entry }) => entry.attempts > 0)
}
