// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { nextOf } from './pairs'

const rows = [{ id: 'a' }, { id: 'b' }, { id: 'c' }]

test('after a judgement the next pair is up, at the end the one before', () => {
  expect(nextOf(rows, 'a')).toBe('b')
  expect(nextOf(rows, 'c')).toBe('b')
  expect(nextOf([{ id: 'a' }], 'a')).toBeNull()
})
