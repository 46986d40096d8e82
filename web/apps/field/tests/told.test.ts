// SPDX-License-Identifier: Apache-2.0
import type { Job, JobsPage, Waiting } from '@muster/client'
import type { Mine } from '@muster/outbox'
import { describe, expect, test } from 'vitest'
import { toldPage } from '../src/tasks/told'

const waiting = (id: string): Waiting => ({
  id, number: 7, request: `r-${id}`, sub_district: 1, category: 'food', category_name: null, urgency: 'NORMAL',
  building: 'B1', respond_by: '', finish_by: '', needs_skill: '',
})
const job = (id: string): Job => ({
  ...waiting(id), status: 'ACCEPTED', dwelling: null, door: '101', text: '', what: '', place: '', name: '', phone: null, spoken_word: null,
})
const list = (more: Partial<JobsPage>): JobsPage => ({ me: { id: 'me', status: 'ON_DUTY', open_jobs: 0, most_jobs: 4 }, offers: [], jobs: [], pool: [], ...more })
const said = (kind: string, item: string, more: Partial<Mine> = {}): Mine => ({
  id: `${kind}-${item}`, kind, item, at: 0, actor: 'me', subject: { sub_district: 1, request: `r-${item}` }, status: 'LOCAL', ...more,
})

describe('the work list with what was said on this phone', () => {
  test('work from the pool is mine at once, without its door, until the server confirms', () => {
    const told = toldPage(list({ pool: [waiting('a'), waiting('b')] }), [said('work.taken', 'a')])

    expect(told.jobs.map(({ id, unconfirmed, door }) => ({ id, unconfirmed, door }))).toEqual([{ id: 'a', unconfirmed: true, door: '' }])
    expect(told.pool.map(({ id }) => id)).toEqual(['b'])
  })

  test('a claim that somebody else won goes back to what the server says', () => {
    const lost = said('work.taken', 'a', { status: 'SETTLED', verdict: 'FLAGGED', code: 'work_taken' })

    expect(toldPage(list({ pool: [] }), [lost]).jobs).toEqual([])
    expect(toldPage(list({ pool: [waiting('a')] }), [lost]).pool).toHaveLength(1)
  })

  test('what I am asked is not shown as free to take too', () => {
    const told = toldPage(list({ offers: [{ ...waiting('a'), lease_until: '', walk_m: null }], pool: [waiting('a'), waiting('b')] }), [])

    expect([told.offers.length, told.pool.map(({ id }) => id)]).toEqual([1, ['b']])
  })

  test('arrived is shown at once', () => {
    expect(toldPage(list({ jobs: [job('a')] }), [said('work.arrived', 'a')]).jobs[0]!.status).toBe('ON_SITE')
  })

  test('finished leaves the list, and is shown apart until the server has it', () => {
    const local = toldPage(list({ jobs: [job('a')] }), [said('work.done', 'a')])
    const settled = toldPage(list({ jobs: [job('a')] }), [said('work.done', 'a', { status: 'SETTLED', verdict: 'APPLIED' })])

    expect([local.jobs.length, local.done.length]).toEqual([0, 1])
    expect([settled.jobs.length, settled.done.length]).toEqual([0, 0])
  })

  test('taken and finished without a network is one of the finished', () => {
    const told = toldPage(list({ pool: [waiting('a')] }), [said('work.taken', 'a'), said('work.done', 'a')])

    expect([told.jobs.length, told.pool.length, told.done.length]).toEqual([0, 0, 1])
  })

  test('what the server still offers and was done here is not asked again', () => {
    const offered = { ...waiting('a'), lease_until: '', walk_m: null }

    expect(toldPage(list({ offers: [offered] }), [said('work.done', 'a')]).offers).toEqual([])
  })
})
