# SPDX-License-Identifier: Apache-2.0
"""Trips on the driver's phone: where to go, whom to fetch, and how far it is; the lease is the key."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest
from ninja import Router

from muster.accounts.models import Lease
from muster.api.auth import operation
from muster.api.devices import lease_of
from muster.api.trip_rows import sheet
from muster.base.clock import now
from muster.base.errors import Refusal
from muster.responders.models import Responder
from muster.responders.queries import responder_of_user
from muster.trail.services import record_disclosures
from muster.trips import services
from muster.trips.models import Trip
from muster.trips.queries import trips_of_driver
from muster.trips.states import WAY

sync_router = Router(tags=["sync"])


def holder(request: HttpRequest) -> tuple[Lease, Responder | None]:
    """Who holds the phone. Raises Refusal lease_revoked, lease_expired."""
    lease = lease_of(request)
    if lease.revoked_at is not None or lease.device.revoked_at is not None:
        raise Refusal("lease_revoked")
    if lease.expires_at <= now():
        raise Refusal("lease_expired")
    return lease, responder_of_user(lease.actor_id, incident=lease.incident)


@sync_router.get("/trips", auth=None, operation_id="driving_list", include_in_schema=True)
@operation("session.read")
def list_mine(request: HttpRequest) -> dict[str, Any]:
    """The trips that I drive, until they are home or somebody else drives them."""
    lease, me = holder(request)
    rows = trips_of_driver(me.id) if me is not None else []
    record_disclosures(
        [row.person for row in rows], actor=lease.actor_id, role="responder", operation="trips.drive",
        fields="who,pick_up,to_place", at=now(), purpose="request",
    )  # fmt: skip
    items = [sheet(row) for row in rows]
    return {"items": items, "next": None, "count": len(items)}


@sync_router.post(
    "/trips/{trip_id}/hops/{code}", auth=None, operation_id="driving_hop", include_in_schema=True
)
@operation("session.read")
def hop(request: HttpRequest, trip_id: uuid.UUID, code: str) -> dict[str, Any]:
    """Left, arrived, on the way back, home: told by who drives."""
    lease, me = holder(request)
    row = _mine(trip_id, me)
    if code not in WAY:
        raise Refusal("hop_unknown", hop=code[:20])
    return sheet(services.mark_hop(row.id, hop=code, by=lease.actor_id, at=now()))


def _mine(trip: uuid.UUID, me: Responder | None) -> Trip:
    """What I do not drive does not exist for me."""
    rows = Trip.objects.across(reason="own").filter(id=trip, driver=me.id) if me is not None else []
    found: Trip | None = next(iter(rows), None)
    if found is None:
        raise Refusal("trip_unknown")
    return found
