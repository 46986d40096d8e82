// SPDX-License-Identifier: Apache-2.0
/** Facts as a file: sealed for the houses, put together from frames, kept until a house took it. */
import { describe, expect, test } from 'vitest'
import { carriedAlong, carriedFile, deliverCarried, Frames, framesOf, isCarried, takeAlong, type Outbox } from '../src'
import { base64url, fromBase64url, utf8 } from '../src/bytes'
import { kidOf } from '../src/carrying'
import { outcomeAct, Phone } from './phone'
import { ModelServer } from './server'

const CURVE = { name: 'ECDH', namedCurve: 'P-256' }

/** A phone that has enrolled and now has no network. */
async function newPhone(): Promise<{ outbox: Outbox; device: string; record: () => Promise<unknown> }> {
  const server = await ModelServer.start()
  const outbox = new Phone(server).open()
  server.offer('AAAA-0001', 'li')
  const { device } = await outbox.enrol({ code: 'AAAA-0001', name: 'phone', origin: 'https://muster.test' })
  server.usual = 'lost_request'
  return { outbox, device, record: () => outbox.record(device, outcomeAct('p1')) }
}

interface Carried {
  x: string
  y: string
  houses: { kid: string; wrapped: string }[]
  sealed: string
}

/** What a house does, with its own private key. */
async function open(text: string, house: CryptoKeyPair): Promise<{ batches: { lease: string; signature: string; body: string }[] }> {
  const told = JSON.parse(text) as Carried
  const jwk = await crypto.subtle.exportKey('jwk', house.publicKey)
  const kid = await kidOf(jwk)
  const theirs = await crypto.subtle.importKey('jwk', { kty: 'EC', crv: 'P-256', x: told.x, y: told.y }, CURVE, false, [])
  const met = await crypto.subtle.deriveBits({ name: 'ECDH', public: theirs }, house.privateKey, 256)
  const base = await crypto.subtle.importKey('raw', met, 'HKDF', false, ['deriveBits'])
  const bits = await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: utf8('muster-carried-v1') }, base, 256)
  const unbox = async (key: BufferSource, iv: Uint8Array<ArrayBuffer>, sealed: Uint8Array<ArrayBuffer>) =>
    crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData: utf8('muster-carried-v1') }, await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt']), sealed)
  const mine = told.houses.find((one) => one.kid === kid)
  const key = await unbox(bits, new Uint8Array(12), fromBase64url(mine?.wrapped ?? '') ?? new Uint8Array())
  const sealed = fromBase64url(told.sealed) ?? new Uint8Array()
  const plain = await unbox(key, sealed.slice(0, 12), sealed.slice(12))
  const content = new Response(new Blob([plain]).stream().pipeThrough(new DecompressionStream('gzip')))
  return (await content.json()) as never
}

async function house(): Promise<{ pair: CryptoKeyPair; jwk: JsonWebKey }> {
  const pair = await crypto.subtle.generateKey(CURVE, true, ['deriveBits'])
  return { pair, jwk: await crypto.subtle.exportKey('jwk', pair.publicKey) }
}

describe('carrying', () => {
  test('a file holds every fact without a verdict, signed, and only the houses open it', async () => {
    const phone = await newPhone()
    const [city, other] = [await house(), await house()]
    await phone.outbox.store.enrolments.update(phone.device, { carriers: [city.jwk] })
    for (let n = 0; n < 3; n++) await phone.record()

    const file = await carriedFile(phone.outbox.store, 1_700_000_000_000)

    expect(file?.count).toBe(3)
    expect(isCarried(file?.text ?? '')).toBe(true)
    const { batches } = await open(file?.text ?? '', city.pair)
    const facts = batches.flatMap(({ body }) => (JSON.parse(body) as { facts: { seq: number }[] }).facts)
    expect(facts.map(({ seq }) => seq)).toEqual([1, 2, 3])
    expect(batches[0]?.signature).toMatch(/^ES256=/)
    await expect(open(file?.text ?? '', other.pair)).rejects.toThrow()
    // Nothing left the phone.
    expect((await phone.outbox.counts()).local).toBe(3)
  })

  test('no file where nothing waits or no house is known', async () => {
    const phone = await newPhone()
    expect(await carriedFile(phone.outbox.store, 0)).toBeNull()
    await phone.record()
    expect(await carriedFile(phone.outbox.store, 0)).toBeNull()
  })

  test('frames in any order, twice, and after those of another file make the file again', () => {
    const text = JSON.stringify({ v: 1, kind: 'muster-carried', sealed: base64url(utf8('x'.repeat(3000))), note: 'a/b/c' })
    const frames = framesOf(text)
    const reader = new Frames()
    framesOf('another'.repeat(200)).slice(1).forEach((one) => reader.add(one))
    expect(frames.length).toBeGreaterThan(3)
    expect(reader.add('https://muster.test/field/')).toBe(false)
    expect(reader.add('MUSTER1/x/9/3/')).toBe(false)

    for (const one of [...frames.slice(1).reverse(), ...frames.slice(1)]) expect(reader.add(one)).toBe(true)
    expect(reader.text).toBeNull()
    reader.add(frames[0] ?? '')

    expect(reader.text).toBe(text)
  })

  test('what was taken along stays until a house took it', async () => {
    const { outbox } = await newPhone()
    await takeAlong(outbox.store, 'one', 1)
    await takeAlong(outbox.store, 'one', 2)
    await takeAlong(outbox.store, 'two', 3)
    const answers = [new Response('{}', { status: 200 }), Response.json({ code: 'door_away' }, { status: 503 })]
    const given = await deliverCarried(outbox.store, { origin: '', lease: 'l', fetch: () => Promise.resolve(answers.shift() as Response) })

    expect(given).toEqual({ given: 1, trouble: 'door_away' })
    expect((await carriedAlong(outbox.store)).map(({ text }) => text)).toEqual(['two'])
    const away = await deliverCarried(outbox.store, { origin: '', lease: 'l', fetch: () => Promise.reject(new Error('away')) })
    expect(away).toEqual({ given: 0, trouble: 'offline' })
  })
})
