// SPDX-License-Identifier: Apache-2.0
// Opens the app with the server dead. Only the app's own files: what people recorded is in the store, never here.
const KEPT = __KEPT__
const CACHE = 'muster-field-__VERSION__'
const HOME = KEPT[0]

self.addEventListener('install', (event) => {
  const fresh = KEPT.map((path) => new Request(path, { cache: 'reload' }))
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)))
})

self.addEventListener('activate', (event) => {
  const old = (name) => name.startsWith('muster-field-') && name !== CACHE
  const clean = caches.keys().then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))))
  event.waitUntil(clean.then(() => self.clients.claim()))
})

// A new version waits until the worker at the door says so, or the app was closed: nothing changes under a thumb.
self.addEventListener('message', (event) => {
  if (event.data === 'take-over') self.skipWaiting()
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== self.location.origin || !url.pathname.startsWith(HOME)) return
  event.respondWith(request.mode === 'navigate' ? page(request) : file(request))
})

async function page(request) {
  const cache = await caches.open(CACHE)
  return (await cache.match(HOME)) || fetch(request)
}

async function file(request) {
  const cache = await caches.open(CACHE)
  const kept = await cache.match(request, { ignoreSearch: true })
  if (kept) return kept
  const answer = await fetch(request)
  // Large files that are fetched when first needed (the reader of the camera) stay from then on.
  if (answer.ok && new URL(request.url).pathname.startsWith(HOME + 'assets/')) await cache.put(request, answer.clone())
  return answer
}
