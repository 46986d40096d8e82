// SPDX-License-Identifier: Apache-2.0
/** From the snapshot's bare columns to the figures of the wall. */
import { isStale } from '@muster/ui'
import type { Row, Snapshot } from './shapes'

export type FigureKey = 'roster' | 'done' | 'missing' | 'arranged' | 'added'
export const FIGURES: readonly FigureKey[] = ['roster', 'done', 'missing', 'arranged', 'added']

const EMPTY: Row = { roster: 0, done: 0, arranged: 0, explained: 0, unreached: 0, open: 0, doors: 0, seen: 0, vacant: 0, added: 0, certified: 0, fresh: 0 }

export function rowOf(snapshot: Snapshot | null, kind: 'areas' | 'grids', id: number | null): Row {
  const cells = id === null ? undefined : snapshot?.[kind][String(id)]
  if (!snapshot || !cells) return EMPTY
  const row = { ...EMPTY }
  snapshot.columns.forEach((column, index) => {
    if (column in row) row[column] = cells[index] ?? 0
  })
  return row
}

export function missingIn(row: Row): number {
  return row.open + row.unreached
}

export function neverIn(row: Row): number {
  return row.doors - row.seen - row.vacant
}

export function figureOf(row: Row, key: FigureKey): number {
  return key === 'missing' ? missingIn(row) : row[key]
}

/** What the colour says: whoever is not missing has a result or a written word. */
export function shareOf(row: Row): number | null {
  return row.roster > 0 ? (row.roster - missingIn(row)) / row.roster : null
}

export function isOld(row: Row, openedAt: string | null, now: number): boolean {
  return isStale({ freshAt: row.fresh, openedAt, left: missingIn(row) }, now)
}
