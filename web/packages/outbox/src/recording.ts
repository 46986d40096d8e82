// SPDX-License-Identifier: Apache-2.0
/** The act: a fact is stored, numbered and read back before anybody is told that it is saved. */
import { Dexie, type Transaction } from 'dexie'
import { isoWithOffset, uuid7 } from './ids'
import { factText, type FactOf, type Subject } from './envelope'
import { OutboxFailure, reviving, writeFailure } from './failures'
import { seal, unseal } from './seal'
import type { Brief, Enrolment, FactRow, OutboxStore } from './store'

export interface Act {
  kind: string
  subject: Subject
  body: Record<string, unknown>
}

export const UNDO_WITHIN_MS = 10 * 60_000

export interface Kept {
  brief: Brief
  /** Whether the browser gave the write to the disk before it said so; null where it cannot tell. */
  strict: boolean | null
}

export async function record(store: OutboxStore, device: string, act: Act, at: number, clockOff = 0): Promise<Kept> {
  const enrolment = await reviving(store, () => store.enrolments.get(device)).catch((error: unknown) => {
    throw writeFailure(error)
  })
  if (enrolment?.state !== 'ACTIVE') throw new OutboxFailure('not_enrolled')
  const fact: FactOf = {
    id: uuid7(at),
    kind: act.kind,
    // The person this device was enrolled for, never whoever is typed in later.
    actor: enrolment.actor.id,
    occurred_at: isoWithOffset(at),
    subject: act.subject,
    body: act.body,
    ...(clockOff !== 0 && { clock_off: Math.round(clockOff / 1000) }),
  }
  let strict: boolean | null = null
  try {
    const sealed = await seal(enrolment.sealing, factText(fact), fact.id)
    const row = { device, id: fact.id, kind: fact.kind, at, status: 'LOCAL' as const, sealed }
    const write = () => store.transaction('rw', store.enrolments, store.counters, store.facts, async () => {
      // Written a second time after the browser closed the database in the middle: the same act is kept once.
      const kept = await store.facts.where('id').equals(fact.id).first()
      if (kept) return kept.seq
      // Read again inside: the phone may have been handed over in another tab since.
      const still = await store.enrolments.get(device)
      if (still?.state !== 'ACTIVE') throw new OutboxFailure('not_enrolled')
      const next = (await store.counters.get(device))?.next_seq ?? 1
      await store.counters.put({ device, next_seq: next + 1 })
      await store.facts.add({ ...row, seq: next })
      strict = isStrict(Dexie.currentTransaction)
      return next
    })
    await reviving(store, async () => readBack(store, enrolment, await write(), fact))
  } catch (error) {
    throw writeFailure(error)
  }
  return { brief: briefOf(fact, at), strict }
}

/** What was asked for is checked: browsers before 83 know no durability, some take the word and ignore it. */
export function isStrict(transaction: Transaction | null): boolean | null {
  const native = (transaction as { idbtrans?: { durability?: string } } | null)?.idbtrans
  return native?.durability === undefined ? null : native.durability === 'strict'
}

async function readBack(store: OutboxStore, { device, sealing }: Enrolment, seq: number, fact: FactOf): Promise<void> {
  const row = await store.facts.get([device, seq])
  if (row?.id !== fact.id || (await unseal(sealing, row.sealed, row.id)) !== factText(fact)) {
    throw new OutboxFailure('not_saved')
  }
}

export function briefOf(fact: FactOf, at: number): Brief {
  const { round, outcome, state, item, hop, step, fact: undone } = fact.body
  return {
    id: fact.id,
    kind: fact.kind,
    at,
    actor: fact.actor,
    subject: fact.subject,
    ...(typeof round === 'string' && { round }),
    ...(typeof outcome === 'string' && { outcome }),
    ...(typeof state === 'string' && { state }),
    ...(typeof item === 'string' && { item }),
    ...(typeof hop === 'string' && { hop }),
    ...(typeof step === 'string' && { step }),
    ...(fact.kind === 'fact.undone' && typeof undone === 'string' && { undone }),
  }
}

/** An act is taken back by a further fact; what was sent stays sent. */
export async function undo(store: OutboxStore, device: string, id: string, at: number, clockOff = 0): Promise<Kept> {
  const mine = await briefs(store, device)
  const act = mine.find((brief) => brief.id === id)
  if (!act || act.kind === 'fact.undone') throw new OutboxFailure('undo_unknown')
  if (mine.some((brief) => brief.undone === id)) throw new OutboxFailure('undo_already')
  if (at - act.at > UNDO_WITHIN_MS) throw new OutboxFailure('undo_too_late')
  const body = { ...(act.round && { round: act.round }), fact: id }
  return record(store, device, { kind: 'fact.undone', subject: act.subject, body }, at, clockOff)
}

/** Whole fact or brief: both texts hold what a brief needs; the body is there only until the verdict. */
export async function openRow(sealing: CryptoKey, row: FactRow): Promise<{ brief: Brief; body?: FactOf['body'] }> {
  const stored = JSON.parse(await unseal(sealing, row.sealed, row.id)) as FactOf | Brief
  return 'body' in stored ? { brief: briefOf(stored, row.at), body: stored.body } : { brief: stored }
}

export async function briefOfRow(sealing: CryptoKey, row: FactRow): Promise<Brief> {
  return (await openRow(sealing, row)).brief
}

export async function briefs(store: OutboxStore, device: string): Promise<Brief[]> {
  const enrolment = await store.enrolments.get(device)
  if (!enrolment) return []
  const rows = await store.facts.where('device').equals(device).sortBy('seq')
  return Promise.all(rows.map((row) => briefOfRow(enrolment.sealing, row)))
}
