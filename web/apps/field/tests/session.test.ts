// @vitest-environment happy-dom
// SPDX-License-Identifier: Apache-2.0
/** A day of a phone: first pull, work without network, the page closed and opened, another worker, a switched-off device. */
import type { PullPage } from '@muster/client'
import { Outbox } from '@muster/outbox'
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ModelServer } from '../../../packages/outbox/tests/server'
import { CopyStore } from '../src/grid/copyStore'
import { openSettings } from '../src/session/settings'
import { Session } from '../src/session/session'
import { entry, page, person, town } from './town'

const ORIGIN = 'https://muster.test'
let server: ModelServer
let disk: IDBFactory
let pages: PullPage[]
let asked: (string | null)[]
let pullStatus: { status: number; code: string } | null
let opened: Session[]
/** The network is cut after so many pages. */
let cutAfter: number

const send: typeof fetch = async (input, init) => {
  const url = new URL(String(input))
  if (url.pathname !== '/sync/v1/pull') return server.fetch(input, init)
  if (server.usual === 'lost_request' || asked.length >= cutAfter) throw new TypeError('network')
  if (pullStatus) return new Response(JSON.stringify({ code: pullStatus.code }), { status: pullStatus.status })
  const since = url.searchParams.get('since')
  asked.push(since)
  const next = pages.find(({ cursor }) => since === null || Number(cursor) > Number(since))
  const lease = new Headers(init?.headers).get('Authorization')?.replace('Bearer ', '')
  const device = [...server.devices].find(([, one]) => one.lease === lease)?.[0] ?? ''
  const quiet = page({ cursor: since ?? '0' })
  return Response.json({ ...(next ?? quiet), verdicts: server.verdicts(device) })
}

type Channel = Pick<BroadcastChannel, 'postMessage' | 'addEventListener' | 'close'>

/** Two ends of one channel: what one tab says the other hears. */
function twins(): [Channel, Channel] {
  const ears: (() => void)[][] = [[], []]
  const end = (own: number): Channel => ({
    postMessage: () => ears[1 - own]?.forEach((hear) => hear()),
    addEventListener: ((_type: string, hear: () => void) => ears[own]?.push(hear)) as Channel['addEventListener'],
    close: () => undefined,
  })
  return [end(0), end(1)]
}

function open(channel?: Channel): Session {
  const idb = { indexedDB: disk, IDBKeyRange }
  const outbox = new Outbox({ idb, fetch: send, clock: () => Date.now(), random: () => 0.5, channel })
  const memory = new Map<string, string>()
  const storage = { getItem: (key: string) => memory.get(key) ?? null, setItem: (key: string, value: string) => void memory.set(key, value) }
  const session = new Session({ outbox, copies: new CopyStore('copy', idb), origin: ORIGIN, fetch: send, clock: () => outbox.time.now() }, openSettings(storage))
  opened.push(session)
  return session
}

async function enrolled(code = 'AAAA-0001', who = 'li'): Promise<Session> {
  server.offer(code, who)
  const session = open()
  await session.open()
  await session.enrol(code, 'phone')
  await session.pull()
  return session
}

const outcomeOf = (subject: string) => ({
  kind: 'entry.outcome',
  subject: { sub_district: 3, person: subject },
  body: { round: 'r1', outcome: 'DONE' },
})

beforeEach(async () => {
  server = await ModelServer.start()
  server.clock = () => Date.parse(town().now)
  disk = new IDBFactory()
  pages = [{ ...town(), cursor: '1' }]
  asked = []
  pullStatus = null
  opened = []
  cutAfter = Infinity
})

afterEach(() => opened.forEach((session) => session.rhythm.stop()))

describe('the phone', () => {
  test('opens without network with what it had, and what was recorded since', async () => {
    const first = await enrolled()
    server.usual = 'lost_request'
    await first.record(outcomeOf('p1'))

    const again = open()
    await again.open()

    expect(again.whole.value).toBe(true)
    expect(again.view.value?.left).toBe(2)
    expect(again.counts.value).toMatchObject({ local: 1 })
    expect(again.view.value?.doors.get('d1')?.lines.find(({ subject }) => subject === 'p1')?.pending).toBe(true)
  })

  test('asks only for what is new, and takes it in', async () => {
    const session = await enrolled()
    pages.push(page({ cursor: '2', persons: [person('p9', 'd3', 'new')], entries: [entry('p9', 'd3')] }))
    await session.pull()

    expect(asked).toContain('1')
    expect(session.view.value?.total).toBe(4)
  })

  test('pull that breaks off goes on where it was, and shows the list when it is whole', async () => {
    pages = [{ ...town(), cursor: '1', more: true, persons: [], entries: [] }]
    server.offer('AAAA-0001', 'li')
    cutAfter = 1
    const session = open()
    await session.open()
    await session.enrol('AAAA-0001', 'phone')
    await session.pull()
    expect(session.whole.value).toBe(false)

    cutAfter = Infinity
    pages.push({ ...town(), cursor: '2', full: false, buildings: [], doors: [] })
    await session.pull()

    expect(asked.filter((since) => since === null)).toHaveLength(1)
    expect(session.whole.value).toBe(true)
    expect(session.view.value?.total).toBe(3)
  })

  test('what was just found never vanishes between its verdict and its row', async () => {
    const session = await enrolled()
    await session.record({ kind: 'person.found', subject: { sub_district: 3, dwelling: 'd3' }, body: { round: 'r1', person: 'new', name: 'Wang' } })
    await (session as unknown as { options: { outbox: Outbox } }).options.outbox.courier.wake()
    const seen: number[] = []
    pages.push(page({ cursor: '2', persons: [person('new', 'd3', 'Wang', { listed: false })], entries: [entry('new', 'd3', { origin: 'ADDED' })] }))
    const looking = setInterval(() => seen.push(session.view.value?.total ?? 0), 0)
    await session.pull()
    clearInterval(looking)

    expect(new Set([...seen, session.view.value?.total])).toEqual(new Set([4]))
    expect(session.view.value?.doors.get('d3')?.lines[0]?.pending).toBe(false)
  })

  test('what it keeps shows no name, phone or note', async () => {
    pages = [{ ...town(), cursor: '1', persons: [person('p1', 'd1', 'CANARY-NAME', { phone: '13900009999' })] }]
    const session = await enrolled()
    server.usual = 'lost_request'
    await session.record({ kind: 'note.written', subject: { sub_district: 3, dwelling: 'd1' }, body: { text: 'CANARY-NOTE' } })

    const dump = await everythingOn(disk)

    expect(session.copy.value.persons.get('p1')?.name).toBe('CANARY-NAME')
    expect(dump.length).toBeGreaterThan(1000)
    expect(dump).toContain('note.written')
    expect(dump).not.toMatch(/CANARY|13900009999/)
  })
})

