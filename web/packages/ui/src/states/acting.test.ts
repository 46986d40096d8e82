// SPDX-License-Identifier: Apache-2.0
import { expect, test, vi } from 'vitest'
import { useActing } from './acting'

test('what is done says so and leaves nothing behind', async () => {
  const { act, busy, failed } = useActing()
  const done = act(async () => Promise.resolve())
  expect(busy.value).toBe(true)
  expect(await done).toBe(true)
  expect([busy.value, failed.value]).toEqual([false, null])
})

test('what went wrong is kept until the next try', async () => {
  const { act, busy, failed } = useActing()
  const wrong = new Error('wrong')
  expect(await act(() => Promise.reject(wrong))).toBe(false)
  expect([busy.value, failed.value]).toEqual([false, wrong])
  await act(async () => Promise.resolve())
  expect(failed.value).toBeNull()
})

test('a second tap while the first is on its way does nothing', async () => {
  const { act } = useActing()
  const second = vi.fn()
  const [first, again] = await Promise.all([act(async () => Promise.resolve()), act(second)])
  expect([first, again]).toEqual([true, false])
  expect(second).not.toHaveBeenCalled()
})

test('what follows an act comes after it, and not after one that failed', async () => {
  const told: string[] = []
  const { act } = useActing(() => told.push('after'))
  await act(async () => Promise.resolve(told.push('work')))
  await act(() => Promise.reject(new Error('wrong')))
  expect(told).toEqual(['work', 'after'])
})
