// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import type { CampaignKind } from '../api/types'
import { codeFrom, move, newKind, newOutcome, problemsOf, questionsAfter, withCodes } from './kindDraft'
import { certificateOf, sentencesOf } from './kindEditor'
import { optionsFrom, optionsText } from './options'

const named = (zh: string, en: string): { zh: string; en: string } => ({ zh, en })
const draft = (): CampaignKind => ({
  ...newKind(),
  name: named('a', 'Winter visit'),
  outcomes: [{ ...newOutcome('DONE', 1), name: named('x', 'Seen, well') }, { ...newOutcome('UNREACHED', 2), name: named('y', 'No answer') }],
})

test('a whole draft has nothing wrong with it; each lack is named', () => {
  expect(problemsOf(draft())).toEqual([])
  expect(problemsOf(newKind())).toEqual(['kinds.wrong.name', 'kinds.wrong.outcome_name'])
  const [done, unreached] = draft().outcomes
  expect(problemsOf({ ...draft(), outcomes: [unreached!] })).toContain('kinds.wrong.no_done')
  expect(problemsOf({ ...draft(), outcomes: [done!] })).toContain('kinds.wrong.no_unreached')
  expect(problemsOf({ ...draft(), outcomes: [done!, { ...unreached!, name: done!.name }] })).toContain('kinds.wrong.outcome_twice')
})

test('codes come from the English name and are never the same twice', () => {
  expect(codeFrom(named('', 'Seen, well'), [], 'outcome')).toBe('seen_well')
  expect(codeFrom(named('', 'Seen, well'), ['seen_well'], 'outcome')).toBe('seen_well_2')
  expect(codeFrom(named('', '42'), [], 'outcome')).toBe('outcome')
})

test('a code once given stays when the name changes', () => {
  const first = withCodes(draft(), [])
  const renamed = { ...first, outcomes: first.outcomes.map((one) => ({ ...one, name: named('z', 'Another name') })) }
  expect(withCodes(renamed, []).outcomes.map((one) => one.code)).toEqual(first.outcomes.map((one) => one.code))
  expect(first.key).toBe('winter_visit')
})

test('keys of the phone stand in the order of the list', () => {
  const moved = withCodes({ ...draft(), outcomes: move(draft().outcomes, 1, -1) }, [])
  expect(moved.outcomes.map((one) => [one.class, one.key_order])).toEqual([['UNREACHED', 1], ['DONE', 2]])
  expect(move([1, 2], 0, -1)).toEqual([1, 2])
})

test('a question is asked after its outcomes, or always', () => {
  const kind = { questions: [{ when: [] }, { when: ['seen'] }] } as never
  expect(questionsAfter(kind, 'seen')).toHaveLength(2)
  expect(questionsAfter(kind, 'other')).toHaveLength(1)
})

test('an option keeps its value while its name stays, a new one gets its own', () => {
  const first = optionsFrom('a / A\nb / B', [])
  expect(first.map((one) => one.value)).toEqual(['option_1', 'option_2'])
  const next = optionsFrom('c / C\nb / B changed\na / A', first)
  expect(next.map((one) => one.value)).toEqual(['option_1_2', 'option_2', 'option_1'])
  expect(optionsText(first)).toBe('a / A\nb / B')
})

test('a certificate keeps its conditions while only one language is edited', () => {
  const lines = [{ zh: 'a', en: 'A' }, { zh: 'b', en: 'B', when: 'arranged' }]
  const text = certificateOf({ certificate: lines })
  expect(sentencesOf({ ...text, en: 'A\nB better' }, lines)).toEqual([{ zh: 'a', en: 'A' }, { zh: 'b', en: 'B better', when: 'arranged' }])
  expect(sentencesOf({ zh: 'a\nb\nc', en: 'A\nB\nC' }, lines)).toHaveLength(3)
})
