// SPDX-License-Identifier: Apache-2.0
/** Columns of a list, sorting and saving it as a file. */
import { saveBlob } from '@muster/ui'
import { computed, shallowRef, type ComputedRef, type Ref } from 'vue'

export type Cell = string | number | null | undefined

export interface Column<Row> {
  key: string
  head: string
  /** What the cell says when the page gives no picture of its own; also what is sorted and saved. */
  text: (row: Row) => Cell
  end?: boolean
  fixed?: boolean
  width?: string
}

export interface Sorting {
  key: string
  down: boolean
}

export function useSorting<Row>(rows: Readonly<Ref<readonly Row[]>>, columns: Readonly<Ref<readonly Column<Row>[]>>): {
  sorting: Ref<Sorting | null>
  sorted: ComputedRef<readonly Row[]>
  press: (key: string) => void
} {
  const sorting = shallowRef<Sorting | null>(null)
  const sorted = computed(() => {
    const by = sorting.value
    const column = by && columns.value.find((one) => one.key === by.key)
    if (!by || !column) return rows.value
    const sign = by.down ? -1 : 1
    return [...rows.value].sort((a, b) => sign * compare(column.text(a), column.text(b)))
  })
  const press = (key: string): void => {
    const now = sorting.value
    if (now?.key !== key) sorting.value = { key, down: false }
    else sorting.value = now.down ? null : { key, down: true }
  }
  return { sorting, sorted, press }
}

/** Empty last, numbers as numbers, text as people read it (building 2 before building 10). */
export function compare(a: Cell, b: Cell): number {
  const isEmptyA = a === null || a === undefined || a === ''
  const isEmptyB = b === null || b === undefined || b === ''
  if (isEmptyA || isEmptyB) return Number(isEmptyA) - Number(isEmptyB)
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return String(a).localeCompare(String(b), 'zh-CN', { numeric: true })
}

/** A text file that a spreadsheet opens: what the screen shows, masked as on the screen. */
export function toCsv<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const lines = [columns.map((column) => quoted(column.head)), ...rows.map((row) => columns.map((column) => quoted(column.text(row))))]
  return `\uFEFF${lines.map((line) => line.join(',')).join('\r\n')}\r\n`
}

export function saveText(name: string, text: string): void {
  saveBlob(new Blob([text], { type: 'text/csv;charset=utf-8' }), name)
}

function quoted(cell: Cell): string {
  const text = String(cell ?? '')
  // A cell that begins like a formula would run in the spreadsheet of whoever opens the file.
  const safe = /^[=+\-@\t\r]/.test(text) && typeof cell !== 'number' ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
