// SPDX-License-Identifier: Apache-2.0
/** Moving through a list with `j` and `k`, opening with Enter. */
import { computed, ref, watch, type Ref } from 'vue'
import { useKeys } from './keys'

export function useRows<Row>(rows: Readonly<Ref<readonly Row[]>>, open: (row: Row) => void): { at: Ref<number>; current: Readonly<Ref<Row | undefined>> } {
  const at = ref(-1)
  const current = computed(() => rows.value[at.value])
  watch(rows, (now) => {
    if (at.value >= now.length) at.value = now.length - 1
  })
  const step = (by: number): void => {
    if (rows.value.length === 0) return
    at.value = Math.min(Math.max(at.value + by, 0), rows.value.length - 1)
    requestAnimationFrame(() => document.querySelector('[data-row-current="true"]')?.scrollIntoView({ block: 'nearest' }))
  }
  useKeys([
    { key: 'j', says: 'keys.next', run: () => step(1) },
    { key: 'k', says: 'keys.previous', run: () => step(-1) },
    { key: 'Enter', says: 'keys.open', run: () => current.value !== undefined && open(current.value) },
  ])
  return { at, current }
}
