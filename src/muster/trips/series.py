# SPDX-License-Identifier: Apache-2.0
"""Care that comes again: begun, booked ahead, moved off a day on which it is closed, stopped."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from muster.base.errors import Refusal
from muster.trail.services import record_event
from muster.trips.models import Trip, TripSeries
from muster.trips.rules import next_day
from muster.trips.services import Going, Home, ask_trip, cancel_trip
from muster.trips.states import SkipReason, Transport, TripStatus

MOST_AHEAD = 20
MOST_CLOSED = 200


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often, at what time, how long."""

    every_days: int
    time_of_day: time
    first_on: date
    lead_hours: int = 48
    travel_minutes: int = 40
    stay_minutes: int = 240


def start_series(
    *,
    incident: uuid.UUID,
    home: Home,
    kind: str,
    rhythm: Rhythm,
    who: str,
    need: uuid.UUID | None = None,
    phone: str = "",
    pick_up: str = "",
    to_place: str = "",
    transport: str = Transport.VEHICLE,
    services: tuple[str, ...] = (),
    by: uuid.UUID | None,
    at: datetime,
) -> TripSeries:
    """Raises Refusal trip_without_who, trip_transport_unknown, series_rhythm_bad, series_for_need_already."""
    if not who.strip():
        raise Refusal("trip_without_who", field="who")
    if transport not in Transport.values:
        raise Refusal("trip_transport_unknown", field="transport", transport=transport[:20])
    if not (1 <= rhythm.every_days <= 366 and 1 <= rhythm.lead_hours <= 14 * 24
            and 1 <= rhythm.travel_minutes <= 1440 and 0 <= rhythm.stay_minutes <= 1440):  # fmt: skip
        raise Refusal("series_rhythm_bad")
    row = TripSeries(
        incident=incident, purpose=str(incident), sub_district=home.sub_district, grid=home.grid,
        dwelling=home.dwelling, person=home.person, need=need, kind=kind, who=who.strip()[:500],
        phone=phone.strip()[:500], pick_up=pick_up.strip()[:500], to_place=to_place.strip()[:500],
        transport=transport, every_days=rhythm.every_days, time_of_day=rhythm.time_of_day,
        lead_hours=rhythm.lead_hours, travel_minutes=rhythm.travel_minutes, stay_minutes=rhythm.stay_minutes,
        services=list(services), next_on=rhythm.first_on, made_at=at, made_by=by,
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            record_event("TripSeries", row.id, "start", at=at, actor=by, incident=incident, grid=row.grid)
    except IntegrityError:
        raise Refusal("series_for_need_already") from None
    return row


def book_due(series: uuid.UUID, *, zone: str, at: datetime) -> list[Trip]:
    """Books what comes within the lead time. Asked again it books nothing twice."""
    made: list[Trip] = []
    with transaction.atomic():
        row = _locked(series)
        if row.stopped_at is not None:
            return []
        closed = {date.fromisoformat(day) for day in row.closed_days}
        today = at.astimezone(ZoneInfo(zone)).date()
        horizon = (at + timedelta(hours=row.lead_hours)).astimezone(ZoneInfo(zone))
        day = row.next_on
        # After a pause of the house what lies behind is not booked any more.
        while day < today:
            day = next_day(day, every_days=row.every_days, closed=closed)
        while day in closed:
            day += timedelta(days=1)
        while (
            datetime.combine(day, row.time_of_day, tzinfo=ZoneInfo(zone)) <= horizon
            and len(made) < MOST_AHEAD
        ):
            if (trip := _book(row, day, zone=zone, at=at)) is not None:
                made.append(trip)
            day = next_day(day, every_days=row.every_days, closed=closed)
        if day != row.next_on:
            row.next_on = day
            _keep(row)
    return made


def _book(row: TripSeries, day: date, *, zone: str, at: datetime) -> Trip | None:
    if Trip.objects.across(reason="trips").filter(series=row, planned_on=day).exists():
        return None
    there = datetime.combine(day, row.time_of_day, tzinfo=ZoneInfo(zone))
    going = Going(
        who=row.who or "", phone=row.phone or "", pick_up=row.pick_up or "", to_place=row.to_place or "",
        kind=row.kind, transport=row.transport, be_there_at=there, travel_minutes=row.travel_minutes,
        stay_minutes=row.stay_minutes, services=tuple(row.services), planned_on=day, series=row,
    )  # fmt: skip
    home = Home(sub_district=row.sub_district, grid=row.grid, dwelling=row.dwelling, person=row.person)
    return ask_trip(going, incident=row.incident, home=home, by=None, at=at)


def close_day(series: uuid.UUID, *, day: date, zone: str, by: uuid.UUID, at: datetime) -> TripSeries:
    """The hospital is closed on a day: what was booked moves to the nearest open day before, else after.

    Raises:
        Refusal: series_unknown, series_stopped, series_day_bad, trip_under_way.
    """
    today = at.astimezone(ZoneInfo(zone)).date()
    with transaction.atomic():
        row = _locked(series)
        if row.stopped_at is not None:
            raise Refusal("series_stopped")
        if not today <= day <= today + timedelta(days=366) or len(row.closed_days) >= MOST_CLOSED:
            raise Refusal("series_day_bad", field="day")
        row.closed_days = sorted({*row.closed_days, day.isoformat()})
        closed = {date.fromisoformat(one) for one in row.closed_days}
        booked = Trip.objects.across(reason="trips").filter(
            series=row, planned_on=day, status=TripStatus.PLANNED
        )
        moved = None
        for trip in booked:
            cancel_trip(trip.id, reason=SkipReason.MOVED, by=by, at=at)
            moved = _open_day_near(day, closed, today=today)
            _book(row, moved, zone=zone, at=at)
        if row.next_on == day:
            row.next_on = _open_day_near(day, closed, today=today)
        _keep(row)
        record_event("TripSeries", row.id, "close_day", at=at, actor=by, incident=row.incident,
                     day=day.isoformat(), moved_to=moved.isoformat() if moved else None)  # fmt: skip
    return row


def _open_day_near(day: date, closed: set[date], *, today: date) -> date:
    before = day - timedelta(days=1)
    while before in closed:
        before -= timedelta(days=1)
    if before > today:
        return before
    after = day + timedelta(days=1)
    while after in closed:
        after += timedelta(days=1)
    return after


def stop_series(series: uuid.UUID, *, by: uuid.UUID, at: datetime) -> TripSeries:
    """It ends; what is booked already stays until somebody calls it off."""
    with transaction.atomic():
        row = _locked(series)
        if row.stopped_at is None:
            row.stopped_at = at
            _keep(row)
            record_event("TripSeries", row.id, "stop", at=at, actor=by, incident=row.incident)
    return row


def _locked(series: uuid.UUID) -> TripSeries:
    rows = TripSeries.objects.across(reason="trips").select_for_update()
    row: TripSeries | None = rows.filter(id=series).first()
    if row is None:
        raise Refusal("series_unknown")
    return row


def _keep(row: TripSeries) -> None:
    row.version += 1
    row.save()
