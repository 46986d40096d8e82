// SPDX-License-Identifier: Apache-2.0
/** What the wall reads. */
import type { Bilingual, EntryClass, Equation } from '@muster/ui'

export interface Session {
  user: { name: string; lang: 'zh' | 'en' } | null
  grants: { role: string; area: { id: number } | null; grid: { id: number } | null }[]
  incident: { name: string; time_zone: string } | null
  is_drill: boolean
  csrf: string
}

export interface Round {
  id: string
  name: string
  number: number
  campaign_name: string
  status: string
  area: number
  unit: 'person' | 'household' | 'dwelling'
  opened_at: string | null
}

export interface Area {
  id: number
  name: string
  children_count: number | null
  breadcrumb?: { id: number; name: string }[]
}

export interface Grid {
  id: number
  name: string
  area: { id: number; name: string }
}

/** One part of the city in figures; the same for an area and for a grid. */
export interface Row {
  roster: number
  done: number
  arranged: number
  explained: number
  unreached: number
  open: number
  doors: number
  seen: number
  vacant: number
  added: number
  certified: number
  fresh: number
}

export interface Snapshot {
  as_of: string
  status: string
  rev: number
  columns: (keyof Row)[]
  total: { equation: Equation }
  areas: Record<string, number[]>
  grids: Record<string, number[]>
}

export interface MissingEntry {
  subject: string
  name: string
  door: string
  cls: EntryClass
  attempts: number
  outcome_name: Bilingual | null
}

export interface Decision {
  key: string
  kind: string
  title: Bilingual
  since: string | null
  due: string | null
  link: string
  action: { code: string } & Bilingual
  facts: { area?: Bilingual; grid?: Bilingual }
}
