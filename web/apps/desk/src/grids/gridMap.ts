// SPDX-License-Identifier: Apache-2.0
/** Shapes and colours of the grids of an area, for the map beside a list. */
import type { Shade, Shapes } from '@muster/map'
import { isStale } from '@muster/ui'
import { useQuery } from '@tanstack/vue-query'
import { computed, type ComputedRef, type Ref } from 'vue'
import { places } from '../api/calls'
import type { Round } from '../api/types'

export function useGridMap(
  area: Readonly<Ref<number | null>>,
  level: Readonly<Ref<string>>,
  round: Readonly<Ref<Round | null>>,
): { base: ComputedRef<Shapes | null>; shapes: ComputedRef<Shapes | null>; shades: ComputedRef<Map<number, Shade>> } {
  const base = useBaseMap(area)
  const grids = useQuery({
    queryKey: ['grid-map', area, level, computed(() => round.value?.id)],
    queryFn: () => places.gridMap({ area: area.value, level: level.value, round: round.value?.id }),
    refetchInterval: 30_000,
    structuralSharing: true,
  })
  return { base, shapes: computed(() => grids.data.value ?? null), shades: computed(() => shadesOf(grids.data.value ?? null, round.value?.opened_at)) }
}

export function useBaseMap(area: Readonly<Ref<number | null>>): ComputedRef<Shapes | null> {
  const { data } = useQuery({ queryKey: ['base-map', area], queryFn: () => places.baseMap(area.value), staleTime: Infinity })
  return computed(() => data.value ?? null)
}

export function shadesOf(shapes: Shapes | null, openedAt?: string | null): Map<number, Shade> {
  return new Map(
    (shapes?.features ?? []).map((shape) => {
      const { id, done, missing, total, fresh } = shape.properties
      const all = Number(total ?? 0)
      // Whoever is not missing has a result or a written word: that is what the colour says.
      const share = all > 0 && done !== undefined ? (all - Number(missing ?? 0)) / all : null
      return [Number(id), { share, missing: Number(missing ?? 0), stale: isStale({ freshAt: Number(fresh ?? 0), openedAt, left: Number(missing ?? 0) }, Date.now()) }]
    }),
  )
}
