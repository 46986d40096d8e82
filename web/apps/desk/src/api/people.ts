// SPDX-License-Identifier: Apache-2.0
/** Shapes and calls of people who serve: who checked in, one person, head counts. */
import { request, type Query } from '@muster/ui'
import type { Page } from './types'

export type PeopleList = 'waiting' | 'vetted' | 'serving' | 'away' | 'to_replace' | 'ended'
export type VettingReason = 'DUPLICATE' | 'NOT_REACHED' | 'NOT_SUITABLE' | 'UNDER_AGE' | 'ENOUGH' | 'OTHER'
export type DutyStep = 'ON_DUTY' | 'STANDBY' | 'RESTING' | 'ISOLATED' | 'UNAVAILABLE' | 'RELEASED' | 'VETTED'

export interface PlaceName {
  id: number
  name: string
  name_en: string
}

export interface ResponderLine {
  id: string
  status: string
  since: string
  checked_in_at: string
  channel: string
  name: string
  phone: string | null
  grid: PlaceName | null
  home_grid: PlaceName | null
  home_area: PlaceName | null
  unit: string
  affiliations: string[]
  skills: string[]
  languages: string[]
  free_times: string[]
  certificates: { name: string; seen: boolean }[]
  minutes: number
  away_until: string | null
  open_jobs: number
  is_suspect: boolean
  age_known: boolean
  declined_reason: string
  doubles: string[]
  has_second: boolean
}

export interface ResponderPage extends ResponderLine {
  post: string
  duty: string
  external_id: string
  birth_year: number | null
  has_branch: boolean
  has_limits: boolean
  cannot?: string[]
  has_home_text: boolean
  vetted_at: string | null
  vetted_by: string
  seconds: { id: string; at: string; name: string; same_name: boolean; unit: string; skills: string[] }[]
  like: { id: string; name: string; phone: string; unit: string; status: string }[]
  timeline: { at: string; verb: string; by: string; from: string; to: string; reason: string; heard?: string | null }[]
}

export interface LeftBehind {
  items: string[]
  offers: number
  grid: PlaceName | null
  post: string
}

export interface HeadCounts extends Page<{ area: PlaceName | null; by: HeadCount[]; unlisted: { affiliation: string; people: number }[] }> {
  at: string
  may_overlap: boolean
}

export interface HeadCount {
  affiliation: string
  waiting: number
  vetted: number
  serving: number
  on_duty: number
  away: number
}

export interface AcceptedMany {
  accepted: string[]
  left: { id: string; code: string; why: string }[]
}

const post = <T = ResponderPage>(path: string, body: unknown = {}): Promise<T> => request<T>(path, { method: 'POST', body })

export const people = {
  list: (query: Query) => request<Page<ResponderLine> & { counts: Record<PeopleList, number> }>('/responders', { query }),
  one: (id: string) => request<ResponderPage>(`/responders/${id}`),
  accept: (id: string, body: { is_adult: boolean; certificates_seen: string[] }) => post(`/responders/${id}/accept`, body),
  acceptMany: (ids: readonly string[]) => post<AcceptedMany>('/responders/accept', { ids }),
  decline: (id: string, reason: VettingReason) => post(`/responders/${id}/decline`, { reason }),
  certificates: (id: string, seen: readonly string[]) => post(`/responders/${id}/certificates`, { seen }),
  second: (id: string, second: string, takeOver: boolean) => post(`/responders/${id}/seconds/${second}`, { take_over: takeOver }),
  step: (id: string, to: DutyStep) => post<ResponderPage & { left_behind: LeftBehind }>(`/responders/${id}/step`, { to }),
  reveal: (id: string, field: string, purpose: string) => post<{ value: string }>(`/responders/${id}/reveal`, { field, purpose }),
  heads: (query: Query) => request<HeadCounts>('/responders/heads', { query }),
}
