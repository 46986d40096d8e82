// SPDX-License-Identifier: Apache-2.0
/** Teams and temporary command units: shapes and calls. */
import { request, type Query } from '@muster/ui'
import type { PlacedPerson, PlaceName } from './placement'
import type { Page } from './types'

export interface TeamLine {
  id: string
  kind: string
  name: string
  name_en: string
  area: PlaceName
  head: PlacedPerson | null
  members_count: number
  open_places: number
  keeps_together: boolean
  starts_at: string
  ends_at: string | null
}

export interface TeamPlace {
  id: string
  code: string
  place: string
  duty: string
  since: string
  holder: PlacedPerson | null
}

export interface Team extends TeamLine {
  members: { since: string; responder: PlacedPerson }[]
  places: TeamPlace[]
}

export interface CommandUnit {
  id: string
  name: string
  head_name: string
  head_unit: string
  phone: string
  members: string[]
  area: PlaceName
  starts_at: string
  ends_at: string
  stands: boolean
}

export interface NewUnit {
  area: number
  name: string
  head_name: string
  head_unit: string
  phone: string
  members: string[]
  starts_at: string
  ends_at: string
}

const get = <T>(path: string, query: Query = {}): Promise<T> => request<T>(path, { query })
const post = <T>(path: string, body: unknown = {}): Promise<T> => request<T>(path, { method: 'POST', body })
const remove = <T>(path: string): Promise<T> => request<T>(path, { method: 'DELETE' })

export const teams = {
  list: (query: Query) => get<Page<TeamLine>>('/teams', query),
  one: (id: string) => get<Team>(`/teams/${id}`),
  make: (body: { area: number; kind: string; name: string; name_en: string; keeps_together: boolean }) => post<Team>('/teams', body),
  join: (id: string, responders: string[]) => post<Team>(`/teams/${id}/members`, { responders }),
  leave: (id: string, responder: string) => remove<Team>(`/teams/${id}/members/${responder}`),
  head: (id: string, responder: string) => post<Team>(`/teams/${id}/head`, { responder }),
  addPlace: (id: string, body: { code: string; place: string; holder: string | null }) => post<Team>(`/teams/${id}/places`, body),
  givePlace: (id: string, place: string, holder: string | null) => post<Team>(`/teams/${id}/places/${place}`, { holder }),
  endPlace: (id: string, place: string) => remove<Team>(`/teams/${id}/places/${place}`),
  end: (id: string) => post<Team>(`/teams/${id}/end`),
}

export const commandUnits = {
  list: (area: number | null) => get<Page<CommandUnit>>('/command-units', { area }),
  form: (body: NewUnit) => post<CommandUnit>('/command-units', body),
  end: (id: string) => post<CommandUnit>(`/command-units/${id}/end`),
}
