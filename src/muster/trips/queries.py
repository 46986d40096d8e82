# SPDX-License-Identifier: Apache-2.0
"""Reads of trips: by clock, one with its hops, what a driver has, what a family may see."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import date, datetime

from django.db.models import QuerySet

from muster.base.errors import Refusal
from muster.storage.scoping import Scope
from muster.trail.models import Event
from muster.trips.models import HospitalAsked, Trip, TripHop, TripSeries
from muster.trips.rules import MISSED_AFTER, HopState, Plan
from muster.trips.states import ENDED, ORDER, TripStatus


def seen_by(scope: Scope) -> QuerySet[Trip]:
    return Trip.objects.within(scope)


def trip_with_id(trip: uuid.UUID) -> Trip:
    """Raises Refusal("trip_unknown")."""
    found: Trip | None = Trip.objects.across(reason="trips").filter(id=trip).first()
    if found is None:
        raise Refusal("trip_unknown")
    return found


def trips_with_ids(ids: Collection[uuid.UUID]) -> list[Trip]:
    return list(Trip.objects.across(reason="trips").filter(id__in=ids))


def driven_by(trips: Collection[uuid.UUID]) -> dict[tuple[uuid.UUID, uuid.UUID], datetime]:
    """(trip, who drove it) -> when it was given to somebody else; not who drives it now."""
    events = Event.objects.filter(
        entity="Trip", entity_id__in=[str(trip) for trip in trips], verb="transport"
    ).order_by("at", "id")
    found: dict[tuple[uuid.UUID, uuid.UUID], datetime] = {}
    driver: dict[str, str | None] = {}
    for event in events:
        before, now = driver.get(event.entity_id), (event.facts or {}).get("driver")
        if before is not None and before != now:
            found[uuid.UUID(event.entity_id), uuid.UUID(before)] = event.at
        if now is not None:
            found.pop((uuid.UUID(event.entity_id), uuid.UUID(now)), None)
        driver[event.entity_id] = now
    return found


def series_with_id(series: uuid.UUID) -> TripSeries:
    """Raises Refusal("series_unknown")."""
    found: TripSeries | None = TripSeries.objects.across(reason="trips").filter(id=series).first()
    if found is None:
        raise Refusal("series_unknown")
    return found


def hops_of(trips: Collection[uuid.UUID]) -> dict[uuid.UUID, list[TripHop]]:
    """trip -> its hops in their order."""
    found: dict[uuid.UUID, list[TripHop]] = {trip: [] for trip in trips}
    for hop in TripHop.objects.filter(trip_id__in=trips):
        found[hop.trip_id].append(hop)
    return {trip: sorted(hops, key=lambda hop: ORDER.index(hop.code)) for trip, hops in found.items()}


def asked_of(trip: uuid.UUID) -> list[HospitalAsked]:
    return list(HospitalAsked.objects.across(reason="trips").filter(trip_id=trip).order_by("asked_at", "id"))


def states_of(hops: Collection[TripHop]) -> list[HopState]:
    return [HopState(h.code, h.due_at, h.done_at, is_skipped=h.skipped_at is not None) for h in hops]


def plan_of(trip: Trip) -> Plan:
    return Plan(trip.made_at, trip.urgency, trip.travel_minutes, trip.stay_minutes, trip.be_there_at)


def late(rows: QuerySet[Trip], *, at: datetime) -> QuerySet[Trip]:
    """Trips whose next hop is past its clock."""
    return rows.exclude(status__in=ENDED).filter(next_due__lt=at)


def missed(rows: QuerySet[Trip], *, at: datetime) -> QuerySet[Trip]:
    """Care that comes again and did not happen, until somebody has said that he saw it."""
    return rows.filter(
        status=TripStatus.PLANNED, series__isnull=False, be_there_at__lt=at - MISSED_AFTER,
        missed_seen_at__isnull=True,
    )  # fmt: skip


def booked_of(series: Collection[uuid.UUID], *, since: date) -> dict[uuid.UUID, list[Trip]]:
    """series -> its booked days from a day on, also those that were called off."""
    found: dict[uuid.UUID, list[Trip]] = {one: [] for one in series}
    rows = Trip.objects.across(reason="trips").filter(series__in=series, planned_on__gte=since)
    for row in rows.order_by("planned_on", "number"):
        found[row.series_id].append(row)
    return found


def open_trips_of_request(request: uuid.UUID) -> list[Trip]:
    rows = Trip.objects.across(reason="trips").filter(request=request).exclude(status__in=ENDED)
    return list(rows.order_by("number"))


def trips_of_driver(driver: uuid.UUID) -> list[Trip]:
    rows = Trip.objects.across(reason="own").filter(driver=driver).exclude(status__in=ENDED)
    return list(rows.order_by("next_due"))


def trips_of_door(dwelling: uuid.UUID, *, incident: uuid.UUID, since: datetime) -> list[Trip]:
    rows = Trip.objects.across(reason="own").filter(dwelling=dwelling, incident=incident, made_at__gt=since)
    return list(rows.order_by("-made_at")[:20])
