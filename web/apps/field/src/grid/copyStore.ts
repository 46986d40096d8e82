// SPDX-License-Identifier: Apache-2.0
/**
 * The copy on disk: the pulled pages, sealed, in the order in which they came; the cursor is stored with its page.
 * A full pull is a new series; the old one stays until the new is whole, so a broken pull never empties the phone.
 * Behind a PIN the pages are sealed with a key of their own, which this page holds only while it is unlocked.
 */
import type { PullPage } from '@muster/client'
import { lockedKey, openLock, seal, unseal, uuid7, type Lock, type Sealed } from '@muster/outbox'
import { Dexie, type Table } from 'dexie'
import { GridCopy, merged } from './copy'

interface PageRow {
  device: string
  series: number
  n: number
  cursor: string
  full: boolean
  more: boolean
  sealed: Sealed
  /** Nothing of the grid was new: the next page of this kind takes its place. */
  quiet?: boolean
  /** When the server said it, if that is not the page's own word. */
  as_of?: string
  /** Names are masked and phones are gone: the lease has ended. */
  reduced?: boolean
}

interface LockRow {
  device: string
  /** Another PIN is another lock: a tab that holds the key of an older one must ask again. */
  id: string
  lock: Lock
  /** Wrong PINs since the last right one; counted before they are tried. */
  tries: number
}

/** What belongs to the list and is as private as it: the work that this phone's holder was last told of, and his place. */
interface JobsRow {
  /** The device; of his place, with more behind it. */
  device: string
  sealed: Sealed
}

const ASIDE = ['jobs', 'duty'] as const
type Aside = (typeof ASIDE)[number]
const asideKey = (device: string, what: Aside): string => (what === 'jobs' ? device : `${device}/${what}`)
const asideKeys = (device: string): string[] => ASIDE.map((what) => asideKey(device, what))

interface Held {
  key: CryptoKey
  lock: string | null
}

export type PinState = 'NONE' | 'LOCKED' | 'UNLOCKED'

export interface Opened {
  copy: GridCopy
  cursor: string | null
  /** When the server said it: the "as of" of what is shown. */
  asOf: string | null
  /** False while the first pull is still on its way. */
  whole: boolean
  reduced: boolean
}

export type Unlocking = { state: 'OPEN' } | { state: 'WRONG'; left: number } | { state: 'GONE' }

/** So many small pages are folded into one. */
const FOLD_AT = 40
export const MOST_TRIES = 5
const NOTHING: Omit<Opened, 'copy'> = { cursor: null, asOf: null, whole: false, reduced: false }

export class CopyStore extends Dexie {
  pages!: Table<PageRow, [string, number, number]>
  locks!: Table<LockRow, string>
  jobs!: Table<JobsRow, string>
  /** Keys of this page's life: device → what its PIN opened, and of which lock that is. */
  private readonly opened = new Map<string, Held>()

  constructor(name = 'muster-field-copy', idb?: { indexedDB: IDBFactory; IDBKeyRange: typeof IDBKeyRange }) {
    super(name, idb)
    this.version(1).stores({ pages: '&[device+series+n], device' })
    this.version(2).stores({ pages: '&[device+series+n], device', locks: '&device' })
    this.version(3).stores({ pages: '&[device+series+n], device', locks: '&device', jobs: '&device' })
  }

  async pinOf(device: string): Promise<PinState> {
    const row = await this.locks.get(device)
    if (!row) return 'NONE'
    return this.opened.get(device)?.lock === row.id ? 'UNLOCKED' : 'LOCKED'
  }

  /** After the last try the list is gone for good; what was recorded is kept elsewhere and still sent. */
  async unlock(device: string, pin: string): Promise<Unlocking> {
    const row = await this.locks.get(device)
    if (!row) return { state: 'GONE' }
    const tries = row.tries + 1
    // Counted first: closing the page in the middle of a try gives none for free.
    await this.locks.update(device, { tries })
    const key = await openLock(row.lock, pin)
    if (key) {
      await this.locks.update(device, { tries: 0 })
      this.opened.set(device, { key, lock: row.id })
      return { state: 'OPEN' }
    }
    if (tries < MOST_TRIES) return { state: 'WRONG', left: MOST_TRIES - tries }
    await this.wipe(device)
    return { state: 'GONE' }
  }

