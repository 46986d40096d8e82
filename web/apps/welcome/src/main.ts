// SPDX-License-Identifier: Apache-2.0
/** The first page of a drill: starts it. */
import '@muster/ui/tokens.css'
import '@muster/ui/base.css'
import { installWords, startTheme } from '@muster/ui'
import { createApp } from 'vue'
import App from './App.vue'
import en from './i18n/en.json'
import zh from './i18n/zh.json'

installWords({ zh, en })
startTheme('welcome', 'light')
createApp(App).mount('#app')
