# SPDX-License-Identifier: Apache-2.0
"""Care that comes again, at the desk: what days it would be, begun, one day left out, moved, stopped."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, time
from itertools import islice
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from ninja import Router, Schema

from muster.api.auth import AUTH, Caller, allow, operation
from muster.api.request_rows import one_in_sight as request_in_sight
from muster.api.trip_rows import series_lines
from muster.api.trips import MOST, begins_at
from muster.base.errors import Refusal
from muster.flows import medical_trip
from muster.incidents.services import current_incident, incident_with_id
from muster.places.queries import grid as grid_with_id
from muster.trips import series as again
from muster.trips.models import TripSeries
from muster.trips.series import Again, Rhythm

router = Router(tags=["trips"], auth=AUTH)
SHOWN_AHEAD = 12
TRAVEL_MINUTES = 40


class When(Schema):
    """Every so many days, or on days of the week (1 Monday to 7 Sunday); until a day."""

    every_days: int = 7
    weekdays: list[int] = []
    time_of_day: time
    first_on: date
    until: date | None = None
    lead_hours: int = 48
    stay_minutes: int = 240

    def rhythm(self) -> Rhythm:
        return Rhythm(
            self.every_days, self.time_of_day, self.first_on, self.lead_hours, TRAVEL_MINUTES,
            self.stay_minutes, tuple(self.weekdays[:7]), self.until,
        )  # fmt: skip


class NewSeries(When):
    kind: str = "visit"
    who: str = ""
    to_place: str = ""
    place: str = ""
    phone: str = ""
    transport: str = "VEHICLE"
    grid: int | None = None
    dwelling: uuid.UUID | None = None
    person: uuid.UUID | None = None
    request: uuid.UUID | None = None


class Day(Schema):
    day: date


def _one(request: HttpRequest, series_id: uuid.UUID) -> tuple[Caller, TripSeries, str]:
    """Raises Refusal("not_found") for what lies out of sight."""
    who, row = allow(request, "trips.work")
    found = TripSeries.objects.within(who.scope(row)).filter(id=series_id).first()
    if found is None:
        raise Refusal("not_found")
    return who, found, incident_with_id(found.incident).time_zone


def _told(row: TripSeries, who: Caller) -> dict[str, Any]:
    return series_lines([row], at=who.at)[0]


@router.get("/trip-series", operation_id="series_list")
@operation("trips.list")
def list_series(request: HttpRequest, of_request: uuid.UUID | None = None) -> dict[str, Any]:
    """Those that go on, each with its next days. of_request: what came of one."""
    who, row = allow(request, "trips.list")
    rows = TripSeries.objects.within(who.scope(row)).filter(stopped_at__isnull=True)
    rows = rows.filter(Q(until__isnull=True) | Q(until__gte=who.at.date()))
    if of_request is not None:
        rows = rows.filter(request=of_request)
    page = list(rows.order_by("next_on", "id")[:MOST])
    return {"items": series_lines(page, at=who.at), "next": None, "count": rows.count()}


@router.post("/trip-series/days", operation_id="series_days")
@operation("trips.work")
def days(request: HttpRequest, body: When) -> dict[str, Any]:
    """The days it would be; nothing is written."""
    who, _ = allow(request, "trips.work")
    if current_incident(who.at) is None:
        raise Refusal("no_incident")
    rhythm = body.rhythm()
    first = again.first_day(rhythm, today=who.at.date())
    found = list(islice(rhythm.pattern.days(first), SHOWN_AHEAD + 1))
    return {"items": found[:SHOWN_AHEAD], "next": None, "has_more": len(found) > SHOWN_AHEAD}


@router.post("/trip-series", operation_id="series_start")
@operation("trips.work")
def start(request: HttpRequest, body: NewSeries) -> dict[str, Any]:
    """Care that comes again: the first trip is booked at once where it is near."""
    who, row = allow(request, "trips.work", grid=grid_with_id(body.grid) if body.grid is not None else None)
    said = Again(
        kind=body.kind[:40], rhythm=body.rhythm(), who=body.who, phone=body.phone, pick_up=body.place,
        to_place=body.to_place, transport=body.transport,
    )  # fmt: skip
    if body.request is not None:
        _, asked = request_in_sight(request, "requests.read", body.request)
        made = medical_trip.series_for_request(asked.id, said, grid=body.grid, by=who.user.id, at=who.at)
    else:
        incident, home, person = begins_at(who, row, body)
        made = again.start_series(
            incident=incident, home=home, kind=said.kind, rhythm=said.rhythm,
            who=body.who or (person.name or "" if person else ""), phone=body.phone, pick_up=body.place,
            to_place=body.to_place, transport=body.transport, by=who.user.id, at=who.at,
        )  # fmt: skip
    again.book_due(made.id, zone=incident_with_id(made.incident).time_zone, at=who.at)
    made.refresh_from_db()
    return _told(made, who)


@router.post("/trip-series/{series_id}/closed-day", operation_id="series_closed_day")
@operation("trips.work")
def closed_day(request: HttpRequest, series_id: uuid.UUID, body: Day) -> dict[str, Any]:
    """The hospital is closed that day: what is booked moves."""
    return _of_day(request, series_id, body, again.close_day)


@router.post("/trip-series/{series_id}/skip", operation_id="series_skip")
@operation("trips.work")
def skip(request: HttpRequest, series_id: uuid.UUID, body: Day) -> dict[str, Any]:
    """That once they do not go; the other days stay."""
    return _of_day(request, series_id, body, again.skip_day)


@router.post("/trip-series/{series_id}/keep", operation_id="series_keep")
@operation("trips.work")
def keep(request: HttpRequest, series_id: uuid.UUID, body: Day) -> dict[str, Any]:
    """After all they go on a day that was left out."""
    return _of_day(request, series_id, body, again.keep_day)


@router.post("/trip-series/{series_id}/stop", operation_id="series_stop")
@operation("trips.work")
def stop(request: HttpRequest, series_id: uuid.UUID) -> dict[str, Any]:
    who, row, _ = _one(request, series_id)
    return _told(again.stop_series(row.id, by=who.user.id, at=who.at), who)


def _of_day(
    request: HttpRequest, series_id: uuid.UUID, body: Day, act: Callable[..., TripSeries]
) -> dict[str, Any]:
    """One day of care made another."""
    who, row, zone = _one(request, series_id)
    return _told(act(row.id, day=body.day, zone=zone, by=who.user.id, at=who.at), who)
