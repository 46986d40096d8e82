// SPDX-License-Identifier: Apache-2.0
/** Shapes of division plans: a proposal, its grids and buildings, its figures beside today's. */
import type { Bilingual } from '@muster/ui'
import type { GridLevel } from './types'

export interface DistrictingPlan {
  id: string
  state: 'QUEUED' | 'RUNNING' | 'READY' | 'ADOPTED' | 'FAILED'
  area: { id: number; name: string }
  progress: { done: number; total: number } | null
  targets: { small: number; medium: number; large: number }
  measure: 'population' | 'workload'
  made_at: string
  /** The grids of the proposal, once it is there. */
  grids?: PlanGrid[]
  proposal: PlanFigures | null
  today: PlanFigures | null
  reasons: (Bilingual & { grid?: number })[]
  gap: number | null
  /** People whose grid would be another one. */
  moved_people?: number
  problem?: string | null
}

export interface PlanGrid {
  key: string
  level: GridLevel
  name: string
  people: number
  buildings: number
}

export interface PlanBuilding {
  id: string
  name: string
  street: string
  compound: string
  /** Key of the small grid it stands in, in the proposal. */
  grid: string
  people: number
}

export interface PlanFigures {
  levels: { level: GridLevel; grids: number; smallest: number; mean: number; largest: number; spread: number }[]
  populations: number[]
}
