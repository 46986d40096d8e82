// SPDX-License-Identifier: Apache-2.0
/**
 * The phone at work: who works with it, what it knows of its grids, what it still has to send.
 * Opens from what is on the phone; the network is asked afterwards.
 */
import { deliverCarried, writeFailure, type Act, type Brief, type Bytes, type Counts, type Enrolment, type Mine, type Outbox } from '@muster/outbox'
import { computed, reactive, ref, shallowRef, triggerRef, type InjectionKey, type Ref } from 'vue'
import type { PullPage, RoundRow } from '@muster/client'
import { GridCopy } from '../grid/copy'
import { CopyLocked, type CopyStore, type Opened, type Unlocking } from '../grid/copyStore'
import { finderOf } from '../grid/search'
import { viewOf, type RoundView } from '../grid/view'
import { guardOf, standingOf, type Guard, type Standing } from './guarding'
import { pullAll, UNWATCHED } from './pulling'
import { Rhythm } from './rhythm'
import { openSettings, type Settings } from './settings'

export interface SessionOptions {
  outbox: Outbox
  copies: CopyStore
  origin: string
  fetch: typeof fetch
  clock: () => number
}

export type SyncTrouble = string | null

export const RECORDABLE = new Set(['OPEN', 'CLOSING'])
const NO_COPY: Opened = { copy: new GridCopy(), cursor: null, asOf: null, whole: false, reduced: false }
const NOTHING: Counts = { local: 0, uploaded: 0, settled: 0, refused: 0 }

export class Session {
  readonly enrolment = shallowRef<Enrolment | null>(null)
  readonly guard = ref<Guard>('ENROL')
  readonly hasPin = ref(false)
  /** Whether writes survive the battery; null where the browser cannot tell. */
  readonly strict = ref<boolean | null>(null)
  /** By how much the phone's clock is corrected. */
  readonly clockOff = ref(0)
  /** What the lease still lets this phone show. */
  readonly standing = ref<Standing>('READS')
  /** The list was taken off after too many wrong PINs. */
  readonly pinSpent = ref(false)
  readonly copy = shallowRef(new GridCopy())
  readonly mine = shallowRef<Mine[]>([])
  readonly counts = shallowRef<Counts>(NOTHING)
  readonly online = ref(true)
  readonly pulling = ref(false)
  readonly pullTrouble = ref<SyncTrouble>(null)
  readonly sendTrouble = ref<SyncTrouble>(null)
  readonly lastContact = ref<number | null>(null)
  readonly asOf = ref<number | null>(null)
  readonly whole = ref(false)
  /** Doors that the pull now running has brought. */
  readonly fetched = ref(0)
  /** Buildings of the list that were opened or closed by hand. */
  readonly openBuildings = reactive(new Map<string, boolean>())
  readonly settings: Settings
  readonly rounds = computed<RoundRow[]>(() => this.copy.value.rounds.filter(({ status }) => RECORDABLE.has(status)))
  readonly round = computed<RoundRow | null>(() => {
    const chosen = this.rounds.value.find(({ id }) => id === this.settings.round)
    return chosen ?? this.rounds.value[0] ?? null
  })
  readonly view = computed<RoundView | null>(() => {
    const round = this.round.value
    return round && viewOf(this.copy.value, round, this.mine.value)
  })
  readonly finder = computed(() => (this.view.value ? finderOf(this.view.value) : null))
  readonly rhythm: Rhythm
  private readonly options: SessionOptions
  private cursor: string | null = null
  private refreshes = 0
  private uploadedAt = 0
  private applying = false
  private reduced = false
  private pullOnItsWay: Promise<string | null> | null = null

  constructor(options: SessionOptions, settings: Settings = openSettings()) {
    this.options = options
    this.settings = settings
    this.rhythm = new Rhythm(() => this.pull(), options.clock)
    options.outbox.onChange(() => {
      // Between a fact's verdict and its row both must change at once, or what was just recorded would vanish for a moment.
      if (!this.applying) void this.look()
    })
  }

