// SPDX-License-Identifier: Apache-2.0
/**
 * What facts make of an entry or a door, decided as the server decides it: precedence, then when, then id.
 * On the phone the facts are what the server last said (as one fact) and what was recorded here since.
 */
import { outcomeOf, precedenceOf, type CampaignKind, type DoorState, type EntryClass } from './kinds'

export interface SeenFact {
  id: string
  kind: string
  value: string
  actor: string | null
  at: number
  ref?: string | null
  /** Corrections from a desk may take back what others recorded. */
  from_desk?: boolean
}

export interface EntryState {
  cls: EntryClass
  outcome: string
  at: number | null
  actor: string | null
  fact: string | null
  attempts: number
}

export interface DoorReading {
  state: DoorState
  at: number | null
  attempts: number
}

const NOBODY: EntryState = { cls: 'OPEN', outcome: '', at: null, actor: null, fact: null, attempts: 0 }

export function standingFacts(facts: Iterable<SeenFact>): SeenFact[] {
  const byId = new Map(Array.from(facts, (fact) => [fact.id, fact]))
  const undone = new Set<string>()
  for (const { kind, ref, actor, from_desk } of byId.values()) {
    const target = kind === 'fact.undone' && ref ? byId.get(ref) : undefined
    if (target && (from_desk === true || actor === target.actor)) undone.add(target.id)
  }
  return [...byId.values()].filter(({ kind, id }) => kind !== 'fact.undone' && !undone.has(id))
}

/** An outcome that asks for a second visit counts as not reached until a second person has recorded the same. */
export function settleEntry(kind: CampaignKind, facts: Iterable<SeenFact>): EntryState {
  const standing = standingFacts(facts)
  const outcomes = standing.flatMap((fact) => {
    const outcome = fact.kind === 'entry.outcome' || fact.kind === 'person.found' ? outcomeOf(kind, fact.value) : undefined
    return outcome ? [{ fact, outcome }] : []
  })
  const tries = standing.filter((fact) => fact.kind === 'contact.tried').length
  const attempts = tries + outcomes.filter(({ outcome }) => outcome.class !== 'DONE').length
  const best = latest(outcomes, ({ fact, outcome }) => [precedenceOf(outcome), fact.at, fact.id])
  if (!best) return { ...NOBODY, attempts }
  const { fact, outcome } = best
  const witnesses = new Set(outcomes.filter((one) => one.fact.value === fact.value).map((one) => one.fact.actor))
  const alone = outcome.evidence === 'second_visit' && witnesses.size < 2
  return {
    cls: alone ? 'UNREACHED' : outcome.class,
    outcome: fact.value,
    at: fact.at,
    actor: fact.actor,
    fact: fact.id,
    attempts,
  }
}

/** An answer beats silence, then the later beats the earlier. */
export function settleDoor(kind: CampaignKind, facts: Iterable<SeenFact>): DoorReading {
  const readings = standingFacts(facts).flatMap((fact) => {
    const state = doorStateOf(kind, fact)
    return state ? [{ fact, state }] : []
  })
  const best = latest(readings, ({ fact, state }) => [state === 'NO_ANSWER' ? 0 : 1, fact.at, fact.id])
  const visits = new Set(readings.map(({ fact }) => fact.at))
  return best ? { state: best.state, at: best.fact.at, attempts: visits.size } : { state: 'UNSEEN', at: null, attempts: 0 }
}

export function doorStateOf(kind: CampaignKind, fact: SeenFact): DoorState | null {
  if (fact.kind === 'door.state') return fact.value as DoorState
  if (fact.kind === 'entry.outcome') return outcomeOf(kind, fact.value)?.door ?? null
  return fact.kind === 'person.found' || fact.kind === 'door.found' ? 'SEEN' : null
}

type Order = readonly (string | number)[]

function latest<T>(items: readonly T[], orderOf: (item: T) => Order): T | undefined {
  let best: { item: T; order: Order } | undefined
  for (const item of items) {
    const order = orderOf(item)
    if (!best || isAfter(order, best.order)) best = { item, order }
  }
  return best?.item
}

function isAfter(one: Order, other: Order): boolean {
  for (const [place, value] of one.entries()) {
    const against = other[place] ?? value
    if (value !== against) return value > against
  }
  return false
}
