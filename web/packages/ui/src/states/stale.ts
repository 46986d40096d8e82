// SPDX-License-Identifier: Apache-2.0
/** A grid with work left that has sent nothing for two hours: its figures are old, not good. */

const STALE_AFTER_S = 2 * 3600

export interface Freshness {
  /** Seconds since the epoch; 0 = nothing yet. */
  freshAt: number
  /** When the round was opened; before that nothing can be late. */
  openedAt: string | null | undefined
  left: number
}

export function isStale({ freshAt, openedAt, left }: Freshness, now: number): boolean {
  if (left <= 0 || !openedAt) return false
  const since = Math.max(freshAt, Date.parse(openedAt) / 1000)
  return now / 1000 - since > STALE_AFTER_S
}
