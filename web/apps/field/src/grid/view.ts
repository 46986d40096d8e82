// SPDX-License-Identifier: Apache-2.0
/** A round as the worker walks it: buildings, stairwells, doors, and at each door who is inside and who is left. */
import type { BuildingRow, DoorRow, EntryRow, HouseholdRow, PersonRow, RoundRow } from '@muster/client'
import type { Mine } from '@muster/outbox'
import {
  outcomeOf,
  settleDoor,
  settleEntry,
  type CampaignKind,
  type DoorReading,
  type EntryState,
  type SeenFact,
} from '@muster/rules'
import type { GridCopy } from './copy'
import { overlayOf, saidOf, type Overlay } from './overlay'

/** One line of the roster at a door: a person, a household, or the door itself. */
export interface Line {
  subject: string
  entry: EntryState
  person: PersonRow | null
  household: HouseholdRow | null
  /** Recorded here and not yet judged by the server. */
  pending: boolean
}

export interface DoorView {
  door: DoorRow
  building: BuildingRow | null
  lines: Line[]
  /** All who live here by the list, whatever the round asks. */
  persons: PersonRow[]
  services: string[]
  reading: DoorReading
  /** Lines that are open or unreached. */
  left: number
  /** Somebody is left, or nobody has ever been seen here. */
  isLeft: boolean
}

export interface StairView {
  unit: string
  doors: DoorView[]
}

export interface BuildingView {
  building: BuildingRow
  stairs: StairView[]
  doors: number
  doorsLeft: number
  left: number
  total: number
}

export interface RoundView {
  round: RoundRow
  buildings: BuildingView[]
  doors: Map<string, DoorView>
  total: number
  /** All that are not open or unreached. */
  worked: number
  left: number
  doorsTotal: number
  doorsLeft: number
  /** Tried, and to be tried again. */
  again: number
}

const LEFT = new Set(['OPEN', 'UNREACHED'])
const NOT_SEEN = new Set(['UNSEEN', 'NO_ANSWER'])

export function viewOf(copy: GridCopy, round: RoundRow, mine: readonly Mine[]): RoundView {
  const overlay = overlayOf(copy, mine, round.id)
  const doors = new Map<string, DoorView>()
  const persons = personsByDoor(copy, overlay)
  const entries = entriesByDoor(copy, round, overlay)
  for (const door of [...copy.doors.values(), ...overlay.doors]) {
    const inside = persons.get(door.id) ?? []
    const lines = linesAt(door, round, copy, overlay, entries.get(door.id) ?? [])
    doors.set(door.id, doorView(door, round, copy, overlay, inside, lines))
  }
  return summed(round, doors, copy)
}

function linesAt(door: DoorRow, round: RoundRow, copy: GridCopy, overlay: Overlay, entries: EntryRow[]): Line[] {
  const lines = entries.map((entry) => lineOf(round.kind, entry.subject, entry, copy, overlay))
  const known = new Set(lines.map(({ subject }) => subject))
  const isNew = (subject: string) => !known.has(subject) && !copy.entriesOf(round.id).has(subject)
  if (round.kind.unit === 'person') {
    const found = overlay.persons.filter(({ id, dwelling }) => dwelling === door.id && isNew(id))
    lines.push(...found.map(({ id }) => lineOf(round.kind, id, undefined, copy, overlay)))
  }
  if (round.kind.unit === 'dwelling' && overlay.doors.includes(door) && isNew(door.id)) {
    lines.push(lineOf(round.kind, door.id, undefined, copy, overlay))
  }
  return lines.sort(byHousehold)
}

function lineOf(kind: CampaignKind, subject: string, entry: EntryRow | undefined, copy: GridCopy, overlay: Overlay): Line {
  return {
    subject,
    entry: stateOf(kind, entry, overlay, subject),
    person: edited(copy.persons.get(subject) ?? overlay.persons.find(({ id }) => id === subject), overlay) ?? null,
    household: copy.households.get(subject) ?? null,
    pending: overlay.pending.has(subject),
  }
}

/** The server's word as it stands, unless something was recorded here since. */
function stateOf(kind: CampaignKind, entry: EntryRow | undefined, overlay: Overlay, subject: string): EntryState {
  // Nothing recorded here since: the server's word as it stands, without further thought (a grid opens with thousands).
  if (!overlay.facts.has(subject) && !overlay.takenBack.has(subject)) return asSaid(entry)
  const fresh = overlay.facts.get(subject) ?? []
  const said = saidOf(entry)
  const restsOn = (fact: SeenFact) => said !== null && (fact.id === said.id || (fact.value === said.value && fact.at === said.at))
  const isTakenBack = overlay.pending.has(subject) && (overlay.takenBack.get(subject) ?? []).some(restsOn)
  const attempts = entry?.attempts ?? 0
  if (fresh.length === 0 && !isTakenBack) return asSaid(entry)
  const settled = settleEntry(kind, [...(said && !isTakenBack ? [said] : []), ...fresh])
  const state = { ...settled, attempts: attempts + fresh.filter((fact) => isAttempt(kind, fact)).length }
  if (said === null || settled.outcome !== said.value || isTakenBack) return state
  // The server knows all witnesses of its word; the phone knows only the last.
  return settled.fact === said.id || entry?.cls === outcomeOf(kind, said.value)?.class ? { ...state, cls: entry?.cls ?? state.cls } : state
}

