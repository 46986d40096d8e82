// SPDX-License-Identifier: Apache-2.0
/** The work list with what this phone has said laid over it: shown at once, whether or not the server has heard it. */
import type { Job, JobsPage, Waiting } from '@muster/client'
import type { Mine } from '@muster/outbox'

export interface ToldJob extends Job {
  /** Taken here without a network: nobody has confirmed yet that it is mine. */
  unconfirmed?: boolean
}

export interface ToldPage extends Omit<JobsPage, 'jobs'> {
  jobs: ToldJob[]
  /** Done here, not yet heard of by the server. */
  done: Waiting[]
}

export function toldPage(page: JobsPage, mine: readonly Mine[]): ToldPage {
  const taken = saidOf(mine, 'work.taken', isWaiting)
  const arrived = saidOf(mine, 'work.arrived')
  const done = saidOf(mine, 'work.done')
  const unheard = saidOf(mine, 'work.done', isWaiting)
  const claimed = page.pool.filter(({ id }) => taken.has(id)).map(asJob)
  const offered = new Set(page.offers.map(({ id }) => id))
  const jobs = [...page.jobs, ...claimed].map((job) => (arrived.has(job.id) ? { ...job, status: 'ON_SITE' as const } : job))
  return {
    ...page,
    offers: page.offers.filter(({ id }) => !taken.has(id) && !done.has(id)),
    // What I am asked stands above, with its own clock.
    pool: page.pool.filter(({ id }) => !taken.has(id) && !done.has(id) && !offered.has(id)),
    jobs: jobs.filter(({ id }) => !done.has(id)),
    done: jobs.filter(({ id }) => unheard.has(id)),
  }
}

function saidOf(mine: readonly Mine[], kind: string, also: (act: Mine) => boolean = () => true): ReadonlySet<string> {
  return new Set(mine.filter((act) => act.kind === kind && also(act)).flatMap(({ item }) => item ?? []))
}

const isWaiting = ({ status }: Mine): boolean => status !== 'SETTLED'

/** The door and the words of a request come only with the server's yes. */
function asJob(one: Waiting): ToldJob {
  return { ...one, status: 'ACCEPTED', dwelling: null, door: '', text: '', what: '', place: '', name: '', phone: null, spoken_word: null, unconfirmed: true }
}
