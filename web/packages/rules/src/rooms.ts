// SPDX-License-Identifier: Apache-2.0
/** The floor that a room number implies: 501 is on 5, 1203 on 12, 11203 on 12 (the first of five is the stairwell), B101 below. */
import { fold } from './writing'

export function floorOf(raw: string): number | null {
  const room = fold(raw).toUpperCase()
  const below = /^B([0-9])[0-9]{2}(?![0-9])/.exec(room)
  if (below) return -Number(below[1]) || null
  const figures = /^[0-9]+/.exec(room)?.[0] ?? ''
  if (figures.length < 3 || figures.length > 5) return null
  const digits = figures.length === 5 ? figures.slice(1) : figures
  return Number(digits.slice(0, -2)) || null
}
