// SPDX-License-Identifier: Apache-2.0
/** Carries facts to the server by itself: at each act, when the network returns, and at a growing, spread interval. */
import { reviving } from './failures'
import { waitAfter } from './pace'
import { sendPictures } from './pictures'
import { sendNext, type Sending, type Surroundings, type Trouble } from './sending'
import type { Exclusive } from './exclusive'
import type { Enrolment, OutboxStore } from './store'

export interface CourierState {
  /** What keeps facts here at the moment; null while all goes well. */
  trouble: Trouble | null
  /** When the server last answered anything useful. */
  contact_at: number | null
  next_try_at: number | null
}

export interface Timers {
  set: (work: () => void, ms: number) => unknown
  clear: (timer: unknown) => void
}

const REALLY: Timers = {
  set: (work, ms) => setTimeout(work, ms),
  clear: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
}
/** Another tab is sending: look again now and then, in case it is closed. */
const LOOK_AGAIN_MS = 10_000
const PICTURES_AGAIN_MS = 60_000

export class Courier {
  readonly state: CourierState = { trouble: null, contact_at: null, next_try_at: null }
  /** Writes may be lost with the battery: tried again soon, unless the server itself asks for time. */
  hurried = false
  private failures = 0
  private askedMs = 0
  private timer: unknown = null
  private running: Promise<void> | null = null
  private asked = false
  private stopped = false
  private readonly store: OutboxStore
  private readonly around: Surroundings
  private readonly exclusive: Exclusive
  private readonly changed: () => void
  private readonly timers: Timers

  constructor(store: OutboxStore, around: Surroundings, exclusive: Exclusive, changed: () => void, timers = REALLY) {
    this.store = store
    this.around = around
    this.exclusive = exclusive
    this.changed = changed
    this.timers = timers
  }

  /** Try now, whatever the interval says; calls during a round make one more round after it. */
  wake(): Promise<void> {
    if (this.stopped) return Promise.resolve()
    this.asked = true
    this.running ??= this.rounds().finally(() => {
      this.running = null
    })
    return this.running
  }

  /** A new act does not jump the queue of a busy server: it waits for the interval that is already running. */
  nudge(): Promise<void> {
    const waits = this.failures > 0 && this.timer !== null && (!this.hurried || this.askedMs > 0)
    return waits ? Promise.resolve() : this.wake()
  }

  stop(): void {
    this.stopped = true
    this.cancel()
  }

  private async rounds(): Promise<void> {
    while (this.asked && !this.stopped) {
      this.asked = false
      this.cancel()
      try {
        const ran = await reviving(this.store, () => this.exclusive(() => this.round()))
        if (!ran) this.later(LOOK_AGAIN_MS)
      } catch {
        // This loop must not die: what the phone's own storage refuses now it may allow in a minute.
        this.failures++
        this.state.trouble = 'phone_storage'
        this.later(waitAfter(this.failures, this.around.random()))
      }
      this.changed()
    }
  }

  private async round(): Promise<void> {
    let failed: Extract<Sending, { state: 'FAILED' }> | null = null
    for (const enrolment of await this.store.enrolments.toArray()) {
      failed = (await this.empty(enrolment)) ?? failed
    }
    const isWhole = failed !== null || (await this.pictures())
    this.failures = failed ? this.failures + 1 : 0
    this.state.trouble = failed?.trouble ?? null
    this.state.next_try_at = null
    this.askedMs = failed?.askedMs ?? 0
    if (failed) this.later(waitAfter(this.failures, this.around.random(), failed.askedMs, this.hurried))
    else if (!isWhole) this.later(PICTURES_AGAIN_MS)
  }

  /** Only behind the facts, and never in their way. */
  private async pictures(): Promise<boolean> {
    for (const enrolment of await this.store.enrolments.toArray()) {
      if (!(await sendPictures(this.store, enrolment, this.around))) return false
    }
    return true
  }

  /** Sends all that an enrolment has; the failure that stopped it, or null. */
  private async empty(enrolment: Enrolment): Promise<Extract<Sending, { state: 'FAILED' }> | null> {
    for (;;) {
      const sending = await sendNext(this.store, enrolment, this.around)
      if (sending.state === 'EMPTY') return null
      if (sending.state === 'FAILED') return sending
      this.state.contact_at = this.around.clock()
      this.changed()
    }
  }

  private later(ms: number): void {
    if (this.stopped) return
    this.cancel()
    this.state.next_try_at = this.around.clock() + ms
    this.timer = this.timers.set(() => {
      this.timer = null
      void this.wake()
    }, ms)
  }

  private cancel(): void {
    if (this.timer !== null) this.timers.clear(this.timer)
    this.timer = null
  }
}
