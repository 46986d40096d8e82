// SPDX-License-Identifier: Apache-2.0
/** What the phone tells the page: network comes and goes, the page is looked at or not. */
import type { Outbox } from '@muster/outbox'
import { LOCK_AFTER_MS } from './guarding'
import type { Session } from './session'

export function watchPhone(session: Session, outbox: Outbox): void {
  session.online.value = navigator.onLine
  const look = () => {
    const visible = document.visibilityState === 'visible'
    session.rhythm.watch(visible)
    if (visible) void outbox.courier.wake()
    if (!visible) hiddenAt = Date.now()
    else if (hiddenAt > 0 && Date.now() - hiddenAt > LOCK_AFTER_MS) void session.lock()
    if (visible) void session.heedLease()
  }
  let hiddenAt = 0
  setInterval(() => {
    void session.heedLease()
    if (document.visibilityState === 'hidden' && Date.now() - hiddenAt > LOCK_AFTER_MS) void session.lock()
  }, 60_000)
  window.addEventListener('online', () => {
    session.online.value = true
    void outbox.courier.wake()
    void session.rhythm.now()
  })
  window.addEventListener('offline', () => {
    session.online.value = false
  })
  document.addEventListener('visibilitychange', look)
  look()
  void askToPersist()
}

/** A browser that promises to keep the storage does not clear it when space gets short. */
export async function askToPersist(): Promise<boolean | null> {
  // Absent in some in-app browsers of the support floor.
  const storage = navigator.storage as StorageManager | undefined
  if (!storage?.persist) return null
  return (await storage.persisted()) || storage.persist()
}

export async function isPersisted(): Promise<boolean | null> {
  const storage = navigator.storage as StorageManager | undefined
  return storage?.persisted ? storage.persisted() : null
}

export async function space(): Promise<{ used: number; left: number } | null> {
  const storage = navigator.storage as StorageManager | undefined
  const estimate = await storage?.estimate?.()
  return estimate?.quota === undefined ? null : { used: estimate.usage ?? 0, left: estimate.quota - (estimate.usage ?? 0) }
}

/** Some words from which a grid head recognises the phone in the list of devices. */
export function phoneName(agent = navigator.userAgent): string {
  const android = /Android [\d.]+; ([^;)]+)/.exec(agent)?.[1]?.replace(/ Build.*/, '').trim()
  if (android && android !== 'K') return android.slice(0, 40)
  if (/iPhone/.test(agent)) return 'iPhone'
  return /Android/.test(agent) ? 'Android' : 'Browser'
}
