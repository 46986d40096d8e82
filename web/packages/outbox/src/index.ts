// SPDX-License-Identifier: Apache-2.0
/** Outbox: what a worker records is kept on the phone, signed, sent, receipted, and let go only after a verdict. */
export { Outbox, type Counts, type Mine, type OutboxOptions } from './outbox'
export { EnrolRefused, readCode, type EnrolAnswer } from './enrolling'
export { OutboxFailure, type FailureCode } from './failures'
export { UNDO_WITHIN_MS, type Act } from './recording'
export { seal, unseal, type Sealed } from './seal'
export { uuid7 } from './ids'
export { sha256, utf8 } from './bytes'
export type { Subject } from './envelope'
export type { Actor, Brief, Enrolment, FactRow, FactStatus, IncidentOf, Verdict } from './store'
export type { Trouble } from './sending'
export type { CourierState } from './courier'
export type { VerdictOf } from './verdicts'
