// SPDX-License-Identifier: Apache-2.0
/** Small made-up grids for tests: two buildings, some doors, some people, one round. */
import type { DoorRow, EntryRow, PersonRow, PullPage, RoundRow } from '@muster/client'
import type { Mine } from '@muster/outbox'
import type { CampaignKind } from '@muster/rules'
import { GridCopy } from '../src/grid/copy'

const name = (zh: string, en: string) => ({ zh, en })

export const KIND: CampaignKind = {
  key: 'test',
  name: name('\u767b\u8bb0', 'Register'),
  unit: 'person',
  outcomes: [
    { code: 'DONE', name: name('\u5df2\u68c0', 'Done'), class: 'DONE', met: true, door: 'SEEN' },
    { code: 'AWAY', name: name('\u5916\u51fa', 'Away'), class: 'EXPLAINED', evidence: 'note' },
    { code: 'DECLINED', name: name('\u4e0d\u613f', 'Declined'), class: 'EXPLAINED', met: true, door: 'SEEN', evidence: 'second_visit' },
    { code: 'NO_ANSWER', name: name('\u6ca1\u4eba\u5e94\u95e8', 'No answer'), class: 'UNREACHED', door: 'NO_ANSWER', precedence: 5 },
  ],
}

export const ROUND: RoundRow = {
  id: 'r1',
  campaign: 'c1',
  campaign_name: 'Register',
  name: 'Round 1',
  status: 'OPEN',
  kind: KIND,
  opens_at: null,
  closes_at: null,
}

export function door(id: string, building: string, room: string, order: number, unit = ''): DoorRow {
  return { id, grid: 7, sub_district: 3, building, unit, floor: 1, room, label: `${building} ${room}`, order, states: {} }
}

export function person(id: string, dwelling: string, called: string, more: Partial<PersonRow> = {}): PersonRow {
  return { id, household: `h-${dwelling}`, dwelling, name: called, phone: null, services: [], listed: true, grid: 7, ...more }
}

export function entry(subject: string, dwelling: string, more: Partial<EntryRow> = {}): EntryRow {
  const open = { cls: 'OPEN', outcome: null, at: null, attempts: 0, by: null, origin: 'FROZEN' } as const
  return { round: 'r1', subject, unit: 'person', dwelling, grid: 7, fact: null, ...open, ...more }
}

export function page(more: Partial<PullPage> = {}): PullPage {
  return {
    v: 1,
    cursor: 'c1',
    more: false,
    full: false,
    now: '2026-09-02T10:00:00Z',
    lease_until: '2026-09-03T10:00:00Z',
    incident: { id: 'i1', name: 'Drill', pack: 'epidemic-zh', is_drill: true, time_zone: 'Asia/Shanghai' },
    actor: { id: 'me', name: 'Li' },
    rounds: [],
    grids: [],
    buildings: [],
    doors: [],
    households: [],
    persons: [],
    entries: [],
    gone: [],
    verdicts: [],
    ...more,
  }
}

export function town(): PullPage {
  return page({
    full: true,
    rounds: [ROUND],
    grids: [{ id: 7, code: 'G7', name: 'Grid 7', revision: 1, sub_district: 3, head: null }],
    buildings: [
      { id: 'b2', grid: 7, name: 'Second', order: 2 },
      { id: 'b1', grid: 7, name: 'First', order: 1 },
    ],
    doors: [door('d2', 'b1', '102', 2), door('d1', 'b1', '101', 1), door('d3', 'b2', '101', 3)],
    persons: [
      person('p1', 'd1', '\u5f20\u5c0f\u4e09', { services: ['door_visit'] }),
      person('p2', 'd1', '\u674e\u56db', { phone: '13900001234' }),
      person('p3', 'd2', '\u66fe\u660e'),
    ],
    entries: [entry('p1', 'd1'), entry('p2', 'd1'), entry('p3', 'd2')],
  })
}

export function copyOf(...pages: PullPage[]): GridCopy {
  const copy = new GridCopy()
  for (const one of pages) copy.apply(one)
  return copy
}

let made = 0

/** A fact of mine, as the outbox tells it. */
export function act(kind: string, subject: Mine['subject'], body: Record<string, unknown>, more: Partial<Mine> = {}): Mine {
  made++
  const { outcome, state, fact } = body
  return {
    id: `f${String(made).padStart(5, '0')}`,
    kind,
    at: Date.parse('2026-09-02T10:00:00Z') + made,
    actor: 'me',
    subject,
    round: 'r1',
    status: 'LOCAL',
    body,
    ...(typeof outcome === 'string' && { outcome }),
    ...(typeof state === 'string' && { state }),
    ...(kind === 'fact.undone' && typeof fact === 'string' && { undone: fact }),
    ...more,
  }
}

export const outcome = (subject: string, code: string, more: Partial<Mine> = {}): Mine =>
  act('entry.outcome', { sub_district: 3, person: subject }, { round: 'r1', outcome: code }, more)
