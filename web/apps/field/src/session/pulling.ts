// SPDX-License-Identifier: Apache-2.0
/** Pulling: pages until there is no more, each stored with its cursor; verdicts first, so that none is lost by a crash. */
import { pull, type PullPage } from '@muster/client'
import { reviving, type Enrolment, type Outbox } from '@muster/outbox'
import type { CopyStore } from '../grid/copyStore'

export interface PullParts {
  outbox: Outbox
  copies: CopyStore
  origin: string
  fetch: typeof fetch
}

export type Pulled =
  | { state: 'DONE'; pages: number; at: number }
  | { state: 'ENDED' }
  | { state: 'FAILED'; code: string; retryAfter: string | null }

/** So many pages without an end are a server gone wrong, not a large grid. */
const MOST_PAGES = 400

export interface PageWatch {
  /** A page has come and is about to be kept. */
  before: () => unknown
  /** It is kept: verdicts settled, rows stored. */
  after: (page: PullPage) => unknown
}

export const UNWATCHED: PageWatch = { before: () => undefined, after: () => undefined }

export async function pullAll(parts: PullParts, enrolment: Enrolment, cursor: string | null, watch: PageWatch): Promise<Pulled> {
  let since = cursor
  for (let pages = 1; pages <= MOST_PAGES; pages++) {
    const counter = await parts.outbox.store.counters.get(enrolment.device)
    const lastSeq = (counter?.next_seq ?? 1) - 1
    const answer = await pull({ origin: parts.origin, lease: enrolment.lease, since, lastSeq, fetch: parts.fetch })
    if (answer.state === 'FAILED' && answer.code === 'cursor_bad' && since !== null) {
      // The server cannot read where we are (restored from an older copy): all is asked for anew, nothing unsent is touched.
      since = null
      continue
    }
    if (answer.state === 'FAILED') return answer
    if (answer.state === 'ENDED') {
      await parts.outbox.store.enrolments.update(enrolment.device, { reading_ended: answer.code })
      return { state: 'ENDED' }
    }
    watch.before()
    await keep(parts, enrolment, answer.page)
    watch.after(answer.page)
    since = answer.page.cursor
    if (!answer.page.more) return { state: 'DONE', pages, at: Date.parse(answer.page.now) }
  }
  return { state: 'FAILED', code: 'pull_endless', retryAfter: null }
}

async function keep({ outbox, copies }: PullParts, enrolment: Enrolment, page: PullPage): Promise<void> {
  await outbox.time.hear(page.now)
  await reviving(outbox.store, () => outbox.settle(enrolment.device, page.verdicts))
  // Of a handed-over enrolment only the verdicts are wanted: the people of its grids are no longer this phone's business.
  const still = await outbox.store.enrolments.get(enrolment.device)
  if (still?.state === 'ACTIVE') await reviving(copies, () => copies.add(enrolment.device, enrolment.sealing, page))
  await outbox.store.enrolments.update(enrolment.device, {
    lease_until: page.lease_until,
    ...(page.lease && { lease: page.lease }),
    incident: page.incident,
    ...(still?.state === 'CLOSED' && { verdict_cursor: page.cursor }),
    ...(page.server_keys && { server_keys: page.server_keys }),
    ...(page.carriers && { carriers: page.carriers }),
  })
}
