// SPDX-License-Identifier: Apache-2.0
/**
 * Sentences of a page, by key, in two languages.
 * In a sentence: `{name}` is a fact, `{name|one|many}` a word that follows a number, `{@grid}` a noun of the terms list,
 * `{@grid*}` its plural, `{@grid^}` the noun at the head of a sentence, `{@grid:n}` one or many by the fact n.
 */
import messagesEn from '../../messages.en.json'
import messagesZh from '../../messages.zh.json'
import termsEn from '../../terms.en.json'
import termsZh from '../../terms.zh.json'
import { formatCount } from '../format/count'
import { shallowRef } from 'vue'
import { language, type Language } from './language'
import uiEn from './text/en.json'
import uiZh from './text/zh.json'

export type Fact = string | number | null | undefined
export type Facts = Record<string, Fact>
export interface Tree {
  [key: string]: string | Tree
}
type Flat = Record<string, string>
export interface OwnTerm {
  zh?: string
  en?: string
  en_many?: string
}
interface Message {
  text: string
  cure?: string
}

const TERMS: Record<Language, Flat> = { zh: termsZh, en: termsEn }
const MESSAGES: Record<Language, Record<string, Message>> = { zh: messagesZh, en: messagesEn }
/** A pack may say a concept in its own words: a ward where the house says a street. */
const own = shallowRef<Record<string, OwnTerm>>({})
const sentences: Record<Language, Flat> = { zh: flatten(uiZh), en: flatten(uiEn) }

/** Add the sentences of one app; called once, before the app is mounted. */
export function installWords(text: Record<Language, Tree>): void {
  Object.assign(sentences.zh, flatten(text.zh))
  Object.assign(sentences.en, flatten(text.en))
}

export function flatten(tree: Tree, prefix = ''): Flat {
  const flat: Flat = {}
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') flat[prefix + key] = value
    else Object.assign(flat, flatten(value, `${prefix}${key}.`))
  }
  return flat
}

export function sentence(key: string, facts: Facts = {}, lang: Language = language.value): string {
  const found = sentences[lang][key]
  return found === undefined ? key : fill(found, facts, lang)
}

export function hasSentence(key: string): boolean {
  return sentences.zh[key] !== undefined
}

export function useOwnTerms(terms: Record<string, OwnTerm> | undefined): void {
  own.value = terms ?? {}
}

export function term(key: string, lang: Language = language.value): string {
  return own.value[key]?.[lang] || (TERMS[lang][key] ?? key)
}

export function termMany(key: string, lang: Language = language.value): string {
  const said = own.value[key]
  if (said?.[lang]) return lang === 'en' ? said.en_many || said.en || key : (said.zh ?? key)
  return TERMS[lang][`${key}.many`] ?? term(key, lang)
}

/** The text of a refusal code; null when the catalogue does not have it (the server's own text is then shown). */
export function message(code: string, facts: Facts = {}, lang: Language = language.value): string | null {
  const found = MESSAGES[lang][code]
  return found === undefined ? null : fill(found.text, facts, lang)
}

export function messageCure(code: string, facts: Facts = {}, lang: Language = language.value): string | null {
  const found = MESSAGES[lang][code]?.cure
  return found === undefined ? null : fill(found, facts, lang)
}

export function fill(text: string, facts: Facts, lang: Language): string {
  return text.replace(/\{([^{}]+)\}/g, (whole, inner: string) => {
    if (inner.startsWith('@')) return noun(inner.slice(1), facts, lang)
    const [name = '', one, many] = inner.split('|')
    if (!(name in facts)) return whole
    const value = facts[name]
    if (many !== undefined) return (isOne(value) ? one : many) ?? ''
    return typeof value === 'number' ? formatCount(value, lang) : String(value ?? '')
  })
}

const NOUN = /^([a-z_0-9]+)(\*?)(\^?)(?::(\w+))?$/

function noun(asked: string, facts: Facts, lang: Language): string {
  const [, key = asked, many, upper, counted] = NOUN.exec(asked) ?? []
  const plural = many === '*' || (counted !== undefined && !isOne(facts[counted]))
  const word = plural ? termMany(key, lang) : term(key, lang)
  return upper === '^' ? head(word) : word
}

function isOne(value: Fact): boolean {
  return Math.abs(Number(value)) === 1
}

/** Keys of the terms list that a sentence asks for; for the test that each of them exists. */
export function nounsIn(text: string): string[] {
  return [...text.matchAll(/\{@([a-z_0-9]+)/g)].map((found) => found[1] ?? '')
}

export function isTerm(key: string): boolean {
  return TERMS.zh[key] !== undefined && TERMS.en[key] !== undefined
}

/** What a component uses; each reads the language when called, so a template follows the switch. */
export function useWords(): {
  t: (key: string, facts?: Facts) => string
  term: (key: string) => string
  termHead: (key: string) => string
  termsHead: (key: string) => string
  language: typeof language
} {
  return {
    t: (key, facts) => sentence(key, facts),
    term: (key) => term(key),
    termHead: (key) => head(term(key)),
    termsHead: (key) => head(termMany(key)),
    language,
  }
}

/** A noun at the head of a sentence or as a label. */
export function head(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
