// SPDX-License-Identifier: Apache-2.0
import type { Driven } from '@muster/client'
import type { Mine } from '@muster/outbox'
import { describe, expect, test } from 'vitest'
import { goneTrips, toldTrips } from '../src/tasks/toldTrips'

const trip = (id: string, done: number, skipped: number[] = []): Driven => ({
  id, number: 5, status: 'PLANNED', urgency: 'NORMAL', who: 'Patient', phone: null, pick_up: '', door: '101', to_place: '', vehicle: '', services: [], be_there_at: null, emergency: '120',
  hops: (['LEFT', 'ARRIVED', 'WAY_BACK', 'HOME'] as const).map((code, n) => ({ code, due_at: '', done_at: n < done ? '2022-09-02T04:00:00Z' : null, skipped_at: skipped.includes(n) ? '2022-09-02T04:00:00Z' : null })),
})
const said = (id: string, hop: string, at: number, more: Partial<Mine> = {}): Mine => ({ id: `${id}-${hop}-${at}`, kind: 'trip.step', hop, at, actor: 'me', subject: { sub_district: 1, trip: id }, status: 'LOCAL', ...more })

describe('trips with what was said on this phone', () => {
  test('a step is done at once, at its own moment, and the next is shown', () => {
    const [told] = toldTrips([trip('a', 0)], [said('a', 'LEFT', 60_000), said('b', 'ARRIVED', 1)])

    expect(told!.hops[0]!.done_at).toBe(new Date(60_000).toISOString())
    expect([told!.next?.code, told!.unheard]).toEqual(['ARRIVED', 1])
  })

  test('whoever is home stays on the list until the server has heard it', () => {
    const local = toldTrips([trip('a', 3)], [said('a', 'HOME', 1)])
    const settled = toldTrips([trip('a', 3)], [said('a', 'HOME', 1, { status: 'SETTLED', verdict: 'APPLIED' })])

    expect([local.length, local[0]!.next, settled.length]).toEqual([1, null, 0])
  })

  test('who stays there is not brought back', () => {
    expect(toldTrips([trip('a', 2, [2, 3])], [])).toEqual([])
  })

  test('what the server set aside did not happen here', () => {
    const aside = said('a', 'LEFT', 1, { status: 'SETTLED', verdict: 'FLAGGED', code: 'trip_not_yours' })

    expect(toldTrips([trip('a', 0)], [aside])[0]!.next?.code).toBe('LEFT')
  })

  test('a trip that went to somebody else is told; one that was brought home is not', () => {
    const before = [trip('a', 1), trip('b', 3), trip('c', 0)]

    expect(goneTrips(before, [trip('c', 0)], [said('b', 'HOME', 1, { status: 'SETTLED', verdict: 'APPLIED' })]).map(({ id }) => id)).toEqual(['a'])
  })
})
