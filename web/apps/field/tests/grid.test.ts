// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { compareLabels, viewOf } from '../src/grid/view'
import { finderOf } from '../src/grid/search'
import { initialsOf } from '../src/grid/initials'
import { act, copyOf, door, entry, outcome, page, person, ROUND, town } from './town'

const view = (copy = copyOf(town()), mine: Parameters<typeof viewOf>[2] = []) => viewOf(copy, ROUND, mine)

describe('the round as it is walked', () => {
  test('buildings and doors stand in walking order, with who is left', () => {
    const { buildings, left, total, doorsLeft } = view()

    expect(buildings.map(({ building, doors }) => [building.name, doors])).toEqual([
      ['First', 2],
      ['Second', 1],
    ])
    expect(buildings[0]?.stairs[0]?.doors.map((one) => one.door.room)).toEqual(['101', '102'])
    expect({ left, total, doorsLeft }).toEqual({ left: 3, total: 3, doorsLeft: 3 })
  })

  test('door_where_nobody_is_listed stays on the list until it was seen or found empty', () => {
    const seen = view(copyOf(town()), [act('door.state', { sub_district: 3, dwelling: 'd3' }, { round: 'r1', state: 'VACANT' })])

    expect(view().doors.get('d3')?.isLeft).toBe(true)
    expect(seen.doors.get('d3')).toMatchObject({ isLeft: false, reading: { state: 'VACANT' } })
  })

  test('rooms sort as numbers', () => {
    expect(['1002', '201', '99'].sort(compareLabels)).toEqual(['99', '201', '1002'])
  })

  test('twenty_five_hundred people make a round well within a tap', () => {
    const doors = Array.from({ length: 900 }, (_, n) => door(`d${n}`, `b${n % 30}`, String(n), n))
    const persons = Array.from({ length: 2500 }, (_, n) => person(`p${n}`, `d${n % 900}`, `name ${n}`))
    const entries = persons.map(({ id, dwelling }) => entry(id, dwelling))
    const buildings = Array.from({ length: 30 }, (_, n) => ({ id: `b${n}`, grid: 7, name: String(n), order: n }))
    const copy = copyOf(page({ full: true, rounds: [ROUND], buildings, doors, persons, entries }))
    const mine = persons.slice(0, 300).map(({ id }) => outcome(id, 'DONE'))
    view(copy, mine)

    const started = performance.now()
    const made = view(copy, mine)

    expect(made.left).toBe(2200)
    expect(performance.now() - started).toBeLessThan(400)
  })
})

describe('what was recorded here', () => {
  test('outcome is shown at once and marked as not yet judged', () => {
    const line = view(copyOf(town()), [outcome('p1', 'DONE')]).doors.get('d1')?.lines.find(({ subject }) => subject === 'p1')

    expect(line).toMatchObject({ pending: true, entry: { cls: 'DONE', outcome: 'DONE' } })
  })

  test('undone outcome is as if it had never been', () => {
    const first = outcome('p1', 'DONE')
    const undone = act('fact.undone', { sub_district: 3, person: 'p1' }, { round: 'r1', fact: first.id })
    const made = view(copyOf(town()), [first, undone])

    expect(made.left).toBe(3)
    expect(made.doors.get('d1')?.reading.state).toBe('UNSEEN')
  })

  test('undo of what the server has already counted opens the entry again', () => {
    const first = outcome('p1', 'DONE', { status: 'SETTLED', verdict: 'APPLIED' })
    const rests = entry('p1', 'd1', { cls: 'DONE', outcome: 'DONE', at: new Date(first.at).toISOString(), by: 'me', fact: first.id })
    const copy = copyOf(town(), page({ entries: [rests] }))
    const undone = act('fact.undone', { sub_district: 3, person: 'p1' }, { round: 'r1', fact: first.id })

    expect(view(copy, [first]).left).toBe(2)
    expect(view(copy, [first, undone]).left).toBe(3)
  })

  test('silence after a result does not take the result back', () => {
    const done = entry('p1', 'd1', { cls: 'DONE', outcome: 'DONE', at: '2026-09-02T09:00:00Z', by: 'wang' })
    const made = view(copyOf(town(), page({ entries: [done] })), [outcome('p1', 'NO_ANSWER')])

    expect(made.doors.get('d1')?.lines.find(({ subject }) => subject === 'p1')?.entry.cls).toBe('DONE')
  })

  test('refusal counts only when a second person has heard it', () => {
    const heard = (by: string) => entry('p1', 'd1', { cls: 'UNREACHED', outcome: 'DECLINED', at: '2026-09-02T09:00:00Z', by })
    const state = (by: string) =>
      view(copyOf(town(), page({ entries: [heard(by)] })), [outcome('p1', 'DECLINED')]).doors.get('d1')?.lines[0]?.entry.cls

    expect(state('wang')).toBe('EXPLAINED')
    expect(state('me')).toBe('UNREACHED')
  })

  test('what the server holds back is not shown as done', () => {
    const made = view(copyOf(town()), [outcome('p1', 'DONE', { status: 'SETTLED', verdict: 'HELD', code: 'unknown_subject' })])

    expect(made.left).toBe(3)
  })

  test('found person stands at the door at once, once', () => {
    const found = act('person.found', { sub_district: 3, dwelling: 'd3' }, { round: 'r1', person: 'new', name: 'Wang' })
    const before = view(copyOf(town()), [found])
    const rows = page({ persons: [person('new', 'd3', 'Wang', { listed: false })], entries: [entry('new', 'd3', { origin: 'ADDED' })] })
    const after = view(copyOf(town(), rows), [{ ...found, status: 'SETTLED', verdict: 'APPLIED' }])

    expect(before.doors.get('d3')).toMatchObject({ left: 1, reading: { state: 'SEEN' } })
    expect(before.doors.get('d3')?.lines[0]).toMatchObject({ pending: true, person: { name: 'Wang' } })
    expect(after.doors.get('d3')?.lines).toHaveLength(1)
    expect(after.total).toBe(4)
  })

  test('found person can be given a result before the server knows them', () => {
    const found = act('person.found', { sub_district: 3, dwelling: 'd3' }, { round: 'r1', person: 'new', name: 'Wang' })
    const made = view(copyOf(town()), [found, outcome('new', 'DONE')])

    expect(made.doors.get('d3')?.lines[0]?.entry.cls).toBe('DONE')
    expect(made.left).toBe(3)
  })

  test('found door stands in its building, last in the walk', () => {
    const found = act('door.found', { sub_district: 3, dwelling: 'dx' }, { round: 'r1', building: 'b1', room: '101-1' })
    const made = view(copyOf(town()), [found])

    expect(made.buildings[0]?.stairs[0]?.doors.map((one) => one.door.room)).toEqual(['101', '102', '101-1'])
  })

  test('moved person is gone from one door and stands at the other', () => {
    const moved = act('person.moved', { sub_district: 3, person: 'p3' }, { round: 'r1', to: { sub_district: 3, dwelling: 'd1' } })
    const left = act('person.moved', { sub_district: 3, person: 'p2' }, { round: 'r1', to: null })
    const made = view(copyOf(town()), [moved, left])

    expect(made.doors.get('d1')?.lines.map(({ subject }) => subject)).toEqual(['p1', 'p3'])
    expect(made.doors.get('d2')?.lines).toEqual([])
  })

  test('round of households and round of doors', () => {
    const units = { household: entry('h1', 'd1', { unit: 'household' }), dwelling: entry('d1', 'd1', { unit: 'dwelling' }) }
    for (const [unit, row] of Object.entries(units)) {
      const round = { ...ROUND, kind: { ...ROUND.kind, unit: unit as 'household' | 'dwelling' } }
      const copy = copyOf({ ...town(), entries: [row] })
      const subject = { sub_district: 3, [unit]: row.subject }
      const made = viewOf(copy, round, [act('entry.outcome', subject, { round: 'r1', outcome: 'DONE' })])

      expect(made.doors.get('d1')?.lines[0]?.entry.cls).toBe('DONE')
      expect(made.left).toBe(0)
    }
  })
})

