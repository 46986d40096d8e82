// SPDX-License-Identifier: Apache-2.0
/** The phone's copy of its grids: what the server said last, page by page. Nothing here is decided on the phone. */
import type {
  BuildingRow,
  DoorRow,
  EntryRow,
  GoneRow,
  GridRow,
  HouseholdRow,
  NeedName,
  PersonRow,
  PullPage,
  RoundRow,
  ServiceName,
} from '@muster/client'
import { maskName, type PhonePlan } from '@muster/rules'

export class GridCopy {
  rounds: RoundRow[] = []
  grids: GridRow[] = []
  services: ServiceName[] = []
  needs: NeedName[] = []
  phones: PhonePlan | null = null
  emergency: NonNullable<PullPage['emergency_numbers']> = []
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
    if (page.needs) this.needs = page.needs
    if (page.phones) this.phones = page.phones
    if (page.emergency_numbers) this.emergency = page.emergency_numbers
    for (const grid of page.gone_grids ?? []) this.removeGrid(grid)
    for (const row of page.buildings) this.buildings.set(row.id, row)
    for (const row of page.doors) this.doors.set(row.id, row)
    for (const row of page.households) this.households.set(row.id, row)
    for (const row of page.persons) this.persons.set(row.id, row)
    for (const row of page.entries) this.entriesOf(row.round).set(row.subject, row)
    for (const gone of page.gone) this.remove(gone)
  }

  entriesOf(round: string): Map<string, EntryRow> {
    const known = this.entries.get(round)
    if (known) return known
    const fresh = new Map<string, EntryRow>()
    this.entries.set(round, fresh)
    return fresh
  }

  /** As a list may be kept when its lease has ended: who may be met, but not by full name or number. */
  reduced(): this {
    for (const [id, row] of this.persons) this.persons.set(id, { ...row, name: maskName(row.name), phone: null, search_keys: [] })
    return this
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
      needs: this.needs,
      emergency_numbers: this.emergency,
      gone_grids: [],
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

  /** What moved between two of my grids is gone from one and told anew in the other: only the old row goes. */
  private remove({ type, id, round, grid }: GoneRow): void {
    const drop = (rows: Map<string, { grid?: number }>) => {
      const row = rows.get(id)
      if (row && (grid === undefined || row.grid === undefined || row.grid === grid)) rows.delete(id)
    }
    if (type === 'building') drop(this.buildings)
    if (type === 'door') drop(this.doors)
    if (type === 'household') drop(this.households)
    if (type === 'person') drop(this.persons)
    if (type !== 'entry') return
    for (const [of, entries] of this.entries) if (!round || of === round) drop(entries)
  }

  private removeGrid(grid: number): void {
    this.grids = this.grids.filter(({ id }) => id !== grid)
    const tables = [this.buildings, this.doors, this.households, this.persons, ...this.entries.values()]
    for (const rows of tables as Map<string, { grid?: number }>[]) {
      for (const [id, row] of rows) if (row.grid === grid) rows.delete(id)
    }
  }
}

export function merged<Row extends { id: string | number }>(known: readonly Row[], news: readonly Row[]): Row[] {
  const rows = new Map(known.map((row) => [row.id, row]))
  for (const row of news) rows.set(row.id, row)
  return [...rows.values()]
}
