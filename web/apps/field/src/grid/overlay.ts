// SPDX-License-Identifier: Apache-2.0
/**
 * What was recorded on this phone and is not yet judged, laid over the copy: found people, found doors, moves,
 * and facts per subject. What the server has judged is in its rows; what it holds back is shown under messages.
 */
import type { DoorRow, EntryRow, PersonRow } from '@muster/client'
import type { Mine } from '@muster/outbox'
import { standingFacts, type SeenFact } from '@muster/rules'
import type { GridCopy } from './copy'

export interface Overlay {
  /** Standing facts of mine by the subject they are about: only what the server has not judged yet. */
  facts: Map<string, SeenFact[]>
  persons: PersonRow[]
  doors: DoorRow[]
  /** Person → door it moved to; null: left. */
  moves: Map<string, string | null>
  /** Corrections of mine that the server has not judged: they show at once. */
  edits: Map<string, Partial<Pick<PersonRow, 'name' | 'phone'>>>
  /** What was judged and is being taken back: the server's word may still rest on it. */
  takenBack: Map<string, SeenFact[]>
  /** Subjects with something that the server has not judged yet. */
  pending: Set<string>
}

export function overlayOf(copy: GridCopy, mine: readonly Mine[], round: string): Overlay {
  const acts = mine.filter((act) => (act.round ?? round) === round)
  const standing = new Set(standingFacts(acts.map(seen)).map(({ id }) => id))
  const overlay: Overlay = {
    facts: new Map(),
    persons: [],
    doors: [],
    moves: new Map(),
    edits: new Map(),
    takenBack: new Map(),
    pending: new Set(),
  }
  for (const act of acts) {
    const subject = subjectOf(act)
    if (act.status !== 'SETTLED') overlay.pending.add(subject)
    const list = standing.has(act.id) ? overlay.facts : overlay.takenBack
    const isNews = standing.has(act.id) ? act.status !== 'SETTLED' : act.kind !== 'fact.undone'
    if (isNews) list.set(subject, [...(list.get(subject) ?? []), seen(act)])
    if (isNews && standing.has(act.id)) addNew(overlay, copy, act)
  }
  return overlay
}

export function subjectOf({ kind, subject, body }: Pick<Mine, 'kind' | 'subject' | 'body'>): string {
  // A found person is a subject of their own, though the fact is about the door.
  if (kind === 'person.found' && typeof body?.person === 'string') return body.person
  return subject.person ?? subject.household ?? subject.dwelling ?? ''
}

export function seen(act: Mine): SeenFact {
  const value = act.outcome ?? act.state ?? ''
  return { id: act.id, kind: act.kind, value, actor: act.actor, at: act.at, ref: act.undone ?? null }
}

/** What the server last said of an entry, as one fact: so that both sides are settled by one rule. */
export function saidOf(entry: EntryRow | undefined): SeenFact | null {
  if (!entry?.outcome) return null
  const at = entry.at ? Date.parse(entry.at) : 0
  return { id: entry.fact ?? '', kind: 'entry.outcome', value: entry.outcome, actor: entry.by, at }
}

function addNew(overlay: Overlay, copy: GridCopy, { kind, subject, body }: Mine): void {
  if (!body) return
  const text = (name: string) => (typeof body[name] === 'string' ? body[name] : '')
  if (kind === 'person.found' && subject.dwelling && !copy.persons.has(text('person'))) {
    overlay.persons.push({
      id: text('person'),
      household: text('household') || null,
      dwelling: subject.dwelling,
      name: text('name'),
      age_band: null,
      phone: text('phone') || null,
      services: [],
      listed: false,
    })
  }
  if (kind === 'door.found' && subject.dwelling && !copy.doors.has(subject.dwelling)) {
    overlay.doors.push(foundDoor(copy, subject.dwelling, subject.sub_district, body))
  }
  if (kind === 'person.changed' && subject.person && (body.field === 'name' || body.field === 'phone')) {
    overlay.edits.set(subject.person, { ...overlay.edits.get(subject.person), [body.field]: text('now') })
  }
  if (kind === 'person.moved' && subject.person) {
    const to = body.to as { dwelling?: string } | null | undefined
    overlay.moves.set(subject.person, to?.dwelling ?? null)
  }
}

function foundDoor(copy: GridCopy, id: string, sub_district: number, body: Record<string, unknown>): DoorRow {
  const text = (name: string) => (typeof body[name] === 'string' ? body[name] : '')
  const building = text('building')
  return {
    id,
    grid: copy.buildings.get(building)?.grid ?? 0,
    sub_district,
    building,
    unit: text('unit'),
    floor: typeof body.floor === 'number' ? body.floor : null,
    room: text('room'),
    label: '',
    order: Number.MAX_SAFE_INTEGER,
    states: {},
  }
}
