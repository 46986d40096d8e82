// SPDX-License-Identifier: Apache-2.0
/** Acts as screens make them: recorded, felt, said in words, and with a way back for ten minutes. */
import { OutboxFailure, UNDO_WITHIN_MS, uuid7, type Act, type Brief } from '@muster/outbox'
import { outcomeOf, precedenceOf, standingFacts, type Answers, type Outcome } from '@muster/rules'
import type { PersonRow, Waiting } from '@muster/client'
import { inject, shallowRef, type InjectionKey } from 'vue'
import { seen, subjectOf } from '../grid/overlay'
import type { DoorView, Line } from '../grid/view'
import { give } from './feedback'
import { SESSION, type Session } from './session'

/** What is shown at the bottom after an act: what was kept with its way back, or why nothing was kept. */
export interface Said {
  text: string
  acts: string[]
  at: number
  failed: boolean
}

/** What was done for somebody who asked has no way back: the desk changes it. */
const SERVING = /^(work|trip|duty)\./

export interface Correction {
  field: 'name' | 'phone'
  was: string
  now: string
}

export interface OutcomeDetail {
  answers?: Answers
  note?: string
  proof?: string
}

export class Acts {
  readonly said = shallowRef<Said | null>(null)
  private readonly session: Session
  private readonly t: (key: string, facts?: Record<string, string | number>) => string
  private readonly clock: () => number

  constructor(session: Session, t: Acts['t'], clock: () => number) {
    this.session = session
    this.t = t
    this.clock = clock
  }

  /** One outcome for one or more lines of a door. */
  outcome(view: DoorView, lines: readonly Line[], outcome: Outcome, words: string, detail: OutcomeDetail = {}): Promise<boolean> {
    const { answers, note, proof } = detail
    const body = {
      round: this.round,
      door: view.door.id,
      outcome: outcome.code,
      via: 'door',
      ...(answers && Object.keys(answers).length > 0 && { answers }),
      ...(note && { note }),
      ...(proof && { evidence: { kind: 'seen', ref: proof } }),
    }
    return this.make(lines.map((line) => ({ kind: 'entry.outcome', subject: this.subjectOf(view, line), body })), words)
  }

  door(view: DoorView, state: string, words: string): Promise<boolean> {
    return this.make([{ kind: 'door.state', subject: this.doorOf(view), body: { round: this.round, state } }], words)
  }

  found(view: DoorView, person: Record<string, unknown>, words: string): Promise<boolean> {
    const body = { round: this.round, person: uuid7(this.clock()), ...person }
    return this.make([{ kind: 'person.found', subject: this.doorOf(view), body }], words)
  }

  doorFound(sub_district: number, door: Record<string, unknown>, words: string): Promise<boolean> {
    const subject = { sub_district, dwelling: uuid7(this.clock()) }
    return this.make([{ kind: 'door.found', subject, body: { round: this.round, ...door } }], words)
  }

  moved(from: DoorView, person: string, to: DoorView | null, note: string, words: string): Promise<boolean> {
    const place = to && { sub_district: to.door.sub_district, dwelling: to.door.id }
    const body = { round: this.round, to: place, ...(note && { note }) }
    return this.make([{ kind: 'person.moved', subject: { sub_district: from.door.sub_district, person }, body }], words)
  }

  note(view: DoorView, text: string): Promise<boolean> {
    return this.make([{ kind: 'note.written', subject: this.doorOf(view), body: { text, round: this.round } }], this.t('note.saved'))
  }

  need(view: DoorView, person: string, kind: string, note: string, words: string): Promise<boolean> {
    const body = { round: this.round, door: view.door.id, kind, ...(note && { note }) }
    return this.make([{ kind: 'need.seen', subject: { sub_district: view.door.sub_district, person }, body }], words)
  }

  /** One fact a field: a correction of the other field by somebody else stays. */
  correct(view: DoorView, { id, version }: PersonRow, made: readonly Correction[], words: string): Promise<boolean> {
    const subject = { sub_district: view.door.sub_district, person: id }
    return this.make(made.map((one) => ({ kind: 'person.changed', subject, body: { ...one, base: version ?? 0 } })), words)
  }

