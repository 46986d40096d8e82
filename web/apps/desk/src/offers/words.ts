// SPDX-License-Identifier: Apache-2.0
/** Words and tones of offers of help: the pack names what is given. */
import { pick, type Tone } from '@muster/ui'
import type { OfferLine } from '../api/offers'
import { pack } from '../shell/session'

const found = (code: string) => pack.value?.offer_categories?.find((one) => one.code === code)

export function givenWord(code: string): string {
  const known = found(code)
  return known ? pick(known.name) : code
}

export function unitWord(code: string): string {
  const known = found(code)
  return known ? pick(known.unit) : ''
}

const TONES: Record<string, Tone> = { NEW: 'attention', OPEN: 'done', NOTED: 'noted', DECLINED: 'noted', WITHDRAWN: 'noted', RESERVED: 'now', GIVEN: 'done', RETURNED: 'noted', CANCELLED: 'noted' }

export function toneOfOffer(row: Pick<OfferLine, 'status' | 'is_over'>): Tone {
  return row.is_over ? 'noted' : (TONES[row.status] ?? 'waiting')
}

export const toneOfMatch = (status: string): Tone => TONES[status] ?? 'waiting'

export const gridWord = (grid: { name: string; name_en: string } | null, language: 'zh' | 'en'): string => (language === 'en' ? grid?.name_en : grid?.name) ?? ''
