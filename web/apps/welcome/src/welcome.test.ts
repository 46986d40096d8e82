// SPDX-License-Identifier: Apache-2.0
import { flatten, isTerm } from '@muster/ui'
import { expect, test } from 'vitest'
import { shareOf, wished, type Drill } from './drill'
import en from './i18n/en.json'
import zh from './i18n/zh.json'
import { DOORS } from './roles'

test('each door has its noun, a task of two sentences and a first task of ten minutes at most', () => {
  const text = { zh: flatten(zh), en: flatten(en) }
  for (const door of DOORS) {
    expect(isTerm(door.noun)).toBe(true)
    expect(door.minutes).toBeLessThanOrEqual(10)
    for (const lang of ['zh', 'en'] as const) {
      expect((text[lang][`role.${door.key}.task`] ?? '').match(/[.\u3002]/g)).toHaveLength(2)
      for (const step of door.steps) expect(text[lang][step.says]).toBeTruthy()
    }
  }
})

test('coverage is whoever is not missing', () => {
  const figures = { equation: { roster: 200, classes: { DONE: 100, EXPLAINED: 20, ARRANGED: 30, OPEN: 40, UNREACHED: 10 } } }
  expect(shareOf({ figures } as unknown as Drill)).toBe(0.75)
  expect(shareOf(null)).toBeNull()
  expect(shareOf({ figures: null } as Drill)).toBeNull()
})

test('what was asked for shows at once', () => {
  expect(wished('PLAYING', 'pause')).toBe('PAUSED')
  expect(wished('PAUSED', 'resume')).toBe('PLAYING')
  expect(wished('PAUSED', 'speed')).toBe('PAUSED')
})
