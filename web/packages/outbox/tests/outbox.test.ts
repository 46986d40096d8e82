// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { EnrolRefused, readCode } from '../src/enrolling'
import type { OutboxFailure } from '../src/failures'
import type { Outbox } from '../src/outbox'
import { UNDO_WITHIN_MS } from '../src/recording'
import type { Enrolment } from '../src/store'
import { ModelServer } from './server'
import { outcomeAct, Phone } from './phone'

const ORIGIN = 'https://muster.test'
let server: ModelServer
let phone: Phone
let outbox: Outbox
let worker: Enrolment

async function enrolAs(name: string, code = 'AAAA-0001'): Promise<Enrolment> {
  server.offer(code, name)
  return outbox.enrol({ code, name: 'phone', origin: ORIGIN })
}

beforeEach(async () => {
  server = await ModelServer.start()
  phone = new Phone(server)
  outbox = phone.open()
  worker = await enrolAs('li')
})

describe('the act', () => {
  test('record_without_network keeps the fact on the phone and counts it', async () => {
    server.usual = 'lost_request'

    const act = await outbox.record(worker.device, outcomeAct('p1'))
    await outbox.courier.wake()

    expect(act.actor).toBe('actor-li')
    expect(await outbox.counts()).toMatchObject({ local: 1, uploaded: 0 })
    expect(server.journal).toEqual([])
  })

  test('record_with_network is uploaded and stays until its verdict', async () => {
    await outbox.record(worker.device, outcomeAct('p1'))
    await outbox.courier.wake()

    expect(await outbox.counts()).toEqual({ local: 0, uploaded: 1, settled: 0, refused: 0 })

    await outbox.settle(worker.device, server.verdicts(worker.device))

    expect(await outbox.counts()).toEqual({ local: 0, uploaded: 0, settled: 1, refused: 0 })
  })

  test('record_many_at_once gives a dense sequence', async () => {
    await Promise.all(Array.from({ length: 40 }, (_, n) => outbox.record(worker.device, outcomeAct(`p${n}`))))
    await outbox.courier.wake()

    expect(server.journal.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n + 1))
    expect(new Set(server.journal.map(({ id }) => id)).size).toBe(40)
  })

  test('record_when_storage_is_full says so and numbers nothing', async () => {
    const full = vi.spyOn(outbox.store.facts, 'add').mockRejectedValueOnce(new DOMException('full', 'QuotaExceededError') as never)

    await expect(outbox.record(worker.device, outcomeAct('p1'))).rejects.toMatchObject({ code: 'storage_full' })
    full.mockRestore()
    await outbox.record(worker.device, outcomeAct('p2'))
    await outbox.courier.wake()

    expect(server.journal.map(({ seq, subject }) => [seq, subject])).toEqual([[1, { sub_district: 3, person: 'p2' }]])
  })

  test('record_that_cannot_be_read_back is not called saved', async () => {
    vi.spyOn(outbox.store.facts, 'get').mockResolvedValueOnce(undefined as never)

    await expect(outbox.record(worker.device, outcomeAct('p1'))).rejects.toMatchObject({ code: 'not_saved' })
  })

  test('record_after_hand_over is refused', async () => {
    await outbox.handOver(worker.device)

    await expect(outbox.record(worker.device, outcomeAct('p1'))).rejects.toMatchObject({ code: 'not_enrolled' })
  })

  test('occurred_at keeps the offset of the phone', async () => {
    await outbox.record(worker.device, outcomeAct('p1'))
    await outbox.courier.wake()

    expect(server.journal[0]?.occurred_at).toMatch(/^2026-09-02T\d\d:\d\d:00\.000[+-]\d\d:\d\d$/)
    expect(Date.parse(server.journal[0]?.occurred_at ?? '')).toBe(phone.now)
  })

  test('what_is_stored shows no word of what was recorded', async () => {
    server.usual = 'lost_request'
    await outbox.record(worker.device, {
      kind: 'person.found',
      subject: { sub_district: 3, dwelling: 'd1' },
      body: { round: 'r1', person: 'x', name: 'CANARY-NAME', phone: '13800001111' },
    })
    await outbox.courier.wake()

    const rows = await outbox.store.facts.toArray()
    const dump = rows.map((row) => new TextDecoder('latin1').decode(row.sealed.box) + JSON.stringify(row)).join()
    expect(rows).toHaveLength(1)
    expect(dump).not.toContain('CANARY-NAME')
    expect(dump).not.toContain('13800001111')
  })

  test('device_key cannot be taken out of the phone', async () => {
    await expect(crypto.subtle.exportKey('jwk', worker.signing)).rejects.toThrow()
    await expect(crypto.subtle.exportKey('raw', worker.sealing)).rejects.toThrow()
  })
})

