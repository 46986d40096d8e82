// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { nextTick } from 'vue'
import type { Found } from '../api/types'
import { useSearch } from './search'

const one = (id: string): Found => ({ type: 'grid', id, title: id, subtitle: '' })

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

async function typed(search: ReturnType<typeof useSearch>, text: string): Promise<void> {
  search.text.value = text
  await nextTick()
  await vi.advanceTimersByTimeAsync(300)
}

test('a field asks once somebody has stopped typing, and not for a single letter', async () => {
  const look = vi.fn((text: string) => Promise.resolve({ items: [one(text)] }))
  const search = useSearch(look)
  await typed(search, 'a')
  expect(look).not.toHaveBeenCalled()
  search.text.value = 'ab'
  await nextTick()
  await typed(search, 'abc')
  expect(look.mock.calls).toEqual([['abc']])
  expect(search.isOpen.value).toBe(true)
})

test('an answer to an older question is not shown', async () => {
  const answers: Record<string, (items: Found[]) => void> = {}
  const search = useSearch((text) => new Promise((resolve) => (answers[text] = (items) => resolve({ items }))))
  await typed(search, 'first')
  await typed(search, 'second')
  answers.second?.([one('second')])
  await vi.advanceTimersByTimeAsync(0)
  answers.first?.([one('first')])
  await vi.advanceTimersByTimeAsync(0)
  expect(search.found.value.map((found) => found.id)).toEqual(['second'])
})

test('arrows go round, closing leaves the text', async () => {
  const search = useSearch(() => Promise.resolve({ items: [one('a'), one('b')] }))
  await typed(search, 'xx')
  for (const by of [1, 1, 1]) search.step(by)
  expect(search.at.value).toBe(0)
  search.step(-1)
  expect(search.at.value).toBe(1)
  search.close()
  expect(search.isOpen.value).toBe(false)
  expect(search.text.value).toBe('xx')
})

test('nothing found is said; a failed search is not an error page', async () => {
  const search = useSearch(() => Promise.reject(new Error('gone')))
  await typed(search, 'xx')
  expect(search.isEmpty.value).toBe(true)
})