  /** Where facts lie, for what is handed on as a file. */
  get store(): Outbox['store'] {
    return this.options.outbox.store
  }

  /** Reads what is on the phone; no network. */
  async open(): Promise<void> {
    this.enrolment.value = await this.options.outbox.active()
    await Promise.all([this.readGuarded(), this.refresh()])
    void this.heedLease()
  }

  /** Reads the list, if it may be read. */
  private async readGuarded(): Promise<void> {
    const enrolment = this.enrolment.value
    const pin = enrolment ? await this.options.copies.pinOf(enrolment.device) : 'NONE'
    this.hasPin.value = pin !== 'NONE'
    if (enrolment && this.options.outbox.time.isKnown) this.standing.value = standingOf(enrolment, this.options.clock())
    // Where the list is gone for good there is nothing to guard.
    const isGone = enrolment !== null && (this.standing.value === 'ENDED' || enrolment.reading_ended === 'lease_revoked')
    this.guard.value = isGone ? 'OPEN' : guardOf(enrolment, pin)
    if (isGone) return this.show(NO_COPY)
    if (this.guard.value === 'OPEN' || this.guard.value === 'ENROL') await this.readCopy()
    else this.close()
  }

  async unlock(pin: string): Promise<Unlocking> {
    const enrolment = this.enrolment.value
    if (!enrolment) return { state: 'GONE' }
    const answer = await this.options.copies.unlock(enrolment.device, pin)
    if (answer.state === 'WRONG') return answer
    if (answer.state === 'GONE') {
      // Whoever guesses must not pull the list anew: what was recorded goes out, the phone needs a new code.
      this.pinSpent.value = true
      await this.handOver()
      return answer
    }
    await this.readGuarded()
    await this.refresh()
    await this.heedLease()
    void this.rhythm.now()
    return answer
  }

  async setPin(pin: string): Promise<void> {
    const enrolment = this.enrolment.value
    if (!enrolment) return
    await this.options.copies.setPin(enrolment.device, enrolment.sealing, pin)
    await this.readGuarded()
    void this.rhythm.now()
  }

  /** Closes the list behind its PIN; sending goes on. */
  async lock(): Promise<void> {
    if (!this.hasPin.value || this.guard.value !== 'OPEN') return
    await this.pullOnItsWay
    this.options.copies.lock()
    this.guard.value = 'LOCKED'
    this.close()
  }

  private close(): void {
    this.show(NO_COPY)
    this.mine.value = []
    this.options.outbox.forget()
  }

  /** Names and numbers stay as long as the lease does; a day later the whole list goes, network or not. */
  async heedLease(): Promise<void> {
    const enrolment = this.enrolment.value
    this.standing.value = enrolment && this.options.outbox.time.isKnown ? standingOf(enrolment, this.options.clock()) : 'READS'
    if (enrolment && this.standing.value === 'READS' && this.reduced) {
      // The phone's clock had ended the lease too early: names and numbers are asked for anew.
      this.reduced = false
      this.cursor = null
      this.rhythm.soon(true)
    }
    if (!enrolment || this.standing.value === 'READS') return
    if (this.standing.value === 'ENDED') {
      await this.options.copies.wipe(enrolment.device)
      await this.readGuarded()
    } else if (this.guard.value === 'OPEN' && this.whole.value && !this.reduced) {
      await this.options.copies.reduce(enrolment.device, enrolment.sealing)
      await this.readCopy()
    }
  }

  async enrol(code: string, name: string): Promise<void> {
    const before = this.enrolment.value
    this.enrolment.value = await this.options.outbox.enrol({ code, name, origin: this.options.origin })
    if (before) await this.options.copies.wipe(before.device)
    this.pinSpent.value = false
    this.standing.value = 'READS'
    await this.readGuarded()
    await this.refresh()
    void this.rhythm.now()
  }

