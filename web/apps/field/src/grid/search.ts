// SPDX-License-Identifier: Apache-2.0
/** Finding a door by what people say at it: room, building, name, first letters of the name, end of the phone number. */
import { fold, maskName } from '@muster/rules'
import { initialsOf } from './initials'
import type { DoorView, RoundView } from './view'

export interface Found {
  view: DoorView
  /** Who matched, if it was a person; masked, as in every list. */
  person: string | null
}

interface Indexed {
  view: DoorView
  code: string
  address: string
  people: { name: string; key: string; spelled: string[]; phone: string }[]
}

export type Finder = (typed: string) => Found[]
const MOST = 60

export function finderOf(round: RoundView): Finder {
  // Made at the first search: opening the grid does not wait for it.
  let index: Indexed[] | null = null
  return (typed) => {
    const wanted = squeezed(typed)
    if (wanted === '') return []
    index ??= round.buildings.flatMap(({ stairs }) => stairs.flatMap(({ doors }) => doors.map(indexed)))
    const ranked = index.flatMap((one) => {
      const hit = hitOf(one, wanted)
      return hit ? [{ found: { view: one.view, person: hit.person }, rank: hit.rank }] : []
    })
    return ranked.sort((one, other) => one.rank - other.rank).slice(0, MOST).map(({ found }) => found)
  }
}

function indexed(view: DoorView): Indexed {
  const { door, building, persons } = view
  return {
    view,
    code: squeezed(door.room),
    address: squeezed(`${building?.name ?? ''}${door.unit}${door.label}${building?.address ?? ''}`),
    people: persons.map(({ name, phone, search_keys }) => ({
      name,
      key: squeezed(name),
      spelled: search_keys?.length ? search_keys : [initialsOf(name)],
      phone: phone ?? '',
    })),
  }
}

function hitOf({ code, address, people }: Indexed, wanted: string): { rank: number; person: string | null } | null {
  if (code === wanted) return { rank: 0, person: null }
  const digits = wanted.replace(/[^0-9]/g, '')
  for (const { name, key, spelled, phone } of people) {
    if (key.startsWith(wanted) || spelled.includes(wanted)) return { rank: 1, person: maskName(name) }
    if (key.includes(wanted) || spelled.some((one) => one.startsWith(wanted))) return { rank: 2, person: maskName(name) }
    if (digits.length >= 4 && phone.endsWith(digits)) return { rank: 2, person: maskName(name) }
  }
  if (code.startsWith(wanted)) return { rank: 3, person: null }
  return address.includes(wanted) ? { rank: 4, person: null } : null
}

function squeezed(text: string): string {
  return fold(text).toLowerCase().replace(/[\s\-·'’,.]/g, '')
}
