// SPDX-License-Identifier: Apache-2.0
// @vitest-environment happy-dom
import { afterEach, expect, test } from 'vitest'
import { language, pick, setLanguage, suggestLanguage } from './language'
import { fill, flatten, hasSentence, installWords, message, nounsIn, sentence, term, termMany, useOwnTerms } from './words'

installWords({ zh: { test: { door: '{@dwelling} {n}' } }, en: { test: { door: '{n} {n|door|doors} of a {@dwelling}', heads: '{@grid*^}: {@grid:n}' } } })

afterEach(() => {
  localStorage.clear()
  setLanguage('zh')
  localStorage.clear()
  useOwnTerms(undefined)
})

test('a sentence follows the language of the page', () => {
  expect(sentence('test.door', { n: 3 })).toBe(`${term('dwelling', 'zh')} 3`)
  setLanguage('en')
  expect(sentence('test.door', { n: 3 })).toBe('3 doors of a dwelling')
  expect(sentence('test.door', { n: 1 })).toBe('1 door of a dwelling')
})

test('a noun stands alone, as many, at the head, or by a count', () => {
  expect(fill('{@grid*^} {@grid}', {}, 'en')).toBe('Grids grid')
  expect(fill('{n} {@grid:n}', { n: 1 }, 'en')).toBe('1 grid')
  expect(fill('{n} {@grid:n}', { n: 2 }, 'en')).toBe('2 grids')
})

test('a fact that was not given stays in sight', () => {
  expect(fill('{left} of {all}', { left: 2 }, 'en')).toBe('2 of {all}')
})

test('numbers in a sentence are grouped, texts are left alone', () => {
  expect(fill('{a} {b}', { a: 12345, b: '12345' }, 'en')).toBe('12,345 12345')
})

test('an unknown key shows itself rather than nothing', () => {
  expect(sentence('no.such.key')).toBe('no.such.key')
  expect(hasSentence('no.such.key')).toBe(false)
})

test('a pack that says a concept in its own words is followed, in one and many', () => {
  useOwnTerms({ sub_district: { en: 'ward', en_many: 'wards', zh: 'x' } })
  expect(term('sub_district', 'en')).toBe('ward')
  expect(termMany('sub_district', 'en')).toBe('wards')
  expect(term('grid', 'en')).toBe('grid')
})

test('a refusal has words by code, or none', () => {
  expect(message('not_found', {}, 'en')).toBeTruthy()
  expect(message('no_such_code', {}, 'en')).toBeNull()
})

test('a language that was suggested gives way to one that was chosen', () => {
  suggestLanguage('en')
  expect(language.value).toBe('en')
  setLanguage('zh')
  suggestLanguage('en')
  expect(language.value).toBe('zh')
  expect(document.documentElement.lang).toBe('zh-CN')
})

test('the other language is better than nothing', () => {
  expect(pick({ zh: 'a', en: '' }, 'en')).toBe('a')
  expect(pick(null)).toBe('')
})

test('nested sentences are flattened, nouns in a text are found', () => {
  expect(flatten({ a: { b: 'c' } })).toEqual({ 'a.b': 'c' })
  expect(nounsIn('{@grid*^} and {@round} {n}')).toEqual(['grid', 'round'])
})
