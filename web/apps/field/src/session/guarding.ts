// SPDX-License-Identifier: Apache-2.0
/**
 * Who may look: nobody enrolled, a PIN to be chosen first, a PIN to be given, open; and how long the lease lets names stay.
 */
import type { Enrolment } from '@muster/outbox'
import type { PinState } from '../grid/copyStore'

export type Guard = 'ENROL' | 'CHOOSE_PIN' | 'LOCKED' | 'OPEN'

/** Recording goes on for a day after the lease (the server takes it); then the list goes. */
export const GRACE_MS = 24 * 60 * 60_000
/** Out of sight for so long, the list closes behind its PIN. */
export const LOCK_AFTER_MS = 10 * 60_000

export function guardOf(enrolment: Enrolment | null, pin: PinState): Guard {
  if (!enrolment) return 'ENROL'
  if (pin === 'LOCKED') return 'LOCKED'
  // A drill shows made-up people: there a PIN is offered, not demanded.
  return pin === 'NONE' && !enrolment.incident.is_drill ? 'CHOOSE_PIN' : 'OPEN'
}

export type Standing = 'READS' | 'REDUCED' | 'ENDED'

/** By the server's time as far as it is known; the server's own word that the lease has ended counts as well. */
export function standingOf({ lease_until, reading_ended }: Pick<Enrolment, 'lease_until' | 'reading_ended'>, now: number): Standing {
  const end = Date.parse(lease_until)
  if (Number.isNaN(end)) return 'READS'
  if (now >= end + GRACE_MS) return 'ENDED'
  return now >= end || reading_ended === 'lease_expired' ? 'REDUCED' : 'READS'
}
