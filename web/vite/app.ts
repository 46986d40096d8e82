// SPDX-License-Identifier: Apache-2.0
// One build setting for all apps: each is one folder under apps/, served at /<app>/ from the Python package.
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import type { UserConfig } from 'vite'

const web = fileURLToPath(new URL('..', import.meta.url))

/** `@muster/outbox` is packages/outbox/src/index.ts; `@muster/ui/tokens.css` is packages/ui/tokens.css. */
export const aliases = [
  { find: /^@muster\/([a-z]+)$/, replacement: `${web}packages/$1/src/index.ts` },
  { find: /^@muster\/([a-z]+)\/(.+)$/, replacement: `${web}packages/$1/$2` },
]

/** The oldest browser an app must run in: phones at the door are old, desks are not. */
export const floors = { phone: 'chrome79', desk: 'chrome111' } as const

export interface AppOptions {
  name: string
  floor: keyof typeof floors
  plugins?: UserConfig['plugins']
}

export function appConfig({ name, floor, plugins = [] }: AppOptions): UserConfig {
  const server = process.env.MUSTER_DEV_SERVER ?? 'http://127.0.0.1:8000'
  const proxied = ['/api', '/sync', '/intake', '/v1', '/live', '/.well-known']
  return {
    root: `${web}apps/${name}`,
    base: `/${name}/`,
    plugins: [vue(), ...plugins],
    resolve: { alias: aliases },
    worker: { format: 'es' },
    build: {
      target: floors[floor],
      cssTarget: floors[floor],
      outDir: `${web}../src/muster/static/app/${name}`,
      emptyOutDir: true,
      // A strict content policy allows no inline script and no data: font.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      chunkSizeWarningLimit: 1200,
    },
    server: { proxy: Object.fromEntries(proxied.map((path) => [path, { target: server }])) },
  }
}
