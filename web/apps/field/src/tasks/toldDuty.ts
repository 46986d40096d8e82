// SPDX-License-Identifier: Apache-2.0
/** My place with what I said on this phone laid over it: shown at once, whether or not the server has heard it. */
import type { DutyRead } from '@muster/client'
import type { Mine } from '@muster/outbox'

export interface ToldDuty {
  canArrive: boolean
  canLeave: boolean
  /** When I came or went; null where only the server says since when. */
  saidAt: number | null
  /** No server has heard the last word yet. */
  isUnheard: boolean
  /** Why my last word was put before a person. */
  doubt: string | null
}

type Standing = NonNullable<DutyRead['standing']>

export function toldDuty({ since, can_arrive, can_leave }: Standing, mine: readonly Mine[]): ToldDuty {
  const said = mine.filter((act) => act.kind === 'duty.step').sort((one, other) => one.at - other.at)
  const last = said[said.length - 1]
  const server: ToldDuty = { canArrive: can_arrive, canLeave: can_leave, saidAt: null, isUnheard: false, doubt: null }
  if (!last) return server
  const isUnheard = last.status !== 'SETTLED'
  const doubt = isSetAside(last) || last.verdict === 'FLAGGED' ? (last.code ?? null) : null
  // What was decided after my word stands over it; so does the server's no.
  if (!isUnheard && (isSetAside(last) || last.at < Date.parse(since))) return { ...server, doubt: last.at < Date.parse(since) ? null : doubt }
  const isHere = last.step === 'HERE'
  return { canArrive: !isHere && (can_arrive || can_leave), canLeave: isHere, saidAt: last.at, isUnheard, doubt }
}

const isSetAside = ({ status, verdict, code }: Mine): boolean => status === 'SETTLED' && (verdict === 'HELD' || verdict === 'QUARANTINED' || code === 'duty_not_yours' || code === 'duty_changed_since')