describe('the copy', () => {
  test('gone rows go, but not what was told anew in another of my grids', () => {
    const moved = door('d1', 'b2', '101', 1)
    const copy = copyOf(
      town(),
      page({
        doors: [{ ...moved, grid: 8 }],
        gone: [
          { type: 'door', id: 'd1', grid: 7 },
          { type: 'person', id: 'p3', grid: 7 },
          { type: 'entry', id: 'p3', grid: 7 },
        ],
      }),
    )

    expect([...copy.doors.keys()].sort()).toEqual(['d1', 'd2', 'd3'])
    expect(copy.persons.has('p3')).toBe(false)
    expect(copy.entriesOf('r1').has('p3')).toBe(false)
  })

  test('grid that is no longer mine goes with all that is in it', () => {
    const copy = copyOf(town(), page({ gone_grids: [7] }))

    expect([copy.grids.length, copy.doors.size, copy.persons.size, copy.buildings.size, copy.entriesOf('r1').size]).toEqual([0, 0, 0, 0, 0])
  })
})

describe('search', () => {
  const find = finderOf(view())
  const rooms = (typed: string) => find(typed).map((hit) => hit.view.door.id)

  test.each([
    ['102', ['d2']],
    ['\u674e\u56db', ['d1']],
    ['zxs', ['d1']],
    ['zm', ['d2']],
    ['1234', ['d1']],
    ['second', ['d3']],
    ['\uff11\uff10\uff12', ['d2']],
    ['nobody', []],
    ['  ', []],
  ])('typed %j finds %j', (typed, doors) => {
    expect(rooms(typed)).toEqual(doors)
  })

  test('hit shows the name masked', () => {
    expect(find('zxs')[0]?.person).toBe('\u5f20*\u4e09')
  })

  test('initials of names, also of surnames with a reading of their own', () => {
    const names = ['\u5f20\u5c0f\u4e09', '\u5355\u96c4\u4fe1', '\u66fe\u660e', '\u6b27\u9633\u9752', 'Mary Smith', '\u963f\u4f9d\u53e4\u4e3d\u00b7\u4e70\u4e70\u63d0']

    expect(names.map(initialsOf)).toEqual(['zxs', 'sxx', 'zm', 'oyq', 'ms', 'ayglmmt'])
  })
})

describe('a correction', () => {
  test('shows at once, of one field, until the server has judged it', () => {
    const copy = copyOf(town())
    const subject = { sub_district: 3, person: 'p2' }
    const phone = act('person.changed', subject, { field: 'phone', was: '13900001234', now: '13900009999', base: 1 }, { round: undefined })
    const seenBy = (mine: Parameters<typeof viewOf>[2]) => viewOf(copy, ROUND, mine).doors.get('d1')?.persons.find(({ id }) => id === 'p2')

    expect(seenBy([phone])).toMatchObject({ phone: '13900009999', name: copy.persons.get('p2')?.name })
    expect(seenBy([{ ...phone, status: 'SETTLED', body: undefined }])?.phone).toBe('13900001234')
  })
})
