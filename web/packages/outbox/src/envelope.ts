// SPDX-License-Identifier: Apache-2.0
/**
 * Envelope v1: a fact, and a batch of facts of one device.
 * A fact's text is written once, at the act, and goes into every batch as it is: sent twice, it is the same bytes.
 */
import { utf8, type Bytes } from './bytes'
import { isoWithOffset } from './ids'

export const MOST_FACTS = 500
/** Small enough that a weak link finishes it, far under the server's limit of 1 MiB. */
export const MOST_BYTES = 200_000

export interface Subject {
  sub_district: number
  dwelling?: string
  household?: string
  person?: string
  request?: string
  trip?: string
  /** Who serves: himself, by his account. */
  responder?: string
}

export interface FactOf {
  id: string
  kind: string
  actor: string
  occurred_at: string
  subject: Subject
  body: Record<string, unknown>
  /** By how many seconds the phone's own clock was corrected, if it was wrong. */
  clock_off?: number
}

export interface Numbered {
  seq: number
  text: string
}

/** The sequence number is given only when the fact is stored, so it stays out of the sealed text. */
export function factText(fact: FactOf): string {
  return JSON.stringify(fact)
}

export function withSeq({ seq, text }: Numbered): string {
  return `{"v":1,"seq":${seq},${text.slice(1)}`
}

export interface Batch {
  id: string
  device: string
  body: Bytes
}

export function makeBatch(facts: readonly Numbered[], { id, device, at }: { id: string; device: string; at: number }): Batch {
  const head = JSON.stringify({ v: 1, device, batch: id, sent_at: isoWithOffset(at) })
  return { id, device, body: utf8(`${head.slice(0, -1)},"facts":[${facts.map(withSeq).join(',')}]}`) }
}

/** The first facts that fit one batch; always at least one, so that a large fact is refused by name, not stuck. */
export function fitting<T extends { text: string }>(facts: readonly T[], most = MOST_FACTS): T[] {
  let bytes = 0
  let count = 0
  for (const fact of facts.slice(0, Math.min(most, MOST_FACTS))) {
    bytes += utf8(fact.text).length + 24
    if (count > 0 && bytes > MOST_BYTES) break
    count++
  }
  return facts.slice(0, count)
}
