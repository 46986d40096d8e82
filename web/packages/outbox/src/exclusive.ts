// SPDX-License-Identifier: Apache-2.0
/** One sender however many tabs are open: Web Locks, or a short claim in the store where a browser has none. */
import type { OutboxStore } from './store'
import { uuid7 } from './ids'

const CLAIM_MS = 45_000

interface Claim {
  owner: string
  until: number
}

/** Runs `work` if nobody else does; says whether it ran. */
export type Exclusive = (work: () => Promise<void>) => Promise<boolean>

export function exclusiveByLocks(locks: LockManager, name: string): Exclusive {
  return async (work) => {
    let ran = false
    await locks.request(name, { ifAvailable: true }, async (lock) => {
      if (!lock) return
      ran = true
      await work()
    })
    return ran
  }
}

/** A tab that dies leaves its claim to lapse; two senders for a moment would only send the same facts twice. */
export function exclusiveByClaim(store: OutboxStore, clock: () => number): Exclusive {
  const owner = uuid7(clock())
  const key = 'sender'
  const claim = () =>
    store.transaction('rw', store.notes, async () => {
      const held = (await store.notes.get(key))?.value as Claim | undefined
      if (held && held.owner !== owner && held.until > clock()) return false
      await store.notes.put({ key, value: { owner, until: clock() + CLAIM_MS } })
      return true
    })
  const release = () =>
    store.transaction('rw', store.notes, async () => {
      const held = (await store.notes.get(key))?.value as Claim | undefined
      if (held?.owner === owner) await store.notes.delete(key)
    })
  return async (work) => {
    if (!(await claim())) return false
    try {
      await work()
    } finally {
      await release()
    }
    return true
  }
}
