// SPDX-License-Identifier: Apache-2.0
/** Ids made on the phone at the moment of the act: UUIDv7, so they sort by time. */

let lastMs = 0
let lastCount = 0

/** Two ids of one phone in the same millisecond still sort in the order in which they were made. */
export function uuid7(at: number): string {
  const ms = Math.max(at, lastMs)
  const fresh = crypto.getRandomValues(new Uint8Array(10))
  const start = ((fresh[0] ?? 0) << 2) | ((fresh[1] ?? 0) >> 6)
  const count = ms === lastMs ? lastCount + 1 : start
  if (count > 0xfff) return uuid7(ms + 1)
  lastMs = ms
  lastCount = count
  const bytes = new Uint8Array(16)
  for (let place = 0; place < 6; place++) bytes[place] = Math.floor(ms / 2 ** (8 * (5 - place))) % 256
  bytes[6] = 0x70 | (count >> 8)
  bytes[7] = count & 0xff
  bytes.set(fresh.subarray(2), 8)
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return [8, 12, 16, 20, 32].map((end, n, ends) => digits.slice(n ? ends[n - 1] : 0, end)).join('-')
}

/** The phone's own clock with its offset: what the worker saw on it, to be judged later against other clocks. */
export function isoWithOffset(at: number, offsetMinutes = -new Date(at).getTimezoneOffset()): string {
  const local = new Date(at + offsetMinutes * 60_000).toISOString().slice(0, -1)
  const size = Math.abs(offsetMinutes)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${local}${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
}
