// SPDX-License-Identifier: Apache-2.0
// @vitest-environment happy-dom
import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { defineComponent, ref } from 'vue'
import { figureOf, isOld, missingIn, neverIn, rowOf, shareOf } from './figures'
import { useLive, type Live } from './live'
import type { Row, Snapshot } from './shapes'

const snapshot = (grids: Record<string, number[]> = { 5: [100, 60, 5, 10, 15, 10, 50, 30, 8, 3, 0, 1000] }): Snapshot => ({
  as_of: '2026-09-02T10:00:00Z',
  status: 'OPEN',
  rev: 1,
  columns: ['roster', 'done', 'arranged', 'explained', 'unreached', 'open', 'doors', 'seen', 'vacant', 'added', 'certified', 'fresh'],
  total: { equation: {} as never },
  areas: {},
  grids,
})

beforeEach(() => vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('figures come by the names of the columns, not by their places', () => {
  const row = rowOf(snapshot(), 'grids', 5)
  expect(missingIn(row)).toBe(25)
  expect(neverIn(row)).toBe(12)
  expect(shareOf(row)).toBe(0.75)
  expect(figureOf(row, 'added')).toBe(3)
  const turned = { ...snapshot({ 5: [7, 100] }), columns: ['done', 'roster'] as (keyof Row)[] }
  expect(rowOf(turned, 'grids', 5)).toMatchObject({ done: 7, roster: 100 })
})

test('a place that is not in the snapshot has no figures rather than wrong ones', () => {
  expect(rowOf(snapshot(), 'grids', 6).roster).toBe(0)
  expect(rowOf(null, 'areas', 1).roster).toBe(0)
  expect(shareOf(rowOf(null, 'areas', 1))).toBeNull()
})

test('a grid with work left that sends nothing is old', () => {
  const row = rowOf(snapshot(), 'grids', 5)
  expect(isOld(row, '1970-01-01T00:00:00Z', 1_000_000 + 7_199_000)).toBe(false)
  expect(isOld(row, '1970-01-01T00:00:00Z', 1_000_000 + 7_201_000)).toBe(true)
})

function started(answers: (() => Response)[]): { live: Live; calls: RequestInit[]; stop: () => void } {
  const calls: RequestInit[] = []
  vi.stubGlobal('fetch', vi.fn((_: string, init: RequestInit) => {
    calls.push(init)
    const next = answers[Math.min(calls.length, answers.length) - 1]
    return next ? Promise.resolve(next()) : Promise.reject(new TypeError('gone'))
  }))
  let live: Live | undefined
  const wrapper = mount(defineComponent({ setup: () => ((live = useLive(ref('r1'))), () => null) }))
  return { live: live!, calls, stop: () => wrapper.unmount() }
}

test('an unchanged snapshot is asked for by its tag and leaves the picture as it is', async () => {
  const { live, calls, stop } = started([() => new Response(JSON.stringify(snapshot()), { status: 200, headers: { ETag: '"a"' } }), () => new Response(null, { status: 304 })])
  await flushPromises()
  const first = live.snapshot.value
  await vi.advanceTimersByTimeAsync(2_600)
  expect(calls).toHaveLength(2)
  expect((calls[1]?.headers as Record<string, string>)['If-None-Match']).toBe('"a"')
  expect(live.snapshot.value).toBe(first)
  expect(live.heardAt.value).toBe(Date.now() - 100)
  stop()
})

test('while the server is away the last picture stays, said to be old, and asking slows down', async () => {
  const { live, calls, stop } = started([() => new Response(JSON.stringify(snapshot()), { status: 200 }), () => new Response('', { status: 503 })])
  await flushPromises()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(live.snapshot.value).not.toBeNull()
  expect(live.failed.value).not.toBeNull()
  expect(calls.length).toBeLessThan(8)
  stop()
  const before = calls.length
  await vi.advanceTimersByTimeAsync(120_000)
  expect(calls).toHaveLength(before)
})
