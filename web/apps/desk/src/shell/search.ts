// SPDX-License-Identifier: Apache-2.0
/** What a search field found, and which of it is pointed at; an answer that comes late is not shown. */
import { computed, ref, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import { register } from '../api/calls'
import type { Found } from '../api/types'

const WAIT_MS = 250
const SHORTEST = 2

export function useSearch(look: (text: string) => Promise<{ items: Found[] }> = register.search): {
  text: Ref<string>
  found: Ref<Found[]>
  at: Ref<number>
  isOpen: ComputedRef<boolean>
  isEmpty: ComputedRef<boolean>
  step: (by: number) => void
  close: () => void
} {
  const text = ref('')
  const found = shallowRef<Found[]>([])
  const at = ref(-1)
  const isAnswered = ref(false)
  const isClosed = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined

  async function ask(asked: string): Promise<void> {
    const items = await look(asked).then((answer) => answer.items).catch((): Found[] => [])
    if (text.value.trim() !== asked) return
    found.value = items
    isAnswered.value = true
  }

  watch(text, (now) => {
    clearTimeout(timer)
    at.value = -1
    isClosed.value = false
    isAnswered.value = false
    found.value = []
    const asked = now.trim()
    if (asked.length >= SHORTEST) timer = setTimeout(() => void ask(asked), WAIT_MS)
  })

  return {
    text,
    found,
    at,
    isOpen: computed(() => isAnswered.value && !isClosed.value),
    isEmpty: computed(() => isAnswered.value && found.value.length === 0),
    step: (by) => {
      isClosed.value = false
      if (found.value.length > 0) at.value = (at.value + by + found.value.length) % found.value.length
    },
    close: () => {
      isClosed.value = true
    },
  }
}
