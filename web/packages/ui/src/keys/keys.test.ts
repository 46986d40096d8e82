// SPDX-License-Identifier: Apache-2.0
// @vitest-environment happy-dom
import { mount } from '@vue/test-utils'
import { expect, test, vi } from 'vitest'
import { defineComponent, h, ref, type Ref } from 'vue'
import { keyActs, useKeys } from './keys'
import { useRows } from './rows'

const press = (key: string, target: EventTarget = document.body, extra: KeyboardEventInit = {}): void => {
  target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, ...extra }))
}
const page = (setup: () => void): ReturnType<typeof mount> => mount(defineComponent({ setup: () => (setup(), () => h('input')) }), { attachTo: document.body })

test('a page answers to its keys while it is there', () => {
  const run = vi.fn()
  const wrapper = page(() => useKeys([{ key: '/', says: 'keys.search', run }]))
  press('/')
  expect(run).toHaveBeenCalledOnce()
  wrapper.unmount()
  press('/')
  expect(run).toHaveBeenCalledOnce()
  expect(keyActs.value).toEqual([])
})

test('what is typed into a field is text, and a held modifier belongs to the browser', () => {
  const run = vi.fn()
  const wrapper = page(() => useKeys([{ key: 'j', says: 'keys.next', run }]))
  press('j', wrapper.find('input').element)
  press('j', document.body, { ctrlKey: true })
  expect(run).not.toHaveBeenCalled()
  wrapper.unmount()
})

test('Enter on a button is the button\u2019s own', () => {
  const run = vi.fn()
  const wrapper = page(() => useKeys([{ key: 'Enter', says: 'keys.open', run }]))
  const button = document.body.appendChild(document.createElement('button'))
  press('Enter', button)
  expect(run).not.toHaveBeenCalled()
  press('Enter')
  expect(run).toHaveBeenCalledOnce()
  button.remove()
  wrapper.unmount()
})

test('j and k move within the list, Enter opens', () => {
  const rows = ref(['a', 'b', 'c'])
  const opened: string[] = []
  const moved: { at?: Ref<number> } = {}
  const wrapper = page(() => {
    moved.at = useRows(rows, (row) => opened.push(row)).at
  })
  for (const key of ['j', 'j', 'j', 'j', 'k']) press(key)
  expect(moved.at?.value).toBe(1)
  press('Enter')
  expect(opened).toEqual(['b'])
  wrapper.unmount()
})

test('a list that grows shorter takes the current row along', async () => {
  const rows = ref(['a', 'b', 'c'])
  const moved: { at?: Ref<number> } = {}
  const wrapper = page(() => {
    moved.at = useRows(rows, () => undefined).at
  })
  for (const key of ['j', 'j', 'j']) press(key)
  rows.value = ['a']
  await wrapper.vm.$nextTick()
  expect(moved.at?.value).toBe(0)
  wrapper.unmount()
})
