// SPDX-License-Identifier: Apache-2.0
/**
 * What a phone keeps is sealed with a key that the page can use but not read.
 * It guards against a copied profile and a curious neighbour, not against a taken-apart phone (ADR 0015).
 */
import { fromUtf8, utf8, type Bytes } from './bytes'

export interface Sealed {
  iv: Bytes
  box: ArrayBuffer
}

const ALGORITHM = 'AES-GCM'

export function newSealKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: ALGORITHM, length: 256 }, false, ['encrypt', 'decrypt'])
}

/** `context` names the row: a sealed text moved to another row does not open. */
export async function seal(key: CryptoKey, text: string, context: string): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const box = await crypto.subtle.encrypt({ name: ALGORITHM, iv, additionalData: utf8(context) }, key, utf8(text))
  return { iv, box }
}

export async function unseal(key: CryptoKey, sealed: Sealed, context: string): Promise<string> {
  const { iv, box } = sealed
  return fromUtf8(await crypto.subtle.decrypt({ name: ALGORITHM, iv, additionalData: utf8(context) }, key, box))
}
