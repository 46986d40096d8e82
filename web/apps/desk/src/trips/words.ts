// SPDX-License-Identifier: Apache-2.0
/** Words and tones of trips: what is late is danger, what was missed more so. */
import type { Tone } from '@muster/ui'
import type { Hop, TripLine } from '../api/trips'
import { packWord } from '../shell/session'

export function toneOfTrip(row: TripLine): Tone {
  if (row.status === 'HOME') return 'done'
  if (row.status === 'CANCELLED') return 'waiting'
  if (row.is_missed || row.is_late || row.urgency === 'LIFE') return 'danger'
  return row.status === 'PLANNED' ? 'waiting' : 'now'
}

export function toneOfHop(hop: Hop): Tone {
  if (hop.done_at) return 'done'
  if (hop.skipped_at) return 'waiting'
  return hop.is_late ? 'danger' : 'waiting'
}

/** Why somebody goes again and again, as the pack calls the need; empty for a single trip. */
export const kindWord = (kind: string): string => (kind === 'visit' ? '' : packWord('needs', kind))
