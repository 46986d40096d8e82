// SPDX-License-Identifier: Apache-2.0
/** The number of a form that is being filled in: sent twice with the same number, it is one thing at the server. */
export function formNumber(): string {
  const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
