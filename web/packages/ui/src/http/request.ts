// SPDX-License-Identifier: Apache-2.0
/** Calls to the web API of this origin: JSON in and out, the session's token on every write, problems as ProblemError. */
import { language } from '../words/language'
import { namesIn } from './names'
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
  return namesIn((await response.json()) as T, language.value)
}

/** Fetches a file in the page's language and hands it to the browser; a refusal comes as a problem, not as a page. */
export async function save(url: string, name: string): Promise<void> {
  const response = await fetch(url, { credentials: 'same-origin', headers: { 'Accept-Language': language.value } })
  if (response.status === 401) whenSignedOut()
  if (!response.ok) throw await problemOf(response)
  saveBlob(await response.blob(), nameIn(response.headers.get('Content-Disposition')) ?? name)
}

export function saveBlob(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  // The browser reads the file after the click; the address must outlive it for a moment.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

function nameIn(disposition: string | null): string | null {
  return /filename="([^"]+)"/.exec(disposition ?? '')?.[1] ?? null
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
