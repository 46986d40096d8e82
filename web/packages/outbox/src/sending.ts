// SPDX-License-Identifier: Apache-2.0
/**
 * One batch of one device on its way: sealed texts → signed bytes → intake → receipt → marked as uploaded.
 * Nothing is deleted here: only a verdict lets a fact go.
 */
import { sha256, type Bytes } from './bytes'
import { fitting, makeBatch, MOST_FACTS, type Batch } from './envelope'
import { uuid7 } from './ids'
import { signature } from './keys'
import { askedWait } from './pace'
import { faultOf, type Receipt } from './receipts'
import { unseal } from './seal'
import type { Enrolment, FactRow, OutboxStore } from './store'

export interface Surroundings {
  fetch: typeof fetch
  clock: () => number
  /** In [0, 1): spreads the retries. */
  random: () => number
  /** What a genuine receipt says of the time. */
  heard?: (said: string) => Promise<void>
  /** Milliseconds after which an answer is no longer waited for. */
  patience?: number
}

/** What keeps facts on the phone, by code; shown with its cure. */
export type Trouble =
  | 'offline'
  | 'phone_storage'
  | 'server_busy'
  | 'server_error'
  | 'lease_unknown'
  | 'batch_refused'
  | 'receipt_malformed'
  | 'receipt_of_another'
  | 'receipt_unsigned'

export type Sending =
  | { state: 'EMPTY' }
  | { state: 'SENT'; count: number }
  | { state: 'REFUSED'; count: number; code: string }
  | { state: 'FAILED'; trouble: Trouble; askedMs: number }

/** A refused fact is tried again after this long: the server may have learned since. */
export const REFUSED_REST_MS = 60 * 60_000
const GZIP_FROM = 1_000
const PATIENCE_MS = 30_000
const DOOR_CODES = [400, 413, 415, 422]

export async function sendNext(store: OutboxStore, enrolment: Enrolment, around: Surroundings, most = MOST_FACTS): Promise<Sending> {
  const waiting = await waitingFacts(store, enrolment, around.clock())
  if (waiting.length === 0) return { state: 'EMPTY' }
  const facts = fitting(waiting, most)
  const sending = await deliver(store, enrolment, facts, around)
  if (sending.state !== 'REFUSED' || facts.length === 1) return sending
  // One bad fact must not hold the others: halve until it stands alone.
  return sendNext(store, enrolment, around, Math.ceil(facts.length / 2))
}

type Waiting = FactRow & { text: string }

async function waitingFacts(store: OutboxStore, { device, sealing }: Enrolment, now: number): Promise<Waiting[]> {
  const rows = await store.facts.where('[device+status]').equals([device, 'LOCAL']).sortBy('seq')
  const due = rows.filter((row) => !row.refused || now - row.refused.at > REFUSED_REST_MS).slice(0, MOST_FACTS)
  return Promise.all(due.map(async (row) => ({ ...row, text: await unseal(sealing, row.sealed, row.id) })))
}

async function deliver(store: OutboxStore, enrolment: Enrolment, facts: Waiting[], around: Surroundings): Promise<Sending> {
  const now = around.clock()
  const batch = makeBatch(facts, { id: uuid7(now), device: enrolment.device, at: now })
  const answer = await post(enrolment, batch, around)
  if (!answer) return { state: 'FAILED', trouble: 'offline', askedMs: 0 }
  const askedMs = askedWait(answer.headers.get('Retry-After'), now)
  if (DOOR_CODES.includes(answer.status)) {
    const code = await problemCode(answer)
    if (facts.length === 1) await markRefused(store, facts, { code, at: now })
    return { state: 'REFUSED', count: facts.length, code }
  }
  if (answer.status === 401) return { state: 'FAILED', trouble: 'lease_unknown', askedMs }
  if (answer.status === 503 || answer.status === 429) return { state: 'FAILED', trouble: 'server_busy', askedMs }
  if (!answer.ok) return { state: 'FAILED', trouble: 'server_error', askedMs }
  const receipt: unknown = await answer.json().catch(() => null)
  const sent = { batch: batch.id, device: batch.device, sha256: await sha256(batch.body), count: facts.length }
  const fault = await faultOf(receipt, sent, enrolment.server_keys)
  if (fault) return { state: 'FAILED', trouble: fault, askedMs: 0 }
  await around.heard?.((receipt as Receipt).received_at)
  await markUploaded(store, facts, receipt as Receipt)
  return { state: 'SENT', count: facts.length }
}

async function post(enrolment: Enrolment, batch: Batch, around: Surroundings): Promise<Response | null> {
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    Authorization: `Bearer ${enrolment.lease}`,
    'Muster-Signature': await signature(enrolment.signing, batch.body),
  }
  const zipped = await gzip(batch.body)
  if (zipped) headers['Content-Encoding'] = 'gzip'
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), around.patience ?? PATIENCE_MS)
  try {
    return await around.fetch(`${enrolment.intake.replace(/\/+$/, '')}/v1/batches`, {
      method: 'POST',
      headers,
      body: zipped ?? batch.body,
      signal: stop.signal,
      cache: 'no-store',
      credentials: 'omit',
    })
  } catch {
    return null
  } finally {
    clearTimeout(timer)
  }
}

/** Null where it would not help or the browser cannot: the signature is over the plain bytes either way. */
async function gzip(body: Bytes): Promise<ArrayBuffer | null> {
  if (body.length < GZIP_FROM || typeof CompressionStream === 'undefined') return null
  const stream = new Blob([body]).stream().pipeThrough(new CompressionStream('gzip'))
  return new Response(stream).arrayBuffer()
}

async function problemCode(answer: Response): Promise<string> {
  const problem = (await answer.json().catch(() => null)) as { code?: unknown } | null
  return typeof problem?.code === 'string' ? problem.code : `http_${answer.status}`
}

async function markUploaded(store: OutboxStore, facts: readonly Waiting[], receipt: Receipt): Promise<void> {
  const { batch, sha256: digest, received_at } = receipt
  await change(store, facts, (row) => {
    row.status = 'UPLOADED'
    row.receipt = { batch, sha256: digest, received_at }
    delete row.refused
  })
}

async function markRefused(store: OutboxStore, facts: readonly Waiting[], refused: NonNullable<FactRow['refused']>): Promise<void> {
  await change(store, facts, (row) => {
    row.refused = refused
  })
}

/** Only what is still local: a verdict may have come by pull while the answer was on its way. */
async function change(store: OutboxStore, facts: readonly Waiting[], make: (row: FactRow) => void): Promise<void> {
  await store.transaction('rw', store.facts, async () => {
    const rows = await store.facts.bulkGet(facts.map(({ device, seq }): [string, number] => [device, seq]))
    const local = rows.filter((row): row is FactRow => row?.status === 'LOCAL')
    local.forEach(make)
    await store.facts.bulkPut(local)
  })
}
