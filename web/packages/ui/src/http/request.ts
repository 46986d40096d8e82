// SPDX-License-Identifier: Apache-2.0
/** Calls to the web API of this origin: JSON in and out, the session's token on every write, problems as ProblemError. */
import { language } from '../words/language'
import { problemOf } from './problem'

const BASE = '/api/v1'
let token = ''
let whenSignedOut: () => void = () => undefined

export type Query = Record<string, string | number | boolean | null | undefined>

export interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  query?: Query
  body?: unknown
  signal?: AbortSignal
}

/** The token that the session answer carries; the server asks for it on every write. */
export function useToken(next: string): void {
  token = next
}

/** What to do when the server no longer knows us, wherever that is noticed. */
export function onSignedOut(act: () => void): void {
  whenSignedOut = act
}

export function address(path: string, query: Query = {}): string {
  const asked = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') asked.set(name, String(value))
  }
  const tail = asked.toString()
  return `${BASE}${path}${tail ? `?${tail}` : ''}`
}

export async function request<T>(path: string, call: Call = {}): Promise<T> {
  const response = await fetch(address(path, call.query), {
    method: call.method ?? 'GET',
    credentials: 'same-origin',
    headers: headersOf(call),
    body: bodyOf(call.body),
    signal: call.signal,
  })
  if (response.status === 401) whenSignedOut()
  if (!response.ok) throw await problemOf(response)
  if (response.status === 204 || response.headers.get('Content-Length') === '0') return undefined as T
  return (await response.json()) as T
}

function headersOf(call: Call): Record<string, string> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': language.value }
  if (call.body !== undefined && !(call.body instanceof FormData)) headers['Content-Type'] = 'application/json'
  if (call.method && call.method !== 'GET') headers['X-CSRFToken'] = token
  return headers
}

function bodyOf(body: unknown): BodyInit | undefined {
  if (body === undefined) return undefined
  return body instanceof FormData ? body : JSON.stringify(body)
}
