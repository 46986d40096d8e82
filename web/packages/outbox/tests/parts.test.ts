// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { base64url, fromBase64url, utf8 } from '../src/bytes'
import { fitting, makeBatch, MOST_BYTES } from '../src/envelope'
import { isoWithOffset, uuid7 } from '../src/ids'
import { isSignedBy, newDeviceKey, signature } from '../src/keys'
import { askedWait, waitAfter } from '../src/pace'
import { newSealKey, seal, unseal } from '../src/seal'

describe('ids', () => {
  test('uuid7 sorts by the order of making, also within a millisecond and when the clock goes back', () => {
    const now = Date.now()
    const ids = Array.from({ length: 6000 }, (_, n) => uuid7(n < 3000 ? now : now - 5))

    expect([...ids].sort()).toEqual(ids)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(true)
  })

  test('iso_with_offset is the same moment', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: -720, max: 840 }), (at, offset) => {
        expect(Date.parse(isoWithOffset(at, offset))).toBe(at)
      }),
    )
    expect(isoWithOffset(Date.UTC(2026, 8, 2, 10, 5), 480)).toBe('2026-09-02T18:05:00.000+08:00')
    expect(isoWithOffset(Date.UTC(2026, 8, 2, 10, 5), -210)).toBe('2026-09-02T06:35:00.000-03:30')
  })
})

describe('bytes', () => {
  test('base64url goes there and back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (raw) => {
        const bytes = new Uint8Array(raw)
        expect(fromBase64url(base64url(bytes))).toEqual(bytes)
      }),
    )
  })

  test.each(['a+b', 'a/b', 'ab=', '*', 'a'])('base64url %j of a stranger is null', (text) => {
    expect(fromBase64url(text)).toBeNull()
  })
})

describe('envelope', () => {
  test('batch is one JSON with the facts as they were written', () => {
    const text = JSON.stringify({ id: 'f1', kind: 'note.written', body: { text: '门锁换了 "quoted"' } })
    const { body } = makeBatch([{ seq: 4, text }], { id: 'b1', device: 'd1', at: 0 })

    expect(JSON.parse(new TextDecoder().decode(body))).toMatchObject({
      v: 1,
      device: 'd1',
      batch: 'b1',
      facts: [{ v: 1, seq: 4, id: 'f1', kind: 'note.written', body: { text: '门锁换了 "quoted"' } }],
    })
  })

  test('fitting takes at most five hundred, bounded bytes, and never nothing', () => {
    const small = Array.from({ length: 700 }, () => ({ text: 'x' }))
    const large = Array.from({ length: 5 }, () => ({ text: 'x'.repeat(MOST_BYTES) }))

    expect(fitting(small)).toHaveLength(500)
    expect(fitting(large)).toHaveLength(1)
    expect(fitting([])).toEqual([])
  })
})

describe('seal', () => {
  test('sealed text opens only under its own name', async () => {
    const key = await newSealKey()
    const sealed = await seal(key, '张小三', 'row-1')

    expect(await unseal(key, sealed, 'row-1')).toBe('张小三')
    await expect(unseal(key, sealed, 'row-2')).rejects.toThrow()
  })
})

describe('keys', () => {
  test('signature is raw r and s over the exact bytes', async () => {
    const key = await newDeviceKey()
    const header = await signature(key.private, utf8('body'))
    const proof = fromBase64url(header.slice('ES256='.length))
    const open = await crypto.subtle.importKey('jwk', key.public, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify'])

    expect(proof).toHaveLength(64)
    expect(await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, open, proof!, utf8('body'))).toBe(true)
    expect(await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, open, proof!, utf8('Body'))).toBe(false)
  })

  test.each(['by the browser', 'by the library'])('receipt signature is read %s', async (way) => {
    const pair = (await crypto.subtle.generateKey({ name: 'Ed25519' }, true, ['sign', 'verify'])) as CryptoKeyPair
    const jwk = await crypto.subtle.exportKey('jwk', pair.publicKey)
    const signed = base64url(await crypto.subtle.sign({ name: 'Ed25519' }, pair.privateKey, utf8('said')))
    const absent = way === 'by the library' ? vi.spyOn(crypto.subtle, 'importKey').mockRejectedValue(new Error('unknown')) : null

    const answers = [await isSignedBy(jwk, 'said', signed), await isSignedBy(jwk, 'unsaid', signed)]
    absent?.mockRestore()

    expect(answers).toEqual([true, false])
  })

  test.each([
    [{ kty: 'OKP', crv: 'Ed25519', x: 'AA' }, 'AA'],
    [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }, 'AA'],
    [{}, '%%%'],
  ])('key_or_signature_of_another_shape is simply not a proof', async (jwk, signed) => {
    expect(await isSignedBy(jwk, 'said', signed)).toBe(false)
  })
})

describe('pace', () => {
  test('wait grows, stays bounded and is spread', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (n, draw) => {
        const wait = waitAfter(n, draw)
        expect(wait).toBeGreaterThanOrEqual(500)
        expect(wait).toBeLessThanOrEqual(60_000)
      }),
    )
    expect(waitAfter(3, 0)).not.toBe(waitAfter(3, 0.9))
  })

  test('wait never undercuts what the server asks, nor believes a silly figure', () => {
    expect(waitAfter(1, 0, 20_000)).toBe(20_000)
    expect(waitAfter(1, 0.5, 10 ** 9)).toBeLessThanOrEqual(15 * 60_000 * 1.5)
  })

  test.each([
    ['12', 12_000],
    ['Thu, 01 Jan 1970 00:01:00 GMT', 60_000],
    ['soon', 0],
    [null, 0],
    ['-5', 0],
  ])('retry_after %j is %d ms', (header, ms) => {
    expect(askedWait(header, 0)).toBe(ms)
  })
})
