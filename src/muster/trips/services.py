# SPDX-License-Identifier: Apache-2.0
"""Writes of trips: asked, hospitals asked in turn, hops done or not needed, a driver, called off.

Every hop can be told at any time and in any order: somebody may have left before anything was arranged.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max, Q

from muster.base.errors import Refusal
from muster.trail.services import record_event
from muster.trips.models import HospitalAsked, Trip, TripHop, TripSeries
from muster.trips.queries import hops_of, plan_of, states_of
from muster.trips.rules import clocks_after, first_clocks, next_hop, status_of
from muster.trips.states import (
    ENDED,
    WAY,
    Answer,
    Hop,
    SkipReason,
    Transport,
    TripStatus,
    Urgency,
)

LONGEST_TEXT = 500
MOST_MINUTES = 24 * 60
FARTHEST_AHEAD, FARTHEST_BACK = timedelta(days=120), timedelta(days=3)
SKEW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Home:
    """Where somebody is fetched: a door, or a grid with words."""

    sub_district: int
    grid: int | None = None
    dwelling: uuid.UUID | None = None
    household: uuid.UUID | None = None
    person: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Going:
    """Who goes where, and when. Everything but who may be unknown yet."""

    who: str
    to_place: str = ""
    pick_up: str = ""
    phone: str = ""
    why: str = ""
    kind: str = "visit"
    urgency: str = Urgency.NORMAL
    transport: str = Transport.VEHICLE
    be_there_at: datetime | None = None
    travel_minutes: int = 40
    stay_minutes: int = 120
    comes_back: bool = True
    services: tuple[str, ...] = ()
    has_left: bool = False
    request: uuid.UUID | None = None
    planned_on: date | None = None
    series: TripSeries | None = field(default=None, compare=False)


def ask_trip(going: Going, *, incident: uuid.UUID, home: Home, by: uuid.UUID | None, at: datetime) -> Trip:
    """Writes a trip down. Whoever has left already has left: the papers follow.

    Raises:
        Refusal: trip_without_who, trip_text_long, trip_urgency_unknown, trip_transport_unknown,
        trip_minutes_bad, trip_time_bad.
    """
    _demand_sensible(going, at=at)
    row = Trip(
        incident=incident, purpose=str(incident), sub_district=home.sub_district, grid=home.grid,
        dwelling=home.dwelling, household=home.household, person=home.person, request=going.request,
        series=going.series, planned_on=going.planned_on, kind=going.kind, urgency=going.urgency,
        who=going.who.strip(), phone=going.phone.strip(), pick_up=going.pick_up.strip(),
        to_place=going.to_place.strip(), why=going.why.strip(),
        transport=Transport.AMBULANCE if going.urgency == Urgency.LIFE else going.transport,
        services=list(going.services), be_there_at=going.be_there_at, travel_minutes=going.travel_minutes,
        stay_minutes=going.stay_minutes, made_at=at, made_by=by,
    )  # fmt: skip
    clocks = first_clocks(plan_of(row))
    for _ in range(20):
        top = Trip.objects.across(reason="count").filter(incident=incident).aggregate(n=Max("number"))
        row.number = (top["n"] or 0) + 1
        try:
            with transaction.atomic():
                row.save(force_insert=True)
                _first_hops(row, going, clocks, by=by, at=at)
                settle(row, at=at)
                row.save()
                record_event("Trip", row.id, "ask", at=at, actor=by, incident=incident, to_state=row.status,
                             urgency=row.urgency, grid=row.grid, number=row.number)  # fmt: skip
        except IntegrityError:
            if going.series is not None and _is_booked(going):
                raise Refusal("trip_booked_already") from None
            continue
        return row
    raise Refusal("trip_busy")


def _is_booked(going: Going) -> bool:
    rows = Trip.objects.across(reason="trips").filter(series=going.series, planned_on=going.planned_on)
    return rows.exists()


def _demand_sensible(going: Going, *, at: datetime) -> None:
    if not going.who.strip():
        raise Refusal("trip_without_who", field="who")
    texts = (going.who, going.to_place, going.pick_up, going.phone, going.why)
    if any(len(text) > LONGEST_TEXT for text in texts):
        raise Refusal("trip_text_long", most=LONGEST_TEXT)
    if going.urgency not in Urgency.values:
        raise Refusal("trip_urgency_unknown", field="urgency", urgency=going.urgency[:20])
    if going.transport not in Transport.values:
        raise Refusal("trip_transport_unknown", field="transport", transport=going.transport[:20])
    if not (1 <= going.travel_minutes <= MOST_MINUTES and 0 <= going.stay_minutes <= MOST_MINUTES):
        raise Refusal("trip_minutes_bad", most=MOST_MINUTES)
    there = going.be_there_at
    if there is not None and not at - FARTHEST_BACK <= there <= at + FARTHEST_AHEAD:
        raise Refusal("trip_time_bad", field="be_there_at", days=FARTHEST_AHEAD.days)


def _first_hops(
    row: Trip, going: Going, clocks: dict[str, datetime], *, by: uuid.UUID | None, at: datetime
) -> None:
    skipped: dict[str, str] = {}
    if row.transport == Transport.OWN:
        skipped[Hop.VEHICLE] = SkipReason.NOT_NEEDED
    if not going.comes_back:
        skipped |= {Hop.WAY_BACK: SkipReason.STAYS_THERE, Hop.HOME: SkipReason.STAYS_THERE}
    TripHop.objects.bulk_create(
        TripHop(
            trip=row, code=code, due_at=due, skip_reason=skipped.get(code, ""),
            skipped_at=at if code in skipped else None,
            done_at=at if code == Hop.LEFT and going.has_left else None,
            by=by if code == Hop.LEFT and going.has_left else None,
        )
        for code, due in clocks.items()
    )  # fmt: skip


def settle(row: Trip, *, at: datetime) -> None:
    """Sets clocks, status and what comes next from the hops; the row is held by the caller, who saves it."""
    hops = hops_of([row.id])[row.id]
    clocks = clocks_after(plan_of(row), states_of(hops))
    for hop in hops:
        if hop.code in clocks and clocks[hop.code] != hop.due_at:
            hop.due_at = clocks[hop.code]
            hop.save(update_fields=["due_at"])
    states = states_of(hops)
    if row.status != TripStatus.CANCELLED:
        row.status = status_of(states)
    is_over = row.status in ENDED
    coming = None if is_over else next_hop(states)
    row.next_hop, row.next_due = coming if coming else ("", None)
    row.ended_at = (row.ended_at or at) if is_over else None


def locked(trip: uuid.UUID) -> Trip:
    """Raises Refusal("trip_unknown")."""
    rows = Trip.objects.across(reason="trips").select_for_update()
    row: Trip | None = rows.filter(id=trip).first()
    if row is None:
        raise Refusal("trip_unknown")
    return row


def _keep(row: Trip, *, verb: str, before: str, by: uuid.UUID | None, at: datetime, **facts: Any) -> Trip:
    settle(row, at=at)
    row.version += 1
    row.save()
    record_event("Trip", row.id, verb, at=at, actor=by, incident=row.incident, from_state=before,
                 to_state=row.status, **facts)  # fmt: skip
    return row


def mark_hop(
    trip: uuid.UUID, *, hop: str, by: uuid.UUID | None, at: datetime, happened_at: datetime | None = None
) -> Trip:
    """It happened. Whatever is missing before it, it happened; a trip that was called off is on again.

    Raises:
        Refusal: trip_unknown, hop_unknown, hop_time_bad.
    """
    if hop not in Hop.values:
        raise Refusal("hop_unknown", hop=hop[:20])
    moment = happened_at or at
    if not at - FARTHEST_BACK <= moment <= at + SKEW:
        raise Refusal("hop_time_bad", field="happened_at")
    with transaction.atomic():
        row = locked(trip)
        before = row.status
        if row.status == TripStatus.CANCELLED and hop in WAY:
            row.status, row.cancel_reason = TripStatus.PLANNED, ""
        # Told twice, the earlier moment stands, in whatever order the two are heard of.
        happened = min(moment, at)
        TripHop.objects.filter(Q(done_at__isnull=True) | Q(done_at__gt=happened), trip=row, code=hop).update(
            done_at=happened, by=by, skipped_at=None, skip_reason=""
        )
        return _keep(row, verb="hop", before=before, by=by, at=at, reason=hop)


def unmark_hop(trip: uuid.UUID, *, hop: str, by: uuid.UUID, at: datetime) -> Trip:
    """Told by mistake: the hop is open again. Raises Refusal trip_unknown, hop_unknown."""
    if hop not in Hop.values:
        raise Refusal("hop_unknown", hop=hop[:20])
    with transaction.atomic():
        row = locked(trip)
        before = row.status
        if before == TripStatus.CANCELLED:
            raise Refusal("trip_cancelled")
        # A way back that is on again leads home again.
        codes = [Hop.WAY_BACK, Hop.HOME] if hop == Hop.WAY_BACK else [hop]
        TripHop.objects.filter(trip=row, code__in=codes).update(
            done_at=None, by=None, skipped_at=None, skip_reason=""
        )
        if hop == Hop.HOSPITAL:
            HospitalAsked.objects.across(reason="trips").filter(trip=row, answer=Answer.YES).update(
                answer=Answer.WAITING, answered_at=None
            )
        return _keep(row, verb="unhop", before=before, by=by, at=at, reason=hop)


def skip_hop(trip: uuid.UUID, *, hop: str, reason: str, by: uuid.UUID, at: datetime) -> Trip:
    """Not needed. Without a way back there is no coming home either.

    Raises:
        Refusal: trip_unknown, hop_unknown, skip_reason_unknown, hop_done_already.
    """
    if hop not in Hop.values:
        raise Refusal("hop_unknown", hop=hop[:20])
    if reason not in SkipReason.values:
        raise Refusal("skip_reason_unknown", reason=reason[:20])
    codes = [Hop.WAY_BACK, Hop.HOME] if hop == Hop.WAY_BACK else [hop]
    with transaction.atomic():
        row = locked(trip)
        before = row.status
        open_hops = TripHop.objects.filter(trip=row, code__in=codes, done_at__isnull=True)
        if not open_hops.filter(code=hop).exists():
            raise Refusal("hop_done_already", hop=hop)
        open_hops.update(skipped_at=at, skip_reason=reason, by=by)
        return _keep(row, verb="skip", before=before, by=by, at=at, reason=hop, why=reason)


def ask_hospital(trip: uuid.UUID, *, name: str, by: uuid.UUID, at: datetime) -> HospitalAsked:
    """Somebody is asking a hospital; several may be asked in turn.

    Raises:
        Refusal: trip_unknown, hospital_without_name, trip_text_long.
    """
    _demand_text(name, "hospital_without_name")
    with transaction.atomic():
        row = locked(trip)
        asked = HospitalAsked(
            trip=row, incident=row.incident, purpose=row.purpose,
            sub_district=row.sub_district, grid=row.grid, name=name.strip(), asked_at=at, by=by,
        )  # fmt: skip
        asked.save(force_insert=True)
        record_event("Trip", row.id, "ask_hospital", at=at, actor=by, incident=row.incident)
    return asked


def answer_hospital(
    asked: uuid.UUID, *, trip: uuid.UUID, answer: str, who: str = "", by: uuid.UUID, at: datetime
) -> Trip:
    """What it said, and who said so. The yes is the hop; a later yes takes the place of an earlier one.

    Raises:
        Refusal: trip_unknown, hospital_unknown, hospital_answer_unknown, hospital_yes_by_whom,
        trip_text_long.
    """
    if answer not in (Answer.YES, Answer.NO):
        raise Refusal("hospital_answer_unknown", answer=answer[:20])
    if answer == Answer.YES:
        _demand_text(who, "hospital_yes_by_whom")
    with transaction.atomic():
        row = locked(trip)
        rows = HospitalAsked.objects.across(reason="trips").filter(trip=row)
        one: HospitalAsked | None = rows.filter(id=asked).first()
        if one is None:
            raise Refusal("hospital_unknown")
        if answer == Answer.YES:
            rows.filter(answer=Answer.YES).exclude(id=one.id).update(answer=Answer.NO)
            row.to_place = one.name
        one.answer, one.who, one.answered_at = answer, who.strip(), at
        one.save()
        has_yes = rows.filter(answer=Answer.YES).exists()
        TripHop.objects.filter(trip=row, code=Hop.HOSPITAL).update(
            done_at=at if has_yes else None, by=by if has_yes else None, skipped_at=None, skip_reason=""
        )
        return _keep(row, verb="hospital", before=row.status, by=by, at=at, reason=answer)


def _demand_text(text: str, code: str) -> None:
    if not text.strip():
        raise Refusal(code)
    if len(text) > LONGEST_TEXT:
        raise Refusal("trip_text_long", most=LONGEST_TEXT)


def set_transport(
    trip: uuid.UUID,
    *,
    transport: str,
    vehicle: str = "",
    driver: uuid.UUID | None = None,
    by: uuid.UUID,
    at: datetime,
) -> Trip:
    """Who drives, in what. Saying it is the hop VEHICLE; saying nobody opens it again.

    Raises:
        Refusal: trip_unknown, trip_transport_unknown, trip_text_long.
    """
    if transport not in Transport.values:
        raise Refusal("trip_transport_unknown", field="transport", transport=transport[:20])
    if len(vehicle) > LONGEST_TEXT:
        raise Refusal("trip_text_long", most=LONGEST_TEXT)
    with transaction.atomic():
        row = locked(trip)
        row.transport, row.vehicle, row.driver = transport, vehicle.strip(), driver
        hop = TripHop.objects.filter(trip=row, code=Hop.VEHICLE)
        if transport == Transport.OWN:
            hop.update(done_at=None, skipped_at=at, skip_reason=SkipReason.NOT_NEEDED, by=by)
        elif driver is not None or vehicle.strip() or transport == Transport.AMBULANCE:
            hop.update(done_at=at, skipped_at=None, skip_reason="", by=by)
        else:
            hop.update(done_at=None, skipped_at=None, skip_reason="", by=None)
        return _keep(row, verb="transport", before=row.status, by=by, at=at, reason=transport,
                     driver=str(driver) if driver else None)  # fmt: skip


def change_trip(
    trip: uuid.UUID,
    *,
    by: uuid.UUID,
    at: datetime,
    be_there_at: datetime | None = None,
    to_place: str | None = None,
    urgency: str | None = None,
) -> Trip:
    """Another time, another place, another urgency; the clocks of what is open are set anew."""
    with transaction.atomic():
        row = locked(trip)
        if row.status == TripStatus.CANCELLED:
            raise Refusal("trip_cancelled")
        if be_there_at is not None:
            if not at - FARTHEST_BACK <= be_there_at <= at + FARTHEST_AHEAD:
                raise Refusal("trip_time_bad", field="be_there_at", days=FARTHEST_AHEAD.days)
            row.be_there_at = be_there_at
        if to_place is not None:
            _demand_text(to_place, "hospital_without_name")
            row.to_place = to_place.strip()
        if urgency is not None:
            if urgency not in Urgency.values:
                raise Refusal("trip_urgency_unknown", field="urgency", urgency=urgency[:20])
            row.urgency = urgency
        if be_there_at is not None or urgency is not None:
            plan = plan_of(row)
            clocks = first_clocks(replace(plan, made_at=at))
            for code, due in clocks.items():
                TripHop.objects.filter(trip=row, code=code, done_at__isnull=True).update(due_at=due)
        return _keep(row, verb="change", before=row.status, by=by, at=at, urgency=row.urgency)


def cancel_trip(trip: uuid.UUID, *, reason: str, by: uuid.UUID | None, at: datetime) -> Trip:
    """Called off, with a reason. Whoever is on the way is on the way: that is not called off.

    Raises:
        Refusal: trip_unknown, skip_reason_unknown, trip_under_way.
    """
    if reason not in SkipReason.values:
        raise Refusal("skip_reason_unknown", reason=reason[:20])
    with transaction.atomic():
        row = locked(trip)
        before = row.status
        if before not in {TripStatus.PLANNED, TripStatus.CANCELLED}:
            raise Refusal("trip_under_way")
        row.status, row.cancel_reason = TripStatus.CANCELLED, reason
        return _keep(row, verb="cancel", before=before, by=by, at=at, reason=reason)


def take_up_again(trip: uuid.UUID, *, by: uuid.UUID, at: datetime) -> Trip:
    """What was called off is on again, with the clocks it had. Nothing happens to one that was not."""
    with transaction.atomic():
        row = locked(trip)
        before = row.status
        if before != TripStatus.CANCELLED:
            return row
        row.status, row.cancel_reason = TripStatus.PLANNED, ""
        return _keep(row, verb="take_up_again", before=before, by=by, at=at)


def saw_missed(trip: uuid.UUID, *, by: uuid.UUID, at: datetime) -> Trip:
    """Somebody has looked into care that did not happen."""
    with transaction.atomic():
        row = locked(trip)
        row.missed_seen_at = at
        return _keep(row, verb="saw_missed", before=row.status, by=by, at=at)
