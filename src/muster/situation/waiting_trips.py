# SPDX-License-Identifier: Apache-2.0
"""Trips that need a desk now: care that did not happen one by one, what is past its clock together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from muster.storage.scoping import Scope
from muster.trips.models import Trip
from muster.trips.queries import late, missed, seen_by

MOST = 50


@dataclass(frozen=True, slots=True)
class WaitingTrips:
    """missed: care that comes again and did not happen. late: the next hop is past its clock."""

    missed: list[Trip]
    late: list[Trip]


def waiting_trips(scope: Scope, *, at: datetime) -> WaitingTrips:
    rows = seen_by(scope).only("id", "number", "be_there_at", "next_due", "status", "series", "urgency")
    gone = list(missed(rows, at=at).order_by("be_there_at")[:MOST])
    over = late(rows, at=at).exclude(id__in=[trip.id for trip in gone])
    return WaitingTrips(gone, list(over.order_by("next_due")[:1000]))