describe('another worker', () => {
  test('hand_over takes the grid from the phone and sends the rest in the first one\'s name', async () => {
    const session = await enrolled()
    server.usual = 'lost_request'
    await session.record(outcomeOf('p1'))
    await session.handOver()

    expect(session.enrolment.value).toBeNull()
    expect(session.copy.value.persons.size).toBe(0)
    expect(session.counts.value.local).toBe(1)

    server.usual = 'fine'
    server.offer('BBBB-0002', 'wang')
    await session.enrol('BBBB-0002', 'phone')
    await session.pull()
    await session.record(outcomeOf('p2'))
    await session.sendNow()
    await session.pull()

    expect(server.journal.map(({ actor }) => actor).sort()).toEqual(['actor-li', 'actor-wang'])
    expect(session.mine.value.map(({ actor }) => actor)).toEqual(['actor-wang'])
    expect(await session.hasOthersWork()).toBe(false)
  })
})

describe('two tabs', () => {
  test('tab that another one handed over begins anew', async () => {
    await enrolled()
    const channel = twins()
    const one = open(channel[0])
    const two = open(channel[1])
    await one.open()
    await two.open()

    await one.handOver()
    await new Promise((later) => setTimeout(later, 50))

    expect(two.enrolment.value).toBeNull()
    expect(two.copy.value.persons.size).toBe(0)
  })
})

describe('a device that may no longer read', () => {
  test('switched off: the list goes, what is unsent stays and is still sent', async () => {
    const session = await enrolled()
    server.usual = 'lost_request'
    await session.record(outcomeOf('p1'))
    server.usual = 'fine'
    pullStatus = { status: 410, code: 'lease_revoked' }
    await session.pull()

    expect(session.copy.value.persons.size).toBe(0)
    await session.sendNow()
    expect(server.journal).toHaveLength(1)
  })

  test('run out: the list stays for the worker at the door', async () => {
    const session = await enrolled()
    pullStatus = { status: 410, code: 'lease_expired' }
    await session.pull()

    expect(session.copy.value.persons.size).toBe(3)
    expect(session.enrolment.value?.reading_ended).toBe('lease_expired')
  })

  test('cursor that the server cannot read starts a full pull and loses nothing', async () => {
    const session = await enrolled()
    const real = send
    let refused = 0
    const restored: typeof fetch = async (input, init) => {
      if (String(input).includes('since=') && refused++ === 0) return new Response('{"code":"cursor_bad"}', { status: 422 })
      return real(input, init)
    }
    Object.assign((session as unknown as { options: { fetch: typeof fetch } }).options, { fetch: restored })
    await session.pull()

    expect(asked.filter((since) => since === null)).toHaveLength(2)
    expect(session.whole.value).toBe(true)
    expect(session.view.value?.total).toBe(3)
  })
})

/** All of the phone's databases as text, keys and boxes and all. */
async function everythingOn(factory: IDBFactory): Promise<string> {
  const parts: string[] = []
  for (const { name } of await factory.databases()) {
    const base = await new Promise<IDBDatabase>((resolve) => {
      const request = factory.open(name ?? '')
      request.onsuccess = () => resolve(request.result)
    })
    for (const store of base.objectStoreNames) {
      const rows = await new Promise<unknown[]>((resolve) => {
        const request = base.transaction(store).objectStore(store).getAll()
        request.onsuccess = () => resolve(request.result)
      })
      parts.push(...rows.map(spelled))
    }
    base.close()
  }
  return parts.join('\n')
}

function spelled(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) => {
    if (one instanceof ArrayBuffer) return new TextDecoder('latin1').decode(one)
    return ArrayBuffer.isView(one) ? new TextDecoder('latin1').decode(one as Uint8Array) : one
  })
}

describe('the kept work list', () => {
  test('opens again without a network, also behind a PIN that came after it', async () => {
    const session = await enrolled()
    await session.keepJobs('{"jobs":[1]}')
    await session.setPin('270914')

    const later = open()
    await later.open()
    expect(await later.keptJobs()).toBeNull()
    await later.unlock('270914')
    expect(await later.keptJobs()).toBe('{"jobs":[1]}')
  })

  test('goes with the list when the phone is handed over', async () => {
    const session = await enrolled()
    await session.keepJobs('{"jobs":[1]}')
    const { device, sealing } = session.enrolment.value!
    await session.handOver()

    expect(await new CopyStore('copy', { indexedDB: disk, IDBKeyRange }).keptJobs(device, sealing)).toBeNull()
  })
})
