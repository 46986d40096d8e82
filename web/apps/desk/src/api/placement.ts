// SPDX-License-Identifier: Apache-2.0
/** Placement: who serves where. Shapes and calls. */
import { request, type Bilingual, type Query } from '@muster/ui'
import type { Page } from './types'

export type PlacementState =
  | 'QUEUED' | 'RUNNING' | 'READY' | 'FAILED' | 'ADOPTING' | 'PARTLY' | 'ADOPTED' | 'TAKING_BACK' | 'TAKEN_BACK'

export interface PlaceName {
  id: number
  name: string
  name_en: string
}

export type Said = Bilingual & { code: string }

export interface PlacementShort {
  id: string
  state: PlacementState
  version: number
  area: PlaceName
  reach_m: number
  made_at: string
  after: string | null
  progress: { stage: 'read' | 'solve' | 'adopt' | 'take_back'; done: number; total: number } | null
  adopted_at: string | null
  taken_back_at: string | null
  problem: Said | null
  may_adopt: boolean
  may_take_back: boolean
  needed: number | null
  missing: number | null
  placed: number | null
}

export interface PlacementFigures {
  people: number
  placed: number
  needed: number
  filled: number
  missing: number
  held: number
  own_grid: number
  own_area: number
  stay: number
  moved: number
  new: number
  stood_down: number
  by_hand?: number
  walk: { mean: number; median: number; p90: number; largest: number }
  walks: number[]
  walk_edges: number[]
  gap: number
  proved: boolean
}

export interface PostWords {
  type: string
  skills: string[]
  strains: string[]
  name: Bilingual
  duty: Bilingual
}

export interface PlacementLine {
  post: string
  need: number
  placed: number
  held: number
  missing: number
  reason: Said | null
}

export interface PlacementGrid {
  id: number
  grid: PlaceName | null
  needed: number
  placed: number
  today: number
  missing: number
  walk_m: number
  lines: PlacementLine[]
}

export interface PlacedPerson {
  id: string
  name: string
  skills: string[]
  cannot: string[]
  status: string
  affiliation: string
  unit: string
}

export interface PlacementPlan extends PlacementShort {
  figures: PlacementFigures | null
  short: PlacementGrid[]
  short_count?: number
  worst: { responder: PlacedPerson | null; grid: PlaceName | null; walk_m: number }[]
  reserve: (Said & { count: number })[]
  dropped_pins?: { responder: PlacedPerson | null; grid: PlaceName | null }[]
  wishes?: { pins?: number; bars?: number; out?: number }
  posts?: PostWords[]
}

export interface PlacementSeat {
  id: string
  number: number
  responder: PlacedPerson | null
  grid: PlaceName | null
  post: string
  walk_m: number
  home: PlaceName | null
  today: PlaceName | null
  today_post: string
  is_new: boolean
  moves: boolean
  pinned: boolean
  left_out: boolean
  barred: number[]
  state: 'PROPOSED' | 'ADOPTED' | 'SKIPPED' | 'TAKEN_BACK' | 'KEPT'
  reason: Said | null
}

export interface PlacementPreview {
  version: number
  area: PlaceName
  people: number
  new: number
  moved: number
  stay: number
  stood_down: number
  changed: number
  changed_people: PlacementSeat[]
}

export interface PlacementSheet extends Page<{ grid: number; post: string; name: string; walk_m: number }> {
  grids: (PlaceName & { meet: string; head: string; phone: string })[]
  posts: PostWords[]
}

const BASE = '/placement/plans'
const get = <T>(path: string, query: Query = {}): Promise<T> => request<T>(`${BASE}${path}`, { query })
const post = <T>(path: string, body: unknown = {}): Promise<T> => request<T>(`${BASE}${path}`, { method: 'POST', body })

export const placement = {
  list: (area: number | null) => get<Page<PlacementShort>>('', { area }),
  propose: (body: { area: number; reach_m: number }) => post<PlacementShort>('', body),
  one: (id: string) => get<PlacementPlan>(`/${id}`),
  grids: (id: string, query: Query) => get<Page<PlacementGrid>>(`/${id}/grids`, query),
  seats: (id: string, query: Query) => get<Page<PlacementSeat>>(`/${id}/seats`, query),
  sheet: (id: string, query: Query) => get<PlacementSheet>(`/${id}/sheet`, query),
  move: (id: string, body: { responder: string; grid: number | null; post: string }) => post(`/${id}/move`, body),
  ban: (id: string, body: { responder: string; grid: number }) => post(`/${id}/ban`, body),
  free: (id: string, body: { responder: string }) => post(`/${id}/free`, body),
  again: (id: string) => post<PlacementShort>(`/${id}/again`),
  preview: (id: string, area: number | null) => get<PlacementPreview>(`/${id}/change`, { area }),
  adopt: (id: string, body: { version: number; area: number | null; without_changed: boolean }) => post<PlacementShort>(`/${id}/adopt`, body),
  takeBack: (id: string, version: number) => post<PlacementShort>(`/${id}/take-back`, { version }),
}
