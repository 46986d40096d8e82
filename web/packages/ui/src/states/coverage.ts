// SPDX-License-Identifier: Apache-2.0
/** The two halves of nobody missed: the list is worked off (equation), the list is complete (doors). */
import { ENTRY_CLASSES, type EntryClass } from './tones'

export interface Equation {
  frozen: number
  added: number
  moved_in: number
  moved_out: number
  roster: number
  classes: Partial<Record<EntryClass, number>>
  sum: number
  balanced: boolean
}

export interface DoorFigures {
  total: number
  seen: number
  vacant: number
  no_answer: number
  refused: number
  unseen: number
}

/** Recomputed here on purpose: a screen that only repeats "balanced" would not notice. */
export function gapOf(equation: Equation): number {
  const sum = ENTRY_CLASSES.reduce((total, cls) => total + (equation.classes[cls] ?? 0), 0)
  const roster = equation.frozen + equation.added + equation.moved_in - equation.moved_out
  return sum - roster
}

export function isBalanced(equation: Equation): boolean {
  return equation.balanced && gapOf(equation) === 0 && equation.roster === equation.sum
}

export function missingOf(classes: Equation['classes']): number {
  return (classes.OPEN ?? 0) + (classes.UNREACHED ?? 0)
}

/** Somebody was seen, or it was checked to be empty; a door that stayed shut counts as not reached. */
export function doorsSettled(doors: DoorFigures): number {
  return doors.seen + doors.vacant
}

export function doorsNeverReached(doors: DoorFigures): number {
  return doors.total - doorsSettled(doors)
}
