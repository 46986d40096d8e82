// SPDX-License-Identifier: Apache-2.0
/** Text of a search field, and the same text once somebody has stopped typing. */
import { ref, watch, type Ref } from 'vue'

export function useDelayed(waitMs = 300): { typed: Ref<string>; settled: Ref<string> } {
  const typed = ref('')
  const settled = ref('')
  let timer: ReturnType<typeof setTimeout> | undefined
  watch(typed, (text) => {
    clearTimeout(timer)
    timer = setTimeout(() => (settled.value = text.trim()), waitMs)
  })
  return { typed, settled }
}
