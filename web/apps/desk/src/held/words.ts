// SPDX-License-Identifier: Apache-2.0
/** Words for a kept record: its grid by name, its reason by code. */
import { message } from '@muster/ui'
import { useQuery } from '@tanstack/vue-query'
import { grids } from '../api/calls'
import type { HeldFact } from '../api/types'
import { areaId } from '../shell/place'

export function useHeldWords(): { gridName: (grid: number | null) => string; whyOf: (fact: HeldFact) => string } {
  const { data } = useQuery({ queryKey: ['grids-of', areaId, 'SMALL'], queryFn: () => grids.list({ area: areaId.value, level: 'SMALL' }), staleTime: 60_000 })
  return {
    gridName: (grid) => data.value?.items.find((one) => one.id === grid)?.name ?? '',
    whyOf: (fact) => message(fact.code) ?? fact.code,
  }
}
