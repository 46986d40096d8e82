// SPDX-License-Identifier: Apache-2.0
/**
 * What waits on this phone as a file that somebody else carries: signed like any batch, and sealed for the houses,
 * so that the carrier cannot read it (the same as muster.base.crypto.carrying). The phone keeps all until its own verdict.
 */
import { base64url, fromBase64url, utf8, type Bytes } from './bytes'
import { fitting, makeBatch } from './envelope'
import { uuid7 } from './ids'
import { signature } from './keys'
import { unseal } from './seal'
import type { Enrolment, FactRow, OutboxStore } from './store'

const INFO = utf8('muster-carried-v1')
const CURVE = { name: 'ECDH', namedCurve: 'P-256' }
const NO_NONCE = new Uint8Array(12)

export interface CarriedFile {
  text: string
  /** How many facts are in it. */
  count: number
}

/** Null where nothing waits, or where no house has said for whom to seal. */
export async function carriedFile(store: OutboxStore, now: number, most = Infinity): Promise<CarriedFile | null> {
  const batches: { lease: string; signature: string; body: string }[] = []
  const houses = new Map<string, JsonWebKey>()
  let count = 0
  for (const enrolment of await store.enrolments.toArray()) {
    for (const jwk of enrolment.carriers ?? []) houses.set(`${jwk.x}.${jwk.y}`, jwk)
    let waiting = (await unsettled(store, enrolment)).slice(0, most - count)
    while (waiting.length > 0) {
      const facts = fitting(waiting)
      const { body } = makeBatch(facts, { id: uuid7(now), device: enrolment.device, at: now })
      batches.push({ lease: enrolment.lease, signature: await signature(enrolment.signing, body), body: new TextDecoder().decode(body) })
      count += facts.length
      waiting = waiting.slice(facts.length)
    }
  }
  if (count === 0 || houses.size === 0) return null
  const content = await zipped(utf8(JSON.stringify({ v: 1, batches })))
  return { text: await sealFor(content, [...houses.values()]), count }
}

/** Uploaded ones too: a receipt is no verdict, and the laptop that gave it may be lost. */
async function unsettled(store: OutboxStore, { device, sealing }: Enrolment): Promise<(FactRow & { text: string })[]> {
  const rows = await store.facts.where('[device+status]').anyOf([device, 'LOCAL'], [device, 'UPLOADED']).sortBy('seq')
  return Promise.all(rows.map(async (row) => ({ ...row, text: await unseal(sealing, row.sealed, row.id) })))
}

async function sealFor(content: Bytes, houses: readonly JsonWebKey[]): Promise<string> {
  const ours = await crypto.subtle.generateKey(CURVE, true, ['deriveBits'])
  const shown = await crypto.subtle.exportKey('jwk', ours.publicKey)
  const raw = crypto.getRandomValues(new Uint8Array(32))
  const wraps = await Promise.all(houses.map(async (jwk) => ({ kid: await kidOf(jwk), wrapped: base64url(await box(await shared(ours.privateKey, jwk), NO_NONCE, raw)) })))
  const nonce = crypto.getRandomValues(new Uint8Array(12))
  const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt'])
  const sealed = new Uint8Array([...nonce, ...new Uint8Array(await box(key, nonce, content))])
  return JSON.stringify({ v: 1, kind: 'muster-carried', x: shown.x, y: shown.y, houses: wraps, sealed: base64url(sealed) })
}

async function shared(ours: CryptoKey, { kty, crv, x, y }: JsonWebKey): Promise<CryptoKey> {
  const theirs = await crypto.subtle.importKey('jwk', { kty, crv, x, y }, CURVE, false, [])
  const met = await crypto.subtle.deriveBits({ name: 'ECDH', public: theirs }, ours, 256)
  const base = await crypto.subtle.importKey('raw', met, 'HKDF', false, ['deriveBits'])
  const bits = await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: INFO }, base, 256)
  return crypto.subtle.importKey('raw', bits, 'AES-GCM', false, ['encrypt'])
}

function box(key: CryptoKey, iv: Bytes, plain: Bytes): Promise<ArrayBuffer> {
  return crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: INFO }, key, plain)
}

