// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isTerm } from '../words/words'
import { doorsNeverReached, doorsSettled, gapOf, isBalanced, missingOf, type Equation } from './coverage'
import { isStale } from './stale'
import { ENTRY_CLASSES, termOfClass, termOfDoor, toneOf, toneOfRound } from './tones'

const equation = (part: Partial<Equation> = {}): Equation => ({ frozen: 10, added: 2, moved_in: 1, moved_out: 3, roster: 10, sum: 10, balanced: true, classes: { DONE: 7, OPEN: 3 }, ...part })

test('an equation whose sides agree is balanced', () => {
  expect(gapOf(equation())).toBe(0)
  expect(isBalanced(equation())).toBe(true)
})

test('a screen does its own sum: a server that says balanced is not believed', () => {
  expect(isBalanced(equation({ classes: { DONE: 7, OPEN: 2 } }))).toBe(false)
  expect(isBalanced(equation({ balanced: false }))).toBe(false)
  expect(isBalanced(equation({ roster: 11 }))).toBe(false)
})

test('the gap is what one side has over the other, whatever the numbers', () => {
  const count = fc.nat({ max: 1_000_000 })
  fc.assert(
    fc.property(count, count, count, count, fc.integer({ min: -50, max: 50 }), (frozen, added, moved_in, done, extra) => {
      const roster = frozen + added + moved_in
      const open = roster - Math.min(done, roster)
      const classes = { DONE: Math.min(done, roster) + extra, OPEN: open }
      expect(gapOf(equation({ frozen, added, moved_in, moved_out: 0, roster, classes }))).toBe(extra)
    }),
  )
})

test('missing are those without a result and those not reached; arranged is a list of its own', () => {
  expect(missingOf({ OPEN: 2, UNREACHED: 3, ARRANGED: 5, DONE: 7 })).toBe(5)
})

test('a door that stayed shut or was never visited is not reached; settled and never reached make all', () => {
  const doors = { total: 20, seen: 10, vacant: 3, no_answer: 4, refused: 1, unseen: 2 }
  expect(doorsSettled(doors)).toBe(13)
  expect(doorsNeverReached(doors)).toBe(7)
})

test('every class and door state has a word, a tone and its own look beside the others', () => {
  for (const cls of ENTRY_CLASSES) expect(isTerm(termOfClass(cls))).toBe(true)
  for (const state of ['SEEN', 'VACANT', 'NO_ANSWER', 'REFUSED', 'UNSEEN']) expect(isTerm(termOfDoor(state))).toBe(true)
  expect(new Set(ENTRY_CLASSES.map(toneOf)).size).toBe(ENTRY_CLASSES.length)
})

test('an open round is work going on, an open entry is work not begun', () => {
  expect(toneOfRound('OPEN')).toBe('now')
  expect(toneOf('OPEN')).toBe('waiting')
})

test('a grid grows stale two hours after it was last heard, or after the round began', () => {
  const opened = '2026-09-02T08:00:00Z'
  const at = (time: string): number => Date.parse(`2026-09-02T${time}Z`)
  expect(isStale({ freshAt: 0, openedAt: opened, left: 5 }, at('09:59:00'))).toBe(false)
  expect(isStale({ freshAt: 0, openedAt: opened, left: 5 }, at('10:01:00'))).toBe(true)
  expect(isStale({ freshAt: at('09:30:00') / 1000, openedAt: opened, left: 5 }, at('10:01:00'))).toBe(false)
  expect(isStale({ freshAt: 0, openedAt: opened, left: 0 }, at('20:00:00'))).toBe(false)
  expect(isStale({ freshAt: 0, openedAt: null, left: 5 }, at('20:00:00'))).toBe(false)
})
