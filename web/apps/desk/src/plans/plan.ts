// SPDX-License-Identifier: Apache-2.0
/** A division plan: read while it grows, looked at by level, changed by moving one building, adopted. */
import { ALL_LAYERS, type Shade, type Shapes, type ShownLayers } from '@muster/map'
import { formatShare, language, offerUndo, sentence } from '@muster/ui'
import { useQuery } from '@tanstack/vue-query'
import { computed, ref, type ComputedRef, type Ref } from 'vue'
import { useRoute } from 'vue-router'
import { places, plans } from '../api/calls'
import type { DistrictingPlan, PlanBuilding, PlanGrid } from '../api/plans'
import { useBaseMap } from '../grids/gridMap'

type Id = string | number
type Level = 'SMALL' | 'MEDIUM' | 'LARGE'


export interface PlanView {
  plan: Ref<DistrictingPlan | undefined>
  error: Ref<unknown>
  again: () => void
  level: Ref<Level>
  base: ComputedRef<Shapes | null>
  proposed: ComputedRef<Shapes | null>
  today: ComputedRef<Shapes | null>
  buildings: ComputedRef<Shapes | null>
  shades: ComputedRef<Map<Id, Shade>>
  layers: ShownLayers
  picked: Ref<Id | null>
  /** Small grids of the proposal, and the buildings in it: what the list and the keyboard work with. */
  small: ComputedRef<PlanGrid[]>
  houses: ComputedRef<PlanBuilding[]>
  moving: ComputedRef<PlanBuilding | null>
  target: Ref<string | null>
  failed: Ref<unknown>
  gap: ComputedRef<string>
  pickBuilding: (id: Id | null) => void
  pickGrid: (id: Id | null) => void
  move: () => Promise<void>
  adopt: () => Promise<void>
}

const GROWING_EVERY_MS = 1_500

export function usePlan(): PlanView {
  const id = String(useRoute().params.plan)
  const level = ref<Level>('SMALL')
  const picked = ref<Id | null>(null)
  const movingId = ref<string | null>(null)
  const target = ref<string | null>(null)
  const failed = ref<unknown>(null)
  const plan = useQuery({
    queryKey: ['plan', id],
    queryFn: () => plans.one(id),
    refetchInterval: (query) => (['QUEUED', 'RUNNING'].includes(query.state.data?.state ?? '') ? GROWING_EVERY_MS : false),
  })
  const area = computed(() => plan.data.value?.area.id ?? null)
  const isReady = computed(() => plan.data.value?.state === 'READY' || plan.data.value?.state === 'ADOPTED')
  const proposed = useQuery({ queryKey: ['plan-map', id, level], queryFn: () => plans.gridMap(id, level.value), enabled: isReady })
  const today = useQuery({ queryKey: ['grid-map-today', area, level], queryFn: () => places.gridMap({ area: area.value, level: level.value }), enabled: isReady })
  const buildings = useQuery({ queryKey: ['plan-buildings', area], queryFn: () => places.buildingMap({ area: area.value }), enabled: isReady, staleTime: 60_000 })
  const listed = useQuery({ queryKey: ['plan-houses', id], queryFn: () => plans.buildings(id), enabled: isReady })
  const houses = computed(() => listed.data.value?.items ?? [])
  const moving = computed(() => houses.value.find((one) => one.id === movingId.value) ?? null)
  const small = computed(() => (plan.data.value?.grids ?? []).filter((one) => one.level === 'SMALL'))
  const shapes = computed(() => proposed.data.value ?? null)

  const again = (): void => {
    void plan.refetch()
    void proposed.refetch()
    void listed.refetch()
  }

  async function move(): Promise<void> {
    const one = moving.value
    const to = target.value
    if (!one || !to) return
    failed.value = null
    try {
      await plans.move(id, one.id, to)
      again()
      offerUndo(sentence('plans.moved', { building: one.name, grid: small.value.find((grid) => grid.key === to)?.name ?? to }), async () => {
        await plans.move(id, one.id, one.grid)
        again()
      })
      movingId.value = null
      target.value = null
    } catch (error) {
      failed.value = error
    }
  }

  return {
    plan: plan.data,
    error: plan.error,
    again,
    level,
    base: useBaseMap(area),
    proposed: shapes,
    today: computed(() => today.data.value ?? null),
    buildings: computed(() => buildings.data.value ?? null),
    shades: computed(() => bySize(shapes.value)),
    layers: { ...ALL_LAYERS, missing: false, stale: false },
    picked,
    small,
    houses,
    moving,
    target,
    failed,
    gap: computed(() => (plan.data.value?.gap === null || plan.data.value?.gap === undefined ? '' : formatShare(plan.data.value.gap * 10_000, 10_000, language.value))),
    pickBuilding: (building) => {
      movingId.value = building === null ? null : String(building)
      failed.value = null
    },
    pickGrid: (grid) => {
      picked.value = grid
      const found = shapes.value?.features.find((shape) => shape.properties.id === grid)
      // A building goes into a small grid; pressing a larger one only looks at it.
      if (level.value === 'SMALL') target.value = found ? String(found.properties.key) : null
    },
    move,
    adopt: async () => {
      await plans.adopt(id)
      offerUndo(sentence('plans.adopted'))
      again()
    },
  }
}

/** Colour by size beside the largest, so that an uneven division shows at a glance. */
export function bySize(shapes: Shapes | null): Map<Id, Shade> {
  const sized = (shapes?.features ?? []).map((shape) => ({ id: shape.properties.id as Id, size: Number(shape.properties.people ?? shape.properties.total ?? 0) }))
  const largest = Math.max(1, ...sized.map((one) => one.size))
  return new Map(sized.map(({ id, size }) => [id, { share: size / largest, missing: 0 }]))
}
