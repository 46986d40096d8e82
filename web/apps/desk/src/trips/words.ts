// SPDX-License-Identifier: Apache-2.0
/** Words and tones of trips: what is late is danger, what was missed more so. */
import type { Language, Tone, useWords } from '@muster/ui'
import type { Hop, Series, TripLine } from '../api/trips'
import { pack, packWord } from '../shell/session'

export function toneOfTrip(row: TripLine): Tone {
  if (row.status === 'HOME') return 'done'
  if (row.status === 'CANCELLED') return 'waiting'
  if (row.is_missed || row.is_late || row.urgency === 'LIFE') return 'danger'
  return row.status === 'PLANNED' ? 'waiting' : 'now'
}

export function toneOfHop(hop: Hop): Tone {
  if (hop.done_at) return 'done'
  if (hop.skipped_at) return 'waiting'
  return hop.is_late ? 'danger' : 'waiting'
}

/** Why somebody goes again and again, as the pack calls the need; empty for a single trip. */
export const kindWord = (kind: string): string => (kind === 'visit' ? '' : packWord('needs', kind))

/** Needs that mean going out again and again, as the pack lists them. */
export const careKinds = (): { code: string; every_days: number; at: string }[] =>
  (pack.value?.needs ?? []).flatMap(({ code, care }) => (care ? [{ code, every_days: care.every_days, at: care.at }] : []))

const MONDAY = Date.UTC(2024, 0, 1)
const locale = (language: Language): string => (language === 'zh' ? 'zh-CN' : 'en-GB')

/** A day of the week, 1 Monday to 7 Sunday. */
export const weekdayWord = (day: number, language: Language): string =>
  new Intl.DateTimeFormat(locale(language), { weekday: 'short', timeZone: 'UTC' }).format(MONDAY + (day - 1) * 86_400_000)

/** A day of the calendar with its day of the week: it is no moment and has no zone. */
export const dayWord = (day: string, language: Language): string =>
  new Intl.DateTimeFormat(locale(language), { month: language === 'zh' ? 'long' : 'short', day: 'numeric', weekday: 'short', timeZone: 'UTC' }).format(new Date(`${day}T00:00:00Z`))

export function rhythmWord(one: Pick<Series, 'weekdays' | 'every_days' | 'time_of_day' | 'until'>, t: ReturnType<typeof useWords>['t'], language: Language): string {
  const time = one.time_of_day
  const said = one.weekdays.length ? t('trips.weekly', { days: one.weekdays.map((day) => weekdayWord(day, language)).join(t('comma')), time }) : t('trips.every', { days: one.every_days, time })
  return one.until ? `${said} · ${t('trips.until', { day: dayWord(one.until, language) })}` : said
}
