// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { chatLines, dayFigures, dayStart, filled } from '../src/grid/texts'
import { troubled } from '../src/grid/messages'
import { viewOf } from '../src/grid/view'
import { codeInLink, idInLink } from '../src/session/links'
import { act, copyOf, door, entry, outcome, page, person, ROUND, town } from './town'

const TEMPLATE = '{building}{unit}: {left} left, come {when} to {place}'
const OCCASION = { when: 'by 8', place: 'the gate' }

describe('chat text', () => {
  test('text has counts by stairwell and no name or door', () => {
    const more = page({
      doors: [door('d4', 'b1', '201', 4, '2')],
      persons: [person('p4', 'd4', 'CANARY')],
      entries: [entry('p4', 'd4')],
    })
    const view = viewOf(copyOf(town(), more), ROUND, [outcome('p3', 'DONE')])
    const [first] = view.buildings
    const lines = chatLines(first!, TEMPLATE, (unit) => unit && ` unit ${unit}`, OCCASION)

    expect(lines.map(({ text }) => text)).toEqual(['First: 1 left, come by 8 to the gate', 'First unit 2: 1 left, come by 8 to the gate'])
    expect(JSON.stringify(lines)).not.toMatch(/CANARY|101|201/)
  })

  test('building where all is done has no text', () => {
    const view = viewOf(copyOf(town()), ROUND, [outcome('p1', 'DONE'), outcome('p2', 'DONE'), outcome('p3', 'DONE')])

    expect(chatLines(view.buildings[0]!, TEMPLATE, (unit) => unit, OCCASION)).toEqual([])
  })

  test('empty fact leaves no double space before a mark', () => {
    expect(filled('{building} {unit}: {left}', { building: 'A', unit: '', left: '2' })).toBe('A: 2')
  })
})

describe("day's report", () => {
  test('counts what stands, each person by the last outcome', () => {
    const undone = outcome('p3', 'DONE')
    const mine = [
      outcome('p1', 'NO_ANSWER'),
      outcome('p1', 'DONE'),
      outcome('p2', 'DONE'),
      undone,
      act('fact.undone', { sub_district: 3, person: 'p3' }, { round: 'r1', fact: undone.id }),
      act('person.found', { sub_district: 3, dwelling: 'd3' }, { round: 'r1', person: 'new', name: 'Wang' }),
    ]
    const figures = dayFigures(viewOf(copyOf(town()), ROUND, mine), mine, 0)

    expect(figures).toMatchObject({ acts: 4, doors: 2, found: 1, moved: 0, left: 2 })
    expect(figures.byOutcome.map(({ name, count }) => [name.en, count])).toEqual([['Done', 2]])
  })

  test('yesterday does not count', () => {
    const mine = [outcome('p1', 'DONE')]

    expect(dayFigures(viewOf(copyOf(town()), ROUND, mine), mine, mine[0]!.at + 1).acts).toBe(0)
  })

  test('day begins at midnight where the incident is', () => {
    const now = Date.parse('2026-09-02T18:30:15.250Z')

    expect(new Date(dayStart(now, 'Asia/Shanghai')).toISOString()).toBe('2026-09-02T16:00:00.000Z')
    expect(new Date(dayStart(now, 'Europe/London')).toISOString()).toBe('2026-09-01T23:00:00.000Z')
    expect(dayStart(now, 'No/Where')).toBe(dayStart(now, undefined))
  })
})

describe('messages', () => {
  test('only what the worker should know about, newest first', () => {
    const mine = [
      outcome('p1', 'DONE', { status: 'SETTLED', verdict: 'APPLIED' }),
      outcome('p2', 'DONE', { status: 'SETTLED', verdict: 'HELD', code: 'unknown_subject' }),
      outcome('p3', 'DONE', { refused: { code: 'envelope_bad', at: 1 } }),
      outcome('p3', 'AWAY', { status: 'SETTLED', verdict: 'FLAGGED', code: 'time_future' }),
    ]

    expect(troubled(mine).map(({ kind, code }) => [kind, code])).toEqual([
      ['flagged', 'time_future'],
      ['refused', 'envelope_bad'],
      ['held', 'unknown_subject'],
    ])
  })
})

describe('links', () => {
  test.each([
    ['https://x.test/field/?code=abcd-efgh', 'ABCD-EFGH'],
    ['https://x.test/field/?lang=en&code=ABCDEFGH#/today', 'ABCD-EFGH'],
    ['https://x.test/field/?code=short', null],
    ['https://x.test/field/?code=%E0%A4%A', null],
    ['https://x.test/field/', null],
  ])('code in %j is %j', (link, code) => {
    expect(codeInLink(link)).toBe(code)
  })

  test('id in a printed code', () => {
    expect(idInLink('https://x.test/field/#/today/BF3B5323-84C1-5676-926F-645D33FA4E4D')).toBe('bf3b5323-84c1-5676-926f-645d33fa4e4d')
    expect(idInLink('hello')).toBeNull()
  })
})
