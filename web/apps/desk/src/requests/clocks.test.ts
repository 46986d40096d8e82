// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { clockWords } from './clocks'

const NOW = Date.parse('2022-09-02T12:00:00+08:00')
const says = (key: string, facts: Record<string, string | number> = {}): string => [key.split('.')[1], ...Object.values(facts)].join(' ')
const at = (seconds: number): string => new Date(NOW + seconds * 1000).toISOString()

describe('the clock of a card', () => {
  it.each([
    [61, 'left 2'],
    [60, 'left 1'],
    [1, 'left 1'],
    [0, 'due_now'],
    [-30, 'due_now'],
    [-60, 'over 1'],
    [59 * 60, 'left 59'],
  ])('%i seconds from now: %s', (seconds, words) => {
    expect(clockWords(at(seconds), NOW, says, 'zh')).toBe(words)
  })
  it('says the moment where an hour or more is left', () => {
    expect(clockWords(at(3_600), NOW, says, 'zh')).toMatch(/^by /)
  })
})
