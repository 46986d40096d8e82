// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { useTicking } from './ticking'

const rows = ['a', 'b', 'c'].map((id) => ({ id }))

test('one is ticked and ticked off', () => {
  const { chosen, choose } = useTicking(() => rows, 10)
  choose('a', true)
  choose('b', true)
  choose('a', false)
  expect([...chosen.value]).toEqual(['b'])
})

test('all in sight are ticked, at most so many, and then none', () => {
  const { chosen, chooseAll } = useTicking(() => rows, 2)
  chooseAll()
  expect([...chosen.value]).toEqual(['a', 'b'])
  chooseAll()
  expect(chosen.value.size).toBe(0)
})

test('an empty list has nothing to tick', () => {
  const { chosen, chooseAll } = useTicking(() => [], 2)
  chooseAll()
  expect(chosen.value.size).toBe(0)
})
