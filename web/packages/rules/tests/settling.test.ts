// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  doorOutcomes,
  mustGive,
  outcomesInOrder,
  questionsFor,
  settleDoor,
  settleEntry,
  unanswered,
  type CampaignKind,
  type DoorReading,
  type EntryState,
  type Outcome,
  type SeenFact,
} from '../src'

interface Vectors {
  outcomes: Outcome[]
  cases: { facts: SeenFact[]; entry: EntryState; door: DoorReading }[]
}

const file = new URL('../../../../tests/vectors/settle.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf-8')) as Vectors
const name = { zh: '', en: '' }
const kind: CampaignKind = { key: 'k', name, unit: 'person', outcomes: vectors.outcomes }

describe('settling', () => {
  test.each(vectors.cases)('case %# is settled as the server settles it', ({ facts, entry, door }) => {
    expect({ entry: settleEntry(kind, facts), door: settleDoor(kind, facts) }).toEqual({ entry, door })
  })

  test('any_order_and_any_repetition gives the same state', () => {
    const all = vectors.cases.filter(({ facts }) => facts.length > 2)
    fc.assert(
      fc.property(fc.constantFrom(...all), fc.infiniteStream(fc.nat()), ({ facts, entry }, draws) => {
        const again = [...facts, ...facts.slice(0, 2)].sort(() => (draws.next().value ?? 0) % 3 - 1)
        expect(settleEntry(kind, again)).toEqual(entry)
      }),
    )
  })
})

describe('kinds', () => {
  const outcome = (code: string) => vectors.outcomes.find((one) => one.code === code) as Outcome

  test('outcomes_in_order follow their keys, the rest keep their place', () => {
    const outcomes = [outcome('away'), { ...outcome('done'), key_order: 1 }, { ...outcome('refused'), key_order: 2 }]

    expect(outcomesInOrder({ ...kind, outcomes }).map(({ code }) => code)).toEqual(['done', 'refused', 'away'])
  })

  test('questions are asked for the outcomes they name, else for those who were met', () => {
    const people = { key: 'people', name, type: 'number' as const }
    const why = { key: 'why', name, type: 'text' as const, when: ['refused'], required: true }
    const asked = { ...kind, questions: [people, why] }

    expect(questionsFor(asked, outcome('done'))).toEqual([people])
    expect(questionsFor(asked, outcome('refused'))).toEqual([why])
    expect(questionsFor(asked, outcome('no_answer'))).toEqual([])
  })

  test('unanswered names only what is required and empty', () => {
    const required = { key: 'a', name, type: 'number' as const, required: true }

    expect(unanswered([required], {})).toEqual([required])
    expect(unanswered([required], { a: 0 })).toEqual([])
    expect(unanswered([{ ...required, required: false }], {})).toEqual([])
  })

  test('evidence that a second person gives is not asked of the first', () => {
    expect([mustGive(outcome('refused')), mustGive(outcome('done_elsewhere')), mustGive(outcome('done'))]).toEqual([
      null,
      'proof',
      null,
    ])
  })

  test('door_outcomes are those of a door where nobody was met', () => {
    expect(doorOutcomes(kind).map(({ code }) => code)).toEqual(['refused', 'no_answer'])
  })
})
