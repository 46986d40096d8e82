# SPDX-License-Identifier: Apache-2.0
"""Trips as a family sees them by the elder's grant: asked, coming, done. No place, no reason, no driver."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from muster.api.resident.visiting import Visit
from muster.flows.medical_trip import family_step
from muster.requests.care import is_of_a_page, seen_by_grant
from muster.requests.models import CareGrant
from muster.trips.queries import trips_of_door

SINCE = timedelta(days=30)


def trips_of_grant(visit: Visit, grant: CareGrant) -> list[dict[str, Any]]:
    """Of who gave the grant, where that is known: not another's trips from the same door."""
    rows = trips_of_door(grant.dwelling, incident=grant.incident, since=visit.at - SINCE)
    mine = [row for row in rows if grant.person is None or row.person in (None, grant.person)]
    if is_of_a_page(grant):
        # Given with a tracking code, where anybody can name a door: only what came of what that asker asked.
        asked = set(seen_by_grant(grant, since=visit.at - SINCE).values_list("id", flat=True))
        mine = [row for row in mine if row.request in asked]
    return [
        {
            "category": visit.said["trip"],
            "step": visit.said[f"trip_{step}"],
            "time": visit.said.say("asked_at", time=visit.time(row.made_at)),
        }
        for row in mine
        if (step := family_step(row))
    ]
