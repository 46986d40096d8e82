// SPDX-License-Identifier: Apache-2.0
/**
 * A phone's clock may be wrong by days. What the server last said of the time is remembered and laid over it,
 * so that acts keep their order, leases end when they end, and the way back of ten minutes is ten minutes long.
 */
import type { OutboxStore } from './store'

interface Heard {
  /** To be added to the phone's clock. */
  offset: number
  /** The server's time when it was last heard: no act is older. */
  floor: number
}

const KEY = 'clock'
/** The way of an answer and a clock's usual drift are not worth a correction. */
const TOLERATED_MS = 2 * 60_000

export class TrustedClock {
  private heardLast: Heard = { offset: 0, floor: 0 }
  private opening: Promise<void> | null = null
  private readonly store: OutboxStore
  private readonly device: () => number

  constructor(store: OutboxStore, device: () => number) {
    this.store = store
    this.device = device
  }

  /** What was heard before this page was opened. */
  open(): Promise<void> {
    this.opening ??= this.read()
    return this.opening
  }

  now(): number {
    const { offset, floor } = this.heardLast
    const now = this.device() + offset
    if (now >= floor) return now
    // Set back since, or the battery was out: time goes on from the last that is known for sure.
    this.heardLast = { offset: floor - this.device(), floor }
    return floor
  }

  /** The server has been heard: leases may be measured by this clock. */
  get isKnown(): boolean {
    return this.heardLast.floor > 0
  }

  /** By how much the phone's own clock is corrected, in milliseconds. */
  get correction(): number {
    this.now()
    return this.heardLast.offset
  }

  async hear(said: string | number | null | undefined): Promise<void> {
    const time = typeof said === 'string' ? Date.parse(said) : (said ?? NaN)
    if (!Number.isFinite(time) || time <= 0) return
    const apart = time - this.device()
    const before = this.heardLast
    const offset = Math.abs(apart) < TOLERATED_MS ? 0 : apart
    this.heardLast = { offset, floor: Math.min(time, this.device() + offset) }
    // Written when it says something new, not with every answer.
    if (Math.abs(before.offset - this.heardLast.offset) < TOLERATED_MS && time - before.floor < 10 * TOLERATED_MS) return
    await this.store.notes.put({ key: KEY, value: this.heardLast }).catch(() => undefined)
  }

  private async read(): Promise<void> {
    const kept = (await this.store.notes.get(KEY))?.value as Heard | undefined
    if (kept && this.heardLast.floor === 0) this.heardLast = kept
  }
}
