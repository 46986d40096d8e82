// SPDX-License-Identifier: Apache-2.0
/** Times as people read them: 24 hours, the incident's zone, relative only under an hour. */
import { shallowRef } from 'vue'
import type { Language } from '../words/language'

type Moment = string | number | Date

const LOCALES: Record<Language, string> = { zh: 'zh-CN', en: 'en-GB' }
const zone = shallowRef<string | undefined>(undefined)

/** The incident's time zone; until it is known the machine's own zone is used. */
export function setTimeZone(name: string | undefined): void {
  try {
    if (name) new Intl.DateTimeFormat('en', { timeZone: name })
    zone.value = name
  } catch {
    zone.value = undefined
  }
}

export function formatTime(at: Moment, lang: Language): string {
  return show(at, lang, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
}

export function formatDay(at: Moment, lang: Language): string {
  return show(at, lang, { month: lang === 'zh' ? 'long' : 'short', day: 'numeric' })
}

export function formatMoment(at: Moment | null | undefined, lang: Language): string {
  if (at === null || at === undefined || at === '') return '—'
  return `${formatDay(at, lang)} ${formatTime(at, lang)}`
}

/** With the year: for print and for what is kept. */
export function formatFull(at: Moment, lang: Language): string {
  const day = show(at, lang, { year: 'numeric', month: lang === 'zh' ? 'long' : 'short', day: 'numeric' })
  return `${day} ${formatTime(at, lang)}`
}

/** Minutes since, while it is under an hour; otherwise null and the caller shows the moment. */
export function minutesSince(at: Moment, now: number): number | null {
  const minutes = Math.floor((now - new Date(at).getTime()) / 60_000)
  // A clock that is a little behind the server's makes no age below nothing.
  return minutes < 60 ? Math.max(0, minutes) : null
}

function show(at: Moment, lang: Language, options: Intl.DateTimeFormatOptions): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return '—'
  return new Intl.DateTimeFormat(LOCALES[lang], { ...options, timeZone: zone.value }).format(date)
}
