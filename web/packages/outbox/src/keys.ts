// SPDX-License-Identifier: Apache-2.0
/** The device's signing key (never leaves the phone) and the server's keys (to read its receipts). */
import { base64url, fromBase64url, utf8, type Bytes } from './bytes'

export interface DeviceKey {
  private: CryptoKey
  public: JsonWebKey
}

export interface ServerKey {
  kid: string
  jwk: JsonWebKey
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' }

/** P-256 because every phone of the support floor has it in WebCrypto; Ed25519 came ten years later. */
export async function newDeviceKey(): Promise<DeviceKey> {
  const pair = await crypto.subtle.generateKey(CURVE, false, ['sign', 'verify'])
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  return { private: pair.privateKey, public: { kty, crv, x, y } }
}

/** The value of `Muster-Signature` over exactly these bytes. */
export async function signature(key: CryptoKey, body: Bytes): Promise<string> {
  return `ES256=${base64url(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, body))}`
}

/** Ed25519, by the browser where it can, else by a small library: most phones cannot yet. */
export async function isSignedBy(jwk: JsonWebKey, text: string, signed: string): Promise<boolean> {
  const proof = fromBase64url(signed)
  const point = fromBase64url(jwk.x ?? '')
  if (jwk.crv !== 'Ed25519' || !point || point.length !== 32 || !proof || proof.length !== 64) return false
  const message = utf8(text)
  try {
    const key = await crypto.subtle.importKey('raw', point, { name: 'Ed25519' }, false, ['verify'])
    return await crypto.subtle.verify({ name: 'Ed25519' }, key, proof, message)
  } catch {
    const { verifyAsync } = await import('@noble/ed25519')
    return verifyAsync(proof, message, point).catch(() => false)
  }
}
