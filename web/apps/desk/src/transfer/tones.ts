// SPDX-License-Identifier: Apache-2.0
/** Tones of imports and of their rows. */
import type { Tone } from '@muster/ui'
import type { ImportJob, ImportRow } from '../api/types'

const STATES: Record<ImportJob['state'], Tone> = {
  UPLOADED: 'now',
  MAPPED: 'now',
  VALIDATED: 'now',
  PREVIEWED: 'attention',
  COMMITTED: 'done',
  UNDONE: 'noted',
  FAILED: 'danger',
}

const ROWS: Record<ImportRow['verdict'], Tone> = { new: 'done', changed: 'now', same: 'noted', bad: 'danger', duplicate: 'attention' }

export function toneOfImport(state: ImportJob['state']): Tone {
  return STATES[state]
}

export function toneOfRow(verdict: ImportRow['verdict']): Tone {
  return ROWS[verdict]
}
