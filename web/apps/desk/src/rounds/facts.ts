// SPDX-License-Identifier: Apache-2.0
/** What the desk records goes the same way as what a phone records: as facts, with an id made here and a way back. */
import { rounds } from '../api/calls'
import type { MissingEntry, Outcome } from '../api/types'

export interface DeskFact {
  id: string
  kind: string
  subject: Record<string, unknown>
  body: Record<string, unknown>
  occurred_at: string
}

/** UUID version 7: ordered by time, so that the ledger's rows stay together. */
export function newFactId(at: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  for (let index = 0; index < 6; index += 1) bytes[index] = Math.floor(at / 2 ** (8 * (5 - index))) % 256
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f)
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

export function subjectOf(entry: Pick<MissingEntry, 'unit' | 'subject' | 'sub_district'>): Record<string, unknown> {
  return { sub_district: entry.sub_district, [entry.unit]: entry.subject }
}

export function outcomeFact(round: string, entry: MissingEntry, outcome: Outcome, note: string, answers: Record<string, unknown>): DeskFact {
  return fact('entry.outcome', subjectOf(entry), {
    round,
    outcome: outcome.code,
    via: 'desk',
    ...(note ? { note } : {}),
    ...(outcome.evidence === 'note' || outcome.evidence === 'proof' ? { evidence: { kind: outcome.evidence, ref: note } } : {}),
    ...(Object.keys(answers).length > 0 ? { answers } : {}),
  })
}

export function contactFact(round: string, entry: MissingEntry, reached: boolean, note: string): DeskFact {
  return fact('contact.tried', subjectOf(entry), { round, channel: 'phone', reached, ...(note ? { note } : {}) })
}

export function undoFact(round: string, undone: DeskFact): DeskFact {
  return fact('fact.undone', undone.subject, { round, fact: undone.id })
}

/** Sends one fact; a verdict other than "applied" comes back as its code for a person to read. */
export async function send(round: string, one: DeskFact): Promise<{ verdict: string; code: string | null }> {
  const { verdicts } = await rounds.record(round, [one])
  return verdicts[0] ?? { verdict: 'HELD', code: null }
}

function fact(kind: string, subject: DeskFact['subject'], body: DeskFact['body']): DeskFact {
  const now = new Date()
  return { id: newFactId(now.getTime()), kind, subject, body, occurred_at: now.toISOString() }
}
