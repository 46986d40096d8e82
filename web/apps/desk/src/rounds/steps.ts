// SPDX-License-Identifier: Apache-2.0
/** The way of a round to its end: which step comes next, and what still stands in front of it. */
import { doorsNeverReached, isBalanced } from '@muster/ui'
import type { Allowed, Coverage, Round, RoundStatus, RoundStep } from '../api/types'

export type Step = Exclude<RoundStep, 'reopen'>

export const STATUSES: readonly RoundStatus[] = ['PLANNED', 'ROSTER_FROZEN', 'OPEN', 'CLOSING', 'CLOSED', 'CERTIFIED']

const NEXT: Partial<Record<RoundStatus, Step>> = {
  PLANNED: 'freeze',
  ROSTER_FROZEN: 'open',
  OPEN: 'start-closing',
  CLOSING: 'close',
  CLOSED: 'certify',
}

export function nextStep(status: RoundStatus): Step | null {
  return NEXT[status] ?? null
}

export interface Obstacle {
  /** Key of the sentence, with the number it speaks of. */
  says: string
  count: number
  /** What blocks closing; the rest is only said. */
  blocks: boolean
  query: Record<string, string>
}

export function obstacles(round: Pick<Round, 'status'>, coverage: Coverage | undefined): Obstacle[] {
  if (!coverage || nextStep(round.status) === null) return []
  const { classes } = coverage.equation
  const blocks = round.status === 'CLOSING'
  const found: Obstacle[] = [
    { says: 'steps.open', count: classes.OPEN ?? 0, blocks, query: { tab: 'missing', cls: 'OPEN' } },
    { says: 'steps.unreached', count: classes.UNREACHED ?? 0, blocks, query: { tab: 'missing', cls: 'UNREACHED' } },
    { says: 'steps.arranged', count: classes.ARRANGED ?? 0, blocks, query: { tab: 'missing', cls: 'ARRANGED' } },
    { says: 'steps.never', count: doorsNeverReached(coverage.doors), blocks: false, query: { tab: 'buildings', left: 'yes' } },
    { says: 'steps.unbalanced', count: isBalanced(coverage.equation) ? 0 : 1, blocks, query: { tab: 'parts' } },
  ]
  return round.status === 'OPEN' || round.status === 'CLOSING' ? found.filter((one) => one.count > 0) : []
}

/** What the server says of a step: it alone knows who may take it and what stands in its way. */
export function allowed(round: Pick<Round, 'steps'>, step: RoundStep | null): Allowed | null {
  return round.steps?.find((one) => one.step === step) ?? null
}

/** What forbids a step and is not already told as a number above the button. */
export function reasonOf(round: Pick<Round, 'steps'>, step: RoundStep | null): Allowed['why_not'] {
  const reason = allowed(round, step)?.why_not ?? null
  return reason && ['round_has_open_entries', 'grids_not_certified'].includes(reason.code) ? null : reason
}

/** Share of the grids that are frozen, in whole percent; null while nobody is freezing. */
export function frozenShare(round: Pick<Round, 'freezing'>): number | null {
  const told = round.freezing
  return told ? Math.floor((100 * told.done) / Math.max(1, told.total)) : null
}

/** Parts of the round without a signature that stands. */
export function unsigned(coverage: Coverage | undefined): number {
  return coverage?.children.filter((child) => !child.certified).length ?? 1
}
