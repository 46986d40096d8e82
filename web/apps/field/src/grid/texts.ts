// SPDX-License-Identifier: Apache-2.0
/** Texts that leave the phone: counts of a building for the residents' chat, counts of the day for the grid head. No name, no door. */
import type { Mine } from '@muster/outbox'
import { outcomeOf, standingFacts, type Bilingual, type CampaignKind } from '@muster/rules'
import { seen, subjectOf } from './overlay'
import type { BuildingView, RoundView, StairView } from './view'

export interface Occasion {
  when: string
  place: string
}

export interface ChatLine {
  unit: string
  left: number
  text: string
}

/** One text per stairwell where somebody is left; a house without stairwells has one. */
export function chatLines(view: BuildingView, template: string, unitName: (unit: string) => string, occasion: Occasion): ChatLine[] {
  return view.stairs
    .map((stair) => ({ unit: stair.unit, left: doorsLeft(stair) }))
    .filter(({ left }) => left > 0)
    .map(({ unit, left }) => {
      const facts = { building: view.building.name, unit: unitName(unit), left: String(left), ...occasion }
      return { unit, left, text: filled(template, facts) }
    })
}

/** Households still to do: a door counts once, and not for being unseen while nobody is known behind it. */
export function doorsLeft({ doors }: StairView): number {
  return doors.filter(({ left }) => left > 0).length
}

export function filled(template: string, facts: Record<string, string>): string {
  const text = template.replace(/\{([a-z_]+)\}/g, (whole, name: string) => facts[name] ?? whole)
  return text.replace(/ {2,}/g, ' ').replace(/ +([,.:;])/g, '$1').trim()
}

export interface DayFigures {
  acts: number
  doors: number
  found: number
  moved: number
  byOutcome: { name: Bilingual; count: number }[]
  left: number
  doorsLeft: number
}

/** What I did since `since`: facts that stand, each subject once by its last outcome. */
export function dayFigures(view: RoundView, mine: readonly Mine[], since: number): DayFigures {
  const own = mine.filter((act) => act.at >= since && (act.round ?? view.round.id) === view.round.id)
  const standing = new Set(standingFacts(own.map(seen)).map(({ id }) => id))
  const acts = own.filter(({ id }) => standing.has(id))
  const last = new Map<string, string>()
  for (const act of acts) if (act.kind === 'entry.outcome' && act.outcome) last.set(subjectOf(act), act.outcome)
  return {
    acts: acts.length,
    doors: new Set(acts.map((act) => doorOf(view, act)).filter(Boolean)).size,
    found: acts.filter(({ kind }) => kind === 'person.found').length,
    moved: acts.filter(({ kind }) => kind === 'person.moved').length,
    byOutcome: counted(view.round.kind, [...last.values()]),
    left: view.left,
    doorsLeft: view.doorsLeft,
  }
}

/** Midnight where the incident is, not where the phone thinks it is. */
export function dayStart(now: number, timeZone: string | undefined): number {
  const options = { hour: 'numeric', minute: 'numeric', second: 'numeric', hourCycle: 'h23' } as const
  const format = (zone?: string) => new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone })
  const parts = safely(() => format(timeZone), () => format()).formatToParts(now)
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value ?? 0)
  return now - (now % 1000) - ((of('hour') * 60 + of('minute')) * 60 + of('second')) * 1000
}

function safely<T>(first: () => T, second: () => T): T {
  try {
    return first()
  } catch {
    return second()
  }
}

function doorOf(view: RoundView, { subject }: Mine): string | undefined {
  if (subject.dwelling) return subject.dwelling
  const id = subject.person ?? subject.household
  for (const { door, lines } of view.doors.values()) if (lines.some((line) => line.subject === id)) return door.id
  return undefined
}

function counted(kind: CampaignKind, codes: readonly string[]): DayFigures['byOutcome'] {
  const counts = new Map<string, number>()
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1)
  return [...counts]
    .map(([code, count]) => ({ name: outcomeOf(kind, code)?.name ?? { zh: code, en: code }, count }))
    .sort((one, other) => other.count - one.count)
}
