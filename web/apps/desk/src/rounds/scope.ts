// SPDX-License-Identifier: Apache-2.0
/** Which part of a round is shown: an area or one grid; kept in the address so that every number can be linked to. */
import { useQuery } from '@tanstack/vue-query'
import { computed, type ComputedRef, type Ref } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { rounds } from '../api/calls'
import type { Coverage, Round } from '../api/types'
import { areaId } from '../shell/place'
import { changedQuery } from '../shell/query'

export interface RoundScope {
  id: ComputedRef<string>
  round: Ref<Round | undefined>
  coverage: Ref<Coverage | undefined>
  error: ComputedRef<unknown>
  query: ComputedRef<{ area: number | null; grid: number | null }>
  again: () => void
  go: (change: Record<string, string | number | null>) => void
  asked: (name: string) => string | null
}

const FREEZING_EVERY_MS = 1_000

export function useRoundScope(): RoundScope {
  const route = useRoute()
  const router = useRouter()
  const id = computed(() => String(route.params.id ?? ''))
  const asked = (name: string): string | null => {
    const value = route.query[name]
    return typeof value === 'string' && value !== '' ? value : null
  }
  const round = useQuery({ queryKey: ['round', id], queryFn: () => rounds.one(id.value), refetchInterval: (query) => (query.state.data?.freezing ? FREEZING_EVERY_MS : 10_000) })
  const query = computed(() => {
    const grid = Number(asked('grid')) || null
    return { grid, area: grid ? null : Number(asked('area')) || areaId.value }
  })
  const coverage = useQuery({
    queryKey: ['coverage', id, query],
    queryFn: () => rounds.coverage(id.value, query.value),
    refetchInterval: 5_000,
    placeholderData: (before: Coverage | undefined) => before,
  })
  return {
    id,
    round: round.data,
    coverage: coverage.data,
    error: computed(() => round.error.value ?? coverage.error.value),
    query,
    asked,
    again: () => {
      void round.refetch()
      void coverage.refetch()
    },
    go: (change) => {
      void router.push({ query: changedQuery(route.query, change) })
    },
  }
}
