// @vitest-environment happy-dom
// SPDX-License-Identifier: Apache-2.0
import { computed, shallowRef } from 'vue'
import { describe, expect, test } from 'vitest'
import type { Mine } from '@muster/outbox'
import { Acts } from '../src/session/acting'
import type { Session } from '../src/session/session'
import { viewOf, type Line } from '../src/grid/view'
import { copyOf, entry, KIND, outcome, page, ROUND, town } from './town'

const NOW = Date.parse('2026-09-02T10:05:00Z')
const AWAY = KIND.outcomes[1]!
const DONE = KIND.outcomes[0]!

function given(mine: Mine[], more = page()): { acts: Acts; line: Line } {
  const view = viewOf(copyOf(town(), more), ROUND, mine)
  const session = {
    round: computed(() => ROUND),
    mine: shallowRef(mine),
    settings: { sound: false },
  } as unknown as Session
  return { acts: new Acts(session, (key) => key, () => NOW), line: view.doors.get('d1')!.lines[0]! }
}

describe('changing a result', () => {
  test('stronger result of mine, just recorded, is taken back first', () => {
    const first = outcome('p1', 'DONE')
    const { acts, line } = given([first])

    expect(acts.ownStronger(line, AWAY, NOW)).toEqual([first.id])
  })

  test('stronger result that is mine but old, or somebody else\'s, stands', () => {
    const old = given([outcome('p1', 'DONE', { at: NOW - 11 * 60_000 })])
    const others = given([], page({ entries: [entry('p1', 'd1', { cls: 'DONE', outcome: 'DONE', at: '2026-09-02T10:00:00Z', by: 'wang' })] }))

    expect(old.acts.ownStronger(old.line, AWAY, NOW)).toBeNull()
    expect(others.acts.ownStronger(others.line, AWAY, NOW)).toBeNull()
  })

  test('weaker or equal result needs nothing taken back', () => {
    const { acts, line } = given([outcome('p1', 'AWAY')])

    expect(acts.ownStronger(line, DONE, NOW)).toEqual([])
    expect(acts.ownStronger(line, KIND.outcomes[2]!, NOW)).toEqual([])
  })
})
