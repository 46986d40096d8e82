// SPDX-License-Identifier: Apache-2.0
/** The service worker: the app opens with the server dead; a new version waits until the worker asks for it or closes the page. */
import { ref } from 'vue'
import writerUrl from 'zxing-wasm/writer/zxing_writer.wasm?url'

/** A new version is on the phone and waits. */
export const updateWaits = ref(false)
/** The writer of QR codes is wanted just when there is no network: it comes once all else is here. */
const WRITER_AFTER_MS = 60_000
let waiting: ServiceWorker | null = null

export function keepOffline(): void {
  if (!('serviceWorker' in navigator) || !import.meta.env.PROD) return
  void navigator.serviceWorker
    .register('/field/sw.js', { scope: '/field/' })
    .then((registration) => {
      offer(registration.waiting)
      registration.addEventListener('updatefound', () => {
        const worker = registration.installing
        worker?.addEventListener('statechange', () => {
          if (worker.state === 'installed' && navigator.serviceWorker.controller) offer(registration.waiting)
        })
      })
      setTimeout(() => void fetch(writerUrl).catch(() => undefined), WRITER_AFTER_MS)
      setInterval(() => void registration.update().catch(() => undefined), 30 * 60_000)
    })
    .catch(() => undefined)
}

/** What was recorded is in the store, not in the page: a change of version does not touch it. */
export function takeUpdate(): void {
  if (!waiting) return
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload())
  waiting.postMessage('take-over')
}

function offer(worker: ServiceWorker | null): void {
  waiting = worker
  updateWaits.value = worker !== null
}
