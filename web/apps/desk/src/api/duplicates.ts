// SPDX-License-Identifier: Apache-2.0
/** Shapes of pairs of records that may be one person. Of somebody outside one's area only the street is told. */
import type { Bilingual, EntryClass } from '@muster/ui'

export type PairState = 'OPEN' | 'MERGED' | 'NOT_DUPLICATE'
export type Coded = { code: string } & Bilingual

export interface PairSide {
  id: string | null
  hidden: boolean
  gone: boolean
  street: { name: string } | null
  name?: string
  door?: string
  dwelling?: string
  grid?: { id: number; name: string } | null
  area?: { name: string } | null
  listed?: boolean
  /** Of the standing register; else kept for this incident only. */
  standing?: boolean
  left?: boolean
  source?: string
  household?: { id: string; kind: string; label: string; members: { id: string; name: string }[] } | null
  needs?: string[]
  entries?: PairEntry[]
  facts?: number
  waiting?: number
}

export interface PairEntry {
  round: string
  name: string
  worked: boolean
  cls: EntryClass
  outcome: string | null
  outcome_name: Bilingual | null
  at: string | null
}

export interface PairLine {
  id: string
  reason: Coded
  status: PairState
  found_at: string
  sides: [PairSide, PairSide]
  may_judge: boolean
  why_not: Coded | null
  survivor: string | null
  why: Coded | null
  decided_at: string | null
  decided_by: string
}

export interface Survivor {
  id: string
  may: boolean
  why_not: Coded | null
  /** Fields that are blank here and said in the other record. */
  carries: string[]
  household: 'joins' | 'ends' | null
}

export interface DuplicatePair extends PairLine {
  fields: { field: string; values: [string | null, string | null]; same: boolean | null }[]
  survivors: Survivor[]
  suggested: string | null
  reasons: Partial<Record<'MERGED' | 'NOT_DUPLICATE', Coded[]>>
  undo: { may: boolean; why_not: Coded | null } | null
}

export interface Judgement {
  judgement: 'MERGED' | 'NOT_DUPLICATE'
  why: string
  survivor?: string
}
