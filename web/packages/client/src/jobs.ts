// SPDX-License-Identifier: Apache-2.0
/** Work on requests: what this phone's holder is asked, has taken, may take; the lease is the key. */
import type { Bilingual } from '@muster/rules'

export type Urgency = 'LIFE' | 'URGENT' | 'NORMAL'

export interface Waiting {
  id: string
  number: number
  request: string
  sub_district: number
  category: string
  category_name: Bilingual | null
  urgency: Urgency
  building: string
  respond_by: string
  finish_by: string
  needs_skill: string
}

export interface Offered extends Waiting {
  lease_until: string
  walk_m: number | null
}

export interface Job extends Waiting {
  status: 'ACCEPTED' | 'ON_SITE'
  dwelling: string | null
  door: string
  text: string
  what: string
  place: string
  name: string
  phone: string | null
  spoken_word: string | null
  /** Hashes of the pictures that came with the request. */
  pictures?: string[]
}

export interface JobsPage {
  me: { id: string; status: string; open_jobs: number; most_jobs: number }
  offers: Offered[]
  jobs: Job[]
  pool: Waiting[]
}

/** Nobody has heard of it here: why it came to nothing, with who was quicker where that was said. */
export const RACES_LOST = new Set(['item_taken', 'item_taken_by', 'item_gone', 'offer_over', 'request_ended'])

/** What only the server can decide; what was done at a door is told as facts. */
export type JobAct = 'accept' | 'decline' | 'release'
/** `offline`: nobody answered. Else the server's code, `item_taken` when somebody was quicker. */
export type JobsAnswer<T> = { state: 'DONE'; body: T } | { state: 'FAILED'; code: string; title: string }

export interface JobsOptions {
  origin: string
  lease: string
  fetch: typeof fetch
  language: string
  patience?: number
}

const PATIENCE_MS = 15_000

export const readJobs = (options: JobsOptions): Promise<JobsAnswer<JobsPage>> => ask(options, '', 'GET')

export const actOnJob = (options: JobsOptions, id: string, act: JobAct, body: object = {}): Promise<JobsAnswer<Partial<Job>>> =>
  ask(options, `/${id}/${act}`, 'POST', body)

/** Who has a piece of work that I had wanted; an empty name where nobody has it any more. */
export const readHolder = (options: JobsOptions, id: string): Promise<JobsAnswer<{ number: number; name: string }>> => ask(options, `/${id}/holder`, 'GET')

/** A picture of work that this phone's holder has; null where it cannot be had now. */
export async function readPicture({ origin, lease, fetch: send }: JobsOptions, job: string, name: string): Promise<Blob | null> {
  const answer = await send(`${origin}/sync/v1/jobs/${job}/pictures/${name}`, { headers: { Authorization: `Bearer ${lease}` }, cache: 'no-store', credentials: 'omit' }).catch(() => null)
  return answer?.ok ? answer.blob() : null
}

async function ask<T>({ origin, lease, fetch: send, language, patience = PATIENCE_MS }: JobsOptions, path: string, method: 'GET' | 'POST', body?: object): Promise<JobsAnswer<T>> {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), patience)
  try {
    const answer = await send(`${origin}/sync/v1/jobs${path}`, {
      method,
      headers: { Authorization: `Bearer ${lease}`, Accept: 'application/json', 'Accept-Language': language, ...(body && { 'Content-Type': 'application/json' }) },
      body: body && JSON.stringify(body),
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
