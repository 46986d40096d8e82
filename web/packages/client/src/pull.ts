// SPDX-License-Identifier: Apache-2.0
/** What a phone pulls: the rows of its grids above its cursor, what is gone, the verdicts on its facts. */
import type { Bilingual, CampaignKind, DoorState, EntryClass, PhonePlan, Unit } from '@muster/rules'

export interface RoundRow {
  id: string
  campaign: string
  campaign_name?: string
  name: string
  status: 'PLANNED' | 'ROSTER_FROZEN' | 'OPEN' | 'CLOSING' | 'CLOSED' | 'CERTIFIED'
  kind: CampaignKind
  opens_at: string | null
  closes_at: string | null
}

export interface GridRow {
  id: number
  code: string
  name: string
  name_en?: string
  revision: number
  sub_district: number
  head: { name: string; phone: string | null } | null
  duty?: string | null
}

export interface BuildingRow {
  id: string
  grid: number
  name: string
  address?: string | null
  order: number
  units?: number
  floors?: number
  lon?: number | null
  lat?: number | null
}

export interface DoorRow {
  id: string
  grid: number
  sub_district: number
  building: string
  unit: string
  floor: number | null
  room: string
  label: string
  order: number
  states: Record<string, { state: DoorState; attempts: number }>
}

export interface HouseholdRow {
  id: string
  dwelling: string
  kind: string
  label?: string | null
  grid?: number
}

export interface PersonRow {
  id: string
  household: string | null
  dwelling: string
  name: string
  age_band?: string | null
  phone: string | null
  services: string[]
  listed: boolean
  grid?: number
  /** Goes up with each correction. */
  version?: number
  /** False: registered here, living elsewhere. */
  lives_here?: boolean
  /** By which the name is found: initials and full spelling. */
  search_keys?: string[]
}

export interface EntryRow {
  round: string
  subject: string
  unit: Unit
  cls: EntryClass
  outcome: string | null
  at: string | null
  attempts: number
  by: string | null
  origin: 'FROZEN' | 'ADDED'
  dwelling: string | null
  grid?: number
  /** The fact that the entry rests on. */
  fact?: string | null
}

export interface ServiceName {
  code: string
  name: Bilingual
  icon?: string
}

/** A need that a worker may come upon, and the service by which lists then speak of it. */
export interface NeedName {
  code: string
  name: Bilingual
  service: string
}

export interface GoneRow {
  type: 'door' | 'household' | 'person' | 'entry' | 'building'
  id: string
  round?: string
  grid?: number
}

export interface VerdictRow {
  id: string
  verdict: 'APPLIED' | 'DUPLICATE' | 'FLAGGED' | 'HELD' | 'QUARANTINED'
  code: string | null
}

export interface PullPage {
  v: 1
  cursor: string
  more: boolean
  full: boolean
  now: string
  lease_until: string
  /** A lease that takes the place of the one in use, when that runs out soon. */
  lease?: string
  incident: { id: string; name: string; kind?: string; pack: string; is_drill: boolean; time_zone: string }
  actor: { id: string; name: string; role?: string }
  rounds: RoundRow[]
  grids: GridRow[]
  /** Grids that are no longer mine, with all that belongs to them. */
  gone_grids?: number[]
  buildings: BuildingRow[]
  doors: DoorRow[]
  households: HouseholdRow[]
  persons: PersonRow[]
  entries: EntryRow[]
  gone: GoneRow[]
  verdicts: VerdictRow[]
  services?: ServiceName[]
  needs?: NeedName[]
  emergency_numbers?: { number: string; name: Bilingual }[]
  /** How the pack writes phone numbers; without it a number is kept as it is typed. */
  phones?: PhonePlan | null
  server_keys?: { kid: string; jwk: JsonWebKey }[]
  carriers?: JsonWebKey[]
  terms_version?: string
}

export type PullAnswer =
  | { state: 'PAGE'; page: PullPage }
  /** This device may no longer read; what it has not sent it may still send. */
  | { state: 'ENDED'; code: 'lease_revoked' | 'lease_expired' }
  | { state: 'FAILED'; code: string; retryAfter: string | null }

export interface PullOptions {
  origin: string
  lease: string
  since: string | null
  /** The last number that this phone has given: tells the desk what is still on it. */
  lastSeq?: number
  fetch: typeof fetch
  patience?: number
}

const PATIENCE_MS = 30_000

export async function pull({ origin, lease, since, lastSeq, fetch: send, patience = PATIENCE_MS }: PullOptions): Promise<PullAnswer> {
  const query = since === null ? '' : `?since=${encodeURIComponent(since)}`
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), patience)
  try {
    const answer = await send(`${origin}/sync/v1/pull${query}`, {
      headers: {
        Authorization: `Bearer ${lease}`,
        Accept: 'application/json',
        ...(lastSeq !== undefined && { 'Muster-Seq': String(lastSeq) }),
      },
      cache: 'no-store',
      credentials: 'omit',
      signal: stop.signal,
    })
    const read = (await answer.json().catch(() => null)) as (PullPage & { code?: string }) | null
    if (answer.ok && read?.v === 1) return { state: 'PAGE', page: read }
    const code = read?.code ?? `http_${answer.status}`
    if (code === 'lease_revoked' || code === 'lease_expired') return { state: 'ENDED', code }
    return { state: 'FAILED', code, retryAfter: answer.headers.get('Retry-After') }
  } catch {
    return { state: 'FAILED', code: 'offline', retryAfter: null }
  } finally {
    clearTimeout(timer)
  }
}
