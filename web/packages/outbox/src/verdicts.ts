// SPDX-License-Identifier: Apache-2.0
/** What became of each fact, and what may go from the phone: a fact's text goes with its verdict, its brief some days later. */
import { seal } from './seal'
import { briefOfRow } from './recording'
import type { Enrolment, FactRow, OutboxStore, Verdict } from './store'

export interface VerdictOf {
  id: string
  verdict: Verdict
  code?: string | null
}

const DAY_MS = 24 * 60 * 60_000
const KEEP_MS: Record<Verdict, number> = {
  APPLIED: 2 * DAY_MS,
  DUPLICATE: 2 * DAY_MS,
  FLAGGED: 14 * DAY_MS,
  HELD: 14 * DAY_MS,
  QUARANTINED: 14 * DAY_MS,
}

export async function settle(store: OutboxStore, device: string, verdicts: readonly VerdictOf[], at: number): Promise<number> {
  const enrolment = await store.enrolments.get(device)
  if (!enrolment || verdicts.length === 0) return 0
  const by = new Map(verdicts.map((one) => [one.id, one]))
  const rows = await store.facts.where('id').anyOf([...by.keys()]).toArray()
  const mine = rows.filter((row) => row.device === device && says(by.get(row.id), row))
  const settled = await Promise.all(mine.map((row) => settledRow(enrolment, row, by.get(row.id) as VerdictOf, at)))
  await store.facts.bulkPut(settled)
  return settled.length
}

/** The copy of a fact that was sent twice is called a duplicate: that says nothing new about the first. */
function says(one: VerdictOf | undefined, row: FactRow): boolean {
  if (!one) return false
  return row.status !== 'SETTLED' || (one.verdict !== 'DUPLICATE' && one.verdict !== row.verdict)
}

async function settledRow({ sealing }: Enrolment, row: FactRow, one: VerdictOf, at: number): Promise<FactRow> {
  const kept = { ...row }
  delete kept.refused
  const brief = await briefOfRow(sealing, row)
  const sealed = await seal(sealing, JSON.stringify(brief), row.id)
  return { ...kept, sealed, status: 'SETTLED', verdict: one.verdict, code: one.code ?? null, settled_at: at }
}

/** Old briefs go; a handed-over enrolment goes with its last settled fact. Nothing without a verdict is ever touched. */
export async function tidy(store: OutboxStore, at: number): Promise<void> {
  await store.transaction('rw', store.enrolments, store.counters, store.facts, async () => {
    const closed = new Set((await store.enrolments.where('state').equals('CLOSED').toArray()).map(({ device }) => device))
    const settled = await store.facts.where('status').equals('SETTLED').toArray()
    const old = settled.filter((row) => closed.has(row.device) || at - (row.settled_at ?? at) > KEEP_MS[row.verdict ?? 'HELD'])
    await store.facts.bulkDelete(old.map(({ device, seq }): [string, number] => [device, seq]))
    for (const device of closed) {
      if ((await store.facts.where('device').equals(device).count()) > 0) continue
      await store.enrolments.delete(device)
      await store.counters.delete(device)
    }
  })
}
