// SPDX-License-Identifier: Apache-2.0
/** Order and tone of the inbox: what is due first comes first, what is overdue says so. */
import type { Tone } from '@muster/ui'
import type { InboxItem } from '../api/types'

const SOON_MS = 60 * 60_000

export function byClock(items: readonly InboxItem[]): InboxItem[] {
  return [...items].sort((a, b) => moment(a.due) - moment(b.due) || moment(a.since) - moment(b.since))
}

export function toneOfItem(item: Pick<InboxItem, 'due'>, now: number): Tone {
  if (!item.due) return 'waiting'
  const left = new Date(item.due).getTime() - now
  if (left < 0) return 'danger'
  return left < SOON_MS ? 'attention' : 'now'
}

/** The server names pages by their whole address; the desk's own router knows them without `/desk`. */
export function pathOf(link: string): string {
  return link.replace(/^\/desk(?=\/|$)/, '') || '/'
}

function moment(at: string | null): number {
  return at ? new Date(at).getTime() : Number.MAX_SAFE_INTEGER
}