  /** From now on the pages open only with this PIN; also to change it. All pages change key in one write. */
  async setPin(device: string, sealing: CryptoKey, pin: string): Promise<void> {
    const old = await this.keyOf(device, sealing)
    const { key, lock } = await lockedKey(pin)
    const id = uuid7(Date.now())
    for (;;) {
      const rows = await this.rowsOf(device)
      const sealed = await Promise.all(rows.map(async (row) => ({ ...row, sealed: await seal(key, await unseal(old.key, row.sealed, contextOf(row)), contextOf(row)) })))
      const kept = (await this.jobs.bulkGet(asideKeys(device))).flatMap((row) => row ?? [])
      const again = await Promise.all(kept.map(async ({ device: of, sealed: told }) => ({ device: of, sealed: await seal(key, await unseal(old.key, told, of), of) })))
      const done = await this.transaction('rw', this.pages, this.locks, this.jobs, async () => {
        if (!isSame(rows, await this.rowsOf(device))) return false
        await this.pages.bulkPut(sealed)
        await this.jobs.bulkPut(again)
        await this.locks.put({ device, id, lock, tries: 0 })
        return true
      })
      if (done) break
    }
    this.opened.set(device, { key, lock: id })
  }

  /** The last work list (or his place) that was read, to be shown where nobody can be asked. */
  async keepJobs(device: string, sealing: CryptoKey, text: string, what: Aside = 'jobs'): Promise<void> {
    const held = await this.keyOf(device, sealing)
    const of = asideKey(device, what)
    const sealed = await seal(held.key, text, of)
    await this.transaction('rw', this.locks, this.jobs, async () => {
      await this.demand(device, held)
      await this.jobs.put({ device: of, sealed })
    })
  }

  async keptJobs(device: string, sealing: CryptoKey, what: Aside = 'jobs'): Promise<string | null> {
    const of = asideKey(device, what)
    const [row, { key }] = await Promise.all([this.jobs.get(of), this.keyOf(device, sealing)])
    return row ? unseal(key, row.sealed, of) : null
  }

  lock(): void {
    this.opened.clear()
  }

  async load(device: string, sealing: CryptoKey): Promise<Opened> {
    const [rows, { key }] = await Promise.all([this.rowsOf(device), this.keyOf(device, sealing)])
    const newest = rows[rows.length - 1]
    if (!newest) return { copy: new GridCopy(), ...NOTHING }
    const whole = [...new Set(rows.map(({ series }) => series))].filter((one) => isWhole(rows, one))
    const shown = rows.filter(({ series }) => series === (whole[whole.length - 1] ?? newest.series))
    const texts = await Promise.all(shown.map((row) => unseal(key, row.sealed, contextOf(row))))
    const copy = new GridCopy()
    let asOf: string | null = null
    texts.forEach((text, n) => {
      const page = JSON.parse(text) as PullPage
      copy.apply(page)
      asOf = shown[n]?.as_of ?? page.now
    })
    return { copy, cursor: newest.cursor, asOf, whole: whole.length > 0, reduced: newest.reduced === true }
  }

  async add(device: string, sealing: CryptoKey, page: PullPage): Promise<void> {
    const rows = await this.rowsOf(device)
    const last = rows[rows.length - 1]
    const held = await this.keyOf(device, sealing)
    const { key } = held
    const quiet = isQuiet(page)
    if (quiet && last?.quiet) return this.again(held, last, page)
    const starts = !last || (page.full && !(last.full && last.more))
    const series = starts ? (last?.series ?? 0) + 1 : last.series
    const place = { device, series, n: starts ? 0 : last.n + 1 }
    const { cursor, full, more } = page
    const sealed = await seal(key, JSON.stringify(page), contextOf(place))
    await this.transaction('rw', this.pages, this.locks, async () => {
      await this.demand(device, held)
      await this.pages.put({ ...place, cursor, full, more, sealed, ...(quiet && { quiet }) })
      if (!more) await this.pages.where('device').equals(device).and((row) => row.series < series).delete()
    })
    if (!more && place.n >= FOLD_AT) await this.replace(device, sealing, (copy) => copy.asPage(page))
  }

