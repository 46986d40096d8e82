// SPDX-License-Identifier: Apache-2.0
/** Part of a page's state that lives in its address. */
import type { LocationQuery } from 'vue-router'

export type QueryChange = Record<string, string | number | null | undefined>

/** The address's query with some values changed; an empty value leaves it. */
export function changedQuery(query: LocationQuery, change: QueryChange): Record<string, string> {
  const next: Record<string, string> = {}
  for (const [name, value] of Object.entries({ ...query, ...change })) {
    if (value !== null && value !== undefined && value !== '') next[name] = String(value)
  }
  return next
}