  called(view: DoorView, line: Line, reached: boolean, words: string): Promise<boolean> {
    const body = { round: this.round, door: view.door.id, channel: 'phone', reached }
    return this.make([{ kind: 'contact.tried', subject: this.subjectOf(view, line), body }], words)
  }

  /** What was done about a request; it goes the way of every fact. A phone speaks only of its own sub-districts. */
  work({ request, sub_district, id }: Waiting, kind: string, said: Record<string, unknown>, words: string): Promise<boolean> {
    const own = this.session.enrolment.value?.sub_districts ?? []
    const subject = { sub_district: own.includes(sub_district) ? sub_district : (own[0] ?? 0), request }
    return this.make([{ kind, subject, body: { item: id, ...said } }], words, false)
  }

  /** How far a trip has come: told like everything else, network or not. */
  drove(trip: string, hop: string, words: string): Promise<boolean> {
    const subject = { sub_district: this.session.enrolment.value?.sub_districts?.[0] ?? 0, trip }
    return this.make([{ kind: 'trip.step', subject, body: { hop } }], words, false)
  }

  /** I came to my post, or I leave it. `code` is what hangs there, if it was scanned or typed. */
  attend(step: 'HERE' | 'LEAVING', { grid, code }: { grid: number | null; code: string }, words: string): Promise<boolean> {
    const { sub_districts, actor } = this.session.enrolment.value ?? {}
    const subject = { sub_district: sub_districts?.[0] ?? 0, responder: actor?.id ?? '' }
    return this.make([{ kind: 'duty.step', subject, body: { step, ...(grid !== null && { grid }), ...(code && { code }) } }], words, false)
  }

  async undo(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    try {
      for (const id of ids) await this.session.undo(id)
      this.say(this.t('undo.undone'), [])
    } catch (error) {
      this.fail(error)
    }
  }

  /** What of mine keeps a result of `outcome` over a weaker one, and can still be taken back. */
  ownStronger(line: Line, outcome: Outcome, now: number): string[] | null {
    const kind = this.session.round.value?.kind
    const current = kind && outcomeOf(kind, line.entry.outcome)
    if (!current || precedenceOf(current) <= precedenceOf(outcome)) return []
    const mine = this.session.mine.value
    const standing = new Set(standingFacts(mine.map(seen)).map(({ id }) => id))
    const own = mine.filter((act) => standing.has(act.id) && subjectOf(act) === line.subject && act.outcome === current.code)
    return own.length > 0 && own.every((act) => this.canUndo(act, now)) ? own.map(({ id }) => id) : null
  }

  refuse(text: string): void {
    give('failed', this.session.settings.sound)
    this.said.value = { text, acts: [], at: this.clock(), failed: true }
  }

  canUndo(act: Pick<Brief, 'at' | 'kind'>, now: number): boolean {
    return act.kind !== 'fact.undone' && !SERVING.test(act.kind) && now - act.at < UNDO_WITHIN_MS
  }

  clear(): void {
    this.said.value = null
  }

  private get round(): string {
    return this.session.round.value?.id ?? ''
  }

  private async make(acts: readonly Act[], words: string, hasWayBack = true): Promise<boolean> {
    const kept: string[] = []
    try {
      for (const act of acts) kept.push((await this.session.record(act)).id)
    } catch (error) {
      this.fail(error)
      return false
    }
    give('kept', this.session.settings.sound)
    this.say(words, hasWayBack ? kept : [])
    return true
  }

  private subjectOf(view: DoorView, { subject }: Line): Act['subject'] {
    const unit = this.session.round.value?.kind.unit ?? 'person'
    return { sub_district: view.door.sub_district, [unit]: subject }
  }

  private doorOf({ door }: DoorView): Act['subject'] {
    return { sub_district: door.sub_district, dwelling: door.id }
  }

  private say(text: string, acts: string[]): void {
    this.said.value = { text, acts, at: this.clock(), failed: false }
  }

  private fail(error: unknown): void {
    const code = error instanceof OutboxFailure ? error.code : 'not_saved'
    this.refuse(this.t(`failed.${code}`))
  }
}

export const ACTS: InjectionKey<Acts> = Symbol('acts')

/** The session and its acts, as every screen uses them. */
export function useField(): { session: Session; acts: Acts } {
  const session = inject(SESSION)
  const acts = inject(ACTS)
  if (!session || !acts) throw new Error('a screen outside the app')
  return { session, acts }
}
