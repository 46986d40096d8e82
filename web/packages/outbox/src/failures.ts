// SPDX-License-Identifier: Apache-2.0
/** What can go wrong on the phone itself, by code; the words are the screen's. */

export type FailureCode =
  | 'storage_full'
  | 'storage_closed'
  | 'not_saved'
  | 'not_enrolled'
  | 'undo_too_late'
  | 'undo_already'
  | 'undo_unknown'

export class OutboxFailure extends Error {
  override readonly name = 'OutboxFailure'
  readonly code: FailureCode

  constructor(code: FailureCode, cause?: unknown) {
    super(code)
    this.code = code
    // Kept by hand: browsers of the support floor do not know the second argument of Error.
    if (cause !== undefined) Object.defineProperty(this, 'cause', { value: cause })
  }
}

/** What a browser says when it has closed a database under the page: above all a disk with no room left. */
const CLOSED = new Set(['InvalidStateError', 'DatabaseClosedError', 'OpenFailedError', 'MissingAPIError', 'UnknownError', 'AbortError'])

function namesOf(error: unknown): string[] {
  const chain = [error, (error as { inner?: unknown } | null)?.inner]
  return chain.map((one) => (one as { name?: string } | null)?.name ?? '')
}

export function isClosed(error: unknown): boolean {
  return namesOf(error).some((name) => CLOSED.has(name))
}

interface Reopenable {
  /** Closed by the page itself: stays closed. */
  ended?: boolean
  close: (options?: { disableAutoOpen: boolean }) => void
  open: () => PromiseLike<unknown>
}

/** Works on a database that the browser may have closed meanwhile: opened anew once, then given up. `work` may run twice. */
export async function reviving<T>(base: Reopenable, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isClosed(error) || base.ended === true) throw error
    base.close({ disableAutoOpen: false })
    await base.open()
    return work()
  }
}

/** A failed write, named: full storage and closed storage have different cures. */
export function writeFailure(error: unknown): OutboxFailure {
  if (error instanceof OutboxFailure) return error
  if (namesOf(error).some((name) => name === 'QuotaExceededError')) return new OutboxFailure('storage_full', error)
  if (isClosed(error)) return new OutboxFailure('storage_closed', error)
  return new OutboxFailure('not_saved', error)
}
