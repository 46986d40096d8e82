// SPDX-License-Identifier: Apache-2.0
/** Names of people: one form to show, one key to compare, a mask for lists. Same vectors as the server. */
import characters from './characters.json'
import { fold, HAN, isBlank, plainDashes } from './writing'

export const NAMES_VERSION = 1
const DOT = '\u00b7'
const DOTS = new RegExp(`[${characters.dots}]`, 'gu')
const AROUND_DOT = new RegExp(`\\s*${DOT}[\\s${DOT}]*`, 'gu')
const HAN_CHAR = new RegExp(`[${HAN}]`, 'u')
const EAST_ASIAN_WORD = new RegExp(`^[${HAN}\\u3040-\\u30fa\\u30fc-\\u30ff\\uac00-\\ud7af]+$`, 'u')
const APOSTROPHES = new RegExp(`[${characters.apostrophes}]`, 'gu')

export function cleanName(raw: string | null | undefined): string | null {
  if (raw === null || raw === undefined || isBlank(raw)) return null
  const dotted = betweenHan(fold(raw).replace(DOTS, DOT), characters.full_stops, DOT).replace(AROUND_DOT, DOT)
  const name = betweenHan(dotted, ' ', '')
  return name.replace(new RegExp(`^[${DOT} ]+|[${DOT} ]+$`, 'gu'), '') || null
}

/** By hand and not by a look-behind: older browsers refuse a whole file over one. */
function betweenHan(text: string, marks: string, instead: string): string {
  const chars = Array.from(text)
  const isHan = (char: string | undefined) => char !== undefined && HAN_CHAR.test(char)
  let done = ''
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? ''
    if (!marks.includes(char) || !isHan(chars[at - 1])) {
      done += char
      continue
    }
    let end = at + 1
    if (char === ' ') while (chars[end] === ' ') end++
    if (isHan(chars[end])) {
      done += instead
      at = end - 1
    } else done += char
  }
  return done
}

/** What two writings of one name share: no case, accents, dots, apostrophes or hyphens. */
export function nameKey(raw: string | null | undefined): string | null {
  const name = cleanName(raw)
  if (name === null) return null
  const bare = name.toLowerCase().normalize('NFD').replace(/[\u0300-\u036f]/g, '').normalize('NFC')
  const key = plainDashes(bare.replace(APOSTROPHES, '')).replace(/-/g, ' ').split(DOT).join('').replace(/\./g, '')
  return key.split(/\s+/).filter(Boolean).join(' ') || null
}

/** A single run of East Asian characters keeps its first and, from three on, its last; words keep their first letters. */
export function maskName(raw: string | null | undefined): string {
  const name = cleanName(raw)
  if (name === null) return ''
  const chars = Array.from(name)
  if (EAST_ASIAN_WORD.test(name)) {
    const hidden = '*'.repeat(Math.max(chars.length - 2, 1))
    return (chars.length > 1 ? chars[0] : '') + hidden + (chars.length > 2 ? chars[chars.length - 1] : '')
  }
  const parts = name.split(new RegExp(`([ ${DOT}])`, 'u')).filter(Boolean)
  return parts.map((part) => (part === ' ' || part === DOT ? part : `${Array.from(part)[0] ?? ''}***`)).join('')
}
