// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Rhythm } from '../src/session/rhythm'

let calls: number[]
let answer: string | null
let rhythm: Rhythm

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
  calls = []
  answer = null
  rhythm = new Rhythm(
    () => {
      calls.push(Date.now())
      return Promise.resolve(answer)
    },
    () => Date.now(),
  )
})

afterEach(() => {
  rhythm.stop()
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const gaps = () => calls.slice(1).map((at, n) => Math.round((at - (calls[n] ?? 0)) / 1000))

test('while somebody looks it asks every half minute', async () => {
  rhythm.watch(true)
  await vi.advanceTimersByTimeAsync(95_000)

  expect(gaps()).toEqual([30, 30, 30])
})

test('while nobody looks it asks seldom', async () => {
  rhythm.watch(true)
  await vi.advanceTimersByTimeAsync(0)
  rhythm.watch(false)
  await vi.advanceTimersByTimeAsync(9 * 60_000)

  expect(calls.length).toBe(2)
})

test('failures make it slower, and the server may ask for more', async () => {
  answer = ''
  rhythm.watch(true)
  await vi.advanceTimersByTimeAsync(400_000)
  expect(gaps().slice(0, 3)).toEqual([34, 68, 135])

  answer = '600'
  await rhythm.now()
  const asked = calls.length
  await vi.advanceTimersByTimeAsync(600_000)
  expect(calls.length).toBe(asked)
})

test('soon after an upload it asks, in trouble only if that upload went through', async () => {
  answer = ''
  await rhythm.now()
  rhythm.soon()
  await vi.advanceTimersByTimeAsync(5_000)
  expect(calls.length).toBe(1)

  rhythm.soon(true)
  await vi.advanceTimersByTimeAsync(5_000)
  expect(calls.length).toBe(2)
})

test('an upload that goes through while it asks is looked after soon, once; facts that only wait hurry nobody', async () => {
  let answered = true
  rhythm = new Rhythm(
    () => {
      calls.push(Date.now())
      rhythm.soon(answered)
      answered = false
      return Promise.resolve(null)
    },
    () => Date.now(),
  )
  rhythm.watch(true)
  await vi.advanceTimersByTimeAsync(65_000)

  expect(gaps()).toEqual([3, 30, 30])
})
