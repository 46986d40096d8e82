# SPDX-License-Identifier: Apache-2.0
"""Driving: what drivers' phones say about a trip, perhaps hours later, laid beside what happened since.

Whoever is on the way is on the way: a step of a trip that was called off counts, and what was told before it
was given to somebody else counts too. Reads once for a chunk, decides, then writes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from muster.base.errors import Refusal
from muster.responders.models import Responder
from muster.responders.queries import responders_of_users
from muster.storage.writes import LostRace
from muster.trail import kinds
from muster.trail.incoming import APPLIED, Incoming, Ruling, flagged, held, quarantined
from muster.trips import services
from muster.trips.models import Trip
from muster.trips.queries import driven_by, trips_with_ids
from muster.trips.states import TripStatus

WAS_OFF = flagged("trip_was_off")
NOT_YOURS = flagged("trip_not_yours")


@dataclass(slots=True)
class Driving:
    """The trips that a chunk of facts speaks of, who drives them, and who drove them until when."""

    trips: dict[uuid.UUID, Trip] = field(default_factory=dict)
    people: dict[tuple[uuid.UUID, uuid.UUID], Responder] = field(default_factory=dict)
    given_away: dict[tuple[uuid.UUID, uuid.UUID], datetime] = field(default_factory=dict)
    acts: list[tuple[Incoming, kinds.TripStep]] = field(default_factory=list)

    @classmethod
    def read(cls, facts: Iterable[Incoming]) -> Driving:
        """Reads nothing where no fact speaks of a trip."""
        told = [f for f in facts if isinstance(f.body, kinds.TripStep)]
        if not told:
            return cls()
        trips = {one.id: one for one in trips_with_ids({f.subject for f in told})}
        people = responders_of_users({(f.incident, f.actor) for f in told if f.actor is not None})
        return cls(trips, people, driven_by(trips))

    def place(self, fact: Incoming, body: kinds.TripStep) -> tuple[Ruling, int | None]:
        """What becomes of a fact, and the grid of the trip."""
        trip = self.trips.get(fact.subject)
        me = self.people.get((fact.incident, fact.actor)) if fact.actor else None
        if trip is None or me is None:
            return held("unknown_subject"), None
        until = self.given_away.get((trip.id, me.id))
        if trip.incident != fact.incident or (trip.driver != me.id and until is None):
            return quarantined("out_of_scope"), trip.grid
        fact.sub_district = trip.sub_district
        if trip.driver != me.id:
            if until is not None and fact.occurred_at <= until:
                self.acts.append((fact, body))
            return NOT_YOURS, trip.grid
        self.acts.append((fact, body))
        return (WAS_OFF if trip.status == TripStatus.CANCELLED else APPLIED), trip.grid

    def write(self) -> None:
        """Inside the transaction. Raises LostRace where the trip has gone since it was read."""
        for fact, body in self.acts:
            try:
                services.mark_hop(
                    fact.subject, hop=body.hop, by=fact.actor, at=min(fact.occurred_at, fact.received_at)
                )
            except Refusal as refusal:
                fact.ruling = held("unknown_subject")
                raise LostRace(refusal.code) from refusal
