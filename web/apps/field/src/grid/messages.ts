// SPDX-License-Identifier: Apache-2.0
/** Facts of mine that the worker should know about: what the server holds back, has somebody look at, or did not take. */
import type { Mine } from '@muster/outbox'

export type TroubleKind = 'held' | 'quarantined' | 'flagged' | 'refused'

export interface Troubled {
  act: Mine
  kind: TroubleKind
  code: string
}

const KINDS: Record<string, TroubleKind> = { HELD: 'held', QUARANTINED: 'quarantined', FLAGGED: 'flagged' }

export function troubled(mine: readonly Mine[]): Troubled[] {
  const found = mine.flatMap((act): Troubled[] => {
    if (act.refused && act.status === 'LOCAL') return [{ act, kind: 'refused', code: act.refused.code }]
    const kind = act.status === 'SETTLED' ? KINDS[act.verdict ?? ''] : undefined
    return kind ? [{ act, kind, code: act.code ?? '' }] : []
  })
  return found.sort((one, other) => other.act.at - one.act.at)
}
