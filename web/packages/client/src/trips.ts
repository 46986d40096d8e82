// SPDX-License-Identifier: Apache-2.0
/** Trips that this phone's holder drives, and what he was told; the lease is the key. */
import type { Bilingual } from '@muster/rules'
import type { JobsAnswer, JobsOptions } from './jobs'

export type WayHop = 'LEFT' | 'ARRIVED' | 'WAY_BACK' | 'HOME'

export interface Driven {
  id: string
  number: number
  status: string
  urgency: 'LIFE' | 'URGENT' | 'NORMAL'
  who: string
  phone: string | null
  pick_up: string
  door: string
  to_place: string
  vehicle: string
  services: Bilingual[]
  be_there_at: string | null
  hops: { code: WayHop; due_at: string; done_at: string | null; skipped_at: string | null }[]
  emergency: string
}

export interface Told {
  id: string
  text: Bilingual
  link: string
  at: string
  read_at: string | null
}

const PATIENCE_MS = 15_000

export const readTrips = (options: JobsOptions) => askPhone<{ items: Driven[] }>(options, '/trips', 'GET')
export const readTold = (options: JobsOptions) => askPhone<{ items: Told[]; unread: number }>(options, '/messages', 'GET')
export const tellSeen = (options: JobsOptions) => askPhone<{ read: number }>(options, '/messages/read', 'POST', { ids: [] })

/** One call of the phone, with its lease, within a patience. */
export async function askPhone<T>({ origin, lease, fetch: send, language, patience = PATIENCE_MS }: JobsOptions, path: string, method: 'GET' | 'POST', body: object = {}): Promise<JobsAnswer<T>> {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), patience)
  const isPost = method === 'POST'
  try {
    const answer = await send(`${origin}/sync/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${lease}`, Accept: 'application/json', 'Accept-Language': language, ...(isPost && { 'Content-Type': 'application/json' }) },
      ...(isPost && { body: JSON.stringify(body) }),
      cache: 'no-store',
      credentials: 'omit',
      signal: stop.signal,
    })
    const read = (await answer.json().catch(() => ({}))) as { code?: string; title?: string }
    if (answer.ok) return { state: 'DONE', body: read as T }
    return { state: 'FAILED', code: read.code ?? `http_${answer.status}`, title: read.title ?? '' }
  } catch {
    return { state: 'FAILED', code: 'offline', title: '' }
  } finally {
    clearTimeout(timer)
  }
}
