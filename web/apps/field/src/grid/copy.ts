// SPDX-License-Identifier: Apache-2.0
/** The phone's copy of its grids: what the server said last, page by page. Nothing here is decided on the phone. */
import type {
  BuildingRow,
  DoorRow,
  EntryRow,
  GridRow,
  HouseholdRow,
  PersonRow,
  PullPage,
  RoundRow,
  ServiceName,
} from '@muster/client'
import type { PhonePlan } from '@muster/rules'

export class GridCopy {
  rounds: RoundRow[] = []
  grids: GridRow[] = []
  services: ServiceName[] = []
  phones: PhonePlan | null = null
  readonly buildings = new Map<string, BuildingRow>()
  readonly doors = new Map<string, DoorRow>()
  readonly households = new Map<string, HouseholdRow>()
  readonly persons = new Map<string, PersonRow>()
  /** By round, then by subject. */
  readonly entries = new Map<string, Map<string, EntryRow>>()

  apply(page: PullPage): void {
    this.rounds = merged(this.rounds, page.rounds)
    this.grids = merged(this.grids, page.grids)
    if (page.services) this.services = page.services
    if (page.phones) this.phones = page.phones
    for (const row of page.buildings) this.buildings.set(row.id, row)
    for (const row of page.doors) this.doors.set(row.id, row)
    for (const row of page.households) this.households.set(row.id, row)
    for (const row of page.persons) this.persons.set(row.id, row)
    for (const row of page.entries) this.entriesOf(row.round).set(row.subject, row)
    for (const { type, id, round } of page.gone) this.remove(type, id, round)
  }

  entriesOf(round: string): Map<string, EntryRow> {
    const known = this.entries.get(round)
    if (known) return known
    const fresh = new Map<string, EntryRow>()
    this.entries.set(round, fresh)
    return fresh
  }

  /** The whole copy as one page: what many small pages are folded into. */
  asPage(last: PullPage): PullPage {
    return {
      ...last,
      full: true,
      more: false,
      rounds: this.rounds,
      grids: this.grids,
      services: this.services,
      ...(this.phones && { phones: this.phones }),
      buildings: [...this.buildings.values()],
      doors: [...this.doors.values()],
      households: [...this.households.values()],
      persons: [...this.persons.values()],
      entries: [...this.entries.values()].flatMap((entries) => [...entries.values()]),
      gone: [],
      verdicts: [],
    }
  }

  private remove(type: string, id: string, round?: string): void {
    if (type === 'building') this.buildings.delete(id)
    if (type === 'door') this.doors.delete(id)
    if (type === 'household') this.households.delete(id)
    if (type === 'person') this.persons.delete(id)
    if (type !== 'entry') return
    for (const [of, entries] of this.entries) if (!round || of === round) entries.delete(id)
  }
}

function merged<Row extends { id: string | number }>(known: readonly Row[], news: readonly Row[]): Row[] {
  const rows = new Map(known.map((row) => [row.id, row]))
  for (const row of news) rows.set(row.id, row)
  return [...rows.values()]
}
