// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { formatCount, formatShare, formatShort } from './count'
import { formatDay, formatFull, formatMoment, formatTime, minutesSince, setTimeZone } from './time'

test('counts are exact, short ones in a larger unit from a hundred thousand', () => {
  expect(formatCount(2040, 'zh')).toBe('2,040')
  expect(formatShort(99_999, 'zh')).toBe('99,999')
  expect(formatShort(209_060, 'zh')).toBe('20.9\u4e07')
  expect(formatShort(20_906_000, 'en')).toBe('20.9m')
})

test('a share is never rounded to all or nothing while something is left', () => {
  expect(formatShare(9999, 10_000, 'en')).toBe('99.9%')
  expect(formatShare(99_999, 100_000, 'en')).toBe('99.9%')
  expect(formatShare(1, 100_000, 'en')).toBe('<0.1%')
  expect(formatShare(10, 10, 'en')).toBe('100%')
  expect(formatShare(0, 10, 'en')).toBe('0%')
  expect(formatShare(0, 0, 'en')).toBe('\u2014')
})

test('times stand in the incident\u2019s zone, in 24 hours', () => {
  setTimeZone('Asia/Shanghai')
  const at = '2026-09-02T10:05:00+00:00'
  expect(formatTime(at, 'zh')).toBe('18:05')
  expect(formatMoment(at, 'zh')).toBe('9\u67082\u65e5 18:05')
  expect(formatMoment(at, 'en')).toBe('2 Sept 18:05')
  expect(formatDay('2026-09-01T17:00:00Z', 'en')).toBe('2 Sept')
  expect(formatFull(at, 'zh')).toBe('2026\u5e749\u67082\u65e5 18:05')
  expect(formatTime('2026-09-01T16:00:00Z', 'en')).toBe('00:00')
})

test('a zone that does not exist falls back to the machine\u2019s own', () => {
  setTimeZone('Nowhere/Town')
  expect(formatTime('2026-09-02T10:05:00Z', 'en')).toMatch(/^\d\d:\d\d$/)
})

test('no moment and a broken one read as a dash', () => {
  expect(formatMoment(null, 'zh')).toBe('\u2014')
  expect(formatDay('soon', 'en')).toBe('\u2014')
})

test('minutes are told only within the hour; a clock that is behind makes no negative age', () => {
  const now = Date.parse('2026-09-02T10:05:00Z')
  expect(minutesSince('2026-09-02T09:45:30Z', now)).toBe(19)
  expect(minutesSince('2026-09-02T10:05:03Z', now)).toBe(0)
  expect(minutesSince('2026-09-02T09:05:00Z', now)).toBeNull()
})
