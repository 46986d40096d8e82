// SPDX-License-Identifier: Apache-2.0
/** Whatever the network, the page and the people do: every act ends up at the server, as made, by whom it was made. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Outbox } from '../src/outbox'
import type { Brief, Enrolment } from '../src/store'
import { ModelServer, type Weather } from './server'
import { outcomeAct, Phone } from './phone'

type Step =
  | { do: 'record'; person: number }
  | { do: 'undo' }
  | { do: 'send'; weather: Weather[] }
  | { do: 'pull'; share: number; backwards: boolean }
  | { do: 'crash'; while: 'idle' | 'sending' | 'recording' }
  | { do: 'hand_over' }

const weather = fc.constantFrom<Weather>(
  'fine',
  'lost_request',
  'lost_answer',
  'busy',
  'broken',
  'forged_receipt',
  'receipt_of_another',
  'no_json',
)

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('record' as const), person: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('undo' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('send' as const), weather: fc.array(weather, { maxLength: 3 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('pull' as const), share: fc.double({ min: 0, max: 1, noNaN: true }), backwards: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('crash' as const),
      while: fc.constantFrom<'idle' | 'sending' | 'recording'>('idle', 'sending', 'recording'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hand_over' as const) }) },
)

/** A run: what was promised to workers, against what the server has at the end. */
class Run {
  readonly promised = new Map<string, Brief>()
  private codes = 0
  private outbox: Outbox
  private worker!: Enrolment

  constructor(
    private readonly server: ModelServer,
    private readonly phone: Phone,
    private readonly forgetful: boolean,
  ) {
    this.outbox = phone.open()
  }

  async enrol(): Promise<void> {
    const code = `AAAA-${String(++this.codes).padStart(4, '0')}`
    this.server.offer(code, `worker-${this.codes}`)
    this.server.forecast = []
    this.server.usual = 'fine'
    this.worker = await this.outbox.enrol({ code, name: 'phone', origin: 'https://muster.test' })
    this.server.usual = 'lost_request'
  }

  async take(one: Step): Promise<void> {
    this.phone.now += 1_000
    if (one.do === 'record') this.promise(await this.outbox.record(this.worker.device, outcomeAct(`p${one.person}`)))
    if (one.do === 'undo') await this.undoLast()
    if (one.do === 'send') await this.send(one.weather)
    if (one.do === 'pull') await this.pull(one.share, one.backwards)
    if (one.do === 'crash') await this.crash(one.while)
    if (one.do === 'hand_over') await this.enrol()
  }

  async heal(): Promise<void> {
    this.server.forecast = []
    this.server.usual = 'fine'
    this.phone.now += 3 * 60 * 60_000
    await this.outbox.courier.wake()
    await this.outbox.courier.wake()
  }

  async rowsWithoutVerdict(): Promise<string[]> {
    const rows = await this.outbox.store.facts.toArray()
    return rows.filter(({ status }) => status !== 'SETTLED').map(({ id }) => id)
  }

  close(): void {
    this.outbox.close()
  }

  private promise(brief: Brief): void {
    this.promised.set(brief.id, brief)
  }

  private async undoLast(): Promise<void> {
    const mine = (await this.outbox.mine(this.worker)).filter(({ kind }) => kind !== 'fact.undone')
    const last = mine[mine.length - 1]
    if (!last) return
    await this.outbox.undo(this.worker.device, last.id).then(
      (brief) => this.promise(brief),
      () => undefined,
    )
  }

  private async send(forecast: Weather[]): Promise<void> {
    this.server.usual = 'fine'
    this.server.forecast = forecast
    await this.outbox.courier.wake()
    this.server.usual = 'lost_request'
    if (this.forgetful) await this.outbox.store.facts.clear()
  }

  private async pull(share: number, backwards: boolean): Promise<void> {
    for (const { device } of await this.outbox.store.enrolments.toArray()) {
      const all = this.server.verdicts(device)
      const some = all.slice(0, Math.ceil(all.length * share))
      await this.outbox.settle(device, backwards ? some.reverse() : some)
      await this.outbox.settle(device, some)
    }
  }

  private async crash(moment: 'idle' | 'sending' | 'recording'): Promise<void> {
    if (moment === 'sending') {
      this.server.usual = 'fine'
      void this.outbox.courier.wake()
    }
    if (moment === 'recording') {
      // Not promised: the page died before it could say so. It may be there or not, but never half.
      void this.outbox.record(this.worker.device, outcomeAct('never-promised')).catch(() => undefined)
    }
    await Promise.resolve()
    this.outbox.close()
    this.outbox = this.phone.open()
    this.server.usual = 'lost_request'
  }
}

async function survives(steps: Step[], forgetful = false): Promise<string | null> {
  const server = await ModelServer.start()
  const run = new Run(server, new Phone(server), forgetful)
  await run.enrol()
  for (const one of steps) {
    await run.take(one)
    const has = new Set([...server.journal.map(({ id }) => id), ...(await run.rowsWithoutVerdict())])
    for (const id of run.promised.keys()) if (!has.has(id)) return `gone: ${id}`
  }
  await run.heal()
  const left = await run.rowsWithoutVerdict()
  run.close()
  return wrong(run.promised, server, left)
}

function wrong(promised: Map<string, Brief>, server: ModelServer, left: string[]): string | null {
  const texts = new Map<string, Set<string>>()
  for (const { id, text } of server.journal) texts.set(id, (texts.get(id) ?? new Set()).add(text))
  for (const [id, copies] of texts) if (copies.size !== 1) return `two texts of ${id}`
  for (const [id, brief] of promised) {
    const found = server.journal.find((fact) => fact.id === id)
    if (!found) return `never arrived: ${id}${left.includes(id) ? ' (still here)' : ''}`
    if (found.actor !== brief.actor) return `credited to another: ${id}`
    if (found.actor !== server.devices.get(found.device)?.actor.id) return `not the device's person: ${id}`
  }
  for (const device of server.devices.keys()) {
    const own = server.journal.filter((fact) => fact.device === device)
    const bySeq = new Map(own.map(({ seq, id }) => [seq, id]))
    if (bySeq.size !== new Set(own.map(({ id }) => id)).size) return 'a sequence number used twice'
    for (let seq = 1; seq <= bySeq.size; seq++) if (!bySeq.has(seq)) return `a gap at ${seq}`
  }
  return null
}

test('any_course of loss, repeats, crashes and hand-overs loses and credits nothing wrongly', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      expect(await survives(steps)).toBeNull()
    }),
    { numRuns: 150 },
  )
}, 60_000)

test('a_phone_that_forgets_what_it_tried_to_send is caught by the same check', async () => {
  const steps: Step[] = [
    { do: 'record', person: 1 },
    { do: 'send', weather: ['lost_request', 'lost_request'] },
  ]

  expect(await survives(steps, true)).toMatch(/^gone/)
  expect(await survives(steps)).toBeNull()
})
