// SPDX-License-Identifier: Apache-2.0
/**
 * What the phone keeps: enrolments (a device each), their counters, their facts.
 * Every write that a worker is told of is strict: the browser has handed it to the disk before it says so.
 */
import { Dexie, type Table } from 'dexie'
import type { Subject } from './envelope'
import type { ServerKey } from './keys'
import type { PictureRow } from './pictures'
import type { Sealed } from './seal'

export interface Actor {
  id: string
  name: string
  role?: string
}

export interface IncidentOf {
  id: string
  name: string
  kind?: string
  pack: string
  is_drill: boolean
  time_zone: string
}

/** One person's right to work with this phone. Another person on the same phone is another enrolment, another device. */
export interface Enrolment {
  device: string
  lease: string
  lease_until: string
  intake: string
  server_keys: ServerKey[]
  /** For whom a file is sealed that somebody else carries. */
  carriers?: JsonWebKey[]
  incident: IncidentOf
  actor: Actor
  grids: number[]
  sub_districts: number[]
  signing: CryptoKey
  sealing: CryptoKey
  /** CLOSED: handed over. Its facts are still sent with its own key and lease, its rows are gone. */
  state: 'ACTIVE' | 'CLOSED'
  enrolled_at: number
  /** After a hand-over: from where to ask for the verdicts that are still missing. */
  verdict_cursor?: string
  /** Why the server no longer lets this device read; it may still send. */
  reading_ended?: 'lease_revoked' | 'lease_expired'
}

export type FactStatus = 'LOCAL' | 'UPLOADED' | 'SETTLED'
export type Verdict = 'APPLIED' | 'DUPLICATE' | 'FLAGGED' | 'HELD' | 'QUARANTINED'

export interface FactRow {
  device: string
  seq: number
  id: string
  kind: string
  at: number
  status: FactStatus
  /** The fact's text until there is a verdict; then only its brief (no name, phone or note). */
  sealed: Sealed
  receipt?: { batch: string; sha256: string; received_at: string }
  verdict?: Verdict
  code?: string | null
  settled_at?: number
  /** The server refused this fact's batch even alone: it stays, is shown, and is tried again later. */
  refused?: { code: string; at: number }
}

/** What is remembered of a fact after its verdict: enough for undo, history and the day's report. */
export interface Brief {
  id: string
  kind: string
  at: number
  actor: string
  subject: Subject
  round?: string
  outcome?: string
  state?: string
  undone?: string
  /** The piece of work of a request that this says something about. */
  item?: string
  /** How far a trip has come. */
  hop?: string
  /** Whether its actor came to his post or left it. */
  step?: string
}

export class OutboxStore extends Dexie {
  enrolments!: Table<Enrolment, string>
  counters!: Table<{ device: string; next_seq: number }, string>
  facts!: Table<FactRow, [string, number]>
  notes!: Table<{ key: string; value: unknown }, string>
  pictures!: Table<PictureRow, string>
  ended = false

  constructor(name: string, idb?: { indexedDB: IDBFactory; IDBKeyRange: typeof IDBKeyRange }) {
    super(name, { ...idb, chromeTransactionDurability: 'strict' })
    this.version(1).stores({
      enrolments: '&device, state',
      counters: '&device',
      facts: '&[device+seq], &id, device, [device+status], status',
      notes: '&key',
    })
    this.version(2).stores({ pictures: '&id, device' })
  }
}
