// SPDX-License-Identifier: Apache-2.0
/** Shapes of the web API as the desk reads them. Times are ISO-8601 with offset; names and phones come masked. */
import type { Bilingual, DoorFigures, DoorState, EntryClass, Equation } from '@muster/ui'

export interface Page<Item> {
  items: Item[]
  next: string | null
  count?: number
}

// ---- who and where --------------------------------------------------------------------------------------------

export interface Session {
  user: { id: string; name: string; lang: 'zh' | 'en'; title?: string }
  grants: { role: string; area: { id: number; name: string; level: string } | null; grid?: number }[]
  incident: { id: string; name: string | Bilingual; kind?: string; time_zone?: string } | null
  is_drill: boolean
  demo: boolean
  csrf: string
  modules: string[]
  pack: Pack
}

export interface Pack {
  key: string
  name: Bilingual
  levels?: { key: string; name: Bilingual }[]
  needs?: { code: string; name: Bilingual; service?: string }[]
  services?: { code: string; name: Bilingual; icon?: string }[]
  posts?: { type: string; name: Bilingual; duty: Bilingual }[]
  emergency_numbers?: { number: string; name: Bilingual }[]
}

export interface Area {
  id: number
  code: string
  name: string
  level: string
  level_name?: Bilingual
  parent: number | null
  children?: number
  breadcrumb?: { id: number; name: string; level: string }[]
  figures?: { population: number; households: number; dwellings: number; buildings: number; grids: number }
}

export type GridLevel = 'SMALL' | 'MEDIUM' | 'LARGE' | 'SPECIAL'

export interface Grid {
  id: number
  code: string
  name: string
  level: GridLevel
  parent: number | null
  area: number
  sub_district: number
  population: number
  households: number
  dwellings: number
  buildings: number
  head: { name: string } | null
  posts: number | Post[]
  revision: number
  centre: [number, number]
}

export interface Post {
  id: string
  type: string
  name: string
  phone?: string | null
  duty: string | Bilingual
  state?: string
  since?: string | null
}

export interface GridPage extends Omit<Grid, 'posts'> {
  breadcrumb: { id: number; name: string; level: string }[]
  posts: Post[]
  vacancies: string[]
  enrol_codes: { code: string; worker_name: string; made_at: string; expires_at: string; used_at: string | null }[]
  devices: Device[]
}

export interface EnrolCode {
  code: string
  url: string
  qr_svg: string
  expires_at: string
}

export interface Device {
  id: string
  name: string
  worker: string
  grids: { id: number; name: string }[]
  state: 'ACTIVE' | 'REVOKED' | 'EXPIRED'
  enrolled_at: string
  last_contact_at: string | null
  unsent?: number | null
}

// ---- campaigns and rounds ------------------------------------------------------------------------------------------

export interface Outcome {
  code: string
  name: Bilingual
  class: EntryClass
  met: boolean
  door: DoorState | null
  evidence: 'none' | 'note' | 'proof' | 'second_visit'
  precedence: number
  key_order: number
  service?: Bilingual | null
}

export interface Question {
  key: string
  name: Bilingual
  type: 'bool' | 'choice' | 'number' | 'text'
  options: { value: string; name: Bilingual }[]
  required: boolean
  when: string[]
}

export interface CampaignKind {
  key: string
  name: Bilingual
  unit: 'person' | 'household' | 'dwelling'
  version: number
  outcomes: Outcome[]
  questions: Question[]
  sources: { code: string; name: Bilingual }[]
  certificate: Bilingual | CertificateSentence[]
  chat: Bilingual
  own?: boolean
}

export interface CertificateSentence extends Bilingual {
  when?: string
}

export interface Campaign {
  id: string
  name: string
  kind: string
  kind_name: Bilingual
  area: { id: number; name: string }
  created_at: string
  rounds: Round[]
}

export type RoundStatus = 'PLANNED' | 'ROSTER_FROZEN' | 'OPEN' | 'CLOSING' | 'CLOSED' | 'CERTIFIED'

export interface Round {
  id: string
  name: string
  campaign: string
  campaign_name?: string
  status: RoundStatus
  area: { id: number; name: string }
  unit: CampaignKind['unit']
  opens_at: string
  closes_at: string
  freezing?: { done: number; total: number } | null
  kind?: CampaignKind
}

export interface Figures {
  equation: Equation
  doors: DoorFigures
  found: { count: number; rate: number }
  outcomes: Record<string, number>
  fresh_at: string | null
}

export interface CoverageChild extends Figures {
  type: 'area' | 'grid'
  id: number
  name: string
  certified: boolean
}

export interface Coverage extends Figures {
  as_of: string
  round: string
  scope: { type: 'area' | 'grid'; id: number; name: string }
  children: CoverageChild[]
}

export interface MissingEntry {
  subject: string
  unit: CampaignKind['unit']
  name: string | null
  door: string
  building: string
  unit_no: string | null
  floor: string | null
  phone: string | null
  cls: EntryClass
  outcome: string | null
  outcome_name: Bilingual | null
  reason: Bilingual | null
  attempts: number
  last_at: string | null
  next_action: { code: string } & Bilingual
  services: string[]
  dwelling: string
  person?: string | null
  household?: string | null
  /** Asked for by every fact about this entry. */
  sub_district?: number
  grid?: number
}

