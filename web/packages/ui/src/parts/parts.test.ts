// SPDX-License-Identifier: Apache-2.0
// @vitest-environment happy-dom
import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { ProblemError } from '../http/problem'
import { setLanguage } from '../words/language'
import AreaBreadcrumb from './AreaBreadcrumb.vue'
import AsOf from './AsOf.vue'
import CompletenessLine from './CompletenessLine.vue'
import EquationBar from './EquationBar.vue'
import FilterChips from './FilterChips.vue'
import MaskedText from './MaskedText.vue'
import ProblemNote from './ProblemNote.vue'
import SkeletonBlock from './SkeletonBlock.vue'
import { offerUndo, undoables } from './undo'
import UndoToast from './UndoToast.vue'

beforeAll(() => setLanguage('en'))
beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const equation = { frozen: 10, added: 0, moved_in: 0, moved_out: 0, roster: 10, sum: 10, balanced: true, classes: { DONE: 6, OPEN: 4 } }

test('each number of the balance opens its list', async () => {
  const bar = mount(EquationBar, { props: { equation } })
  await bar.find('[data-class="OPEN"]').trigger('click')
  await bar.find('.m-equation-whole').trigger('click')
  expect(bar.emitted('open')).toEqual([['OPEN'], [null]])
  expect(bar.find('[role="alert"]').exists()).toBe(false)
})

test('a balance that does not sum says so, whatever the server says', () => {
  const bar = mount(EquationBar, { props: { equation: { ...equation, classes: { DONE: 6, OPEN: 3 } } } })
  expect(bar.find('[role="alert"]').text()).toContain('1')
})

test('doors never reached are named and lead to their list', async () => {
  const doors = { total: 812, seen: 780, vacant: 29, no_answer: 2, refused: 0, unseen: 1 }
  const line = mount(CompletenessLine, { props: { doors, found: { count: 12, rate: 0.006 } } })
  expect(line.text()).toContain('809 of 812')
  expect(line.text()).toContain('0.6%')
  await line.find('button').trigger('click')
  expect(line.emitted('never')).toHaveLength(1)
})

test('a masked value is shown for a reason and masks itself again', async () => {
  HTMLDialogElement.prototype.showModal = vi.fn()
  HTMLDialogElement.prototype.close = vi.fn()
  const reveal = vi.fn(() => Promise.resolve('Mary Smith'))
  const masked = mount(MaskedText, { props: { masked: 'M*** S***', what: 'name', reveal } })
  await masked.find('input[value="visit"]').setValue()
  await masked.find('form').trigger('submit')
  await flushPromises()
  expect(reveal).toHaveBeenCalledWith('visit')
  expect(masked.text()).toContain('Mary Smith')
  vi.advanceTimersByTime(61_000)
  await masked.vm.$nextTick()
  expect(masked.text()).not.toContain('Mary Smith')
})

test('a refused reveal shows why and stays masked', async () => {
  const masked = mount(MaskedText, { props: { masked: 'M***', what: 'name', reveal: () => Promise.reject(new ProblemError({ status: 403, code: 'not_allowed' })) } })
  await masked.find('form').trigger('submit')
  await flushPromises()
  expect(masked.find('[role="alert"]').text()).not.toBe('')
  expect(masked.find('.m-num').text()).toBe('M***')
})

test('old figures say that they are old, fresh ones do not', () => {
  const now = Date.parse('2026-09-02T10:30:00Z')
  const old = mount(AsOf, { props: { at: '2026-09-02T10:05:00Z', now, oldAfterMinutes: 5 } })
  expect(old.attributes('data-old')).toBe('true')
  expect(old.text()).toContain('25')
  expect(mount(AsOf, { props: { at: '2026-09-02T10:29:00Z', now, oldAfterMinutes: 5 } }).attributes('data-old')).toBe('false')
})

test('a chip narrows and widens', async () => {
  const chips = mount(FilterChips, { props: { chips: [{ value: 'a', word: 'A', count: 3 }], modelValue: null } })
  await chips.find('button').trigger('click')
  await chips.setProps({ modelValue: 'a' })
  expect(chips.find('button').attributes('aria-pressed')).toBe('true')
  await chips.find('button').trigger('click')
  expect(chips.emitted('update:modelValue')).toEqual([['a'], [null]])
})

test('a step of the breadcrumb leads up, the last one is where we are', async () => {
  const crumbs = mount(AreaBreadcrumb, { props: { crumbs: [{ id: 1, name: 'City' }, { id: 2, name: 'Street' }] } })
  await crumbs.find('button').trigger('click')
  expect(crumbs.emitted('pick')).toEqual([[1]])
  expect(crumbs.find('[aria-current="location"]').text()).toBe('Street')
})

test('a refusal names row, field and cure', () => {
  const error = new ProblemError({ status: 422, code: 'input_bad', title: 'Look again', errors: [{ row: 5, code: 'phone_shape', message: '7 digits', cure: '11 are needed' }] })
  const note = mount(ProblemNote, { props: { error } })
  expect(note.text()).toContain('Look again')
  expect(note.text()).toContain('Row 5')
  expect(note.text()).toContain('11 are needed')
})

test('a skeleton waits a moment before it shows', async () => {
  const block = mount(SkeletonBlock)
  expect(block.findAll('i')).toHaveLength(0)
  vi.advanceTimersByTime(301)
  await block.vm.$nextTick()
  expect(block.findAll('i').length).toBeGreaterThan(0)
})

test('what was done can be taken back, once, for ten seconds', async () => {
  const undo = vi.fn()
  const toast = mount(UndoToast)
  offerUndo('Recorded', undo)
  await toast.vm.$nextTick()
  await toast.find('.m-toast button').trigger('click')
  expect(undo).toHaveBeenCalledOnce()
  expect(undoables.value).toEqual([])
  offerUndo('Recorded again', undo)
  vi.advanceTimersByTime(10_001)
  expect(undoables.value).toEqual([])
})
