# SPDX-License-Identifier: Apache-2.0
"""Care that comes again: begun, booked ahead, moved off a closed day, one day left out, stopped."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from muster.base.errors import Refusal
from muster.trail.services import record_event
from muster.trips.models import Trip, TripSeries
from muster.trips.rhythm import FARTHEST, Pattern
from muster.trips.services import Going, Home, ask_trip, cancel_trip, take_up_again
from muster.trips.states import SkipReason, Transport, TripStatus

MOST_AHEAD = 20
MOST_CLOSED = 200


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often, at what time, how long; weekdays: 1 Monday to 7 Sunday, instead of every so many days."""

    every_days: int
    time_of_day: time
    first_on: date
    lead_hours: int = 48
    travel_minutes: int = 40
    stay_minutes: int = 240
    weekdays: tuple[int, ...] = ()
    until: date | None = None

    @property
    def pattern(self) -> Pattern:
        return Pattern(self.every_days, frozenset(self.weekdays), self.until)


@dataclass(frozen=True, slots=True)
class Again:
    """Care that comes again as a form says it."""

    rhythm: Rhythm
    kind: str = "visit"
    who: str = ""
    phone: str = ""
    pick_up: str = ""
    to_place: str = ""
    transport: str = Transport.VEHICLE


def first_day(rhythm: Rhythm, *, today: date) -> date:
    """The first day of care. Raises Refusal series_rhythm_bad, series_first_bad, series_until_bad."""
    if not (1 <= rhythm.every_days <= 366 and 1 <= rhythm.lead_hours <= 14 * 24
            and 1 <= rhythm.travel_minutes <= 1440 and 0 <= rhythm.stay_minutes <= 1440
            and set(rhythm.weekdays) <= set(range(1, 8))):  # fmt: skip
        raise Refusal("series_rhythm_bad")
    if not today - timedelta(days=7) <= rhythm.first_on <= today + timedelta(days=366):
        raise Refusal("series_first_bad", field="first_on")
    first = rhythm.pattern.first(max(rhythm.first_on, today) if rhythm.weekdays else rhythm.first_on)
    if rhythm.until is not None and not first <= rhythm.until <= today + FARTHEST:
        raise Refusal("series_until_bad", field="until")
    return first


def pattern_of(row: TripSeries) -> Pattern:
    return Pattern(
        row.every_days, frozenset(row.weekdays), row.until,
        frozenset(date.fromisoformat(day) for day in row.closed_days),
        frozenset(date.fromisoformat(day) for day in row.skipped_days),
    )  # fmt: skip


def start_series(
    *,
    incident: uuid.UUID,
    home: Home,
    kind: str,
    rhythm: Rhythm,
    who: str,
    need: uuid.UUID | None = None,
    request: uuid.UUID | None = None,
    phone: str = "",
    pick_up: str = "",
    to_place: str = "",
    transport: str = Transport.VEHICLE,
    services: tuple[str, ...] = (),
    by: uuid.UUID | None,
    at: datetime,
) -> TripSeries:
    """Raises Refusal trip_without_who, trip_transport_unknown, series_for_need_already, series_rhythm_bad,
    series_first_bad, series_until_bad.
    """
    if not who.strip():
        raise Refusal("trip_without_who", field="who")
    if transport not in Transport.values:
        raise Refusal("trip_transport_unknown", field="transport", transport=transport[:20])
    first_on = first_day(rhythm, today=at.date())
    row = TripSeries(
        incident=incident, purpose=str(incident), sub_district=home.sub_district, grid=home.grid,
        dwelling=home.dwelling, person=home.person, need=need, request=request, kind=kind,
        who=who.strip()[:500],
        phone=phone.strip()[:500], pick_up=pick_up.strip()[:500], to_place=to_place.strip()[:500],
        transport=transport, every_days=rhythm.every_days, weekdays=sorted(set(rhythm.weekdays)),
        until=rhythm.until, time_of_day=rhythm.time_of_day,
        lead_hours=rhythm.lead_hours, travel_minutes=rhythm.travel_minutes, stay_minutes=rhythm.stay_minutes,
        services=list(services), next_on=first_on, made_at=at, made_by=by,
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
        pattern = pattern_of(row)
        today = at.astimezone(ZoneInfo(zone)).date()
        horizon = (at + timedelta(hours=row.lead_hours)).astimezone(ZoneInfo(zone))
        day = row.next_on
        # After a pause of the house what lies behind is not booked any more.
        while day < today:
            day = pattern.after(day)
        while day in pattern.closed:
            day += timedelta(days=1)
        while (
            (row.until is None or day <= row.until)
            and datetime.combine(day, row.time_of_day, tzinfo=ZoneInfo(zone)) <= horizon
            and len(made) < MOST_AHEAD
        ):
            if (trip := _book(row, day, zone=zone, at=at)) is not None:
                made.append(trip)
            day = pattern.after(day)
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
        request=row.request,
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
        row = _open(series)
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


def skip_day(series: uuid.UUID, *, day: date, zone: str, by: uuid.UUID, at: datetime) -> TripSeries:
    """That once they do not go: what is booked is called off, what is not yet booked will not be.

    Raises:
        Refusal: series_unknown, series_stopped, series_day_not_care, trip_under_way.
    """
    today = at.astimezone(ZoneInfo(zone)).date()
    with transaction.atomic():
        row = _open(series)
        booked = _booked_on(row, day)
        comes = booked is not None or _comes_on(row, day, today=today)
        if day < today or not comes or len(row.skipped_days) >= MOST_CLOSED:
            raise Refusal("series_day_not_care", field="day", day=day.isoformat())
        if booked is not None:
            cancel_trip(booked.id, reason=SkipReason.NOT_WANTED, by=by, at=at)
        row.skipped_days = sorted({*row.skipped_days, day.isoformat()})
        if row.next_on == day:
            row.next_on = pattern_of(row).after(day)
        _keep(row)
        record_event("TripSeries", row.id, "skip_day", at=at, actor=by, incident=row.incident,
                     day=day.isoformat())  # fmt: skip
    return row


def keep_day(series: uuid.UUID, *, day: date, zone: str, by: uuid.UUID, at: datetime) -> TripSeries:
    """After all they go that day.

    Raises:
        Refusal: series_unknown, series_stopped, series_day_not_care.
    """
    today = at.astimezone(ZoneInfo(zone)).date()
    with transaction.atomic():
        row = _open(series)
        if day < today or day.isoformat() not in row.skipped_days:
            raise Refusal("series_day_not_care", field="day", day=day.isoformat())
        row.skipped_days = [one for one in row.skipped_days if one != day.isoformat()]
        booked = _booked_on(row, day)
        if booked is not None:
            take_up_again(booked.id, by=by, at=at)
        else:
            row.next_on = min(row.next_on, day)
        _keep(row)
        record_event("TripSeries", row.id, "keep_day", at=at, actor=by, incident=row.incident,
                     day=day.isoformat())  # fmt: skip
    return row


def _booked_on(row: TripSeries, day: date) -> Trip | None:
    rows = Trip.objects.across(reason="trips").filter(series=row, planned_on=day)
    found: Trip | None = rows.first()
    return found


def _comes_on(row: TripSeries, day: date, *, today: date) -> bool:
    """Whether an unbooked day is one on which care comes."""
    if (row.until is not None and day > row.until) or day > today + FARTHEST:
        return False
    pattern, one = pattern_of(row), row.next_on
    while one < day:
        one = pattern.after(one)
    return one == day


def _open(series: uuid.UUID) -> TripSeries:
    row = _locked(series)
    if row.stopped_at is not None:
        raise Refusal("series_stopped")
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
