// SPDX-License-Identifier: Apache-2.0
/** The snapshot of a round, asked for every two and a half seconds; an unchanged one costs one line on the wire. */
import { address, language, problemOf } from '@muster/ui'
import { onBeforeUnmount, shallowRef, watch, type Ref } from 'vue'
import type { Snapshot } from './shapes'

const EVERY_MS = 2_500
const SLOWEST_MS = 30_000

export interface Live {
  snapshot: Ref<Snapshot | null>
  /** When the server last answered, new or unchanged; the wall says how old its figures are by this. */
  heardAt: Ref<number>
  failed: Ref<unknown>
}

export function useLive(round: Readonly<Ref<string | null>>): Live {
  const snapshot = shallowRef<Snapshot | null>(null)
  const heardAt = shallowRef(0)
  const failed = shallowRef<unknown>(null)
  let tag = ''
  let timer: ReturnType<typeof setTimeout> | undefined
  let wait = EVERY_MS
  let gone = false

  async function ask(id: string): Promise<void> {
    try {
      const response = await fetch(address(`/live/${id}.json`), { headers: { 'If-None-Match': tag, 'Accept-Language': language.value }, credentials: 'same-origin', cache: 'no-store' })
      if (response.status === 200) {
        tag = response.headers.get('ETag') ?? ''
        snapshot.value = (await response.json()) as Snapshot
      } else if (response.status !== 304) {
        throw await problemOf(response)
      }
      heardAt.value = Date.now()
      failed.value = null
      wait = EVERY_MS
    } catch (error) {
      failed.value = error
      wait = Math.min(SLOWEST_MS, wait * 2)
    }
    if (!gone && round.value === id) timer = setTimeout(() => void ask(id), wait)
  }

  watch(round, (id) => {
    clearTimeout(timer)
    tag = ''
    snapshot.value = null
    if (id) void ask(id)
  }, { immediate: true })
  onBeforeUnmount(() => {
    gone = true
    clearTimeout(timer)
  })
  return { snapshot, heardAt, failed }
}
