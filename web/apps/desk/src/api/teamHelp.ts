// SPDX-License-Identifier: Apache-2.0
/** Shapes and calls of teams that help with a problem or a conflict. */
import { request } from '@muster/ui'
import type { Page } from './types'

export interface TeamName {
  id: string
  name: string
  name_en: string
  kind: string
}

export interface TeamHelp {
  id: string
  team: TeamName | null
  asked_at: string
  answer_by: string
  taken_at: string | null
  ended_at: string | null
  is_solved: boolean | null
  is_late: boolean
}

type Told = Page<TeamHelp> & { teams: TeamName[] }

const post = (path: string, body: unknown): Promise<Told> => request<Told>(path, { method: 'POST', body })

export const teamHelp = {
  read: (id: string) => request<Told>(`/requests/${id}/team-help`),
  ask: (id: string, team: string) => post(`/requests/${id}/team-help`, { team }),
  step: (id: string, help: string, to: 'TAKEN_UP' | 'SOLVED' | 'NOT_SOLVED') => post(`/requests/${id}/team-help/${help}`, { to }),
}
