// SPDX-License-Identifier: Apache-2.0
/** The field app's start: what is on the phone is shown first, the network is asked afterwards. */
import '@muster/ui/tokens.css'
import '@muster/ui/base.css'
import './styles/phone.css'
import { installWords, language, sentence, suggestLanguage } from '@muster/ui'
import { Outbox } from '@muster/outbox'
import { createApp } from 'vue'
import App from './App.vue'
import { CopyStore } from './grid/copyStore'
import en from './i18n/en.json'
import zh from './i18n/zh.json'
import ClosedPage from './pages/ClosedPage.vue'
import { router } from './router'
import { ACTS, Acts } from './session/acting'
import { SESSION, Session } from './session/session'
import { watchPhone } from './session/phone'
import { keepOffline } from './session/offline'
import { openSettings } from './session/settings'
import { ownStorage } from './session/surroundings'
import { codeInLink } from './session/links'

const clock = () => Date.now()
const send: typeof fetch = (input, init) => fetch(input, init)

async function start(): Promise<void> {
  performance.mark('muster:script')
  installWords({ zh, en })
  if (!navigator.language.startsWith('zh')) suggestLanguage('en')
  document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en'
  const outbox = new Outbox({
    fetch: send,
    clock,
    random: Math.random,
    ...('locks' in navigator && { locks: navigator.locks }),
    ...('BroadcastChannel' in window && { channel: new BroadcastChannel('muster-outbox') }),
  })
  const copies = new CopyStore()
  // Both at once: opening a database is waiting, not work. What fails is said where it is first needed.
  for (const store of [outbox.store, copies]) void store.open().catch(() => undefined)
  const session = new Session({ outbox, copies, origin: location.origin, fetch: send, clock: () => outbox.time.now() }, openSettings(ownStorage()))
  const acts = new Acts(session, (key, facts) => sentence(key, facts), () => outbox.time.now())
  try {
    await session.open()
    performance.mark('muster:read')
  } catch {
    // Private windows and full phones: without a store nothing could be kept, so nothing may be recorded.
    createApp(ClosedPage).mount('#app')
    return
  }
  // A link with a new code on a phone in use: asked for, not taken silently.
  if (session.enrolment.value && codeInLink(location.href)) void router.replace('/enrol')
  createApp(App).use(router).provide(SESSION, session).provide(ACTS, acts).mount('#app')
  performance.mark('muster:drawn')
  watchPhone(session, outbox)
  keepOffline()
}

// Below the support floor the page has said so already.
if (!document.documentElement.hasAttribute('data-floor')) void start()