describe('undo', () => {
  test('undo_within_ten_minutes is a further fact about the first', async () => {
    const act = await outbox.record(worker.device, outcomeAct('p1'))
    phone.now += UNDO_WITHIN_MS

    await outbox.undo(worker.device, act.id)
    await outbox.courier.wake()

    expect(server.journal.map(({ kind, body }) => [kind, body])).toEqual([
      ['entry.outcome', { round: 'r1', outcome: 'done' }],
      ['fact.undone', { round: 'r1', fact: act.id }],
    ])
  })

  test.each([
    ['undo_too_late', (): Promise<unknown> => Promise.resolve((phone.now += UNDO_WITHIN_MS + 1))],
    ['undo_already', (id: string): Promise<unknown> => outbox.undo(worker.device, id)],
  ] as const)('%s is refused', async (code, first) => {
    const act = await outbox.record(worker.device, outcomeAct('p1'))
    await first(act.id)

    await expect(outbox.undo(worker.device, act.id)).rejects.toMatchObject({ code } satisfies Partial<OutboxFailure>)
  })

  test('undo_after_the_verdict still knows what to undo', async () => {
    const act = await outbox.record(worker.device, outcomeAct('p1'))
    await outbox.courier.wake()
    await outbox.settle(worker.device, server.verdicts(worker.device))

    const undone = await outbox.undo(worker.device, act.id)

    expect(undone).toMatchObject({ kind: 'fact.undone', undone: act.id, subject: { sub_district: 3, person: 'p1' } })
  })
})

describe('sending', () => {
  test('answer_lost sends the same bytes of the fact again', async () => {
    server.forecast = ['lost_answer']
    await outbox.record(worker.device, outcomeAct('p1'))
    await outbox.courier.wake()
    phone.tick(60_000)
    await outbox.courier.wake()

    expect(server.journal).toHaveLength(2)
    expect(new Set(server.journal.map(({ text }) => text)).size).toBe(1)
    expect(await outbox.counts()).toMatchObject({ local: 0, uploaded: 1 })
  })

  test.each(['forged_receipt', 'receipt_of_another', 'no_json'] as const)('%s is not believed', async (weather) => {
    server.usual = weather
    await outbox.record(worker.device, outcomeAct('p1'))
    await outbox.courier.wake()

    expect(await outbox.counts()).toMatchObject({ local: 1, uploaded: 0 })
    expect(outbox.sending.trouble).toMatch(/^receipt_/)
  })

  test('server_busy is left alone for as long as it asks, and longer by a spread', async () => {
    server.usual = 'busy'
    server.retryAfter = '20'
    await outbox.record(worker.device, outcomeAct('p1'))
    await outbox.courier.wake()

    expect(phone.waits[phone.waits.length - 1]).toBe(25_000)
    expect(outbox.sending.trouble).toBe('server_busy')

    const before = server.requests.length
    await outbox.record(worker.device, outcomeAct('p2'))
    expect(server.requests.length).toBe(before)
  })

  test('failures_in_a_row wait longer each time, to a limit', async () => {
    server.usual = 'lost_request'
    await outbox.record(worker.device, outcomeAct('p1'))
    for (let n = 0; n < 11; n++) {
      await outbox.courier.wake()
    }

    const waits = phone.waits
    expect(waits.slice(0, 5)).toEqual([750, 1500, 3000, 6000, 12000])
    expect(Math.max(...waits)).toBe(45_000)
  })

  test('one_bad_fact does not hold the others and stays in sight', async () => {
    server.usual = 'lost_request'
    const acts = []
    for (let n = 0; n < 9; n++) acts.push(await outbox.record(worker.device, outcomeAct(`p${n}`)))
    const bad = acts[4]?.id ?? ''
    server.refuses.add(bad)
    server.usual = 'fine'
    await outbox.courier.wake()

    expect(new Set(server.journal.map(({ id }) => id)).size).toBe(8)
    expect(await outbox.counts()).toEqual({ local: 1, uploaded: 8, settled: 0, refused: 1 })
    expect((await outbox.mine(worker)).find(({ id }) => id === bad)?.refused?.code).toBe('envelope_bad')

    server.refuses.clear()
    phone.now += 2 * 60 * 60_000
    await outbox.courier.wake()
    expect(await outbox.counts()).toMatchObject({ local: 0, uploaded: 9, refused: 0 })
  })

  test('many_facts go in batches of at most five hundred, zipped, signed over the plain bytes', async () => {
    server.usual = 'lost_request'
    for (let n = 0; n < 620; n++) await outbox.record(worker.device, outcomeAct(`p${n}`))
    server.usual = 'fine'
    await outbox.courier.wake()

    const posts = server.requests.filter(({ url }) => url.endsWith('/v1/batches'))
    expect(server.journal).toHaveLength(620)
    expect(new Headers(posts[posts.length - 1]?.init.headers).get('Content-Encoding')).toBe('gzip')
  })

  test('verdict_while_the_answer_is_on_its_way is not undone by the answer', async () => {
    server.usual = 'lost_request'
    const act = await outbox.record(worker.device, outcomeAct('p1'))
    await outbox.courier.wake()
    server.usual = 'fine'
    const original = server.fetch
    const slow: typeof fetch = async (...call) => {
      const answer = await original(...call)
      await outbox.settle(worker.device, [{ id: act.id, verdict: 'APPLIED' }])
      return answer
    }
    const second = phone.open({ fetch: slow })
    await second.courier.wake()

    expect(await outbox.counts()).toMatchObject({ uploaded: 0, settled: 1 })
  })

  test.each(['locks', 'claim'])('two_tabs by %s send each fact once', async (way) => {
    const locks = way === 'locks' ? fakeLocks() : undefined
    server.usual = 'lost_request'
    const [one, two] = [phone.open({ locks }), phone.open({ locks })]
    await one.record(worker.device, outcomeAct('p1'))
    await Promise.all([one.courier.wake(), two.courier.wake()])
    server.usual = 'fine'
    await Promise.all([one.courier.wake(), two.courier.wake()])
    phone.tick(60_000)
    await Promise.all([one.courier.wake(), two.courier.wake()])

    expect(server.journal.length).toBe(1)
  })
})

