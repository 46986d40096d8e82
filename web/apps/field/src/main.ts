// SPDX-License-Identifier: Apache-2.0
import { createApp, h } from 'vue'

createApp({ render: () => h('p', navigator?.userAgent ?? '') }).mount('#app')
