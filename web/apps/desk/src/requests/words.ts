// SPDX-License-Identifier: Apache-2.0
/** Words and tones of requests: the pack names the categories, the house the states. */
import { pick, type Tone } from '@muster/ui'
import type { RequestLine } from '../api/requests'
import { pack } from '../shell/session'

export function categoryWord(code: string): string {
  const found = pack.value?.request_categories?.find((one) => one.code === code)
  return found ? pick(found.name) : code
}

export function skillWord(code: string): string {
  const found = pack.value?.skills?.find((one) => one.code === code)
  return found ? pick(found.name) : code
}

export function toneOfRequest(row: Pick<RequestLine, 'urgency' | 'status' | 'is_late'>): Tone {
  if (['CONFIRMED', 'DONE'].includes(row.status)) return 'done'
  if (['CLOSED_UNREACHED', 'LINKED', 'REFUSED', 'WITHDRAWN', 'ON_HOLD'].includes(row.status)) return 'waiting'
  if (row.urgency === 'LIFE' || row.is_late) return 'danger'
  if (['ACCEPTED', 'ON_SITE'].includes(row.status)) return 'now'
  return row.urgency === 'URGENT' ? 'attention' : 'waiting'
}
