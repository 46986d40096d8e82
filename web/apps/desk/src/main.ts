// SPDX-License-Identifier: Apache-2.0
/** The desk: starts the page. */
import 'element-plus/dist/index.css'
import '@muster/ui/tokens.css'
import '@muster/ui/base.css'
import './theme.css'
import { installWords, language, onSignedOut, startTheme } from '@muster/ui'
import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { createApp, watch } from 'vue'
import App from './App.vue'
import en from './i18n/en.json'
import zh from './i18n/zh.json'
import { router } from './router'
import { queryCache } from './shell/freshness'
import { forgetSession, isAsked } from './shell/session'
import { watchOpening } from './shell/unopened'

installWords({ zh, en })
startTheme('desk', 'light')
onSignedOut(() => {
  if (!isAsked.value || router.currentRoute.value.meta.open) return
  forgetSession()
  void router.push({ path: '/sign-in', query: { to: router.currentRoute.value.fullPath } })
})
watchOpening(router)

const queryClient = new QueryClient({ queryCache, defaultOptions: { queries: { retry: 1, staleTime: 5_000, refetchOnWindowFocus: true } } })
// Names of places and sentences of the server come in the language in which they were asked for.
watch(language, () => void queryClient.invalidateQueries())
createApp(App).use(router).use(VueQueryPlugin, { queryClient }).mount('#app')