function asSaid(entry: EntryRow | undefined): EntryState {
  return {
    cls: entry?.cls ?? 'OPEN',
    outcome: entry?.outcome ?? '',
    at: entry?.at ? Date.parse(entry.at) : null,
    actor: entry?.by ?? null,
    fact: null,
    attempts: entry?.attempts ?? 0,
  }
}

function isAttempt(kind: CampaignKind, { kind: of, value }: SeenFact): boolean {
  if (of === 'contact.tried') return true
  const outcome = of === 'entry.outcome' ? outcomeOf(kind, value) : undefined
  return outcome !== undefined && outcome.class !== 'DONE'
}

function doorView(
  door: DoorRow,
  round: RoundRow,
  copy: GridCopy,
  overlay: Overlay,
  persons: PersonRow[],
  lines: Line[],
): DoorView {
  const left = lines.filter(({ entry }) => LEFT.has(entry.cls)).length
  const reading = readingOf(door, round, overlay, lines, persons)
  const staying = lines.map(({ person }) => person).filter((person): person is PersonRow => person !== null)
  const services = [...new Set([...staying, ...persons].flatMap((person) => person.services))]
  const building = copy.buildings.get(door.building) ?? null
  return { door, building, lines, persons, services, reading, left, isLeft: left > 0 || NOT_SEEN.has(reading.state) }
}

function readingOf(door: DoorRow, { id, kind }: RoundRow, overlay: Overlay, lines: Line[], persons: PersonRow[]): DoorReading {
  const said = door.states[id]
  if (overlay.facts.size === 0) return { state: said?.state ?? 'UNSEEN', at: null, attempts: said?.attempts ?? 0 }
  const base: SeenFact[] =
    said && said.state !== 'UNSEEN' ? [{ id: '', kind: 'door.state', value: said.state, actor: null, at: 0 }] : []
  const subjects = new Set([door.id, ...lines.map(({ subject }) => subject), ...persons.map((person) => person.id)])
  const mine = [...subjects].flatMap((subject) => overlay.facts.get(subject) ?? [])
  const reading = settleDoor(kind, [...base, ...mine])
  return { ...reading, attempts: Math.max(said?.attempts ?? 0, reading.attempts) }
}

function edited(person: PersonRow | undefined, { edits }: Overlay): PersonRow | undefined {
  const edit = person && edits.get(person.id)
  return edit ? { ...person, ...edit } : person
}

function personsByDoor(copy: GridCopy, overlay: Overlay): Map<string, PersonRow[]> {
  const { persons, moves } = overlay
  const known = [...copy.persons.values(), ...persons]
  const all = overlay.edits.size === 0 ? known : known.map((one) => edited(one, overlay) ?? one)
  return grouped(all, ({ id, dwelling }) => (moves.has(id) ? moves.get(id) : dwelling) ?? '')
}

function entriesByDoor(copy: GridCopy, round: RoundRow, { moves }: Overlay): Map<string, EntryRow[]> {
  return grouped(copy.entriesOf(round.id).values(), (entry) => {
    if (moves.has(entry.subject)) return moves.get(entry.subject) ?? ''
    return entry.dwelling ?? ''
  })
}

function summed(round: RoundRow, doors: Map<string, DoorView>, copy: GridCopy): RoundView {
  const byBuilding = grouped(doors.values(), ({ door }) => door.building)
  const buildings = [...copy.buildings.values()]
    .sort((one, other) => one.order - other.order || compareLabels(one.name, other.name))
    .map((building) => buildingView(building, byBuilding.get(building.id) ?? []))
    .filter(({ doors: count }) => count > 0)
  const all = [...doors.values()]
  const lines = all.flatMap((view) => view.lines)
  const left = sum(all, (view) => view.left)
  return {
    round,
    buildings,
    doors,
    total: lines.length,
    worked: lines.length - left,
    left,
    doorsTotal: all.length,
    doorsLeft: all.filter(({ isLeft }) => isLeft).length,
    again: all.filter(({ isLeft, reading, lines: own }) => isLeft && (reading.attempts > 0 || own.some(({ entry }) => entry.attempts > 0)))
      .length,
  }
}

function buildingView(building: BuildingRow, doors: DoorView[]): BuildingView {
  const walked = [...doors].sort(inWalkingOrder)
  const stairs = [...grouped(walked, ({ door }) => door.unit)].map(([unit, inside]) => ({ unit, doors: inside }))
  return {
    building,
    stairs: stairs.sort((one, other) => compareLabels(one.unit, other.unit)),
    doors: doors.length,
    doorsLeft: doors.filter(({ isLeft }) => isLeft).length,
    left: sum(doors, ({ left }) => left),
    total: sum(doors, ({ lines }) => lines.length),
  }
}

function inWalkingOrder(one: DoorView, other: DoorView): number {
  return one.door.order - other.door.order || compareLabels(one.door.room, other.door.room)
}

const LABELS = new Intl.Collator('zh-CN', { numeric: true })

export function compareLabels(one: string, other: string): number {
  return LABELS.compare(one, other)
}

function byHousehold(one: Line, other: Line): number {
  return compareIds(one.person?.household ?? '', other.person?.household ?? '') || compareIds(one.subject, other.subject)
}

function compareIds(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}

function grouped<T>(items: Iterable<T>, by: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = by(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return groups
}
