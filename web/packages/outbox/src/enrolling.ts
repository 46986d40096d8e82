// SPDX-License-Identifier: Apache-2.0
/** A code becomes a device: key made here, public half sent, lease kept. The same code tried again sends the same key. */
import { newDeviceKey, type DeviceKey, type ServerKey } from './keys'
import { newSealKey } from './seal'
import { writeFailure } from './failures'
import type { Actor, Enrolment, IncidentOf, OutboxStore } from './store'

export interface EnrolAnswer {
  device: string
  lease: string
  lease_until: string
  intake: string
  server_keys: ServerKey[]
  carriers?: JsonWebKey[]
  incident: IncidentOf
  grids: number[]
  actor: Actor
  sub_districts: number[]
}

/** Why a code did not become a device; `code` is the server's, or offline. */
export class EnrolRefused extends Error {
  override readonly name = 'EnrolRefused'
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const READ_AS: Record<string, string> = { O: '0', I: '1', L: '1' }

/** The one spelling of a typed code (ABCD-EFGH), or null if it cannot be one. */
export function readCode(typed: string): string | null {
  const letters = Array.from(typed.normalize('NFKC').toUpperCase().replace(/[\s\-\u2010-\u2015]/g, ''))
    .map((letter) => READ_AS[letter] ?? letter)
    .join('')
  const good = letters.length === 8 && Array.from(letters).every((letter) => LETTERS.includes(letter))
  return good ? `${letters.slice(0, 4)}-${letters.slice(4)}` : null
}

export interface EnrolOptions {
  code: string
  /** What the list of devices calls this phone. */
  name: string
  origin: string
  fetch: typeof fetch
  at: number
  /** What the answer says of the time. */
  heard?: (said: string) => Promise<void>
}

export async function enrol(store: OutboxStore, { code, name, origin, fetch, at, heard }: EnrolOptions): Promise<Enrolment> {
  const key = await keyFor(store, code)
  const answer = await ask(`${origin}/api/v1/devices/enrol`, { code, name, public_key: key.public }, fetch, heard)
  const enrolment: Enrolment = {
    device: answer.device,
    lease: answer.lease,
    lease_until: answer.lease_until,
    intake: answer.intake,
    server_keys: answer.server_keys,
    ...(answer.carriers && { carriers: answer.carriers }),
    incident: answer.incident,
    actor: answer.actor,
    grids: answer.grids,
    sub_districts: answer.sub_districts,
    signing: key.private,
    sealing: await newSealKey(),
    state: 'ACTIVE',
    enrolled_at: at,
  }
  await adopt(store, enrolment)
  return enrolment
}

/** Kept before the code is spent: if the answer is lost on the way, the second try is the same device. */
async function keyFor(store: OutboxStore, code: string): Promise<DeviceKey> {
  const kept = (await store.notes.get('enrolling'))?.value as { code: string; key: DeviceKey } | undefined
  if (kept?.code === code) return kept.key
  const key = await newDeviceKey()
  try {
    await store.notes.put({ key: 'enrolling', value: { code, key } })
  } catch (error) {
    throw writeFailure(error)
  }
  return key
}

async function ask(url: string, body: unknown, send: typeof fetch, heard: EnrolOptions['heard']): Promise<EnrolAnswer> {
  const options = { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }
  const answer = await send(url, { ...options, cache: 'no-store', credentials: 'omit' }).catch(() => null)
  if (!answer) throw new EnrolRefused('offline')
  const said = answer.headers.get('Date')
  if (said && answer.ok) await heard?.(said)
  const read = (await answer.json().catch(() => null)) as (Partial<EnrolAnswer> & { code?: string }) | null
  if (!answer.ok) throw new EnrolRefused(read?.code ?? `http_${answer.status}`)
  if (!read?.device || !read.lease || !read.intake) throw new EnrolRefused('answer_malformed')
  return read as EnrolAnswer
}

/** One person at a time works with a phone: whoever was active before is closed, and still gets what is theirs sent. */
async function adopt(store: OutboxStore, enrolment: Enrolment): Promise<void> {
  try {
    await store.transaction('rw', store.enrolments, store.counters, store.notes, async () => {
      await store.enrolments.where('state').equals('ACTIVE').modify({ state: 'CLOSED' })
      const known = await store.counters.get(enrolment.device)
      await store.counters.put(known ?? { device: enrolment.device, next_seq: 1 })
      await store.enrolments.put(enrolment)
      await store.notes.delete('enrolling')
    })
  } catch (error) {
    throw writeFailure(error)
  }
}
