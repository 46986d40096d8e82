// SPDX-License-Identifier: Apache-2.0
/** Tones of what comes back and of its lines. */
import type { Tone } from '@muster/ui'
import type { ReturnState, Will } from '../api/sheets'

const STATES: Record<ReturnState, Tone> = { TYPED_ONCE: 'waiting', PREVIEWED: 'attention', COMMITTED: 'done', UNDONE: 'noted' }
const LINES: Record<Will, Tone> = { bad: 'danger', differs: 'attention', new: 'done', change: 'now', already: 'noted', same: 'noted' }

export const toneOfReturn = (state: ReturnState): Tone => STATES[state]
export const toneOfLine = (will: Will): Tone => LINES[will]
