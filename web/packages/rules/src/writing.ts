// SPDX-License-Identifier: Apache-2.0
/** How people write, read as the server reads it: full-width letters, dashes, Chinese numerals, words that mean nothing. */
import characters from './characters.json'

/** Inside a character class of a regular expression with the u flag. */
export const HAN = '\\u3005\\u3007\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\u{20000}-\\u{3ffff}'

const DASHES = new RegExp(`[${characters.dashes}]`, 'gu')
const SPACES = /[\t\n\v\f\r \u1680\u2028\u2029]+/g
const VARIATION_SELECTORS = /[\ufe00-\ufe0f]|[\u{e0100}-\u{e01ef}]/gu
const BLANK = new Set(characters.blank.split('|'))
const FIGURES = new Map(characters.figures.flatMap((chars, value) => Array.from(chars, (char) => [char, value] as const)))
const RANKS = new Map(Object.entries(characters.ranks))

export function fold(raw: string): string {
  const text = raw.normalize('NFKC').replace(VARIATION_SELECTORS, '').replace(/\p{Cf}/gu, '')
  return text.replace(SPACES, ' ').replace(/\p{Cc}/gu, '').replace(/^ +| +$/g, '')
}

export function plainDashes(text: string): string {
  return text.replace(DASHES, '-')
}

export function isBlank(raw: string | null | undefined): boolean {
  if (raw === null || raw === undefined) return true
  const folded = fold(raw).toLowerCase()
  return folded === '' || BLANK.has(folded)
}

/** What identifies somebody, folded; null when blank or one digit over and over. */
export function identifier(raw: string | null | undefined): string | null {
  if (raw === null || raw === undefined || isBlank(raw)) return null
  const folded = fold(raw).replace(/^['`]+/, '').trim()
  const marks = folded.toLowerCase().replace(/[^0-9a-z]/g, '')
  return marks.length > 3 && new Set(marks).size === 1 ? null : folded || null
}

/** Arabic or Chinese figures, 0 to 9999, or null. */
export function readNumber(raw: string): number | null {
  let text = fold(raw)
  if (/^[0-9]{1,4}$/.test(text)) return Number(text)
  for (const [short, long] of Object.entries(characters.short_ranks)) text = text.split(short).join(long)
  const chars = Array.from(text)
  if (chars.length === 0 || chars.some((char) => !FIGURES.has(char) && !RANKS.has(char))) return null
  if (chars.some((char) => RANKS.has(char))) return withRanks(chars)
  return chars.length <= 4 ? Number(chars.map((char) => FIGURES.get(char)).join('')) : null
}

/** Ranks must fall, and a figure without a rank stands at the end. */
function withRanks(chars: readonly string[]): number | null {
  let total = 0
  let waiting: number | null = null
  let lastRank = 10_000
  for (const char of chars) {
    const figure = FIGURES.get(char)
    if (figure !== undefined) {
      if (waiting) return null
      waiting = figure
      continue
    }
    const rank = RANKS.get(char) ?? 0
    if (rank >= lastRank || waiting === 0) return null
    total += (waiting ?? 1) * rank
    waiting = null
    lastRank = rank
  }
  return total + (waiting ?? 0)
}