describe('the loop', () => {
  test('storage_that_fails_for_a_while does not stop the sending', async () => {
    server.usual = 'lost_request'
    await outbox.record(worker.device, outcomeAct('p1'))
    await outbox.courier.wake()
    server.usual = 'fine'
    const failing = vi.spyOn(outbox.store.enrolments, 'toArray').mockRejectedValueOnce(new Error('disk') as never)
    await outbox.courier.wake()
    expect(outbox.sending.trouble).toBe('phone_storage')
    failing.mockRestore()

    await outbox.courier.wake()

    expect(outbox.sending.trouble).toBeNull()
    expect(await outbox.counts()).toMatchObject({ local: 0, uploaded: 1 })
  })
})

describe('verdicts', () => {
  test('verdict_held stays known and can become applied', async () => {
    const act = await outbox.record(worker.device, outcomeAct('p1'))
    await outbox.courier.wake()
    await outbox.settle(worker.device, [{ id: act.id, verdict: 'HELD', code: 'unknown_subject' }])
    expect((await outbox.mine(worker))[0]).toMatchObject({ status: 'SETTLED', verdict: 'HELD', code: 'unknown_subject' })

    await outbox.settle(worker.device, [{ id: act.id, verdict: 'APPLIED', code: null }])

    expect((await outbox.mine(worker))[0]).toMatchObject({ verdict: 'APPLIED', code: null })
  })

  test('verdict_duplicate of the second copy does not hide the first', async () => {
    const act = await outbox.record(worker.device, outcomeAct('p1'))
    await outbox.courier.wake()
    await outbox.settle(worker.device, [{ id: act.id, verdict: 'FLAGGED', code: 'time_future' }])
    await outbox.settle(worker.device, [{ id: act.id, verdict: 'DUPLICATE' }])

    expect((await outbox.mine(worker))[0]).toMatchObject({ verdict: 'FLAGGED', code: 'time_future' })
  })

  test('verdict_of_unknown_fact changes nothing', async () => {
    await outbox.settle(worker.device, [{ id: 'never-made', verdict: 'APPLIED' }])

    expect(await outbox.counts()).toEqual({ local: 0, uploaded: 0, settled: 0, refused: 0 })
  })

  test('brief_after_verdict holds no name, phone or note', async () => {
    const body = { round: 'r1', person: 'x', name: 'CANARY-NAME', phone: '13800001111', note: 'CANARY-NOTE' }
    await outbox.record(worker.device, { kind: 'person.found', subject: { sub_district: 3, dwelling: 'd1' }, body })
    await outbox.courier.wake()
    await outbox.settle(worker.device, server.verdicts(worker.device))

    expect(JSON.stringify(await outbox.mine(worker))).not.toMatch(/CANARY|1380000/)
  })

  test('old_verdicts go by themselves, unsettled facts never', async () => {
    await outbox.record(worker.device, outcomeAct('p1'))
    await outbox.courier.wake()
    await outbox.settle(worker.device, server.verdicts(worker.device))
    server.usual = 'lost_request'
    await outbox.record(worker.device, outcomeAct('p2'))
    await outbox.courier.wake()
    phone.now += 90 * 24 * 60 * 60_000
    await outbox.settle(worker.device, [])

    expect(await outbox.counts()).toEqual({ local: 1, uploaded: 0, settled: 0, refused: 0 })
  })
})

