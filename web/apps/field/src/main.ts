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

const clock = () => Date.now()
const send: typeof fetch = (input, init) => fetch(input, init)

async function start(): Promise<void> {
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
  const session = new Session({ outbox, copies: new CopyStore(), origin: location.origin, fetch: send, clock })
  const acts = new Acts(session, (key, facts) => sentence(key, facts), clock)
  try {
    await session.open()
  } catch {
    // Private windows and full phones: without a store nothing could be kept, so nothing may be recorded.
    createApp(ClosedPage).mount('#app')
    return
  }
  createApp(App).use(router).provide(SESSION, session).provide(ACTS, acts).mount('#app')
  watchPhone(session, outbox)
  keepOffline()
}

// Below the support floor the page has said so already.
if (!document.documentElement.hasAttribute('data-floor')) void start()
