// SPDX-License-Identifier: Apache-2.0
/** Every call the desk makes, one function each, by the noun it is about. */
import { address, request, type Query } from '@muster/ui'
import type { Shapes } from '@muster/map'
import type { DistrictingPlan, PlanBuilding } from './plans'
import type {
  Area, BuildingProgress, Campaign, CampaignKind, Certificate, Coverage, Device, Disclosure, DwellingPage, DwellingRow,
  EnrolCode, FieldConflict, Found, Grid, GridPage, HeldFact, ImportJob, InboxItem, MissingEntry, Page, PersonPage, PersonRow, Pack,
  Round, RoundStep, Session, Stairwell, TimelineItem, BuildingRow,
} from './types'
import type { DuplicatePair, Judgement, PairLine } from './duplicates'

const get = <T>(path: string, query: Query = {}): Promise<T> => request<T>(path, { query })
const post = <T = unknown>(path: string, body: unknown = {}): Promise<T> => request<T>(path, { method: 'POST', body })
const put = <T = unknown>(path: string, body: unknown): Promise<T> => request<T>(path, { method: 'PUT', body })
const remove = (path: string): Promise<unknown> => request(path, { method: 'DELETE' })

export const sessions = {
  read: () => get<Session>('/session'),
  pack: () => get<Pack>('/packs/current'),
  signIn: (username: string, password: string) => post<Session>('/session', { username, password }),
  signOut: () => remove('/session'),
}

export const places = {
  children: (parent: number | 'root') => get<Page<Area>>('/areas', { parent }),
  area: (id: number) => get<Area>(`/areas/${id}`),
  baseMap: (area: number | null) => get<Shapes>('/map/base.geojson', { area }),
  gridMap: (query: Query) => get<Shapes>('/map/grids.geojson', query),
  buildingMap: (query: Query) => get<Shapes>('/map/buildings.geojson', query),
}

export const grids = {
  list: (query: Query) => get<Page<Grid>>('/grids', query),
  one: (id: number) => get<GridPage>(`/grids/${id}`),
  addPost: (id: number, body: { type: string; name: string; phone: string; duty: string }) => post(`/grids/${id}/posts`, body),
  /** What hangs at the post of a grid, to be scanned on arrival. */
  postCode: (id: number) => get<{ code: string }>(`/grids/${id}/post-code`),
  removePost: (id: number, postId: string) => remove(`/grids/${id}/posts/${postId}`),
  makeCode: (id: number, worker: string) => post<EnrolCode>(`/grids/${id}/enrol-codes`, { worker_name: worker }),
}

export const devices = {
  list: (area: number | null) => get<Page<Device>>('/devices', { area }),
  revoke: (id: string) => post(`/devices/${id}/revoke`),
}

export const campaigns = {
  list: () => get<Page<Campaign>>('/campaigns'),
  create: (body: { name: string; kind: string; area: number }) => post<{ id: string }>('/campaigns', body),
  kinds: () => get<{ items: CampaignKind[] }>('/campaign-kinds'),
  addKind: (kind: CampaignKind) => post<CampaignKind>('/campaign-kinds', { key: kind.key, definition: kind }),
  changeKind: (kind: CampaignKind) => put<CampaignKind>(`/campaign-kinds/${kind.key}`, { key: kind.key, definition: kind }),
}

export const rounds = {
  list: (query: Query = {}) => get<Page<Round>>('/rounds', query),
  one: (id: string) => get<Round>(`/rounds/${id}`),
  create: (body: { campaign: string; name: string; opens_at: string; closes_at: string }) => post<Round>('/rounds', body),
  move: (id: string, step: RoundStep) => post<Round>(`/rounds/${id}/${step}`),
  coverage: (id: string, query: Query) => get<Coverage>(`/rounds/${id}/coverage`, query),
  missing: (id: string, query: Query) => get<Page<MissingEntry>>(`/rounds/${id}/missing`, query),
  buildings: (id: string, query: Query) => get<Page<BuildingProgress>>(`/rounds/${id}/buildings`, query),
  certificate: (id: string, grid: number) => get<Certificate>(`/rounds/${id}/grids/${grid}/certificate`),
  sign: (id: string, grid: number, reservations: string) => post<Certificate>(`/rounds/${id}/grids/${grid}/certificate`, { reservations }),
  record: (id: string, facts: unknown[]) => post<{ verdicts: { id: string; verdict: string; code: string | null }[] }>(`/rounds/${id}/facts`, { facts }),
}

