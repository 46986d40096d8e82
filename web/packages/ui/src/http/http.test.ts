// SPDX-License-Identifier: Apache-2.0
// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from 'vitest'
import { namesIn } from './names'
import { cureOf, explain, ProblemError, problemOf } from './problem'
import { address, onSignedOut, request, useToken } from './request'

const answer = (status: number, body: unknown, headers: Record<string, string> = {}): Response => new Response(JSON.stringify(body), { status, headers })
const sent = (): RequestInit => (vi.mocked(fetch).mock.calls[0]?.[1] ?? {}) as RequestInit

afterEach(() => vi.unstubAllGlobals())

test('empty values leave the address', () => {
  expect(address('/grids', { area: 3, q: '', cursor: null })).toBe('/api/v1/grids?area=3')
  expect(address('/grids')).toBe('/api/v1/grids')
})

test('a read carries no token, a write does', async () => {
  vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(answer(200, {}))))
  useToken('token-1')
  await request('/x', { method: 'POST', body: { a: 1 } })
  expect(sent().headers).toMatchObject({ 'X-CSRFToken': 'token-1', 'Content-Type': 'application/json' })
  vi.mocked(fetch).mockClear()
  await request('/x')
  expect(sent().headers).not.toHaveProperty('X-CSRFToken')
})

test('a file goes as a form, without our content type', async () => {
  vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(answer(200, {}))))
  await request('/imports', { method: 'POST', body: new FormData() })
  expect(sent().headers).not.toHaveProperty('Content-Type')
})

test('a refusal comes as its code with the server\u2019s words and cure', async () => {
  vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(answer(422, { code: 'name_missing', title: 'the name is missing', cure: 'say who', status: 422 }))))
  const error = await request('/x').catch((one: unknown) => one)
  expect(error).toBeInstanceOf(ProblemError)
  expect(explain(error)).toBe('the name is missing')
  expect(cureOf(error)).toBe('say who')
})

test('whoever is no longer known is told so once, wherever it is noticed', async () => {
  const told = vi.fn()
  onSignedOut(told)
  vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(answer(401, { code: 'not_signed_in' }))))
  await request('/x').catch(() => undefined)
  expect(told).toHaveBeenCalledOnce()
})

test('an answer that is no JSON still becomes a problem, with the time to wait', async () => {
  const problem = await problemOf(new Response('<html>', { status: 503, headers: { 'Retry-After': '5' } }))
  expect(problem.problem.code).toBe('http_503')
  expect(problem.retryAfter).toBe(5)
  expect(explain(problem)).not.toContain('http_503')
})

test('no network is said as such', () => {
  expect(explain(new TypeError('failed to fetch'))).toBeTruthy()
})

test('a place is called by its name in the language of the page, however deep it stands', () => {
  const told = (): unknown => ({ items: [{ name: 'x', name_en: 'Mill Ward', area: { name: 'y', name_en: '' }, geometry: { name: 'z', name_en: 'no' } }] })
  expect(namesIn(told(), 'en')).toMatchObject({ items: [{ name: 'Mill Ward', area: { name: 'y' }, geometry: { name: 'z' } }] })
  expect(namesIn(told(), 'zh')).toEqual(told())
})
