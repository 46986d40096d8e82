// SPDX-License-Identifier: Apache-2.0
/** Which tone (colour and shape) each state has. The word comes from the terms list; the three always stand together. */

export type Tone = 'done' | 'waiting' | 'now' | 'attention' | 'danger' | 'noted'
export type EntryClass = 'OPEN' | 'DONE' | 'ARRANGED' | 'EXPLAINED' | 'UNREACHED'
export type DoorState = 'SEEN' | 'VACANT' | 'NO_ANSWER' | 'REFUSED' | 'UNSEEN'

/** In the order in which an equation is read: what is done first, what is left last. */
export const ENTRY_CLASSES: readonly EntryClass[] = ['DONE', 'ARRANGED', 'EXPLAINED', 'UNREACHED', 'OPEN']

const TONES: Record<string, Tone> = {
  OPEN: 'waiting',
  DONE: 'done',
  ARRANGED: 'now',
  EXPLAINED: 'noted',
  UNREACHED: 'attention',
  SEEN: 'done',
  VACANT: 'noted',
  NO_ANSWER: 'attention',
  REFUSED: 'noted',
  UNSEEN: 'waiting',
  HELD: 'attention',
  QUARANTINED: 'danger',
  FLAGGED: 'attention',
  APPLIED: 'done',
  DUPLICATE: 'noted',
  PLANNED: 'waiting',
  ROSTER_FROZEN: 'waiting',
  FREEZING: 'now',
  CLOSING: 'attention',
  CLOSED: 'done',
  CERTIFIED: 'done',
}

/** A round that is open is work going on, an entry that is open is work not begun: hence the two tables. */
export function toneOf(state: string): Tone {
  return TONES[state] ?? 'waiting'
}

export function toneOfRound(status: string): Tone {
  return status === 'OPEN' ? 'now' : toneOf(status)
}

export function termOfClass(cls: string): string {
  return `entry_class_${cls.toLowerCase()}`
}

export function termOfDoor(state: string): string {
  return `door_state_${state.toLowerCase()}`
}
