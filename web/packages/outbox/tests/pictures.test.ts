// SPDX-License-Identifier: Apache-2.0
/** Pictures behind facts: kept, sealed, sent last, never in the way of a fact. */
import { beforeEach, describe, expect, test } from 'vitest'
import { sha256, utf8 } from '../src/bytes'
import type { Outbox } from '../src/outbox'
import type { Enrolment } from '../src/store'
import { outcomeAct, Phone } from './phone'
import { ModelServer } from './server'

const ORIGIN = 'https://muster.test'
const PICTURE = utf8('a picture of a door')
let server: ModelServer
let phone: Phone
let outbox: Outbox
let worker: Enrolment
let came: { path: string; body: string; lease: string | null }[]
let answer: number

const send: typeof fetch = async (input, init) => {
  const url = new URL(String(input))
  if (!url.pathname.includes('/v1/blobs/')) return server.fetch(input, init)
  if (server.usual === 'lost_request') throw new TypeError('network')
  came.push({ path: url.pathname.slice(url.pathname.indexOf('/v1/')), body: await new Response(init?.body).text(), lease: new Headers(init?.headers).get('Authorization') })
  return new Response(null, { status: answer })
}

beforeEach(async () => {
  server = await ModelServer.start()
  phone = new Phone(server)
  outbox = phone.open({ fetch: send })
  server.offer('AAAA-0001', 'li')
  worker = await outbox.enrol({ code: 'AAAA-0001', name: 'phone', origin: ORIGIN })
  came = []
  answer = 200
})

describe('a picture', () => {
  test('goes under its hash, with the lease, and leaves the phone then', async () => {
    const name = await outbox.keepPicture(worker.device, PICTURE)
    expect(name).toBe(await sha256(PICTURE))
    expect((await outbox.counts()).local).toBe(1)

    await outbox.courier.wake()

    expect(came).toEqual([{ path: `/v1/blobs/${name}`, body: 'a picture of a door', lease: `Bearer ${worker.lease}` }])
    expect((await outbox.counts()).local).toBe(0)
  })

  test('lies sealed on the phone', async () => {
    const name = await outbox.keepPicture(worker.device, PICTURE)
    const row = await outbox.store.pictures.get(name)

    expect(new TextDecoder().decode(row!.sealed.box)).not.toContain('picture')
  })

  test('waits for the network and outlives the page', async () => {
    server.usual = 'lost_request'
    await outbox.keepPicture(worker.device, PICTURE)
    await outbox.courier.wake()
    outbox.close()

    const later = phone.open({ fetch: send })
    server.usual = 'fine'
    await later.courier.wake()

    expect(came).toHaveLength(1)
  })

  test.each([503, 500, 401])('a server that answers %i gets it later; facts go meanwhile', async (status) => {
    answer = status
    await outbox.keepPicture(worker.device, PICTURE)
    await outbox.record(worker.device, outcomeAct('p1'))
    await outbox.courier.wake()

    expect(await outbox.counts()).toMatchObject({ local: 1, uploaded: 1 })
    expect(outbox.sending.trouble).toBeNull()

    answer = 200
    phone.tick(60_000)
    await outbox.courier.wake()
    expect((await outbox.counts()).local).toBe(0)
  })

  test.each([413, 422])('a server that will never take it (%i) is not asked again', async (status) => {
    answer = status
    await outbox.keepPicture(worker.device, PICTURE)
    await outbox.courier.wake()
    await outbox.courier.wake()

    expect(came).toHaveLength(1)
    expect((await outbox.counts()).local).toBe(0)
  })

  test('is not sent while a fact waits', async () => {
    server.usual = 'lost_request'
    await outbox.keepPicture(worker.device, PICTURE)
    await outbox.record(worker.device, outcomeAct('p1'))
    await outbox.courier.wake()

    expect(came).toEqual([])
  })
})
