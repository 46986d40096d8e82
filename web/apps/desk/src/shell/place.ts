// SPDX-License-Identifier: Apache-2.0
/** The area the desk is looking at: one for the whole window, kept while the tab lives. */
import { useQuery } from '@tanstack/vue-query'
import { computed, readonly, shallowRef, type ComputedRef, type Ref } from 'vue'
import { places } from '../api/calls'
import type { Area } from '../api/types'
import { session } from './session'

const KEPT_AS = 'muster.desk.area'
const chosen = shallowRef<number | null>(kept())

/** The chosen area, or the first one this person may see. */
export const areaId = computed<number | null>(() => chosen.value ?? session.value?.grants.find((grant) => grant.area)?.area?.id ?? null)

export function goToArea(id: number): void {
  chosen.value = id
  try {
    sessionStorage.setItem(KEPT_AS, String(id))
  } catch {
    // The choice then lasts until the page is loaded again.
  }
}

export function forgetArea(): void {
  chosen.value = null
  try {
    sessionStorage.removeItem(KEPT_AS)
  } catch {
    // Nothing was kept.
  }
}

export function useArea(): { area: Ref<Area | undefined>; crumbs: ComputedRef<{ id: number; name: string }[]>; areaName: ComputedRef<string> } {
  const { data } = useQuery({
    queryKey: ['area', areaId],
    queryFn: () => places.area(areaId.value ?? 0),
    enabled: computed(() => areaId.value !== null),
    staleTime: 300_000,
  })
  const crumbs = computed(() => data.value?.breadcrumb ?? (data.value ? [{ id: data.value.id, name: data.value.name }] : []))
  return { area: data, crumbs, areaName: computed(() => data.value?.name ?? '') }
}

export const isAreaKnown = readonly(computed(() => areaId.value !== null))

function kept(): number | null {
  try {
    const value = Number(sessionStorage.getItem(KEPT_AS))
    return Number.isInteger(value) && value > 0 ? value : null
  } catch {
    return null
  }
}
