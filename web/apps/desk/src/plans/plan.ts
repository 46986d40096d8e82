// SPDX-License-Identifier: Apache-2.0
/** A division plan: read while it grows, looked at by level, changed by moving one building, adopted. */
import { ALL_LAYERS, type Shade, type Shapes, type ShownLayers } from '@muster/map'
import { formatShare, language, offerUndo, sentence } from '@muster/ui'
import { useQuery } from '@tanstack/vue-query'
import { computed, ref, type ComputedRef, type Ref } from 'vue'
import { useRoute } from 'vue-router'
import { places, plans } from '../api/calls'
import type { DistrictingPlan } from '../api/types'
import { useBaseMap } from '../grids/gridMap'

type Id = string | number
type Level = 'SMALL' | 'MEDIUM' | 'LARGE'

export interface MovingBuilding {
  id: string
  name: string
  /** Key of the small grid it stands in now. */
  from: string | null
}

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
  moving: Ref<MovingBuilding | null>
  target: ComputedRef<{ key: string; name: string } | null>
  failed: Ref<unknown>
  gap: ComputedRef<string>
  pickBuilding: (id: Id) => void
  pickGrid: (id: Id | null) => void
  move: () => Promise<void>
  adopt: () => Promise<void>
}

const GROWING_EVERY_MS = 1_500

export function usePlan(): PlanView {
  const id = String(useRoute().params.plan)
  const level = ref<Level>('SMALL')
  const picked = ref<Id | null>(null)
  const moving = ref<MovingBuilding | null>(null)
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
  const smallOf = useQuery({ queryKey: ['plan-small-of', id], queryFn: () => plans.smallOf(id), enabled: isReady })
  const shapes = computed(() => proposed.data.value ?? null)

  const again = (): void => {
    void plan.refetch()
    void proposed.refetch()
    void smallOf.refetch()
  }

  const target = computed(() => {
    const found = shapes.value?.features.find((shape) => shape.properties.id === picked.value)
    return found ? { key: String(found.properties.key), name: String(found.properties.name) } : null
  })

  async function move(): Promise<void> {
    const one = moving.value
    const to = target.value
    if (!one || !to) return
    failed.value = null
    try {
      await plans.move(id, one.id, to.key)
      again()
      const { from } = one
      offerUndo(sentence('plans.moved', { building: one.name, grid: to.name }), from === null ? null : async () => {
        await plans.move(id, one.id, from)
        again()
      })
      moving.value = null
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
    moving,
    target,
    failed,
    gap: computed(() => (plan.data.value?.gap === null || plan.data.value?.gap === undefined ? '' : formatShare(plan.data.value.gap * 10_000, 10_000, language.value))),
    pickBuilding: (building) => {
      const found = buildings.data.value?.features.find((shape) => shape.properties.id === building)
      moving.value = { id: String(building), name: String(found?.properties.name ?? building), from: smallOf.data.value?.small_of[String(building)] ?? null }
    },
    pickGrid: (grid) => {
      picked.value = grid
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
