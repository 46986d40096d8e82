// SPDX-License-Identifier: Apache-2.0
/** Sheets: a round's list as paper or spreadsheet, and what comes back on it. */
import { address, request, type Bilingual, type Query } from '@muster/ui'
import type { Page } from './types'

export type SheetKind = 'ROSTER' | 'LIST' | 'NOTICES' | 'CARDS' | 'DUTY'
export type SheetWhy = 'ROUND' | 'OUTAGE' | 'HANDOVER' | 'CHECK'
export type ReturnState = 'TYPED_ONCE' | 'PREVIEWED' | 'COMMITTED' | 'UNDONE'
export type Will = 'bad' | 'differs' | 'new' | 'change' | 'already' | 'same'

interface Place {
  id: number
  name: string
  name_en: string
}

export interface Sheet {
  id: string
  code: string
  kind: SheetKind
  why: SheetWhy
  round: string
  grid: Place | null
  lines: number
  pages: number
  made_by: string
  made_at: string
}

export interface SheetChoice {
  key: string
  code: string
  name: Bilingual
  class: string
}

export interface SheetLine {
  number: number
  door: string
  name: string
  is_door: boolean
  was: string
  password?: string
}

export interface SheetPage extends Sheet {
  campaign_name: string
  round_name: string
  round_status: string
  unit: 'person' | 'household' | 'dwelling'
  choices: SheetChoice[]
  door_choices: SheetChoice[]
  rows: SheetLine[]
}

export interface SheetWish {
  grid: number
  kind: SheetKind
  why: SheetWhy
  only_left: boolean
  phones: boolean
  passwords: boolean
}

export interface TypedLine {
  number: number
  outcome: string
  when: string
  note: string
  name: string
  phone: string
  born: string
  door: string
}

export interface TypedSheet {
  by: string
  at: string
  where: string
  check: boolean
  pictures: string[]
  lines: TypedLine[]
}

export interface FieldChange {
  field: 'outcome' | 'name' | 'phone'
  will: Will
  was: Bilingual | null
  told: Bilingual | null
  now: Bilingual | null
}

export interface ReturnRow {
  row: number
  number: number | null
  will: Will
  door: string
  name: string
  outcome: Bilingual | null
  note: boolean
  when: string | null
  changes: FieldChange[]
  mistakes: { field: string; code: string; message: string }[]
}

export interface SheetReturnLine {
  id: string
  channel: 'SHEET' | 'PAPER'
  state: ReturnState
  round: string
  sheet: string
  grid: Place | null
  file_name: string
  made_by: string
  made_at: string
  second_by: string
  committed_at: string | null
  undone_at: string | null
  counts: Partial<Record<Will | 'rows' | 'absent' | 'APPLIED' | 'FLAGGED' | 'HELD' | 'QUARANTINED', number>>
  pictures: string[]
}

export interface SheetReturn extends SheetReturnLine {
  by: string
  at: string
  where: string
  sheet_made_at: string
  unknown_columns: string[]
  absent: number[]
  warning: string
  rows: ReturnRow[]
  rows_in_all?: number
  differ?: number[]
  taken_back?: number
  stay?: number
}

const get = <T>(path: string, query: Query = {}): Promise<T> => request<T>(path, { query })
const post = <T>(path: string, body: unknown = {}): Promise<T> => request<T>(path, { method: 'POST', body })

export const sheets = {
  list: (round: string, grid: number | null) => get<Page<Sheet>>(`/rounds/${round}/sheets`, { grid }),
  make: (round: string, wish: SheetWish) => post<Sheet>(`/rounds/${round}/sheets`, wish),
  one: (code: string) => get<SheetPage>(`/sheets/${encodeURIComponent(code)}`),
  pages: (code: string) => address(`/sheets/${code}/print`),
  file: (code: string) => address(`/sheets/${code}/list.xlsx`),
  picture: (code: string, name: string) => address(`/sheets/${encodeURIComponent(code)}/pictures/${name}`),
  addPicture: (code: string, small: Blob, back: string) => {
    const form = new FormData()
    if (back) form.set('back', back)
    form.set('file', small, 'paper.jpg')
    return post<{ sha256: string }>(`/sheets/${encodeURIComponent(code)}/pictures`, form)
  },
  type: (code: string, typed: TypedSheet) => post<SheetReturn>(`/sheets/${code}/typed`, typed),
}

export const sheetReturns = {
  list: (round: string) => get<Page<SheetReturnLine>>(`/rounds/${round}/sheet-returns`),
  one: (id: string) => get<SheetReturn>(`/sheet-returns/${id}`),
  commit: (id: string) => post<SheetReturn>(`/sheet-returns/${id}/commit`),
  undo: (id: string) => post<SheetReturn>(`/sheet-returns/${id}/undo`),
  second: (id: string, lines: TypedLine[], final: boolean) => post<SheetReturn>(`/sheet-returns/${id}/second`, { lines, final }),
  mend: (id: string) => address(`/sheet-returns/${id}/mend.xlsx`),
  bring: (round: string, file: File, writer: { by: string; at: string; where: string }) => {
    const form = new FormData()
    form.set('by', writer.by)
    if (writer.at) form.set('at', writer.at)
    form.set('where', writer.where)
    form.set('file', file)
    return post<SheetReturn>(`/rounds/${round}/sheet-returns`, form)
  },
}
