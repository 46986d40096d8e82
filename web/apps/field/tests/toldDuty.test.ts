// SPDX-License-Identifier: Apache-2.0
import type { Mine } from '@muster/outbox'
import { describe, expect, test } from 'vitest'
import { toldDuty } from '../src/tasks/toldDuty'

const since = '2022-09-02T04:00:00.000Z'
const NOON = Date.parse(since)
const placed = { status: 'ASSIGNED', since, can_arrive: true, can_leave: false, minutes: 0, open_jobs: 0, grid: 7 }
const serving = { ...placed, status: 'ON_DUTY', can_arrive: false, can_leave: true }
const said = (step: string, minutes: number, more: Partial<Mine> = {}): Mine => ({ id: `${step}${minutes}`, kind: 'duty.step', step, at: NOON + minutes * 60_000, actor: 'me', subject: { sub_district: 1, responder: 'me' }, status: 'LOCAL', ...more })

describe('my place with what I said on this phone', () => {
  test('nothing said: as the server knows it', () => {
    expect(toldDuty(placed, [])).toMatchObject({ canArrive: true, canLeave: false, saidAt: null })
  })

  test('here at once, and away again, heard or not', () => {
    expect(toldDuty(placed, [said('HERE', 5)])).toMatchObject({ canArrive: false, canLeave: true, saidAt: NOON + 300_000, isUnheard: true })
    expect(toldDuty(placed, [said('LEAVING', 9), said('HERE', 5)])).toMatchObject({ canArrive: true, canLeave: false, saidAt: NOON + 540_000 })
  })

  test('settled, before the server was asked anew: still as I said', () => {
    expect(toldDuty(serving, [said('LEAVING', 9, { status: 'SETTLED', verdict: 'APPLIED' })])).toMatchObject({ canArrive: true, canLeave: false, isUnheard: false })
  })

  test('what was decided after my word stands over it', () => {
    expect(toldDuty(serving, [said('LEAVING', -9, { status: 'SETTLED', verdict: 'APPLIED' })])).toMatchObject({ canLeave: true, saidAt: null })
  })

  test('an arrival that counts for nothing says why, and nothing is laid over', () => {
    const aside = said('HERE', 5, { status: 'SETTLED', verdict: 'FLAGGED', code: 'duty_not_yours' })

    expect(toldDuty(placed, [aside])).toMatchObject({ canArrive: true, canLeave: false, doubt: 'duty_not_yours' })
  })
})
