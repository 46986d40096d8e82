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

/** A failed write, named: full storage and closed storage have different cures. */
export function writeFailure(error: unknown): OutboxFailure {
  if (error instanceof OutboxFailure) return error
  const chain = [error, (error as { inner?: unknown } | null)?.inner]
  const names = chain.map((one) => (one as { name?: string } | null)?.name ?? '')
  if (names.some((name) => name === 'QuotaExceededError')) return new OutboxFailure('storage_full', error)
  const closed = ['InvalidStateError', 'DatabaseClosedError', 'OpenFailedError', 'MissingAPIError', 'UnknownError']
  if (names.some((name) => closed.includes(name))) return new OutboxFailure('storage_closed', error)
  return new OutboxFailure('not_saved', error)
}