  async record(act: Act): Promise<Brief> {
    const device = this.enrolment.value?.device ?? ''
    const brief = await this.options.outbox.record(device, act)
    await this.refresh()
    return brief
  }

  async keepPicture(bytes: Bytes): Promise<string> {
    return this.options.outbox.keepPicture(this.enrolment.value?.device ?? '', bytes)
  }

  async keepJobs(text: string, what: 'jobs' | 'duty' = 'jobs'): Promise<void> {
    const enrolment = this.enrolment.value
    // A list whose lease has ended keeps no names; one behind its PIN is not written to.
    if (enrolment && this.standing.value === 'READS' && this.guard.value === 'OPEN') {
      await this.options.copies.keepJobs(enrolment.device, enrolment.sealing, text, what)
    }
  }

  async keptJobs(what: 'jobs' | 'duty' = 'jobs'): Promise<string | null> {
    const enrolment = this.enrolment.value
    return enrolment && this.guard.value === 'OPEN' ? this.options.copies.keptJobs(enrolment.device, enrolment.sealing, what) : null
  }

  async undo(id: string): Promise<void> {
    await this.options.outbox.undo(this.enrolment.value?.device ?? '', id)
    await this.refresh()
  }

  /** The grid's people leave this phone at once; what was recorded is still sent, in the name of who recorded it. */
  async handOver(): Promise<void> {
    const enrolment = this.enrolment.value
    if (!enrolment) return
    await this.options.outbox.handOver(enrolment.device, this.cursor)
    await this.options.copies.wipe(enrolment.device)
    await this.open()
  }

  async sendNow(): Promise<void> {
    await this.options.outbox.courier.wake()
    await this.rhythm.now()
  }

  nextTry(): number | null {
    return this.options.outbox.sending.next_try_at
  }

  /** Something of whoever had this phone before is still on it. */
  async hasOthersWork(): Promise<boolean> {
    return (await this.options.outbox.closed()).length > 0
  }

  /** What was sent waits for its verdict: it comes with the next pull. */
  pull(): Promise<string | null> {
    this.pullOnItsWay ??= this.pullOnce().finally(() => (this.pullOnItsWay = null))
    return this.pullOnItsWay
  }

  private async pullOnce(): Promise<string | null> {
    const enrolment = this.enrolment.value
    this.pulling.value = true
    this.fetched.value = 0
    try {
      await this.pullClosed()
      await this.heedLease()
      const may = enrolment && !enrolment.reading_ended && this.guard.value === 'OPEN'
      return may ? await this.pullOwn(enrolment) : null
    } catch (error) {
      // Another tab has put the list behind a PIN: this one asks for it.
      if (error instanceof CopyLocked) await this.readGuarded()
      else this.pullTrouble.value = writeFailure(error).code === 'storage_full' ? 'storage_full' : 'pull_broken'
      return ''
    } finally {
      this.pulling.value = false
    }
  }

  /** Another tab may have enrolled or handed over meanwhile: then this one begins anew. */
  private async look(): Promise<void> {
    const active = await this.options.outbox.active()
    if (active?.device === this.enrolment.value?.device) await this.refresh()
    else await this.open()
  }

  async refresh(): Promise<void> {
    const { outbox } = this.options
    const turn = ++this.refreshes
    const enrolment = this.enrolment.value
    const [counts, mine] = await Promise.all([outbox.counts(), enrolment ? outbox.mine(enrolment) : []])
    // Of two reads on their way only the later may speak.
    if (turn !== this.refreshes) return
    this.counts.value = counts
    this.mine.value = this.guard.value === 'LOCKED' ? [] : mine
    triggerRef(this.copy)
    this.sendTrouble.value = outbox.sending.trouble
    this.strict.value = outbox.strict ?? (outbox.canTellStrict ? null : false)
    this.clockOff.value = outbox.time.correction
    const contact = outbox.sending.contact_at ?? 0
    const hasAnswered = contact > this.uploadedAt
    this.uploadedAt = contact
    this.lastContact.value = Math.max(this.lastContact.value ?? 0, contact) || null
    if (counts.uploaded > 0) this.rhythm.soon(hasAnswered)
  }

