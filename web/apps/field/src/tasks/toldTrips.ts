// SPDX-License-Identifier: Apache-2.0
/** The trips that I drive with what this phone has said laid over them: shown at once, whether or not the server has heard it. */
import type { Driven, WayHop } from '@muster/client'
import type { Mine } from '@muster/outbox'

export interface ToldTrip extends Driven {
  /** The step to tell next; null where they are home, or stay there. */
  next: Driven['hops'][number] | null
  /** Steps told here that no server has heard of yet. */
  unheard: number
}

export function toldTrips(trips: readonly Driven[], mine: readonly Mine[]): ToldTrip[] {
  return trips.flatMap((trip) => {
    const said = mine.filter((act) => act.kind === 'trip.step' && act.subject.trip === trip.id && !isSetAside(act))
    const hops = trip.hops.map((hop) => ({ ...hop, done_at: hop.done_at ?? momentOf(said, hop.code), skipped_at: hop.skipped_at }))
    const unheard = said.filter(({ status }) => status !== 'SETTLED').length
    const next = nextOf(hops)
    return next || unheard ? [{ ...trip, hops, next, unheard }] : []
  })
}

/** Trips that were mine and are not any more, though I did not bring anybody home: called off, or somebody else's. */
export function goneTrips(before: readonly Driven[], now: readonly Driven[], mine: readonly Mine[]): Driven[] {
  const still = new Set(now.map(({ id }) => id))
  return before.filter((trip) => !still.has(trip.id) && toldTrips([trip], mine).some(({ next }) => next !== null))
}

/** A part of the way that was passed does not come any more. */
function nextOf(hops: Driven['hops']): Driven['hops'][number] | null {
  const far = hops.reduce((furthest, hop, index) => (hop.done_at ? index : furthest), -1)
  return hops.find((hop, index) => index > far && !hop.skipped_at) ?? null
}

function momentOf(said: readonly Mine[], hop: WayHop): string | null {
  const moments = said.filter((act) => act.hop === hop).map(({ at }) => at)
  return moments.length ? new Date(Math.min(...moments)).toISOString() : null
}

const isSetAside = ({ status, verdict, code }: Mine): boolean => status === 'SETTLED' && (verdict === 'HELD' || verdict === 'QUARANTINED' || code === 'trip_not_yours')
