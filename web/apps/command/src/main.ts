// SPDX-License-Identifier: Apache-2.0
/** The command wall: starts the page. */
import '@muster/ui/tokens.css'
import '@muster/ui/base.css'
import './wall.css'
import { installWords, language, startTheme } from '@muster/ui'
import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { createApp, watch } from 'vue'
import App from './App.vue'
import en from './i18n/en.json'
import zh from './i18n/zh.json'

installWords({ zh, en })
startTheme('command', 'dark')
const queryClient = new QueryClient({ defaultOptions: { queries: { retry: 1 } } })
watch(language, () => void queryClient.invalidateQueries())
createApp(App).use(VueQueryPlugin, { queryClient }).mount('#app')
