// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test, vi } from 'vitest'
import { createMemoryHistory, createRouter, type Router } from 'vue-router'
import { openAgain, unopened, watchOpening } from './unopened'

const page = { render: () => null }
let isThere = false

async function lazyRouter(): Promise<Router> {
  const router = createRouter({
    history: createMemoryHistory('/desk/'),
    routes: [
      { path: '/', component: page },
      { path: '/trips', component: () => (isThere ? Promise.resolve(page) : Promise.reject(new TypeError('cut'))) },
    ],
  })
  watchOpening(router)
  await router.push('/')
  await router.push('/trips?open=1').catch(() => undefined)
  return router
}

afterEach(() => {
  isThere = false
  vi.unstubAllGlobals()
})

test('a page whose part did not come is said, and the one on the screen stays', async () => {
  const router = await lazyRouter()
  expect(unopened.value?.path).toBe('/trips?open=1')
  expect(router.currentRoute.value.path).toBe('/')
})

test('it is forgotten as soon as a page opens', async () => {
  const router = await lazyRouter()
  isThere = true
  await router.push('/trips')
  expect(unopened.value).toBeNull()
})

test('with a network the program is loaded anew, without one the page is only tried again', async () => {
  const router = await lazyRouter()
  const load = vi.fn()
  vi.stubGlobal('navigator', { onLine: true })
  openAgain(router, load)
  expect(load).toHaveBeenCalledWith('/desk/trips?open=1')
  vi.stubGlobal('navigator', { onLine: false })
  isThere = true
  openAgain(router, load)
  await vi.waitFor(() => expect(router.currentRoute.value.path).toBe('/trips'))
  expect(load).toHaveBeenCalledOnce()
})
