// SPDX-License-Identifier: Apache-2.0
/** A clock in the words of a card: how long is left, that it is now, how long it is over, or until when. */
import { formatMoment, minutesSince, type Language } from '@muster/ui'

type Says = (key: string, facts?: Record<string, string | number>) => string

export function clockWords(due: string, now: number, t: Says, language: Language): string {
  const late = minutesSince(due, now)
  if (late !== null && late > 0) return t('requests.over', { minutes: late })
  const left = Math.ceil((Date.parse(due) - now) / 60_000)
  if (left <= 0) return t('requests.due_now')
  return left < 60 ? t('requests.left', { minutes: left }) : t('requests.by', { moment: formatMoment(due, language) })
}
