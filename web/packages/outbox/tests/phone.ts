// SPDX-License-Identifier: Apache-2.0
/** A phone for tests: a disk that outlives the page, a clock that is turned by hand, timers that fire when asked. */
import { IDBFactory, IDBKeyRange } from 'fake-indexeddb'
import { Outbox } from '../src/outbox'
import type { OutboxOptions } from '../src/outbox'
import type { ModelServer } from './server'

export class Phone {
  now = Date.parse('2026-09-02T10:00:00Z')
  readonly disk = new IDBFactory()
  readonly waits: number[] = []
  private readonly due = new Map<number, () => void>()
  private timers = 0
  private readonly server: ModelServer

  constructor(server: ModelServer) {
    this.server = server
    server.clock = () => this.now
  }

  /** Opens the page; the second time, the page after a crash or a second tab. */
  open(options: Partial<OutboxOptions> = {}): Outbox {
    return new Outbox({
      idb: { indexedDB: this.disk, IDBKeyRange },
      fetch: this.server.fetch,
      clock: () => this.now,
      random: () => 0.5,
      timers: {
        set: (work, ms) => {
          this.waits.push(ms)
          this.due.set(++this.timers, work)
          return this.timers
        },
        clear: (timer) => this.due.delete(timer as number),
      },
      ...options,
    })
  }

  /** Lets the waiting timers fire. */
  tick(ms: number): void {
    this.now += ms
    const works = [...this.due.values()]
    this.due.clear()
    works.forEach((work) => work())
  }
}

export const outcomeAct = (person: string, outcome = 'done') => ({
  kind: 'entry.outcome',
  subject: { sub_district: 3, person },
  body: { round: 'r1', outcome },
})
