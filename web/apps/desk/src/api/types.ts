// SPDX-License-Identifier: Apache-2.0
/** Shapes of the web API as the desk reads them. Times are ISO-8601 with offset; names and phones come masked. */
import type { Bilingual, DoorFigures, DoorState, EntryClass, Equation, OwnTerm } from '@muster/ui'

export interface Page<Item> {
  items: Item[]
  next: string | null
  count?: number
}

// ---- who and where --------------------------------------------------------------------------------------------

export interface Session {
  user: { id: string; name: string; lang: 'zh' | 'en'; title?: string } | null
  grants: Grant[]
  incident: { id: string; name: string; kind: string; pack: string; time_zone: string; phone: string } | null
  is_drill: boolean
  demo: boolean
  csrf: string
  modules: string[]
  /** Operations of the policy table that one of the roles has a row for. */
  may: string[]
  pack: { key: string; name: Bilingual; language: 'zh' | 'en' } | null
}

export interface Grant {
  role: string
  role_name: Bilingual
  area: { id: number; name: string; level: string } | null
  grid: { id: number; name: string } | null
  everywhere: boolean
}

/** The parts of a pack that the desk has words from. */
export interface Pack {
  key: string
  name: Bilingual
  terms?: Record<string, OwnTerm>
  needs?: (Named & { care?: { every_days: number; at: string } | null })[]
  services?: Named[]
  skills?: Named[]
  strains?: Named[]
  affiliations?: Named[]
  request_categories?: Named[]
  offer_categories?: (Named & { unit: Bilingual })[]
  emergency_numbers?: { number: string; name: Bilingual }[]
  posts?: { type: string; name: Bilingual; duty: Bilingual }[]
  team_kinds?: Named[]
  team_posts?: Named[]
}

export interface Named {
  code: string
  name: Bilingual
}

export interface Area {
  id: number
  code: string
  name: string
  name_en: string
  level: string
  parent: number | null
  sub_district: number | null
  children_count: number | null
  breadcrumb?: Area[]
}

export type GridLevel = 'SMALL' | 'MEDIUM' | 'LARGE' | 'SPECIAL'

export interface Grid {
  id: number
  code: string
  name: string
  level: GridLevel
  parent: number | null
  area: { id: number; name: string }
  sub_district: number
  population: number
  households: number
  dwellings: number
  buildings: number
  head: { name: string; phone: string } | null
  posts: Post[]
  revision: number
  centre: [number, number] | null
}

export interface Post {
  id: string
  type: string
  title: string
  name: string
  phone: string
  duty: string
  since: string
}

export interface GridPage extends Grid {
  enrol_codes: { id: string; worker: string; made_at: string; expires_at: string; used_at: string | null }[]
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
  actor: string
  last_contact_at: string | null
  revoked_at: string | null
  grids?: { id: number; name: string }[]
  enrolled_at?: string
  lease_until?: string
  unsent_estimate?: number
  /** When a phone that was taken back was told to forget its list. */
  wiped_at?: string | null
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
  sources: Named[]
  certificate: CertificateSentence[]
  chat: Bilingual | null
  from?: 'pack' | 'desk'
}

/** A sentence of the certificate; said only when the figure it names is not zero. */
export interface CertificateSentence extends Bilingual {
  when?: string | null
}

export interface Campaign {
  id: string
  name: string
  kind: string
  kind_name: Bilingual
  unit: CampaignKind['unit']
  area: number
  made_at: string
  rounds: Round[]
}

export type RoundStatus = 'PLANNED' | 'ROSTER_FROZEN' | 'OPEN' | 'CLOSING' | 'CLOSED' | 'CERTIFIED'

export interface Round {
  id: string
  name: string
  number: number
  campaign: string
  campaign_name: string
  status: RoundStatus
  area: number
  unit: CampaignKind['unit']
  kind: CampaignKind
  opens_at: string | null
  closes_at: string | null
  frozen_at: string | null
  opened_at: string | null
  closed_at: string | null
  /** How far the roster is frozen, while it is being frozen; told with one round, not in lists. */
  freezing?: { asked_at: string | null; done: number; total: number; units: number } | null
  /** The steps that follow, and whether this person may take them. */
  steps?: ({ step: RoundStep } & Allowed)[]
}

export type RoundStep = 'freeze' | 'open' | 'start-closing' | 'close' | 'reopen' | 'certify'

