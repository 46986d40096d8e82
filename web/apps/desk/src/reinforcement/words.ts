// SPDX-License-Identifier: Apache-2.0
/** Words and tones of reinforcement: the pack names skills and affiliations, the house the states. */
import { pick, type Tone } from '@muster/ui'
import type { AreaName, OrderLine } from '../api/reinforcement'
import { pack } from '../shell/session'

export function affiliationWord(code: string): string {
  const found = pack.value?.affiliations?.find((one) => one.code === code)
  return found ? pick(found.name) : code
}

export const placeWord = (area: AreaName, language: 'zh' | 'en'): string => (language === 'en' ? area.name_en : area.name)

const TONES: Record<string, Tone> = { REQUESTED: 'attention', PROMISED: 'waiting', APPROVED: 'now', FILLING: 'now', ARRIVED: 'now', ENGAGED: 'done', RETURNED: 'noted', CANCELLED: 'noted', REFUSED: 'noted' }

export function toneOfOrder(row: Pick<OrderLine, 'status' | 'is_late'>): Tone {
  return row.is_late ? 'danger' : (TONES[row.status] ?? 'waiting')
}

export const toneOfDeployment = (status: string): Tone => TONES[status] ?? 'waiting'
