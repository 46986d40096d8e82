// SPDX-License-Identifier: Apache-2.0
/** What can be brought in and taken out, in the order in which a new place is filled. */

export interface TransferKind {
  kind: string
  /** Key of the terms list. */
  noun: string
}

export const IMPORT_KINDS: readonly TransferKind[] = [
  { kind: 'areas', noun: 'area' },
  { kind: 'buildings', noun: 'building' },
  { kind: 'dwellings', noun: 'dwelling' },
  { kind: 'households', noun: 'household' },
  { kind: 'persons', noun: 'person' },
  { kind: 'needs', noun: 'special_need' },
  { kind: 'responders', noun: 'responder' },
]

export function nounOfKind(kind: string): string {
  return IMPORT_KINDS.find((one) => one.kind === kind)?.noun ?? 'import'
}
