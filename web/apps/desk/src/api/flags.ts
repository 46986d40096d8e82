// SPDX-License-Identifier: Apache-2.0
/** Records that count and should be looked at: by phone, one by one, seen, unseen again, taken back. */
import { request, type Query } from '@muster/ui'
import type { Page } from './types'

const get = <T>(path: string, query: Query = {}): Promise<T> => request<T>(path, { query })
const post = <T>(path: string, body: unknown): Promise<T> => request<T>(path, { method: 'POST', body })

/** A phone with records that count and should be looked at. */
export interface FlaggedPhone {
  device: { id: string; name: string }
  actor: string
  counts: Record<string, number>
  count: number
  newest: string
  oldest: string
  within_hour: number
  many: boolean
}

export interface Flag {
  id: string
  kind: string
  code: string
  since: string
  seq: number
  round: string | null
  grid: { id: number; name: string; name_en: string } | null
  actor: string
  door: string
  value: string
  occurred_at: string | null
  received_at: string | null
  seen_at: string | null
  seen_by: string
  resolution: string
  can_withdraw: boolean
}

export const flags = {
  phones: (seen: boolean) => get<Page<FlaggedPhone> & { counts: Record<string, number> }>('/flags', { seen }),
  of: (device: string, asked: { code: string; seen: boolean; cursor: string }) => get<Page<Flag>>(`/flags/phones/${device}`, asked),
  seen: (what: { facts?: string[]; device?: string; code?: string }) => post<{ facts: string[]; left: number }>('/flags/seen', what),
  unseen: (facts: string[]) => post<{ count: number }>('/flags/unseen', { facts }),
  correct: (fact: string, occurred_at: string) => post<{ verdict: string; code: string }>(`/flags/${fact}/correct-time`, { occurred_at }),
  withdraw: (fact: string) => post<{ verdict: string; code: string }>(`/flags/${fact}/withdraw`, {}),
}
