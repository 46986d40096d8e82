// SPDX-License-Identifier: Apache-2.0
/** What was just done and can still be taken back; instead of asking "are you sure" before. */
import { readonly, shallowRef } from 'vue'

export interface Undoable {
  id: number
  text: string
  undo: (() => Promise<void> | void) | null
}

const SHOWN_FOR_MS = 10_000
const shown = shallowRef<Undoable[]>([])
let last = 0

export const undoables = readonly(shown)

export function offerUndo(text: string, undo: Undoable['undo'] = null, shownFor = SHOWN_FOR_MS): void {
  const id = ++last
  shown.value = [...shown.value.slice(-2), { id, text, undo }]
  setTimeout(() => forget(id), shownFor)
}

export function forget(id: number): void {
  shown.value = shown.value.filter((one) => one.id !== id)
}
