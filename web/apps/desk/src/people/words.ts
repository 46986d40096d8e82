// SPDX-License-Identifier: Apache-2.0
/** Words and tones of people who serve: the pack names skills and affiliations, the house the states. */
import { isTerm, language, pick, term, type Tone } from '@muster/ui'
import type { PlaceName, ResponderLine } from '../api/people'
import { pack } from '../shell/session'

export function affiliationWord(code: string): string {
  const found = pack.value?.affiliations?.find((one) => one.code === code)
  return found ? pick(found.name) : code
}

export function strainWord(code: string): string {
  const found = pack.value?.strains?.find((one) => one.code === code)
  return found ? pick(found.name) : code
}

export const languageWord = (code: string): string => (isTerm(`language_${code}`) ? term(`language_${code}`) : code)
export const slotWord = (code: string): string => (isTerm(`slot_${code}`) ? term(`slot_${code}`) : code)
export const placeWord = (place: PlaceName | null): string => (place ? (language.value === 'en' && place.name_en) || place.name : '')

/** Where somebody serves; where he lives while he has no place. */
export function whereWord(row: Pick<ResponderLine, 'grid' | 'home_grid' | 'home_area'>): string {
  return placeWord(row.grid) || [placeWord(row.home_area), placeWord(row.home_grid)].filter(Boolean).join(' · ')
}

const TONES: Record<string, Tone> = {
  REGISTERED: 'attention', VETTED: 'waiting', ASSIGNED: 'now', ON_DUTY: 'done', STANDBY: 'now', RESTING: 'waiting', ISOLATED: 'danger', UNAVAILABLE: 'waiting', RELEASED: 'waiting', DECLINED: 'waiting',
}

export const toneOfStatus = (status: string): Tone => TONES[status] ?? 'waiting'
