// SPDX-License-Identifier: Apache-2.0
/** A page that did not open: its part of the program was not to be had, for want of a network or because a new version is there. */

import { shallowRef } from 'vue'
import type { Router } from 'vue-router'

export interface Unopened {
  path: string
  error: unknown
}

export const unopened = shallowRef<Unopened | null>(null)

export function watchOpening(router: Router): void {
  router.onError((error: unknown, to) => {
    unopened.value = { path: to.fullPath, error }
  })
  router.afterEach((_to, _from, failure) => {
    if (!failure) unopened.value = null
  })
}

/** With a network the whole program is asked for anew, since an old version may lack the part; without, what is on the screen stays. */
export function openAgain(router: Router, load: (address: string) => void = (address) => location.assign(address)): void {
  const path = unopened.value?.path
  if (path === undefined) return
  if (navigator.onLine) load(router.resolve(path).href)
  else void router.push(path).catch(() => undefined)
}
