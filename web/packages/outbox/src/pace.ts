// SPDX-License-Identifier: Apache-2.0
/** When to try again: later each time, never all phones at once, never before the server's own word. */

const FIRST_MS = 1_000
const LONGEST_MS = 60_000
const LONGEST_HURRIED_MS = 8_000
const LONGEST_ASKED_MS = 15 * 60_000

/** `failures` counts from 1; `draw` is in [0, 1). */
export function waitAfter(failures: number, draw: number, askedMs = 0, hurried = false): number {
  const most = Math.min(hurried ? LONGEST_HURRIED_MS : LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 16))
  const own = most / 2 + (most / 2) * draw
  // What the server asks for is a floor; the spread on top keeps ten thousand phones from coming back together.
  return askedMs > 0 ? Math.min(askedMs, LONGEST_ASKED_MS) * (1 + 0.5 * draw) : own
}

/** Retry-After in seconds or as a date; 0 when absent or unreadable. */
export function askedWait(header: string | null, now: number): number {
  if (!header) return 0
  const seconds = Number(header)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const date = Date.parse(header)
  return Number.isNaN(date) ? 0 : Math.max(0, date - now)
}
