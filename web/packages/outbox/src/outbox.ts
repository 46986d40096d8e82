// SPDX-License-Identifier: Apache-2.0
/** The outbox as screens see it: record, undo, counts, verdicts; the rest happens by itself. */
import { Courier, type CourierState, type Timers } from './courier'
import { enrol, type EnrolOptions } from './enrolling'
import { exclusiveByClaim, exclusiveByLocks, type Exclusive } from './exclusive'
import type { Bytes } from './bytes'
import { keepPicture } from './pictures'
import { openRow, record, undo, type Act, type Kept } from './recording'
import { TrustedClock } from './trustedClock'
import { settle, tidy, type VerdictOf } from './verdicts'
import { OutboxStore, type Brief, type Enrolment, type FactRow } from './store'
import type { Surroundings } from './sending'

export interface OutboxOptions extends Surroundings {
  name?: string
  idb?: { indexedDB: IDBFactory; IDBKeyRange: typeof IDBKeyRange }
  locks?: LockManager
  timers?: Timers
  /** Tells the other tabs that something changed. */
  channel?: Pick<BroadcastChannel, 'postMessage' | 'addEventListener' | 'close'>
}

/** 本机 (pictures among them) / 已上传 / 已回执, and how many the server would not take in. */
export interface Counts {
  local: number
  uploaded: number
  settled: number
  refused: number
}

/** A fact of mine with where it stands; its body only while there is no verdict. */
export type Mine = Brief & Pick<FactRow, 'status' | 'verdict' | 'code' | 'refused'> & { body?: Record<string, unknown> }

export class Outbox {
  readonly store: OutboxStore
  readonly courier: Courier
  readonly time: TrustedClock
  /** Whether writes are on the disk when they are said to be; null while unknown or where the browser cannot tell. */
  strict: boolean | null = null
  private readonly options: OutboxOptions
  private readonly listeners = new Set<() => void>()
  private readonly unsealed = new Map<string, { status: FactRow['status']; content: Awaited<ReturnType<typeof openRow>> }>()

  constructor(options: OutboxOptions) {
    this.options = options
    this.store = new OutboxStore(options.name ?? 'muster-field', options.idb)
    this.time = new TrustedClock(this.store, options.clock)
    const around = { ...options, clock: () => this.time.now(), heard: (said: string) => this.time.hear(said) }
    this.courier = new Courier(this.store, around, exclusiveOf(options, this.store), () => this.tell(), options.timers)
    options.channel?.addEventListener('message', () => this.listeners.forEach((listener) => listener()))
  }

  /** Browsers before 83 know no durability: there nothing is promised. */
  get canTellStrict(): boolean {
    return typeof IDBTransaction === 'undefined' || 'durability' in IDBTransaction.prototype
  }

  async active(): Promise<Enrolment | null> {
    const [active] = await Promise.all([this.store.enrolments.where('state').equals('ACTIVE').first(), this.time.open()])
    return active ?? null
  }

  /** Those that were handed over and still wait for receipts or verdicts. */
  closed(): Promise<Enrolment[]> {
    return this.store.enrolments.where('state').equals('CLOSED').toArray()
  }

  async enrol(options: Omit<EnrolOptions, 'fetch' | 'at'>): Promise<Enrolment> {
    const enrolment = await enrol(this.store, { ...options, fetch: this.options.fetch, at: this.time.now(), heard: (said) => this.time.hear(said) })
    this.tell()
    return enrolment
  }

  /** The phone goes to somebody else; what this person recorded is still sent in this person's name. */
  async handOver(device: string, cursor: string | null = null): Promise<void> {
    await this.store.enrolments.update(device, { state: 'CLOSED', ...(cursor !== null && { verdict_cursor: cursor }) })
    await tidy(this.store, this.time.now())
    this.unsealed.clear()
    this.tell()
    void this.courier.nudge()
  }

  async record(device: string, act: Act): Promise<Brief> {
    return this.kept(await record(this.store, device, act, this.time.now(), this.time.correction))
  }

  /** Kept under the hash that a fact may name; it is sent when no fact waits. */
  async keepPicture(device: string, bytes: Bytes): Promise<string> {
    const id = await keepPicture(this.store, device, bytes, this.time.now())
    this.tell()
    return id
  }

  async undo(device: string, id: string): Promise<Brief> {
    return this.kept(await undo(this.store, device, id, this.time.now(), this.time.correction))
  }

  async settle(device: string, verdicts: readonly VerdictOf[]): Promise<void> {
    const settled = await settle(this.store, device, verdicts, this.time.now())
    await tidy(this.store, this.time.now())
    if (settled > 0) this.tell()
  }

  /** Of all who worked with this phone: nobody's unsent work is out of view. */
  async counts(): Promise<Counts> {
    const { facts } = this.store
    const count = (status: FactRow['status']) => facts.where('status').equals(status).count()
    const [local, uploaded, settled, pictures] = await Promise.all([count('LOCAL'), count('UPLOADED'), count('SETTLED'), this.store.pictures.count()])
    const refused = await facts.where('status').equals('LOCAL').and((row) => row.refused !== undefined).count()
    return { local: local + pictures, uploaded, settled, refused }
  }

  async mine(enrolment: Enrolment): Promise<Mine[]> {
    const rows = await this.store.facts.where('device').equals(enrolment.device).sortBy('seq')
    return Promise.all(rows.map((row) => this.opened(enrolment.sealing, row)))
  }

  /** What was unsealed to be shown is let go: the list is closed. */
  forget(): void {
    this.unsealed.clear()
  }

  get sending(): Readonly<CourierState> {
    return this.courier.state
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  close(): void {
    this.courier.stop()
    this.options.channel?.close()
    this.store.ended = true
    this.store.close()
  }

  /** A row is unsealed once: with a day's facts on the phone every tap would otherwise open them all again. */
  private async opened(sealing: CryptoKey, row: FactRow): Promise<Mine> {
    const { id, status, verdict, code, refused } = row
    const known = this.unsealed.get(id)
    const content = known?.status === status ? known.content : await openRow(sealing, row)
    this.unsealed.set(id, { status, content })
    const { brief, body } = content
    return { ...brief, status, verdict, code, refused, ...(body && { body }) }
  }

  /** A browser that may lose a write with the battery is not left alone with it for long. */
  private kept({ brief, strict }: Kept): Brief {
    this.strict = strict
    this.courier.hurried = strict !== true
    this.tell()
    void this.courier.nudge()
    return brief
  }

  private tell(): void {
    this.listeners.forEach((listener) => listener())
    this.options.channel?.postMessage('changed')
  }
}

function exclusiveOf({ locks, clock, name = 'muster-field' }: OutboxOptions, store: OutboxStore): Exclusive {
  return locks ? exclusiveByLocks(locks, `${name}-sender`) : exclusiveByClaim(store, clock)
}
