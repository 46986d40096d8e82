// SPDX-License-Identifier: Apache-2.0
/** What a scanned or opened link means here: a code to enrol with, or a door of the grid. */
import { readCode } from '@muster/outbox'

export function codeInLink(text: string): string | null {
  const query = /[?&]code=([^&#]+)/.exec(text)?.[1]
  return query === undefined ? null : readCode(safelyDecoded(query))
}

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i

/** The id of a door (or of somebody behind it) in a printed code. */
export function idInLink(text: string): string | null {
  return ID.exec(text)?.[0].toLowerCase() ?? null
}

function safelyDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
