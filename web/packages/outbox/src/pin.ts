// SPDX-License-Identifier: Apache-2.0
/**
 * A key behind a PIN. The key is made at random and kept only wrapped: under the PIN, stretched, and a secret of this
 * browser that cannot be taken out by a page. Guesses outside of this browser need its files first; guesses inside are counted.
 */
import { utf8, type Bytes } from './bytes'

export interface Lock {
  salt: Bytes
  rounds: number
  pepper: CryptoKey
  iv: Bytes
  box: ArrayBuffer
}

export const PIN_LENGTH = 6
/** On a phone of the support floor about half a second. */
const ROUNDS = 120_000

export function isPin(typed: string): boolean {
  return new RegExp(`^[0-9]{${PIN_LENGTH}}$`).test(typed)
}

/** 111111, 123456, 654321: what everybody tries first. */
export function isEasyPin(pin: string): boolean {
  const steps = Array.from(pin).slice(1).map((digit, n) => Number(digit) - Number(pin[n]))
  return [0, 1, -1].some((step) => steps.every((one) => one === step))
}

/** A fresh key, and the same key wrapped: only the wrapped one is stored. */
export async function lockedKey(pin: string): Promise<{ key: CryptoKey; lock: Lock }> {
  const secret = crypto.getRandomValues(new Uint8Array(32))
  const salt = crypto.getRandomValues(new Uint8Array(16))
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const pepper = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const wrapping = await keyOfPin(pin, { salt, rounds: ROUNDS, pepper })
  const box = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, wrapping, secret)
  const key = await sealKeyOf(secret)
  secret.fill(0)
  return { key, lock: { salt, rounds: ROUNDS, pepper, iv, box } }
}

/** Null for a wrong PIN. */
export async function openLock(lock: Lock, pin: string): Promise<CryptoKey | null> {
  const wrapping = await keyOfPin(pin, lock)
  try {
    return await sealKeyOf(await crypto.subtle.decrypt({ name: 'AES-GCM', iv: lock.iv }, wrapping, lock.box))
  } catch {
    return null
  }
}

async function keyOfPin(pin: string, { salt, rounds, pepper }: Pick<Lock, 'salt' | 'rounds' | 'pepper'>): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey('raw', utf8(pin), 'PBKDF2', false, ['deriveBits'])
  const stretched = await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: rounds }, base, 256)
  const bits = await crypto.subtle.sign('HMAC', pepper, stretched)
  return crypto.subtle.importKey('raw', bits, 'AES-GCM', false, ['encrypt', 'decrypt'])
}

function sealKeyOf(secret: ArrayBuffer | Bytes): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', secret, 'AES-GCM', false, ['encrypt', 'decrypt'])
}
