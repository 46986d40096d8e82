// SPDX-License-Identifier: Apache-2.0
/**
 * The copy on disk: the pulled pages, sealed, in the order in which they came; the cursor is stored with its page.
 * A full pull is a new series; the old one stays until the new is whole, so a broken pull never empties the phone.
 */
import type { PullPage } from '@muster/client'
import { seal, unseal, type Sealed } from '@muster/outbox'
import { Dexie, type Table } from 'dexie'
import { GridCopy } from './copy'

interface PageRow {
  device: string
  series: number
  n: number
  cursor: string
  full: boolean
  more: boolean
  sealed: Sealed
}

export interface Opened {
  copy: GridCopy
  cursor: string | null
  /** When the server said it: the "as of" of what is shown. */
  asOf: string | null
  /** False while the first pull is still on its way. */
  whole: boolean
}

/** So many small pages are folded into one. */
const FOLD_AT = 40

export class CopyStore extends Dexie {
  pages!: Table<PageRow, [string, number, number]>

  constructor(name = 'muster-field-copy', idb?: { indexedDB: IDBFactory; IDBKeyRange: typeof IDBKeyRange }) {
    super(name, idb)
    this.version(1).stores({ pages: '&[device+series+n], device' })
  }

  async load(device: string, key: CryptoKey): Promise<Opened> {
    const rows = await this.rowsOf(device)
    const newest = rows[rows.length - 1]
    if (!newest) return { copy: new GridCopy(), cursor: null, asOf: null, whole: false }
    const whole = [...new Set(rows.map(({ series }) => series))].filter((one) => isWhole(rows, one))
    const shown = whole[whole.length - 1] ?? newest.series
    const copy = new GridCopy()
    let asOf: string | null = null
    for (const row of rows.filter(({ series }) => series === shown)) {
      const page = JSON.parse(await unseal(key, row.sealed, contextOf(row))) as PullPage
      copy.apply(page)
      asOf = page.now
    }
    return { copy, cursor: newest.cursor, asOf, whole: whole.length > 0 }
  }

  async add(device: string, key: CryptoKey, page: PullPage): Promise<void> {
    const rows = await this.rowsOf(device)
    const last = rows[rows.length - 1]
    const starts = !last || (page.full && !(last.full && last.more))
    const series = starts ? (last?.series ?? 0) + 1 : last.series
    const place = { device, series, n: starts ? 0 : last.n + 1 }
    const { cursor, full, more } = page
    const sealed = await seal(key, JSON.stringify(page), contextOf(place))
    await this.transaction('rw', this.pages, async () => {
      await this.pages.put({ ...place, cursor, full, more, sealed })
      if (!more) await this.pages.where('device').equals(device).and((row) => row.series < series).delete()
    })
    if (!more && place.n >= FOLD_AT) await this.fold(device, key, page)
  }

  /** All that is known of this device's grids goes from the phone. */
  async wipe(device: string): Promise<void> {
    await this.pages.where('device').equals(device).delete()
  }

  private async fold(device: string, key: CryptoKey, last: PullPage): Promise<void> {
    const { copy } = await this.load(device, key)
    const rows = await this.rowsOf(device)
    const place = { device, series: (rows[rows.length - 1]?.series ?? 0) + 1, n: 0 }
    const sealed = await seal(key, JSON.stringify(copy.asPage(last)), contextOf(place))
    await this.transaction('rw', this.pages, async () => {
      const now = await this.rowsOf(device)
      // Another tab has added or folded meanwhile: its pages are newer than what was read here.
      if (now.length !== rows.length) return
      await this.pages.where('device').equals(device).delete()
      await this.pages.put({ ...place, cursor: last.cursor, full: true, more: false, sealed })
    })
  }

  private rowsOf(device: string): Promise<PageRow[]> {
    return this.pages.where('[device+series+n]').between([device, 0, 0], [device, Infinity, Infinity]).toArray()
  }
}

function isWhole(rows: readonly PageRow[], series: number): boolean {
  return rows.some((row) => row.series === series && !row.more)
}

function contextOf({ device, series, n }: Pick<PageRow, 'device' | 'series' | 'n'>): string {
  return `${device}/${series}/${n}`
}