describe('two workers, one phone', () => {
  test('next_worker is never credited with the first one\'s facts', async () => {
    server.usual = 'lost_request'
    await outbox.record(worker.device, outcomeAct('p1'))
    await outbox.courier.wake()
    server.usual = 'fine'
    const next = await enrolAs('wang', 'BBBB-0002')
    await outbox.record(next.device, outcomeAct('p2'))
    await outbox.courier.wake()

    expect(server.journal.map(({ actor, device }) => [actor, device]).sort()).toEqual(
      [
        ['actor-li', worker.device],
        ['actor-wang', next.device],
      ].sort(),
    )
    expect((await outbox.mine(next)).map(({ actor }) => actor)).toEqual(['actor-wang'])
  })

  test('first_worker can no longer record, and is forgotten after the last verdict', async () => {
    await outbox.record(worker.device, outcomeAct('p1'))
    await outbox.courier.wake()
    await enrolAs('wang', 'BBBB-0002')

    await expect(outbox.record(worker.device, outcomeAct('p3'))).rejects.toMatchObject({ code: 'not_enrolled' })
    expect((await outbox.closed()).map(({ device }) => device)).toEqual([worker.device])

    await outbox.settle(worker.device, server.verdicts(worker.device))

    expect(await outbox.closed()).toEqual([])
    expect(await outbox.store.facts.count()).toBe(0)
  })
})

describe('enrolment', () => {
  test('enrol_with_lost_answer is the same device on the second try', async () => {
    server.offer('CCCC-0003', 'zhao')
    server.forecast = ['lost_answer']
    await expect(outbox.enrol({ code: 'CCCC-0003', name: 'p', origin: ORIGIN })).rejects.toThrow(EnrolRefused)

    const again = await outbox.enrol({ code: 'CCCC-0003', name: 'p', origin: ORIGIN })

    expect(again.actor.name).toBe('zhao')
    expect(server.devices.size).toBe(2)
  })

  test('enrol_with_unknown_code leaves the phone as it was', async () => {
    await expect(outbox.enrol({ code: 'ZZZZ-9999', name: 'p', origin: ORIGIN })).rejects.toMatchObject({ code: 'code_unknown' })

    expect((await outbox.active())?.device).toBe(worker.device)
  })

  test.each([
    ['abcd-efgh', 'ABCD-EFGH'],
    [' ａｂｃｄ efgh ', 'ABCD-EFGH'],
    ['oil0–1234', '0110-1234'],
    ['ABCDEFG', null],
    ['ABCD-EFGU', null],
  ])('typed_code %j is read as %j', (typed, code) => {
    expect(readCode(typed)).toBe(code)
  })
})

function fakeLocks(): LockManager {
  const held = new Set<string>()
  const request = async (name: string, _options: LockOptions, work: (lock: Lock | null) => Promise<unknown>) => {
    if (held.has(name)) return work(null)
    held.add(name)
    try {
      return await work({ name, mode: 'exclusive' })
    } finally {
      held.delete(name)
    }
  }
  return { request } as unknown as LockManager
}
