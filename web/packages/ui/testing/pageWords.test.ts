// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { chineseIn, factsIn, keysIn, prefixesIn, termsIn } from './pageWords'

const file = (text: string): { path: string; text: string } => ({ path: 'a.vue', text })

test('keys are found however they are asked for', () => {
  expect(keysIn(file("t('a.b') sentence('c_d', { n: 1 }) says: 'e.f'"))).toEqual(['a.b', 'c_d', 'e.f'])
  expect(prefixesIn(file('t(`steps.act.${step}`)'))).toEqual(['steps.act.'])
  expect(termsIn(file("term('grid') termHead('round') termsHead('person')"))).toEqual(['grid', 'round', 'person'])
})

test('Chinese in a page is seen, also in a comment and as a mark', () => {
  expect(chineseIn(file('// \u7f51\u683c'))).toHaveLength(1)
  expect(chineseIn(file('<b>a\uff1a</b>'))).toHaveLength(1)
  expect(chineseIn(file('<b>grid</b>'))).toEqual([])
})

test('facts of a sentence leave out nouns and know plurals', () => {
  expect(factsIn('{@grid} {count} {count|door|doors} {who}')).toEqual(['count', 'who'])
})
