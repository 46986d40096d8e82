// SPDX-License-Identifier: Apache-2.0
/** Numbers as people read them: exact where they must add up, in units of ten thousand where they only must be grasped. */
import type { Language } from '../words/language'

const EXACT_UP_TO = 100_000

export function formatCount(value: number, lang: Language): string {
  return new Intl.NumberFormat(lang === 'zh' ? 'zh-CN' : 'en-GB', { maximumFractionDigits: 2 }).format(value)
}

/** Short form for headers and walls: exact below a hundred thousand, then one decimal of a larger unit. */
export function formatShort(value: number, lang: Language): string {
  if (Math.abs(value) < EXACT_UP_TO) return formatCount(value, lang)
  return new Intl.NumberFormat(lang === 'zh' ? 'zh-CN' : 'en-GB', {
    notation: 'compact',
    maximumFractionDigits: 1,
  }).format(value)
}

/** A share as per cent: never rounded up to 100 or down to 0 while something is left. */
export function formatShare(part: number, whole: number, lang: Language): string {
  if (whole <= 0) return '—'
  const exact = (part / whole) * 100
  const rounded = Math.round(exact * 10) / 10
  if (part < whole && rounded >= 100) return '99.9%'
  if (part > 0 && rounded <= 0) return '<0.1%'
  return `${formatCount(rounded, lang)}%`
}
