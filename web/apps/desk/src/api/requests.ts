// SPDX-License-Identifier: Apache-2.0
/** Shapes and calls of requests at the desk: the queue, one request, whom to ask. */
import type { Shapes } from '@muster/map'
import { request, type Query } from '@muster/ui'
import type { Page } from './types'

export type Urgency = 'LIFE' | 'URGENT' | 'NORMAL'
export type Step = 'resume' | 'withdraw' | 'reopen' | 'refuse/approve'

export interface RequestLine {
  id: string
  number: number
  category: string
  urgency: Urgency
  status: string
  channel: string
  language: string
  made_at: string
  respond_by: string
  finish_by: string
  is_late: boolean
  grid: { id: number; name: string } | null
  dwelling: string | null
  door: string
  name: string
  phone: string | null
  for_relative: boolean
  repeats: number
  reopened: number
  escalation: number
  is_spam: boolean
  needs_skill: string
  solved: boolean | null
}

export interface Helper {
  id: string
  name: string
  phone: string | null
  skills: string[]
  open_jobs: number
  most_jobs: number
  status: string
}

export interface Piece {
  id: string
  status: string
  what: string
  needs_skill: string
  responder: Helper | null
  accepted_at: string | null
  ended_at: string | null
  outcome: string
  note: string
  photo: string
}

export interface Asked {
  id: string
  item: string
  responder: Helper | null
  made_at: string
  lease_until: string
  status: string
  decline_reason: string
}

export interface RequestPage extends RequestLine {
  text: string
  place: string
  cannot_call: boolean
  refused_text: string
  refusal_by: string | null
  hold_reason: string
  hold_until: string | null
  pictures: string[]
  /** The desk that it was passed to, and the request that stands for this one. */
  held_by: { id: number; name: string; name_en: string } | null
  linked_to: string | null
  linked: { id: string; number: number; status: string }[]
  items: Piece[]
  offers: Asked[]
  notes: { at: string; by: string; by_resident: boolean; text: string }[]
  calls: { at: string; by: string; by_resident: boolean; result: string }[]
  timeline: { at: string; verb: string; by: string; from: string; to: string; reason: string }[]
}

export interface Suggestion {
  responder: Helper
  walk_m: number
  /** The middle of the grid he serves in. */
  at: [number, number] | null
  reasons: { code: string; text: string }[]
}

export interface Slip {
  category: string
  urgency: string
  text: string
  place: string
  name: string
  phone: string
  channel: string
  dwelling?: string | null
  /** The slip's own number: sent twice, it is one request. */
  form?: string
}

export interface Draft {
  who: string
  text: string
  phone: string
  place: string
  small_talk: boolean
  doors: { id: string; label: string; grid: number | null }[]
}

export interface Queue extends Page<RequestLine> {
  waiting: number
  late: number
}

export interface MatchLine {
  item: string
  request: string
  number: number
  responder: Helper
  walk_m: number
}

export interface Matching extends Page<MatchLine> {
  waiting: number
  /** From here on all at once is better than one by one. */
  worth_it: boolean
}

export interface Adopted {
  offered: number
  missed: { item: string; code: string }[]
}

const post = <T = unknown>(path: string, body: unknown = {}): Promise<T> => request<T>(path, { method: 'POST', body })

export const requests = {
  list: (query: Query) => request<Queue>('/requests', { query }),
  one: (id: string) => request<RequestPage>(`/requests/${id}`),
  raise: (slip: Slip) => post<RequestLine & { tracking_code: string; repeat_of: string | null }>('/requests', slip),
  drafts: (text: string) => post<Page<Draft>>('/requests/paste', { text }),
  suggestions: (id: string) => request<Page<Suggestion> & { item: string | null }>(`/requests/${id}/suggestions`),
  offer: (id: string, responders: string[]) => post(`/requests/${id}/offer`, { responders }),
  match: () => post<Matching>('/requests/match'),
  adopt: (lines: { item: string; responder: string }[]) => post<Adopted>('/requests/match/adopt', { lines }),
  onMap: (area: number | null) => request<Shapes & { without_place: number; beyond: number }>('/map/requests.geojson', { query: { area } }),
  picture: (id: string, name: string) => `/api/v1/requests/${id}/pictures/${name}`,
  triage: (id: string, body: { urgency?: string; category?: string; is_spam?: boolean }) => post(`/requests/${id}/triage`, body),
  step: (id: string, step: Step) => post(`/requests/${id}/${step}`),
  escalate: (id: string) => post(`/requests/${id}/escalate`, { text: '' }),
  hold: (id: string, reason: string, until: string) => post(`/requests/${id}/hold`, { reason, until }),
  place: (id: string, dwelling: string) => post(`/requests/${id}/place`, { dwelling }),
  transfer: (id: string, area: number) => post(`/requests/${id}/transfer`, { area }),
  link: (id: string, to: string) => post(`/requests/${id}/link`, { to }),
  piece: (id: string, what: string, needsSkill: string) => post(`/requests/${id}/items`, { what, needs_skill: needsSkill }),
  refuse: (id: string, text: string) => post(`/requests/${id}/refuse`, { text }),
  answer: (id: string, result: 'SOLVED' | 'NOT_SOLVED' | 'NO_ANSWER') => post(`/requests/${id}/answer`, { result }),
  note: (id: string, text: string) => post(`/requests/${id}/notes`, { text }),
  reveal: (id: string, field: 'phone' | 'name', purpose: string) => post<{ value: string }>(`/requests/${id}/reveal`, { field, purpose }),
}
