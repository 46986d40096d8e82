// SPDX-License-Identifier: Apache-2.0
/** Keys of the desk: a page says which it answers to, `?` lists them all. Keys typed into a field are text. */
import { onBeforeUnmount, shallowRef } from 'vue'

export interface KeyAct {
  key: string
  /** Key of the sentence that says what it does. */
  says: string
  run: () => void
}

const acts = shallowRef<KeyAct[]>([])
let listening = false

export const keyActs = acts

export function useKeys(own: KeyAct[]): void {
  listen()
  acts.value = [...acts.value, ...own]
  onBeforeUnmount(() => {
    acts.value = acts.value.filter((act) => !own.includes(act))
  })
}

/** The act for a key press, the latest page first; none while somebody types or holds a modifier. */
export function actFor(event: KeyboardEvent): KeyAct | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return undefined
  if (document.querySelector('dialog[open]') !== null) return undefined
  if (event.key === 'Enter' && hasOwnEnter(event.target)) return undefined
  return [...acts.value].reverse().find((act) => act.key === event.key)
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
  )
}

function hasOwnEnter(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('a, button, summary, [role="button"], [role="tab"]') !== null
}

function listen(): void {
  if (listening) return
  listening = true
  window.addEventListener('keydown', (event) => {
    const act = actFor(event)
    if (!act) return
    event.preventDefault()
    act.run()
  })
}
