// SPDX-License-Identifier: Apache-2.0
/** The checks every app's sentences must pass, said once. */
import { expect, test } from 'vitest'
import { flatten, isTerm, nounsIn, type Tree } from '../src/words/words'
import uiEn from '../src/words/text/en.json'
import uiZh from '../src/words/text/zh.json'
import { chineseIn, factsIn, keysIn, prefixesIn, sourcesIn, termsIn } from './pageWords'

export function checkPageWords(folder: string, text: { zh: Tree; en: Tree }): void {
  const zh = flatten(text.zh)
  const en = flatten(text.en)
  const known = { ...flatten(uiZh), ...zh }
  const sources = sourcesIn(folder)

  test('both languages have the same keys', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort())
  })

  test('both languages speak of the same facts', () => {
    // A plural in one language may name a count twice; what counts is which facts are named.
    const different = Object.keys(zh).filter((key) => factsIn(zh[key] ?? '').join() !== factsIn(en[key] ?? '').join())
    expect(different).toEqual([])
  })

  test('every sentence that a page asks for exists', () => {
    const missing = sources.flatMap((source) => keysIn(source).filter((key) => known[key] === undefined).map((key) => `${source.path}: ${key}`))
    expect(missing).toEqual([])
  })

  test('every put-together key has sentences', () => {
    const missing = sources.flatMap((source) => prefixesIn(source).filter((prefix) => !Object.keys(known).some((key) => key.startsWith(prefix))))
    expect(missing).toEqual([])
  })

  test('every noun exists in the terms list', () => {
    const nouns = [...sources.flatMap(termsIn), ...Object.values({ ...zh, ...en }).flatMap(nounsIn), ...Object.values({ ...flatten(uiZh), ...flatten(uiEn) }).flatMap(nounsIn)]
    expect([...new Set(nouns)].filter((noun) => !isTerm(noun))).toEqual([])
  })

  test('no Chinese stands in a page', () => {
    expect(sources.flatMap(chineseIn)).toEqual([])
  })

  test('no exclamation marks', () => {
    expect(Object.values({ ...zh, ...en }).filter((one) => /[!\uff01]/.test(one))).toEqual([])
  })
}
