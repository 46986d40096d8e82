// SPDX-License-Identifier: Apache-2.0
/** Where the page runs: inside a chat app it is opened by a link and may find nothing again without the server. */

export function isInsideApp(agent = navigator.userAgent): boolean {
  return /MicroMessenger|wxwork|DingTalk|AlipayClient|QQ\/|Weibo/i.test(agent)
}

/** Without a service worker the page cannot be opened while the server is away. */
export function opensAlone(): boolean {
  return 'serviceWorker' in navigator
}

/** Some in-app browsers forbid it altogether, and asking is already a fault there. */
export function ownStorage(): Pick<Storage, 'getItem' | 'setItem'> {
  try {
    const { localStorage } = window
    localStorage.getItem('muster')
    return localStorage
  } catch {
    const kept = new Map<string, string>()
    return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) }
  }
}
