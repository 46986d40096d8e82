// SPDX-License-Identifier: Apache-2.0
// Writes the service worker with the list of what it keeps: all files of this build except the large lazy ones.
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import type { Plugin } from 'vite'

export interface OfflineOptions {
  /** The worker's source; `__KEPT__` and `__VERSION__` are filled in. */
  source: string
  base: string
  /** Files of the public folder that the app shows without network. */
  publicFolder: string
  /** Fetched when first needed, kept from then on. */
  later: RegExp
}

export function offline({ source, base, publicFolder, later }: OfflineOptions): Plugin {
  return {
    name: 'muster-offline',
    apply: 'build',
    generateBundle(_options, bundle) {
      const built = Object.keys(bundle).filter((name) => name !== 'index.html' && !name.endsWith('.map') && !later.test(name))
      const kept = [...built, ...readdirSync(publicFolder)].sort()
      const digest = createHash('sha256')
      for (const name of Object.keys(bundle).sort()) {
        const part = bundle[name]
        digest.update(name).update(part?.type === 'chunk' ? part.code : (part?.source ?? ''))
      }
      const code = readFileSync(source, 'utf-8')
      digest.update(code)
      const list = JSON.stringify([base, ...kept.map((name) => base + name)])
      const version = digest.digest('hex').slice(0, 12)
      this.emitFile({ type: 'asset', fileName: 'sw.js', source: code.replace('__KEPT__', list).replace('__VERSION__', version) })
    },
  }
}
