// SPDX-License-Identifier: Apache-2.0
/** Places come with both their names (`name`, `name_en`); a page reads the one of its language under `name`. */
import type { Language } from '../words/language'

export function namesIn<T>(value: T, lang: Language): T {
  if (lang === 'en') rename(value)
  return value
}

function rename(value: unknown): void {
  if (Array.isArray(value)) {
    // Coordinates are long lists of numbers; there are no names among them.
    if (typeof value[0] !== 'number') value.forEach(rename)
    return
  }
  if (typeof value !== 'object' || value === null) return
  const place = value as Record<string, unknown>
  if (typeof place.name === 'string' && typeof place.name_en === 'string' && place.name_en !== '') place.name = place.name_en
  for (const [key, inner] of Object.entries(place)) if (key !== 'geometry' && typeof inner === 'object') rename(inner)
}
