// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import type { Device, InboxItem } from './api/types'
import { isSilent, stateOfDevice } from './grids/silence'
import { byClock, pathOf, toneOfItem } from './inbox/clock'
import { buckets } from './plans/buckets'
import { bySize } from './plans/plan'
import { svgPicture } from './print/qr'
import { nameOfBuilding } from './register/names'
import { countDoors, toneOfDoor } from './register/stairwell'
import { addressOfFound } from './shell/found'
import { changedQuery } from './shell/query'
import { isOnTheWay } from './transfer/importJob'

const NOW = Date.parse('2026-09-02T10:00:00Z')
const item = (key: string, due: string | null, since: string): InboxItem => ({ key, due, since }) as InboxItem

test('what is due first comes first, what has no clock comes after, the older before the newer', () => {
  const items = [item('later', '2026-09-02T12:00:00Z', ''), item('none-new', null, '2026-09-02T09:00:00Z'), item('soon', '2026-09-02T10:30:00Z', ''), item('none-old', null, '2026-09-02T08:00:00Z')]
  expect(byClock(items).map((one) => one.key)).toEqual(['soon', 'later', 'none-old', 'none-new'])
})

test('overdue is danger, within the hour attention', () => {
  expect(toneOfItem({ due: '2026-09-02T09:59:00Z' }, NOW)).toBe('danger')
  expect(toneOfItem({ due: '2026-09-02T10:59:00Z' }, NOW)).toBe('attention')
  expect(toneOfItem({ due: '2026-09-02T12:00:00Z' }, NOW)).toBe('now')
  expect(toneOfItem({ due: null }, NOW)).toBe('waiting')
})

test('a link of the server and one of the desk lead to the same page', () => {
  expect(pathOf('/desk/grids/5')).toBe('/grids/5')
  expect(pathOf('/grids/5')).toBe('/grids/5')
  expect(pathOf('/desk')).toBe('/')
  expect(pathOf('/deskwork')).toBe('/deskwork')
})

const device = (part: Partial<Device>): Device => ({ revoked_at: null, lease_until: '2026-09-03T10:00:00Z', last_contact_at: '2026-09-02T09:50:00Z', ...part }) as Device

test('a phone is silent after an hour, but only while it may act', () => {
  expect(isSilent(device({}), NOW)).toBe(false)
  expect(isSilent(device({ last_contact_at: '2026-09-02T08:59:00Z' }), NOW)).toBe(true)
  expect(isSilent(device({ last_contact_at: null }), NOW)).toBe(true)
  expect(isSilent(device({ last_contact_at: null, revoked_at: '2026-09-02T09:00:00Z' }), NOW)).toBe(false)
  expect(stateOfDevice(device({ lease_until: '2026-09-02T09:00:00Z' }), NOW)).toBe('EXPIRED')
})

test('a door that opened with people left is work under way; a refusal is no fault', () => {
  expect(toneOfDoor({ state: 'SEEN', left: 0 })).toBe('done')
  expect(toneOfDoor({ state: 'SEEN', left: 2 })).toBe('now')
  expect(toneOfDoor({ state: 'REFUSED', left: 2 })).toBe('noted')
  expect(toneOfDoor({ state: null, left: 0 })).toBe('waiting')
  expect(countDoors([{ people: 2, left: 1 }, { people: 3, left: 0 }])).toEqual({ doors: 2, people: 5, left: 1 })
})

test('sizes fall into steps that all series share, none lost', () => {
  const { edges, counts } = buckets([[371, 402, 431], [270, 520]], 9)
  expect(edges[0]).toBeLessThanOrEqual(270)
  expect(counts.map((one) => one.reduce((sum, each) => sum + each, 0))).toEqual([3, 2])
  expect(buckets([[], []], 9).edges).toEqual([])
  expect(buckets([[5], [5]], 9).counts).toEqual([[1], [1]])
})

test('grids are shaded by their size beside the largest', () => {
  const shapes = { type: 'FeatureCollection', features: [{ properties: { id: 0, people: 200 } }, { properties: { id: 1, people: 400 } }] }
  expect([...bySize(shapes as never)].map(([, shade]) => shade.share)).toEqual([0.5, 1])
})

test('an import is followed until it can be looked at', () => {
  expect(isOnTheWay({ state: 'UPLOADED', progress: null })).toBe(true)
  expect(isOnTheWay({ state: 'PREVIEWED', progress: null })).toBe(false)
  expect(isOnTheWay({ state: 'PREVIEWED', progress: { done: 3, total: 9 } })).toBe(true)
  expect(isOnTheWay(undefined)).toBe(false)
})

test('what was found opens where it belongs', () => {
  expect(addressOfFound({ type: 'person', id: 'p', title: '', subtitle: '' })).toBe('/register?person=p')
  expect(addressOfFound({ type: 'grid', id: 5, title: '', subtitle: '' })).toBe('/grids/5')
})

test('an empty value leaves the address', () => {
  expect(changedQuery({ a: '1', b: '2' }, { a: null, c: 3 })).toEqual({ b: '2', c: '3' })
})

test('a building is called by its compound, or by its lane where the name alone would not do', () => {
  expect(nameOfBuilding({ name: 'Block 3', street: 'High Street', compound: { id: 'c', name: 'Mill Court' } })).toBe('Mill Court Block 3')
  expect(nameOfBuilding({ name: 'Willow 4', street: 'Lane 16', compound: { id: 'c', name: 'Willow' } })).toBe('Lane 16 Willow 4')
  expect(nameOfBuilding({ name: 'High Street 12', street: 'High Street', compound: null })).toBe('High Street 12')
})

test('a picture of its own names its language once', () => {
  expect(decodeURIComponent(svgPicture('<svg width="3"></svg>'))).toContain('<svg xmlns="http://www.w3.org/2000/svg" width="3">')
  expect(decodeURIComponent(svgPicture('<svg xmlns="x"/>'))).toBe('data:image/svg+xml,<svg xmlns="x"/>')
})
