// SPDX-License-Identifier: Apache-2.0
/** What the register shows is its address: area, grid or building, which view, which record is open. */
import { computed, type ComputedRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { changedQuery } from '../shell/query'

export type View = 'stairwell' | 'dwellings' | 'persons'

export interface RegisterPlace {
  grid: ComputedRef<number | null>
  building: ComputedRef<string | null>
  dwelling: ComputedRef<string | null>
  person: ComputedRef<string | null>
  view: ComputedRef<View>
  go: (change: Partial<Record<'grid' | 'building' | 'dwelling' | 'person' | 'view', string | number | null>>) => void
}

export function useRegisterPlace(): RegisterPlace {
  const route = useRoute()
  const router = useRouter()
  const asked = (name: string): string | null => {
    const value = route.query[name]
    return typeof value === 'string' && value !== '' ? value : null
  }
  const building = computed(() => asked('building'))
  const view = computed<View>(() => {
    const wanted = asked('view')
    if (wanted === 'dwellings' || wanted === 'persons') return wanted
    return building.value ? 'stairwell' : 'persons'
  })
  return {
    grid: computed(() => Number(asked('grid')) || null),
    building,
    dwelling: computed(() => asked('dwelling')),
    person: computed(() => asked('person')),
    view,
    go: (change) => {
      const query = changedQuery(route.query, change)
      void router.push({ path: '/register', query })
    },
  }
}
