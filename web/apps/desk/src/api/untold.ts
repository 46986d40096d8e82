// SPDX-License-Identifier: Apache-2.0
/** Who heard where he is placed, and whom somebody has to tell. Shapes and calls. */
import { request, type Query } from '@muster/ui'
import type { PlacedPerson, PlaceName, PostWords, Said } from './placement'
import type { Page } from './types'

export interface ToldCounts {
  sms: { waiting: number; sent: number; failed: number }
  app: { there: number; read: number }
  /** By reason; none where nobody is left. */
  to_tell: Partial<Record<'NO_PHONE' | 'NO_CODE' | 'NOT_SENT', number>>
  told_by_hand: number
  accepted: number
}

export interface UntoldLine {
  id: string
  /** The number that stands on the card too: names are masked in the list. */
  number: number
  plan: string
  responder: PlacedPerson | null
  phone: string | null
  why: Said
  /** Where he stands now; none: he has no place any more. */
  grid: PlaceName | null
  post: string
}

export interface PlaceCard {
  id: string
  number: number
  name: string
  unit: string
  phone: string
  lines: string[]
  times: string[]
}

const BASE = '/placement/untold'

export const untold = {
  counts: (plan: string) => request<ToldCounts>(`/placement/plans/${plan}/told`),
  list: (query: Query) => request<Page<UntoldLine> & { posts: PostWords[] }>(BASE, { query }),
  cards: (query: Query) => request<Page<PlaceCard>>(`${BASE}/cards`, { query }),
  tell: (seats: string[], told: boolean) => request<{ changed: number; left: number }>(`${BASE}/told`, { method: 'POST', body: { seats, told } }),
}