/** The first eight bytes of the key's RFC 7638 thumbprint. */
export async function kidOf({ crv, kty, x, y }: JsonWebKey): Promise<string> {
  const thumb = await crypto.subtle.digest('SHA-256', utf8(JSON.stringify({ crv, kty, x, y })))
  return base64url(thumb.slice(0, 8))
}

async function zipped(content: Bytes): Promise<Bytes> {
  if (typeof CompressionStream === 'undefined') return content
  return new Uint8Array(await new Response(new Blob([content]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer())
}

/** Small enough that a cheap camera reads each picture from another screen. */
const FRAME_LETTERS = 480
const MARK = 'MUSTER1'

/** The file as a row of texts, each for one QR code; any order, as often as it takes. */
export function framesOf(text: string): string[] {
  const id = base64url(crypto.getRandomValues(new Uint8Array(3)))
  const count = Math.ceil(text.length / FRAME_LETTERS)
  return Array.from({ length: count }, (_, at) => `${MARK}/${id}/${at + 1}/${count}/${text.slice(at * FRAME_LETTERS, (at + 1) * FRAME_LETTERS)}`)
}

/** Puts frames together again; those of another file begin anew. */
export class Frames {
  count = 0
  private id = ''
  private readonly parts = new Map<number, string>()

  /** False for what is no frame. */
  add(text: string): boolean {
    const [mark, id, at, count, ...rest] = text.trim().split('/')
    const [place, whole] = [Number(at), Number(count)]
    if (mark !== MARK || !id || !Number.isInteger(place) || !Number.isInteger(whole) || place < 1 || place > whole || whole > 2000) return false
    if (id !== this.id || whole !== this.count) {
      this.parts.clear()
      this.id = id
      this.count = whole
    }
    this.parts.set(place, rest.join('/'))
    return true
  }

  get have(): number {
    return this.parts.size
  }

  /** The file once all frames are here. */
  get text(): string | null {
    if (this.count === 0 || this.have < this.count) return null
    return Array.from({ length: this.count }, (_, at) => this.parts.get(at + 1)).join('')
  }
}

/** What a carrier can see of a file without opening it: that it is one. */
export function isCarried(text: string): boolean {
  try {
    const told = JSON.parse(text) as { v?: unknown; kind?: unknown; sealed?: unknown } | null
    return told?.v === 1 && told.kind === 'muster-carried' && typeof told.sealed === 'string' && fromBase64url(told.sealed) !== null
  } catch {
    return false
  }
}

interface Kept {
  text: string
  at: number
}

/** Takes somebody's file along; it goes in when this phone next reaches a house. */
export async function takeAlong(store: OutboxStore, text: string, at: number): Promise<void> {
  const kept = await carriedAlong(store)
  if (kept.some((one) => one.text === text)) return
  await store.notes.put({ key: 'carried', value: [...kept, { text, at }] })
}

export async function carriedAlong(store: OutboxStore): Promise<Kept[]> {
  return ((await store.notes.get('carried'))?.value as Kept[] | undefined) ?? []
}

export interface Delivery {
  given: number
  /** Why the rest stays here, by code. */
  trouble: string | null
}

/** Hands in what was taken along. A file that the house took goes from here; its facts stay on the phone they came from. */
export async function deliverCarried(store: OutboxStore, { origin, lease, fetch: send }: { origin: string; lease: string; fetch: typeof fetch }): Promise<Delivery> {
  let given = 0
  for (const one of await carriedAlong(store)) {
    const answer = await send(`${origin}/sync/v1/carried`, { method: 'POST', body: one.text, headers: { Authorization: `Bearer ${lease}` }, cache: 'no-store', credentials: 'omit' }).catch(() => null)
    if (!answer) return { given, trouble: 'offline' }
    if (!answer.ok) {
      const problem = (await answer.json().catch(() => null)) as { code?: string } | null
      return { given, trouble: problem?.code ?? `http_${answer.status}` }
    }
    given++
    const left = (await carriedAlong(store)).filter(({ text }) => text !== one.text)
    await store.notes.put({ key: 'carried', value: left })
  }
  return { given, trouble: null }
}