  private async pullOwn(enrolment: Enrolment): Promise<string | null> {
    const pulled = await pullAll(this.options, enrolment, this.cursor, {
      before: () => (this.applying = true),
      after: (page) => this.isStill(enrolment) && this.take(page),
    }).finally(() => (this.applying = false))
    if (!this.isStill(enrolment)) {
      // Handed over while the pages came: nothing of them stays.
      await this.options.copies.wipe(enrolment.device)
      return null
    }
    if (pulled.state === 'ENDED') await this.readingEnded(enrolment)
    if (pulled.state === 'DONE') this.enrolment.value = await this.options.outbox.active()
    if (pulled.state === 'DONE' && !this.whole.value) await this.readCopy()
    if (pulled.state === 'DONE') await this.heedLease()
    // A house answers: what was taken along for others goes in.
    if (pulled.state === 'DONE') void deliverCarried(this.options.outbox.store, { ...this.options, lease: enrolment.lease })
    await this.refresh()
    this.pullTrouble.value = pulled.state === 'FAILED' ? pulled.code : null
    return pulled.state === 'FAILED' ? (pulled.retryAfter ?? '') : null
  }

  private isStill({ device }: Enrolment): boolean {
    return this.enrolment.value?.device === device
  }

  private take(page: PullPage): void {
    this.fetched.value += page.doors.length
    this.cursor = page.cursor
    this.asOf.value = Date.parse(page.now)
    this.lastContact.value = this.options.clock()
    // A full pull is shown when it is whole; until then the old copy stands.
    if (page.full) this.whole.value = false
    else if (this.whole.value) this.copy.value.apply(page)
  }

  private async pullClosed(): Promise<void> {
    for (const closed of await this.options.outbox.closed()) {
      const waiting = await this.options.outbox.store.facts.where({ device: closed.device, status: 'UPLOADED' }).count()
      if (waiting > 0 && !closed.reading_ended) {
        await pullAll(this.options, closed, closed.verdict_cursor ?? null, UNWATCHED)
      }
    }
  }

  /** A revoked device forgets the grid; one whose lease ran out keeps it, because its worker may be without network. */
  private async readingEnded(enrolment: Enrolment): Promise<void> {
    this.enrolment.value = await this.options.outbox.active()
    if (this.enrolment.value?.reading_ended !== 'lease_revoked') return this.heedLease()
    await this.options.copies.wipe(enrolment.device)
    await this.readGuarded()
  }

  private async readCopy(): Promise<void> {
    const enrolment = this.enrolment.value
    if (!enrolment) return this.show(NO_COPY)
    try {
      this.show(await this.options.copies.load(enrolment.device, enrolment.sealing))
    } catch (error) {
      if (error instanceof CopyLocked) throw error
      // Not to be opened any more: better asked for anew than a phone that does not start.
      await this.options.copies.wipe(enrolment.device)
      this.show(NO_COPY)
    }
  }

  private show(opened: Opened): void {
    this.copy.value = opened === NO_COPY ? new GridCopy() : opened.copy
    this.reduced = opened.reduced
    this.cursor = opened.cursor
    this.whole.value = opened.whole
    this.asOf.value = opened.asOf ? Date.parse(opened.asOf) : null
  }
}

export const SESSION: InjectionKey<Session> = Symbol('session')

/** A clock for screens: "8 minutes left to undo" moves on without a tap. */
export function ticking(clock: () => number, everyMs: number): Ref<number> {
  const now = ref(clock())
  setInterval(() => (now.value = clock()), everyMs)
  return now
}
