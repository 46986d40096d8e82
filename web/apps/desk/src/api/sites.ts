// SPDX-License-Identifier: Apache-2.0
/** Sites that live alone, and facts that come as files. */
import { request } from '@muster/ui'

export interface Site {
  id: string
  name: string
  grids: number
  prepared_at: string
  until: string
  heard_at: string | null
  waiting: number
  waiting_since: string | null
  batches: number
  revoked_at: string | null
}

export interface OtherVerdict {
  fact: string
  verdict: string
  code: string
  since: string
  grid: number | null
}

export interface StuckBatch {
  batch: string
  device: string
  code: string
  since: string
  tried_at: string
}

/** How this house stands with its city, where it is a site itself. */
export interface Home {
  name: string
  city: string
  grids: number
  until: string
  waiting: number
  waiting_since: string | null
  passed_batches: number
  passed_facts: number
  reached_at: string | null
  next_try_at: string | null
  brought_at: string | null
  trouble: string
  others: OtherVerdict[]
  stuck_batches: StuckBatch[]
  /** What was recorded here and is not passed on, by its sort. */
  stays: Record<'requests' | 'trips' | 'people' | 'pictures' | 'offers' | 'imports', number>
}

export interface CarriedPhone {
  device: string | null
  name: string
  actor: string
  batches: number
  facts: string[]
  refused: string[]
}

export type Verdicts = Record<string, number>

export const sites = {
  list: () => request<{ items: Site[]; count: number; home: Home | null }>('/sites', {}),
  revoke: (id: string) => request(`/sites/${id}/revoke`, { method: 'POST', body: {} }),
  carry: (content: unknown) => request<{ phones: CarriedPhone[] }>('/fact-files', { method: 'POST', body: content }),
  verdicts: (phones: { device: string; facts: string[] }[]) =>
    request<{ phones: { device: string; verdicts: Verdicts }[] }>('/fact-files/verdicts', { method: 'POST', body: { phones } }),
}
