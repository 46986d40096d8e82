// SPDX-License-Identifier: Apache-2.0
/** Typing a paper in: a number, the key of an outcome, the next number. Pure, kept apart from the screen. */
import type { SheetChoice, SheetLine, SheetPage, TypedLine } from '../api/sheets'

export const blankLine = (): TypedLine => ({ number: 0, outcome: '', when: '', note: '', name: '', phone: '', born: '', door: '' })

export function lineOf(page: SheetPage, text: string): SheetLine | null {
  const number = Number(text.trim())
  return page.rows.find((row) => row.number === number) ?? null
}

export function choicesOf(page: SheetPage, line: SheetLine | null): SheetChoice[] {
  return line?.is_door ? page.door_choices : page.choices
}

/** The outcome that a key stands for, in either case of the letter. */
export function choiceOfKey(choices: readonly SheetChoice[], key: string): SheetChoice | null {
  return choices.find((choice) => choice.key !== '' && choice.key === key.toUpperCase()) ?? null
}

/** The line with this number is written anew, others stay; the newest is last. */
export function withLine(lines: readonly TypedLine[], line: TypedLine): TypedLine[] {
  return [...lines.filter((one) => line.number === 0 || one.number !== line.number), line]
}

/** The number after this one that has not been typed. */
export function nextNumber(page: SheetPage, lines: readonly TypedLine[], after: number): number | null {
  const typed = new Set(lines.map((line) => line.number))
  return page.rows.find((row) => row.number > after && !typed.has(row.number))?.number ?? null
}

/** A code as it was scanned or typed: of an address what follows /s/, in one spelling. */
export function readCode(text: string): { code: string; line: string } {
  const [, after = text] = text.split('/s/')
  const [said = '', line = ''] = after.trim().split('/')
  const letters = said.toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1').replace(/[^0-9A-Z]/g, '')
  return { code: letters.length === 8 ? `${letters.slice(0, 4)}-${letters.slice(4)}` : said.trim(), line: line.trim() }
}

/** What a moment's field of the browser holds, in its own zone. */
export function localMoment(at: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`
}

export const momentOf = (local: string): string => (local ? new Date(local).toISOString() : '')
