// SPDX-License-Identifier: Apache-2.0
/** A placement plan: read while it grows, shaded on the map as it is today and as it would be. */
import { ALL_LAYERS, type Shade, type Shapes, type ShownLayers } from '@muster/map'
import { useQuery } from '@tanstack/vue-query'
import { computed, ref, type ComputedRef, type Ref } from 'vue'
import { useRoute } from 'vue-router'
import { places } from '../api/calls'
import { placement, type PlacementGrid, type PlacementPlan, type PlacementSeat } from '../api/placement'
import { useBaseMap } from '../grids/gridMap'
import { allRows } from '../lists/pages'
import { hasProposal, isMoving } from './words'

const GROWING_EVERY_MS = 1_500
/** Above so many grids a map says less than a list. */
const MOST_ON_MAP = 1_500

export interface PlacementView {
  plan: Ref<PlacementPlan | undefined>
  error: Ref<unknown>
  again: () => void
  base: ComputedRef<Shapes | null>
  shapes: ComputedRef<Shapes | null>
  shades: ComputedRef<Map<number, Shade>>
  layers: ShownLayers
  picked: Ref<number | null>
  side: Ref<'today' | 'plan'>
  seat: Ref<PlacementSeat | null>
  isTooWide: ComputedRef<boolean>
}

export function usePlacement(): PlacementView {
  const route = useRoute()
  const id = computed(() => String(route.params.plan))
  const picked = ref<number | null>(null)
  const side = ref<'today' | 'plan'>('plan')
  const seat = ref<PlacementSeat | null>(null)
  const plan = useQuery({
    queryKey: ['placement', id],
    queryFn: () => placement.one(id.value),
    refetchInterval: (query) => (isMoving(query.state.data?.state) ? GROWING_EVERY_MS : false),
  })
  const area = computed(() => plan.data.value?.area.id ?? null)
  const isReady = computed(() => hasProposal(plan.data.value?.state))
  const head = useQuery({ queryKey: ['placement-grids', id, 'count'], queryFn: () => placement.grids(id.value, { limit: 1 }), enabled: isReady })
  const isTooWide = computed(() => (head.data.value?.count ?? 0) > MOST_ON_MAP)
  const isDrawn = computed(() => isReady.value && head.data.value !== undefined && !isTooWide.value)
  const grids = useQuery({
    queryKey: ['placement-grids', id, 'all', computed(() => plan.data.value?.version)],
    queryFn: () => allRows((cursor) => placement.grids(id.value, { cursor, limit: 500 })),
    enabled: isDrawn,
  })
  const shapes = useQuery({ queryKey: ['grid-map-today', area, 'SMALL'], queryFn: () => places.gridMap({ area: area.value, level: 'SMALL' }), enabled: isDrawn })
  return {
    plan: plan.data,
    error: plan.error,
    again: () => {
      void plan.refetch()
      void grids.refetch()
    },
    base: useBaseMap(area),
    shapes: computed(() => shapes.data.value ?? null),
    shades: computed(() => shadesOf(grids.data.value ?? [], side.value)),
    layers: { ...ALL_LAYERS, missing: true, stale: false },
    picked,
    side,
    seat,
    isTooWide,
  }
}

/** How far the posts of each grid are filled: by the plan, or as it is today. */
export function shadesOf(grids: readonly PlacementGrid[], side: 'today' | 'plan'): Map<number, Shade> {
  return new Map(
    grids.map((one) => {
      const missing = side === 'plan' ? one.missing : Math.max(0, one.needed - one.today)
      return [one.id, { share: one.needed ? (one.needed - missing) / one.needed : null, missing }]
    }),
  )
}
