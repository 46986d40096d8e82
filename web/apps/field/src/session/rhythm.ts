// SPDX-License-Identifier: Apache-2.0
/** When to pull: every half minute while somebody looks, soon after an upload, later and later while it fails. */

const EVERY_MS = 30_000
const SOON_MS = 2_500
const LONGEST_MS = 5 * 60_000

export class Rhythm {
  private timer: ReturnType<typeof setTimeout> | null = null
  private dueAt = Infinity
  private failures = 0
  private running = false
  private again = false
  private early = false
  private visible = true
  private readonly work: () => Promise<string | null>
  private readonly clock: () => number

  /** `work` answers null when all is well, else what the server said of when to come back ("" for nothing). */
  constructor(work: () => Promise<string | null>, clock: () => number) {
    this.work = work
    this.clock = clock
  }

  watch(visible: boolean): void {
    this.visible = visible
    if (visible) void this.now()
    else this.plan(LONGEST_MS)
  }

  /** A verdict is worth an early look, unless the server is in trouble; an upload that just went through says it is not. */
  soon(serverAnswered = false): void {
    // An upload that goes through while a pull is on its way: that pull is too early for its verdict.
    if (this.running) this.early ||= serverAnswered
    else if ((this.failures === 0 || serverAnswered) && this.dueAt - this.clock() > SOON_MS) this.plan(SOON_MS)
  }

  async now(): Promise<void> {
    if (this.running) {
      this.again = true
      return
    }
    this.running = true
    this.clear()
    this.early = false
    try {
      const asked = await this.work().catch(() => '')
      this.failures = asked === null ? 0 : this.failures + 1
      this.plan(asked !== null ? this.pause(asked) : this.early ? SOON_MS : this.pace())
    } finally {
      this.running = false
    }
    if (!this.again) return
    this.again = false
    this.soon()
  }

  stop(): void {
    this.clear()
    this.dueAt = Infinity
  }

  private pace(): number {
    return (this.visible ? EVERY_MS : LONGEST_MS) * (0.9 + 0.2 * Math.random())
  }

  private pause(asked: string): number {
    const floor = Number(asked) > 0 ? Number(asked) * 1000 : 0
    const own = Math.min(LONGEST_MS, EVERY_MS * 2 ** Math.min(this.failures - 1, 5))
    return Math.max(floor, own) * (1 + 0.25 * Math.random())
  }

  private plan(ms: number): void {
    this.clear()
    this.dueAt = this.clock() + ms
    this.timer = setTimeout(() => void this.now(), ms)
  }

  private clear(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
  }
}
