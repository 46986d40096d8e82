// SPDX-License-Identifier: Apache-2.0
/** Bytes and their spellings: UTF-8, base64url, hex. */

/** Bytes of our own memory; WebCrypto and fetch take no shared ones. */
export type Bytes = Uint8Array<ArrayBuffer>

export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text)
}

export function fromUtf8(bytes: ArrayBuffer | Bytes): string {
  return new TextDecoder().decode(bytes)
}

export function base64url(bytes: ArrayBuffer | Bytes): string {
  const binary = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join('')
  return btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
}

/** Null for what is no base64url: receipts come from outside. */
export function fromBase64url(text: string): Bytes | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null
  try {
    return Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (letter) => letter.charCodeAt(0))
  } catch {
    return null
  }
}

export function hex(bytes: ArrayBuffer | Bytes): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export async function sha256(bytes: Bytes): Promise<string> {
  return hex(await crypto.subtle.digest('SHA-256', bytes))
}
