// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from 'node:url'
import { defineConfig, mergeConfig } from 'vite'
import { appConfig } from '../../vite/app.ts'
import { fewerMessages } from '../../vite/fewer.ts'
import { offline } from '../../vite/offline.ts'
import { PHONE_MESSAGES } from './messages.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const worker = offline({
  source: here('worker/sw.js'),
  base: '/field/',
  publicFolder: here('public'),
  later: /\.wasm$/,
})

export default defineConfig(
  mergeConfig(appConfig({ name: 'field', floor: 'phone', plugins: [worker, fewerMessages(PHONE_MESSAGES)] }), {
    define: { __MUSTER_VERSION__: JSON.stringify(process.env.MUSTER_PAGES_VERSION ?? 'dev') },
  }),
)