/** What the server lets this person do, and what forbids it. */
export interface Allowed {
  may: boolean
  why_not: ({ code: string } & Bilingual) | null
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
  sub_district: number
  unit: CampaignKind['unit']
  name: string
  door: string
  building: string | null
  building_name: string
  unit_no: string
  floor: number | null
  room: string
  dwelling: string | null
  phone: string | null
  grid: number
  cls: EntryClass
  outcome: string | null
  outcome_name: Bilingual | null
  attempts: number
  last_at: string | null
  next_action: { code: string } & Bilingual
  services: string[]
}

export interface BuildingProgress {
  id: string
  name: string
  street?: string
  doors: number
  seen: number
  left: number
  done: number
  total: number
}

export interface CertificateFigures {
  roster: number
  done: number
  explained: number
  arranged: number
  unreached: number
  open: number
  doors: number
  doors_seen: number
  doors_vacant: number
  doors_never: number
  found: number
}

export interface Certificate {
  round: { id: string; name: string; status: RoundStatus; campaign: string }
  grid: { id: number; name: string; code: string; area: { name: string } }
  state: 'NOT_READY' | 'READY' | 'SIGNED'
  obstacles: string[]
  sign: Allowed
  text: Bilingual
  figures: CertificateFigures
  now: CertificateFigures
  open: number
  unexplained: number
  signed: { by: string; at: string; reservations: string; hash: string } | null
  still_matches: boolean
}

export interface Stairwell {
  building: { id: string; name: string; street: string; grid: number | null }
  units: { unit: string; floors: { floor: number; doors: StairwellDoor[] }[] }[]
}

export interface StairwellDoor {
  id: string
  room: string
  label: string
  state: DoorState | null
  cls: EntryClass | null
  people: number
  left: number
  listed: boolean
}

// ---- register --------------------------------------------------------------------------------------------------------

export interface BuildingRow {
  id: string
  name: string
  street: string
  grid: number | null
  compound: { id: string; name: string } | null
}

export interface DwellingRow {
  id: string
  building: string
  unit: string
  floor: number | null
  room: string
  label: string
  kind: string
  listed: boolean
  grid: number | null
  people: number
}

export interface DwellingPage extends Omit<DwellingRow, 'people'> {
  building_name: string
  grid_name: string | null
  in_grid: { name: string } | null
  households: { id: string; kind: string; label: string; listed: boolean; persons: PersonRow[] }[]
  others: PersonRow[]
  states: Record<string, { state: DoorState; attempts: number; at: string | null }>
}

export interface PersonRow {
  id: string
  name: string
  age_band: string | null
  sex: string
  phone: string | null
  needs: string[]
  listed: boolean
  lives_here: boolean
  registered_here: boolean
  dwelling: string
  grid: number | null
  door?: string
}

export interface PersonPage extends Omit<PersonRow, 'needs'> {
  door: string
  birth_year: number | null
  id_number: string | null
  needs: { kind: string; severity: string; seen_at: string | null; status: string }[]
  duplicates: { id: string; reason: string }[]
  entries: { round: string; cls: EntryClass; outcome: string; at: string | null; attempts: number }[]
}

export interface TimelineItem {
  at: string
  kind: string
  value: string | null
  round?: string | null
  verdict?: string | null
  by: string
}

export interface Disclosure {
  at: string
  by: string
  operation: string
  fields: string
  purpose: string
}

// ---- daily work --------------------------------------------------------------------------------------------------------

export interface InboxItem {
  key: string
  kind: string
  title: Bilingual
  since: string | null
  due: string | null
  link: string
  action: { code: string } & Bilingual
  count: number | null
  facts: { grid?: Bilingual; area?: Bilingual; round?: string }
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
  /** Heads of the file that nobody here knows; they are left out. */
  unknown_columns?: string[]
  preview: ImportRow[]
  errors: { row: number; field: string; code: string; message: string; cure: string }[]
  duplicates: { row: number; coming: Record<string, string>; here: Record<string, string>; id: string; reason?: string }[]
  made_at: string
  by: string
  problem?: string | null
}

export interface ImportRow {
  row: number
  verdict: 'new' | 'changed' | 'same' | 'bad' | 'duplicate'
  values: Record<string, string>
}

/** A value of a field, and whose word it is; empty for what came with a list. */
export interface SaidValue {
  value: string | Bilingual
  who: string
  at: string | null
  where: string
}

export interface FieldConflict {
  person: string
  name: string
  field: 'name' | 'phone' | 'outcome'
  was: string | Bilingual
  current: SaidValue
  other: SaidValue
}

export interface HeldFact {
  id: string
  kind: string
  verdict: 'HELD' | 'QUARANTINED'
  code: string
  since: string
  grid: number | null
  round: string | null
  device: { id: string; name: string }
  seq: number
}
