// SPDX-License-Identifier: Apache-2.0
/** The area the desk is looking at: one for the whole window, kept while the tab lives. */
import { useQuery } from '@tanstack/vue-query'
import { computed, readonly, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import { grids, places } from '../api/calls'
import type { Area } from '../api/types'
import { session } from './session'

const KEPT_AS = 'muster.desk.area'
const chosen = shallowRef<number | null>(kept())
const own = shallowRef<number | null>(null)

/** The chosen area, or the first one this person may see. */
export const areaId = computed<number | null>(() => chosen.value ?? own.value)

watch(session, async () => (own.value = await ownArea()), { immediate: true })

/** The area of one's own grant; of one's grid, if one has only that; the top of the tree for who sees everything. */
async function ownArea(): Promise<number | null> {
  const grants = session.value?.grants ?? []
  const area = grants.find((grant) => grant.area)?.area
  if (area) return area.id
  const grid = grants.find((grant) => grant.grid)?.grid
  try {
    if (grid) return (await grids.one(grid.id)).area.id
    return session.value ? ((await places.children('root')).items[0]?.id ?? null) : null
  } catch {
    return null
  }
}

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
  const crumbs = computed<{ id: number; name: string }[]>(() => data.value?.breadcrumb ?? (data.value ? [{ id: data.value.id, name: data.value.name }] : []))
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
