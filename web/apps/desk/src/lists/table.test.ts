// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { ref } from 'vue'
import { compare, toCsv, useSorting, type Column } from './table'

interface Row {
  name: string
  left: number | null
}
const columns: Column<Row>[] = [
  { key: 'name', head: 'Name', text: (row) => row.name },
  { key: 'left', head: 'Left', text: (row) => row.left },
]

test('a head sorts up, then down, then not at all', () => {
  const rows = ref<Row[]>([{ name: 'b10', left: 1 }, { name: 'b2', left: 3 }])
  const { sorted, press } = useSorting(rows, ref(columns))
  press('name')
  expect(sorted.value.map((row) => row.name)).toEqual(['b2', 'b10'])
  press('name')
  expect(sorted.value.map((row) => row.name)).toEqual(['b10', 'b2'])
  press('name')
  expect(sorted.value).toBe(rows.value)
})

test('what is empty comes last', () => {
  expect([3, null, 1].sort(compare)).toEqual([1, 3, null])
})

test('a saved file cannot run as a formula, and keeps commas and quotes', () => {
  const text = toCsv([{ name: '=cmd()', left: -3 }, { name: 'a "b", c', left: 0 }], columns)
  expect(text).toContain("'=cmd()")
  expect(text).toContain('-3')
  expect(text).toContain('"a ""b"", c"')
  expect(text.startsWith('\uFEFFName,Left\r\n')).toBe(true)
})
