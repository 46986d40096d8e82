// SPDX-License-Identifier: Apache-2.0
/** How doors and people are called on the screen: one place, two languages, every kind of address. */
import { language, pick, sentence, term, termOfClass, termOfDoor, toneOf, type Tone } from '@muster/ui'
import type { GridRow, PersonRow, RoundRow } from '@muster/client'
import { maskName, outcomeOf, type CampaignKind, type EntryState } from '@muster/rules'
import type { GridCopy } from './copy'
import type { DoorView, Line } from './view'

/** As people say it: the register's own label, or building, stairwell and room for a door that was just found. */
export function doorName({ door, building }: DoorView): string {
  const { label, unit, room } = door
  return label || [building?.name ?? '', unitName(unit), room].filter(Boolean).join(' ')
}

/** The campaign and which time it is done. */
export function roundTitle({ campaign_name, name }: Pick<RoundRow, 'campaign_name' | 'name'>): string {
  return campaign_name && !name.includes(campaign_name) ? `${campaign_name} ${name}` : name
}

export function gridName({ name, name_en }: Pick<GridRow, 'name' | 'name_en'>): string {
  return (language.value === 'en' && name_en) || name
}

/** On a row the stairwell is said by the heading above it. */
export function rowLabel({ door }: DoorView): string {
  return door.room || door.label
}

export function unitName(unit: string): string {
  if (!unit) return ''
  return /^[0-9]+$/.test(unit) ? sentence('chat.unit', { unit }) : unit
}

export function serviceName(copy: GridCopy, code: string): string {
  const service = copy.services.find((one) => one.code === code)
  return service ? pick(service.name) : ''
}

export interface Badge {
  tone: Tone
  word: string
}

/** The state of a line: the outcome's word, the class's colour and shape. */
export function lineBadge(kind: CampaignKind, { cls, outcome }: EntryState): Badge {
  const known = outcomeOf(kind, outcome)
  return { tone: toneOf(cls), word: known ? pick(known.name) : term(termOfClass(cls)) }
}

/** A door in one badge: what is left if something is, else what its lines came to. */
export function doorBadge(kind: CampaignKind, view: DoorView): Badge {
  const { lines, reading } = view
  const unreached = lines.find(({ entry }) => entry.cls === 'UNREACHED')
  if (unreached) return lineBadge(kind, unreached.entry)
  if (lines.some(({ entry }) => entry.cls === 'OPEN')) {
    const some = lines.find(({ entry }) => entry.cls !== 'OPEN')
    return some ? { tone: 'now', word: `${lines.length - view.left} / ${lines.length}` } : { tone: 'waiting', word: term(termOfClass('OPEN')) }
  }
  // All accounted for, but nobody has been seen at this door: that is what is still to do here.
  if (view.isLeft) return { tone: toneOf(reading.state), word: term(termOfDoor(reading.state)) }
  const arranged = lines.find(({ entry }) => entry.cls === 'ARRANGED')
  const shown = arranged ?? lines.find(({ entry }) => entry.cls === 'DONE') ?? lines[0]
  return shown ? lineBadge(kind, shown.entry) : { tone: toneOf(reading.state), word: term(termOfDoor(reading.state)) }
}

export function lineName(kind: CampaignKind, view: DoorView, line: Line, masked: boolean): string {
  if (kind.unit === 'dwelling') return sentence('door.whole_door')
  if (kind.unit === 'household') {
    if (line.household?.label) return line.household.label
    const first = view.persons.find(({ household }) => household === line.subject) ?? view.persons[0]
    return first ? sentence('door.household_of', { name: shownName(first, masked) }) : sentence('door.whole_door')
  }
  return line.person ? shownName(line.person, masked) : '—'
}

export function shownName({ name }: PersonRow, masked: boolean): string {
  return masked ? maskName(name) : name
}

/** Those who live here, for a row: masked, the first three and how many more. */
export function peopleOnRow({ persons }: DoorView): string {
  const names = persons.slice(0, 3).map(({ name }) => maskName(name))
  const more = persons.length - names.length
  const joined = names.join(language.value === 'zh' ? ' ' : ', ')
  return more > 0 ? `${joined} +${more}` : joined
}
