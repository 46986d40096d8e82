// SPDX-License-Identifier: Apache-2.0
/** When the page last heard from the server, and the minute it is now: one clock for the top bar. */
import { QueryCache } from '@tanstack/vue-query'
import { readonly, shallowRef } from 'vue'

const heard = shallowRef<string | null>(null)
const minute = shallowRef(Date.now())
setInterval(() => (minute.value = Date.now()), 15_000)

export const heardAt = readonly(heard)
export const now = readonly(minute)

export const queryCache = new QueryCache({
  onSuccess: () => {
    heard.value = new Date().toISOString()
    minute.value = Date.now()
  },
})