export const register = {
  stairwell: (building: string, round: string | null) => get<Stairwell>(`/buildings/${building}/stairwell`, { round }),
  buildings: (query: Query) => get<Page<BuildingRow>>('/register/buildings', query),
  dwellings: (query: Query) => get<Page<DwellingRow>>('/register/dwellings', query),
  dwelling: (id: string) => get<DwellingPage>(`/register/dwellings/${id}`),
  persons: (query: Query) => get<Page<PersonRow>>('/register/persons', query),
  person: (id: string) => get<PersonPage>(`/register/persons/${id}`),
  timeline: (id: string) => get<Page<TimelineItem>>(`/register/persons/${id}/timeline`),
  disclosures: (id: string) => get<Page<Disclosure>>(`/register/persons/${id}/disclosures`),
  reveal: (id: string, field: string, purpose: string) => post<{ value: string }>(`/register/persons/${id}/reveal`, { field, purpose }),
  search: (q: string) => get<{ items: Found[] }>('/search', { q }),
}

export const duplicates = {
  list: (query: Query) => get<Page<PairLine>>('/register/duplicates', query),
  one: (id: string) => get<DuplicatePair>(`/register/duplicates/${id}`),
  judge: (id: string, judgement: Judgement) => post<DuplicatePair>(`/register/duplicates/${id}/judge`, judgement),
  undo: (id: string) => post<DuplicatePair>(`/register/duplicates/${id}/undo`),
}

export const inbox = { list: () => get<Page<InboxItem>>('/inbox') }

export const transfer = {
  list: () => get<Page<ImportJob>>('/imports'),
  one: (id: string) => get<ImportJob>(`/imports/${id}`),
  upload: (kind: string, file: File, choices: { update: boolean; createDoors: boolean }) => {
    const form = new FormData()
    form.set('kind', kind)
    form.set('update', String(choices.update))
    form.set('create_doors', String(choices.createDoors))
    form.set('file', file)
    return post<{ id: string }>('/imports', form)
  },
  commit: (id: string) => post(`/imports/${id}/commit`),
  undo: (id: string) => post(`/imports/${id}/undo`),
  template: (kind: string, form: 'xlsx' | 'csv') => address(`/imports/template/${kind}.${form}`),
  report: (id: string) => address(`/imports/${id}/report.xlsx`),
  export: (kind: string, form: 'xlsx' | 'csv', query: Query = {}) => address(`/exports/${kind}.${form}`, query),
}

export const plans = {
  list: (area: number | null) => get<Page<DistrictingPlan>>('/plans', { area }),
  start: (body: { area: number; targets: DistrictingPlan['targets']; measure: string }) => post<{ id: string }>('/plans/districting', body),
  one: (id: string) => get<DistrictingPlan>(`/plans/${id}`),
  gridMap: (id: string, level: string) => get<Shapes>(`/plans/${id}/grids.geojson`, { level }),
  buildings: (id: string) => get<{ items: PlanBuilding[] }>(`/plans/${id}/buildings`),
  move: (id: string, building: string, to: string) => post<DistrictingPlan>(`/plans/${id}/move`, { building, to }),
  adopt: (id: string) => post(`/plans/${id}/adopt`),
}

export const held = {
  conflict: (fact: string) => get<FieldConflict>(`/held/${fact}/conflict`),
  list: (area: number | null) => get<Page<HeldFact>>('/held', { area }),
  resolve: (fact: string, action: 'retry' | 'dismiss' | 'take') => post<{ verdict: string; code: string | null }>(`/held/${fact}/resolve`, { action }),
}