export interface BuildingProgress {
  id: string
  name: string
  doors: number
  seen: number
  left: number
  done: number
  total: number
}

export interface Certificate {
  state: 'OPEN' | 'READY' | 'SIGNED' | 'OUTDATED'
  text: Bilingual
  unexplained: number
  open: number
  figures: Figures
  limits: Bilingual
  signed: { by: string; at: string; reservations: string | null; hash: string } | null
  still_matches: boolean
}

export interface Stairwell {
  building: { id: string; name: string; address?: string; grid?: number }
  units: { unit: string | null; floors: { floor: string | number; doors: StairwellDoor[] }[] }[]
}

export interface StairwellDoor {
  id: string
  room: string
  label: string
  state: DoorState
  cls: EntryClass | null
  people: number
  left: number
}

// ---- register --------------------------------------------------------------------------------------------------------

export interface DwellingRow {
  id: string
  building: string
  building_name: string
  unit: string | null
  floor: string | number | null
  room: string
  label: string
  kind: string
  state: DoorState
  households: number
  people: number
  needs: string[]
}

export interface DwellingPage extends DwellingRow {
  address: string
  grid: { id: number; name: string }
  households_list: { id: string; kind: string; label: string; persons: PersonRow[] }[]
  states: { round: string; round_name: string; state: DoorState; attempts: number; at: string | null }[]
}

export interface PersonRow {
  id: string
  name: string
  age_band: string | null
  sex?: string | null
  phone: string | null
  needs: string[]
  dwelling?: string
  door?: string
  residency?: string
}

export interface PersonPage extends PersonRow {
  birth_year: string | number | null
  id_number: string | null
  dwelling: string
  door: string
  household: { id: string; kind: string; label: string } | null
  needs_list: { kind: string; name: Bilingual; severity: string | null; verified_at: string | null; service: Bilingual | null }[]
  entries: { round: string; round_name: string; cls: EntryClass; outcome_name: Bilingual | null; at: string | null; by: string | null }[]
}

export interface TimelineItem {
  id: string
  at: string
  text: Bilingual
  by: string | null
  source?: string | null
  verdict?: string | null
}

export interface Disclosure {
  at: string
  by: string
  field: string
  purpose: string
}

// ---- daily work --------------------------------------------------------------------------------------------------------

export interface InboxItem {
  key: string
  kind: string
  title: Bilingual
  since: string | null
  due: string | null
  area: { id: number; name: string } | string | null
  link: string
  action: { code: string } & Bilingual
  count: number | null
}

export interface Found {
  type: 'person' | 'door' | 'building' | 'grid' | 'area'
  id: string | number
  title: string
  subtitle: string
}

export interface ImportJob {
  id: string
  kind: string
  file_name: string
  state: 'UPLOADED' | 'MAPPED' | 'VALIDATED' | 'PREVIEWED' | 'COMMITTED' | 'UNDONE' | 'FAILED'
  progress: { done: number; total: number } | null
  counts: { rows: number; good: number; bad: number; new: number; changed: number; same: number; duplicates: number }
  columns: string[]
  preview: ImportRow[]
  errors: { row: number; field: string; code: string; message: string; cure: string }[]
  duplicates: { row: number; coming: Record<string, string>; here: Record<string, string>; id: string }[]
  made_at: string
  by: string
  problem?: string | null
}

export interface ImportRow {
  row: number
  verdict: 'new' | 'changed' | 'same' | 'bad' | 'duplicate'
  values: Record<string, string>
}

export interface HeldFact {
  id: string
  kind: string
  verdict: 'FLAGGED' | 'HELD' | 'QUARANTINED'
  code: string
  message: Bilingual
  occurred_at: string
  received_at: string
  device: string | null
  worker: string | null
  where: string | null
  subject: string | null
  body: Record<string, unknown>
}

export interface DistrictingPlan {
  id: string
  state: 'QUEUED' | 'RUNNING' | 'READY' | 'ADOPTED' | 'FAILED'
  area: { id: number; name: string }
  progress: { done: number; total: number } | null
  targets: { small: number; medium: number; large: number }
  measure: 'population' | 'workload'
  made_at: string
  proposal: PlanFigures | null
  today: PlanFigures | null
  reasons: (Bilingual & { grid?: number })[]
  gap: number | null
  problem?: string | null
}

export interface PlanFigures {
  levels: { level: GridLevel; grids: number; smallest: number; mean: number; largest: number; spread: number }[]
  cut_lines: number
  loose_buildings: number
  populations: number[]
}

export interface DrillState {
  state: 'IDLE' | 'RUNNING' | 'PAUSED' | 'FINISHED'
  speed: number
  clock: string
  round?: string
  worker_code?: string
  coverage?: { done: number; roster: number; never: number; doors: number }
  workers: { name: string; grid: string; state: string; done?: number }[]
  log: { at: string; text: Bilingual | string }[]
}
