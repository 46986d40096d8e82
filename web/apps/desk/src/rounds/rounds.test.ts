// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import type { Coverage, CoverageChild, MissingEntry, Outcome, Round } from '../api/types'
import { shownState } from './certificate'
import { mostRunning } from './current'
import { contactFact, newFactId, outcomeFact, subjectOf, undoFact } from './facts'
import { allowed, frozenShare, nextStep, obstacles, reasonOf, unsigned } from './steps'

const coverage = (classes: Record<string, number>, children: Partial<CoverageChild>[] = []): Coverage => {
  const sum = Object.values(classes).reduce((total, one) => total + one, 0)
  return {
    equation: { frozen: sum, added: 0, moved_in: 0, moved_out: 0, roster: sum, sum, balanced: true, classes },
    doors: { total: 5, seen: 5, vacant: 0, no_answer: 0, refused: 0, unseen: 0 },
    children,
  } as unknown as Coverage
}

test('each status has its next step, the last has none', () => {
  expect(['PLANNED', 'ROSTER_FROZEN', 'OPEN', 'CLOSING', 'CLOSED', 'CERTIFIED'].map((one) => nextStep(one as Round['status']))).toEqual(['freeze', 'open', 'start-closing', 'close', 'certify', null])
})

test('a round closes only when nothing is open; before that the same is only said', () => {
  const left = coverage({ DONE: 8, UNREACHED: 2 })
  expect(obstacles({ status: 'OPEN' }, left).map((one) => [one.count, one.blocks])).toEqual([[2, false]])
  expect(obstacles({ status: 'CLOSING' }, left).map((one) => one.blocks)).toEqual([true])
  expect(obstacles({ status: 'CLOSING' }, coverage({ DONE: 8, EXPLAINED: 2 }))).toEqual([])
})

test('parts without a signature are counted', () => {
  expect(unsigned(coverage({ DONE: 1 }, [{ certified: true }, { certified: false }]))).toBe(1)
  expect(unsigned(undefined)).toBe(1)
})

test('who may take a step is what the server says, with its reason', () => {
  const why = (code: string) => ({ code, zh: code, en: code })
  const round = { steps: [{ step: 'close' as const, may: false, why_not: why('role_may_not') }, { step: 'reopen' as const, may: true, why_not: null }] }
  expect(allowed(round, 'close')?.may).toBe(false)
  expect(reasonOf(round, 'close')?.code).toBe('role_may_not')
  expect(reasonOf({ steps: [{ step: 'close', may: false, why_not: why('round_has_open_entries') }] }, 'close')).toBeNull()
  expect(allowed({}, 'close')).toBeNull()
})

test('the share of frozen grids is whole, and none while nobody freezes', () => {
  expect(frozenShare({ freezing: { asked_at: null, done: 2, total: 3, units: 9 } })).toBe(66)
  expect(frozenShare({ freezing: { asked_at: null, done: 0, total: 0, units: 0 } })).toBe(0)
  expect(frozenShare({ freezing: null })).toBeNull()
})

test('a signature that no longer fits is shown as outdated', () => {
  expect(shownState({ state: 'SIGNED', still_matches: false })).toBe('outdated')
  expect(shownState({ state: 'SIGNED', still_matches: true })).toBe('signed')
  expect(shownState({ state: 'NOT_READY', still_matches: false })).toBe('open')
})

test('the running round comes before a planned or a closed one', () => {
  const round = (id: string, status: string, number: number): Round => ({ id, status, number }) as Round
  expect(mostRunning([round('a', 'PLANNED', 3), round('b', 'OPEN', 2), round('c', 'CLOSED', 1)])?.id).toBe('b')
  expect(mostRunning([round('a', 'OPEN', 1), round('b', 'OPEN', 2)])?.id).toBe('b')
  expect(mostRunning([])).toBeNull()
})

const entry = { unit: 'person', subject: 's-1', sub_district: 7 } as MissingEntry

test('ids are version 7 and in the order of time', () => {
  const first = newFactId(1_700_000_000_000)
  const later = newFactId(1_700_000_000_001)
  expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(first < later).toBe(true)
  expect(parseInt(first.replaceAll('-', '').slice(0, 12), 16)).toBe(1_700_000_000_000)
})

test('a fact names its subject by the unit of the round, and its evidence where one is asked for', () => {
  expect(subjectOf(entry)).toEqual({ sub_district: 7, person: 's-1' })
  const fact = outcomeFact('r', entry, { code: 'AWAY', evidence: 'note' } as Outcome, 'at her son\u2019s', {})
  expect(fact.body).toMatchObject({ round: 'r', outcome: 'AWAY', via: 'desk', evidence: { kind: 'note', ref: 'at her son\u2019s' } })
  expect(outcomeFact('r', entry, { code: 'DONE', evidence: 'none' } as Outcome, '', {}).body).not.toHaveProperty('evidence')
})

test('undoing is a fact about the same subject that names the undone one', () => {
  const tried = contactFact('r', entry, false, '')
  const undo = undoFact('r', tried)
  expect(undo.kind).toBe('fact.undone')
  expect(undo.subject).toEqual(tried.subject)
  expect(undo.body).toEqual({ round: 'r', fact: tried.id })
})
