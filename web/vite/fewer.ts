// SPDX-License-Identifier: Apache-2.0
// A phone carries only the refusals that it can meet: the whole catalogue is for desks and would be a quarter of its first load.
import type { Plugin } from 'vite'

export function fewerMessages(codes: readonly string[]): Plugin {
  const wanted = new Set(codes)
  return {
    name: 'muster-fewer-messages',
    enforce: 'pre',
    apply: 'build',
    transform(code, id) {
      if (!/packages\/ui\/messages\.(zh|en)\.json$/.test(id)) return null
      const all = JSON.parse(code) as Record<string, unknown>
      const missing = codes.filter((one) => !(one in all))
      if (missing.length > 0) throw new Error(`messages: no text for ${missing.join(', ')}`)
      const kept = Object.entries(all).filter(([one]) => wanted.has(one))
      return { code: JSON.stringify(Object.fromEntries(kept)), map: null }
    },
  }
}
