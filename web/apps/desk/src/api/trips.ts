// SPDX-License-Identifier: Apache-2.0
/** Shapes and calls of trips to care: the list by clock, one trip, care that comes again. */
import { request, type Query } from '@muster/ui'
import type { Page } from './types'

export type HopCode = 'HOSPITAL' | 'VEHICLE' | 'GATE' | 'LEFT' | 'ARRIVED' | 'WAY_BACK' | 'HOME'
export type Transport = 'VEHICLE' | 'AMBULANCE' | 'OWN'
export type SkipReason = 'NOT_NEEDED' | 'STAYS_THERE' | 'WENT_BY_OTHERS' | 'NOT_WANTED' | 'MOVED' | 'MISTAKE'

export interface Hop {
  code: HopCode
  due_at: string
  done_at: string | null
  skipped_at: string | null
  skip_reason: SkipReason | ''
  is_late: boolean
}

export interface TripLine {
  id: string
  number: number
  status: string
  urgency: 'LIFE' | 'URGENT' | 'NORMAL'
  kind: string
  who: string
  door: string
  grid: { id: number; name: string; name_en: string } | null
  transport: Transport
  driver: string
  be_there_at: string | null
  made_at: string
  ended_at: string | null
  next_hop: HopCode | ''
  next_due: string | null
  is_late: boolean
  is_missed: boolean
  again: boolean
  request: string | null
  cancel_reason: SkipReason | ''
  hops: Hop[]
}

export interface HospitalAsked {
  id: string
  name: string
  who: string
  answer: 'WAITING' | 'YES' | 'NO'
  asked_at: string
  answered_at: string | null
}

export interface TripPage extends TripLine {
  phone: string | null
  pick_up: string
  to_place: string
  why: string
  vehicle: string
  driver_id: string | null
  travel_minutes: number
  stay_minutes: number
  request_number: number | null
  asked: HospitalAsked[]
  timeline: { at: string; verb: string; reason: string; to: string }[]
}

export interface TripSheet {
  number: number
  who: string
  phone: string | null
  pick_up: string
  door: string
  to_place: string
  transport: Transport
  vehicle: string
  services: { zh: string; en: string }[]
  be_there_at: string | null
  gate_told: boolean
  hops: { code: HopCode; due_at: string; done_at: string | null; skipped_at: string | null }[]
  emergency: string
}

export interface Series {
  id: string
  kind: string
  who: string
  door: string
  to_place: string
  every_days: number
  time_of_day: string
  next_on: string
  transport: Transport
  closed_days: string[]
  from_need: boolean
  /** 1 Monday to 7 Sunday; where there are any, every_days says nothing. */
  weekdays: number[]
  until: string | null
  request: string | null
  days: SeriesDay[]
}

export interface SeriesDay {
  day: string
  state: 'BOOKED' | 'COMING' | 'SKIPPED'
  trip: string | null
}

/** How often: every so many days, or on days of the week. */
export interface When {
  every_days: number
  weekdays: number[]
  time_of_day: string
  first_on: string
  until: string | null
}

export interface NewSeries extends When {
  kind: string
  who: string
  to_place: string
  place: string
  phone: string
  transport: string
  grid: number | null
  request?: string
}

export interface NewTrip {
  who: string
  to_place: string
  place: string
  phone: string
  why: string
  urgency: string
  transport: string
  be_there_at: string | null
  comes_back: boolean
  has_left: boolean
  grid: number | null
  request?: string
}

export interface TripList extends Page<TripLine> {
  counts: { open: number; late: number; missed: number }
}

const post = <T = unknown>(path: string, body: unknown = {}): Promise<T> => request<T>(path, { method: 'POST', body })

export const trips = {
  list: (query: Query) => request<TripList>('/trips', { query }),
  one: (id: string) => request<TripPage>(`/trips/${id}`),
  sheet: (id: string) => request<TripSheet>(`/trips/${id}/sheet`),
  ask: (trip: NewTrip) => post<TripLine>('/trips', trip),
  done: (id: string, hop: HopCode) => post(`/trips/${id}/hops/${hop}/done`),
  skip: (id: string, hop: HopCode, reason: SkipReason) => post(`/trips/${id}/hops/${hop}/skip`, { reason }),
  undo: (id: string, hop: HopCode) => post(`/trips/${id}/hops/${hop}/undo`),
  hospital: (id: string, name: string) => post<{ id: string }>(`/trips/${id}/hospitals`, { name }),
  answer: (id: string, asked: string, answer: 'YES' | 'NO', who: string) => post(`/trips/${id}/hospitals/${asked}/answer`, { answer, who }),
  drivers: (id: string) => request<Page<{ id: string; name: string; same_grid: boolean; drives: boolean }>>(`/trips/${id}/drivers`),
  transport: (id: string, body: { transport: Transport; vehicle: string; driver: string | null }) => post(`/trips/${id}/transport`, body),
  cancel: (id: string, reason: SkipReason) => post(`/trips/${id}/cancel`, { reason }),
  sawMissed: (id: string) => post(`/trips/${id}/saw-missed`),
  reveal: (id: string, purpose: string) => post<{ value: string }>(`/trips/${id}/reveal`, { purpose }),
  series: (query: Query = {}) => request<Page<Series>>('/trip-series', { query }),
  days: (when: When) => post<{ items: string[]; has_more: boolean }>('/trip-series/days', when),
  again: (series: NewSeries) => post<Series>('/trip-series', series),
  skipDay: (id: string, day: string) => post(`/trip-series/${id}/skip`, { day }),
  keepDay: (id: string, day: string) => post(`/trip-series/${id}/keep`, { day }),
  closedDay: (id: string, day: string) => post(`/trip-series/${id}/closed-day`, { day }),
  stop: (id: string) => post(`/trip-series/${id}/stop`),
}
