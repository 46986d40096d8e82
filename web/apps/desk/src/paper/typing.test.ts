// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { SheetPage } from '../api/sheets'
import { blankLine, choiceOfKey, choicesOf, lineOf, nextNumber, readCode, withLine } from './typing'

const page = {
  choices: [{ key: '1', code: 'done', name: { zh: '已登记', en: 'Done' }, class: 'DONE' }, { key: 'A', code: 'tenth', name: { zh: '十', en: 'Ten' }, class: 'DONE' }],
  door_choices: [{ key: '1', code: 'SEEN', name: { zh: '有人', en: 'somebody there' }, class: '' }],
  rows: [
    { number: 1, door: '101', name: '演*', is_door: false, was: '' },
    { number: 2, door: '102', name: '', is_door: true, was: '' },
    { number: 3, door: '201', name: '演*', is_door: false, was: '' },
  ],
} as unknown as SheetPage

describe('typing a paper in', () => {
  it('knows the line of a number and nothing else', () => {
    expect(lineOf(page, ' 3 ')?.door).toBe('201')
    expect(lineOf(page, '4')).toBeNull()
    expect(lineOf(page, '')).toBeNull()
  })

  it('takes the key of an outcome in either case, of a door among its own states', () => {
    expect(choiceOfKey(page.choices, 'a')?.code).toBe('tenth')
    expect(choiceOfKey(page.choices, '9')).toBeNull()
    expect(choiceOfKey(choicesOf(page, page.rows[1] ?? null), '1')?.code).toBe('SEEN')
  })

  it('writes a line anew when its number is typed again, and keeps each person newly found', () => {
    const once = withLine([], { ...blankLine(), number: 1, outcome: 'done' })
    expect(withLine(once, { ...blankLine(), number: 1, outcome: 'tenth' }).map((line) => line.outcome)).toEqual(['tenth'])
    expect(withLine(withLine([], { ...blankLine(), name: '甲' }), { ...blankLine(), name: '乙' })).toHaveLength(2)
  })

  it('goes on to the next number that is left', () => {
    expect(nextNumber(page, [{ ...blankLine(), number: 2 }], 1)).toBe(3)
    expect(nextNumber(page, [], 3)).toBeNull()
  })

  it('reads a code as typed, slurred or scanned', () => {
    expect(readCode('abcd efgh').code).toBe('ABCD-EFGH')
    expect(readCode('OLD1-2345').code).toBe('01D1-2345')
    expect(readCode('https://house.example/s/ABCD-EFGH/14')).toEqual({ code: 'ABCD-EFGH', line: '14' })
  })
})
