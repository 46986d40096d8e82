// SPDX-License-Identifier: Apache-2.0
/** Shapes and colours of the grids of an area, for the map beside a list. */
import type { Shade, Shapes } from '@muster/map'
import { useQuery } from '@tanstack/vue-query'
import { computed, type ComputedRef, type Ref } from 'vue'
import { places } from '../api/calls'

export function useGridMap(
  area: Readonly<Ref<number | null>>,
  level: Readonly<Ref<string>>,
  round: Readonly<Ref<string | null>>,
): { base: ComputedRef<Shapes | null>; shapes: ComputedRef<Shapes | null>; shades: ComputedRef<Map<number, Shade>> } {
  const base = useBaseMap(area)
  const grids = useQuery({
    queryKey: ['grid-map', area, level, round],
    queryFn: () => places.gridMap({ area: area.value, level: level.value, round: round.value }),
    refetchInterval: 30_000,
    structuralSharing: true,
  })
  return { base, shapes: computed(() => grids.data.value ?? null), shades: computed(() => shadesOf(grids.data.value ?? null)) }
}

export function useBaseMap(area: Readonly<Ref<number | null>>): ComputedRef<Shapes | null> {
  const { data } = useQuery({ queryKey: ['base-map', area], queryFn: () => places.baseMap(area.value), staleTime: Infinity })
  return computed(() => data.value ?? null)
}

export function shadesOf(shapes: Shapes | null): Map<number, Shade> {
  return new Map(
    (shapes?.features ?? []).map((shape) => {
      const { id, done, missing, total, fresh } = shape.properties
      const all = Number(total ?? 0)
      // Whoever is not missing has a result or a written word: that is what the colour says.
      const share = all > 0 && done !== undefined ? (all - Number(missing ?? 0)) / all : null
      return [Number(id), { share, missing: Number(missing ?? 0), stale: isStale(Number(fresh ?? 0), Number(missing ?? 0), Date.now()) }]
    }),
  )
}

const STALE_AFTER_S = 2 * 3600

/** Work is left and nothing was heard for two hours; a grid without a round is not stale, it is not begun. */
export function isStale(freshAtSeconds: number, missing: number, now: number): boolean {
  return missing > 0 && freshAtSeconds > 0 && now / 1000 - freshAtSeconds > STALE_AFTER_S
}
