// SPDX-License-Identifier: Apache-2.0
/** What the tests of page sentences need: the keys that a folder's pages ask for, and Chinese where none belongs. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface SourceFile {
  path: string
  text: string
}

export function sourcesIn(folder: string): SourceFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(vue|ts)$/.test(path) && !path.endsWith('.test.ts'))
    .map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }))
}

/** Keys written out in full: `t('a.b')`, `sentence('a.b')`, `says: 'a.b'`. */
export function keysIn(source: SourceFile): string[] {
  const plain = [...source.text.matchAll(/\b(?:t|sentence)\(\s*'([a-z0-9_.-]+)'/gi)]
  const said = [...source.text.matchAll(/\bsays: '([a-z0-9_.-]+)'/gi)]
  return [...plain, ...said].map((found) => found[1] ?? '')
}

/** Beginnings of keys that are put together: `t(`steps.act.${step}`)`. */
export function prefixesIn(source: SourceFile): string[] {
  return [...source.text.matchAll(/\b(?:t|sentence)\(\s*`([a-z0-9_.-]*)\$\{/gi)].map((found) => found[1] ?? '').filter(Boolean)
}

/** Nouns written out in full: `term('grid')`, `termHead('grid')`, `termsHead('grid')`. */
export function termsIn(source: SourceFile): string[] {
  return [...source.text.matchAll(/\bterms?(?:Head|Many)?\('([a-z0-9_]+)'/g)].map((found) => found[1] ?? '')
}

/** Lines with Chinese in them; comments too: page text lives in the sentence files alone. */
export function chineseIn(source: SourceFile): string[] {
  return source.text.split('\n').filter((line) => /[\u3400-\u9fff\u3000-\u303f\uff00-\uffef]/.test(line)).map((line) => `${source.path}: ${line.trim()}`)
}

/** Placeholders of facts in a sentence, without nouns: both languages must speak of the same facts. */
export function factsIn(text: string): string[] {
  return [...new Set([...text.matchAll(/\{([a-z_]+)(?:\|[^}]*)?\}/gi)].map((found) => found[1] ?? ''))].sort()
}
