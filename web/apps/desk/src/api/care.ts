// SPDX-License-Identifier: Apache-2.0
/** Quiet people to call, and what an elder lets a relative hear. */
import { request } from '@muster/ui'
import type { RequestLine } from './requests'
import type { Page } from './types'

export interface Quiet {
  person: string
  name: string
  phone: string | null
  dwelling: string | null
  door: string
  services: string[]
  heard_at: string
  due_at: string
  /** Calls in a row that nobody answered. */
  unanswered: number
}

export type CallResult = 'WELL' | 'HELP' | 'NO_ANSWER'

export interface CareGrant {
  id: string
  relative: string
  given: 'PHONE' | 'COUNTER' | 'WORKER' | 'WEB'
  given_at: string
  ends_at: string
  revoked_at: string | null
}

const post = <T>(path: string, body: unknown = {}): Promise<T> => request<T>(path, { method: 'POST', body })

export const care = {
  quiet: () => request<Page<Quiet>>('/calls'),
  called: (person: string, result: CallResult, text: string) => post<{ request: RequestLine | null }>(`/calls/${person}`, { result, text }),
  grants: (dwelling: string) => request<Page<CareGrant>>('/care-grants', { query: { dwelling } }),
  give: (body: { dwelling: string; person: string; relative_name: string; given: string }) => post<CareGrant & { code: string }>('/care-grants', body),
  revoke: (id: string) => post<CareGrant>(`/care-grants/${id}/revoke`),
}