  /** The lease has ended: who lives where may still be recorded, but full names and phone numbers leave the phone. */
  async reduce(device: string, sealing: CryptoKey): Promise<void> {
    const { reduced } = await this.load(device, sealing)
    await this.jobs.bulkDelete(asideKeys(device))
    if (!reduced) await this.replace(device, sealing, (copy, last) => copy.reduced().asPage(last), true)
  }

  /** All that is known of this device's grids goes from the phone, and the key of what may still lie on its disk. */
  async wipe(device: string): Promise<void> {
    await this.transaction('rw', this.pages, this.locks, this.jobs, async () => {
      await this.pages.where('device').equals(device).delete()
      await this.locks.delete(device)
      await this.jobs.bulkDelete(asideKeys(device))
    })
    this.opened.delete(device)
  }

  private async again(held: Held, last: PageRow, page: PullPage): Promise<void> {
    const { key } = held
    const before = JSON.parse(await unseal(key, last.sealed, contextOf(last))) as PullPage
    const both = { ...before, ...page, rounds: merged(before.rounds, page.rounds), grids: merged(before.grids, page.grids) }
    const sealed = await seal(key, JSON.stringify(both), contextOf(last))
    await this.transaction('rw', this.pages, this.locks, async () => {
      await this.demand(last.device, held)
      await this.pages.update([last.device, last.series, last.n], { sealed, cursor: page.cursor })
    })
  }

  private async replace(device: string, sealing: CryptoKey, make: (copy: GridCopy, last: PullPage) => PullPage, reduced = false): Promise<void> {
    const rows = await this.rowsOf(device)
    const newest = rows[rows.length - 1]
    if (!newest) return
    const held = await this.keyOf(device, sealing)
    const { key } = held
    const last = JSON.parse(await unseal(key, newest.sealed, contextOf(newest))) as PullPage
    const { copy, asOf } = await this.load(device, sealing)
    const place = { device, series: newest.series + 1, n: 0 }
    const sealed = await seal(key, JSON.stringify(make(copy, last)), contextOf(place))
    const row = { ...place, cursor: newest.cursor, full: true, more: false, sealed, ...(asOf && { as_of: asOf }), ...(reduced && { reduced }) }
    await this.transaction('rw', this.pages, this.locks, async () => {
      await this.demand(device, held)
      // Another tab has added or folded meanwhile: its pages are newer than what was read here.
      if (!isSame(rows, await this.rowsOf(device))) return
      await this.pages.where('device').equals(device).delete()
      await this.pages.put(row)
    })
  }

  /** The enrolment's own key, unless there is a PIN. Fails while locked. */
  private async keyOf(device: string, sealing: CryptoKey): Promise<Held> {
    const row = await this.locks.get(device)
    if (!row) return { key: sealing, lock: null }
    const opened = this.opened.get(device)
    if (opened?.lock !== row.id) throw new CopyLocked()
    return opened
  }

  /** Nothing is written under a key that another tab has replaced meanwhile. */
  private async demand(device: string, { lock }: Held): Promise<void> {
    if (((await this.locks.get(device))?.id ?? null) !== lock) throw new CopyLocked()
  }

  private rowsOf(device: string): Promise<PageRow[]> {
    return this.pages.where('[device+series+n]').between([device, 0, 0], [device, Infinity, Infinity]).toArray()
  }
}

/** Asked for while the PIN has not been given. */
export class CopyLocked extends Error {
  override readonly name = 'CopyLocked'
}

function isWhole(rows: readonly PageRow[], series: number): boolean {
  return rows.some((row) => row.series === series && !row.more)
}

function isSame(rows: readonly PageRow[], others: readonly PageRow[]): boolean {
  const spelled = (all: readonly PageRow[]) => all.map(({ series, n, cursor }) => `${series}/${n}/${cursor}`).join(' ')
  return spelled(rows) === spelled(others)
}

/** No row of the grid is new: only the time, the cursor and what each page tells anew. */
function isQuiet(page: PullPage): boolean {
  const { buildings, doors, households, persons, entries, gone, gone_grids } = page
  const rows = [buildings, doors, households, persons, entries, gone, gone_grids ?? []]
  return !page.full && !page.more && rows.every(({ length }) => length === 0)
}

function contextOf({ device, series, n }: Pick<PageRow, 'device' | 'series' | 'n'>): string {
  return `${device}/${series}/${n}`
}
