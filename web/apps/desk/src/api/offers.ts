// SPDX-License-Identifier: Apache-2.0
/** Shapes and calls of offers of help: looked at, matched, given, returned. */
import { request, type Query } from '@muster/ui'
import type { Reason, Step } from './reinforcement'
import type { RequestLine } from './requests'
import type { Page } from './types'

export interface OfferLine {
  id: string
  number: number
  category: string
  giver_kind: string
  organisation: string
  what: string
  name: string
  phone: string | null
  quantity: number
  left: number
  starts_at: string
  ends_at: string
  status: string
  is_over: boolean
  made_at: string
  grid: { id: number; name: string; name_en: string } | null
  warnings: Reason[]
}

export interface HelpMatch {
  id: string
  quantity: number
  status: string
  made_at: string
  request: RequestLine | null
  need: string | null
}

export interface OfferPage extends OfferLine {
  answer: string
  checks: string[]
  checks_needed: string[]
  is_lent: boolean
  only_noted: boolean
  matches: HelpMatch[]
  timeline: Step[]
}

export interface Wanted {
  request: RequestLine | null
  need: { id: string; service: string; grid: { id: number; name: string; name_en: string } | null } | null
  reasons: Reason[]
}

export interface NewOffer {
  category: string
  quantity: number
  what: string
  place: string
  giver_kind: string
  organisation: string
  name: string
  phone: string
  grid: number
}

/** Offers beside a request: what fits, what is kept for it (of what lies elsewhere without its giver), what was seen not to fit. */
export interface HelpPage {
  items: { offer: OfferLine; reasons: Reason[] }[]
  kept: { id: string; quantity: number; status: string; category: string; offer: OfferLine | null; is_lent: boolean }[]
  unfit: OfferLine[]
}

const post = <T = unknown>(path: string, body: unknown = {}): Promise<T> => request<T>(path, { method: 'POST', body })

export const offers = {
  list: (query: Query) => request<Page<OfferLine>>('/offers', { query }),
  one: (id: string) => request<OfferPage>(`/offers/${id}`),
  make: (offer: NewOffer) => post<OfferLine & { tracking_code: string }>('/offers', offer),
  suggestions: (id: string) => request<Page<Wanted>>(`/offers/${id}/suggestions`),
  beside: (request_: string) => request<HelpPage>(`/requests/${request_}/help`),
  sayFits: (request_: string, id: string, fits: boolean) => post<HelpPage>(`/requests/${request_}/help/${id}/${fits ? 'fits' : 'unfit'}`),
  accept: (id: string, checks: string[]) => post<OfferPage>(`/offers/${id}/accept`, { checks }),
  decline: (id: string, text: string) => post<OfferPage>(`/offers/${id}/decline`, { text }),
  withdraw: (id: string) => post<OfferPage>(`/offers/${id}/withdraw`),
  match: (id: string, body: { request?: string; need?: string; quantity: number }) => post<OfferPage>(`/offers/${id}/match`, body),
  step: (id: string, match: string, to: string) => post<OfferPage>(`/offers/${id}/matches/${match}`, { to }),
  reveal: (id: string, field: 'name' | 'phone' | 'place', purpose: string) => post<{ value: string }>(`/offers/${id}/reveal`, { field, purpose }),
}
