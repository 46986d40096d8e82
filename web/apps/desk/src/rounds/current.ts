// SPDX-License-Identifier: Apache-2.0
/** The round the desk is working on: the one chosen, else the one that is running in this area. */
import { useQuery } from '@tanstack/vue-query'
import { computed, shallowRef, type ComputedRef, type Ref } from 'vue'
import { rounds } from '../api/calls'
import type { Round } from '../api/types'

const RUNNING = ['OPEN', 'CLOSING', 'ROSTER_FROZEN', 'CLOSED', 'CERTIFIED', 'PLANNED']
const chosen = shallowRef<string | null>(null)

export function useCurrentRound(): { round: ComputedRef<Round | null>; all: ComputedRef<Round[]>; chosen: Ref<string | null>; isKnown: Ref<boolean> } {
  const { data, isFetched } = useQuery({ queryKey: ['rounds'], queryFn: () => rounds.list(), staleTime: 30_000 })
  const all = computed(() => data.value?.items ?? [])
  const round = computed(() => all.value.find((one) => one.id === chosen.value) ?? mostRunning(all.value))
  return { round, all, chosen, isKnown: isFetched }
}

export function mostRunning(all: readonly Round[]): Round | null {
  const inOrder = [...all].sort(
    (a, b) => RUNNING.indexOf(a.status) - RUNNING.indexOf(b.status) || b.number - a.number,
  )
  return inOrder[0] ?? null
}
