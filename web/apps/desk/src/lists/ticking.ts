// SPDX-License-Identifier: Apache-2.0
/** Rows of a list that are ticked, to be acted on together: at most so many at once. */

import { ref, type Ref } from 'vue'

export interface Ticking {
  chosen: Ref<Set<string>>
  choose: (id: string, on: boolean) => void
  /** All that are in sight, or none where they were all ticked. */
  chooseAll: () => void
}

export function useTicking(inSight: () => readonly { id: string }[], most: number): Ticking {
  const chosen = ref<Set<string>>(new Set())
  return {
    chosen,
    choose(id, on) {
      const next = new Set(chosen.value)
      if (on) next.add(id)
      else next.delete(id)
      chosen.value = next
    },
    chooseAll() {
      const all = inSight().slice(0, most).map((row) => row.id)
      chosen.value = chosen.value.size === all.length ? new Set() : new Set(all)
    },
  }
}
