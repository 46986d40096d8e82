# SPDX-License-Identifier: Apache-2.0
"""就医保障: the register, the people who drive and the trips to care meet here.

A need that means going out again and again gets an arrangement by itself, an arrangement books its next
trip, a trip that is late is told. Nothing here decides whether somebody may leave.
"""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet

from muster.base.errors import Refusal
from muster.flows.telling import on_duty
from muster.incidents.models import Incident
from muster.incidents.packs import pack_of
from muster.notifications.queries import accounts_over
from muster.notifications.services import Telling, ToAccount, ToArea, notify, notify_many
from muster.notifications.states import Priority
from muster.packs import Pack
from muster.packs.schema import CareRhythm
from muster.places.models import Dwelling, Grid
from muster.register.models import Need, Person
from muster.requests.models import Request
from muster.requests.rules import demand_open
from muster.requests.services import Where
from muster.responders.models import Responder
from muster.responders.queries import responder_with_id, responders_with_ids
from muster.responders.states import CAN_BE_ASKED
from muster.responders.telling import to
from muster.trail.services import record_event
from muster.trips import services
from muster.trips.models import Trip, TripSeries
from muster.trips.queries import late, open_trips_of_request, trip_with_id
from muster.trips.series import Again, Rhythm, book_due, start_series
from muster.trips.services import Going, Home, ask_trip
from muster.trips.states import ENDED, WAY, Hop, Transport, Urgency

AT_ONCE = 200
DESKS = ("desk", "street")
DRIVING = "driving"
# An arrangement is looked at again when its day comes within the longest lead that a pack may name.
LONGEST_LEAD = timedelta(days=15)


def arrange_for_needs(incident: Incident, *, at: datetime, limit: int = AT_ONCE) -> list[TripSeries]:
    """Begins an arrangement for each need that has care in the pack and never had one.

    The hour is the pack's and the hospital is open: a person calls and sets both. What was stopped is not
    begun again.
    """
    rhythms = {need.code: need.care for need in pack_of(incident).needs if need.care is not None}
    if not rhythms:
        return []
    known = TripSeries.objects.across(reason="trips").filter(incident=incident.id, need__isnull=False)
    rows = Need.objects.across(reason="trips").filter(
        kind__in=rhythms, ended_at__isnull=True, person__left_at__isnull=True, person__lives_here=True
    )
    wanted = list(
        rows.exclude(id__in=known.values("need")).select_related("person").order_by("seen_at", "id")[:limit]
    )
    doors = _doors({need.person.dwelling_id for need in wanted})
    made = []
    for need in wanted:
        rhythm = rhythms[need.kind]
        if rhythm is not None and (begun := _arrange(need, rhythm, incident, doors, at=at)) is not None:
            made.append(begun)
    return made


def _arrange(
    need: Need, care: CareRhythm, incident: Incident, doors: dict[uuid.UUID, str], *, at: datetime
) -> TripSeries | None:
    person = need.person
    tomorrow = at.astimezone(ZoneInfo(incident.time_zone)).date() + timedelta(days=1)
    rhythm = Rhythm(
        every_days=care.every_days, time_of_day=time.fromisoformat(care.at), first_on=tomorrow,
        lead_hours=care.lead_hours, stay_minutes=care.stay_minutes,
    )  # fmt: skip
    try:
        return start_series(
            incident=incident.id, home=home_of(person), kind=need.kind, rhythm=rhythm, who=person.name or "—",
            need=need.id, phone=person.phone or "", pick_up=doors.get(person.dwelling_id, ""),
            services=services_of(pack_of(incident), [need.kind]), by=None, at=at,
        )  # fmt: skip
    except Refusal as refusal:
        if refusal.code == "series_for_need_already":
            return None
        raise


def home_of(person: Person) -> Home:
    return Home(person.sub_district, person.grid, person.dwelling_id, person.household_id, person.id)


def services_of(pack: Pack, kinds: list[str]) -> tuple[str, ...]:
    """What the door may know of needs: the services that follow from them."""
    return tuple(sorted({need.service for need in pack.needs if need.code in kinds}))


def _doors(ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    return dict(Dwelling.objects.across(reason="trips").filter(id__in=ids).values_list("id", "label"))


def book_all_due(incident: Incident, *, at: datetime) -> list[Trip]:
    """Books what every arrangement needs within its lead; asked again it books nothing twice."""
    rows = TripSeries.objects.across(reason="trips").filter(
        incident=incident.id, stopped_at__isnull=True, next_on__lte=(at + LONGEST_LEAD).date()
    )
    zone = ZoneInfo(incident.time_zone)
    made: list[Trip] = []
    for series, day, hour, lead in rows.values_list("id", "next_on", "time_of_day", "lead_hours"):
        if datetime.combine(day, hour, tzinfo=zone) <= at + timedelta(hours=lead):
            made += book_due(series, zone=incident.time_zone, at=at)
    return made


def tell_late(incident: Incident, *, at: datetime) -> int:
    """Tells each area's desks and channels how many trips are late, once an hour."""
    rows = late(Trip.objects.across(reason="trips").filter(incident=incident.id), at=at)
    counts = Counter(rows.values_list("grid", flat=True))
    lives = set(rows.filter(urgency=Urgency.LIFE).values_list("grid", flat=True))
    grids = Grid.objects.filter(id__in=[g for g in counts if g is not None]).select_related("area")
    by_path: Counter[str] = Counter()
    urgent: set[str] = set()
    for grid in grids:
        by_path[grid.area.path] += counts[grid.id]
        if grid.id in lives:
            urgent.add(grid.area.path)
    tellings: list[Telling] = []
    for path, count in by_path.items():
        told = Telling(
            "trip_late", f"{path}|{at:%Y%m%d%H}", ToArea(path), {"count": count},
            Priority.LIFE if path in urgent else Priority.NORMAL,
        )  # fmt: skip
        tellings.append(told)
        tellings += [
            replace(told, audience=ToAccount(desk)) for desk in accounts_over(path, roles=DESKS, at=at)
        ]
    return notify_many([*tellings, *_drivers_late(rows)], incident=incident.id, at=at)


def _drivers_late(rows: QuerySet[Trip]) -> list[Telling]:
    """Who drives hears once of each step of the way that is late: perhaps he only forgot to say it."""
    trips = list(rows.filter(driver__isnull=False, next_hop__in=WAY).order_by("next_due", "id")[:AT_ONCE])
    drivers = responders_with_ids({one.driver for one in trips if one.driver})
    return [
        Telling(
            "trip_hop_late", f"{one.id}|{one.next_hop}", to(drivers[one.driver]), {"time": one.next_due},
            Priority.LIFE if one.urgency == Urgency.LIFE else Priority.NORMAL,
        )
        for one in trips
        if one.driver in drivers
    ]  # fmt: skip


def look_after(incident: Incident, *, at: datetime) -> int:
    """The clock's work; how much was booked. Safe to run twice, or never: reads compute what is late."""
    arrange_for_needs(incident, at=at)
    booked = len(book_all_due(incident, at=at))
    tell_late(incident, at=at)
    return booked


def send_driver(
    trip: uuid.UUID, *, transport: str, vehicle: str, driver: uuid.UUID | None, by: uuid.UUID, at: datetime
) -> Trip:
    """Says who drives and tells him; whoever drove before hears that he need not.

    Raises:
        Refusal: responder_unknown, trip_unknown, trip_transport_unknown, trip_text_long.
    """
    somebody = responder_with_id(driver) if driver is not None else None
    if somebody is not None and somebody.incident != trip_with_id(trip).incident:
        raise Refusal("responder_unknown", responder=str(driver))
    with transaction.atomic():
        before = services.locked(trip).driver
        row = services.set_transport(trip, transport=transport, vehicle=vehicle, driver=driver, by=by, at=at)
        if somebody is not None:
            _tell_driver(row, somebody, at=at)
        if before is not None and before != driver:
            _tell_off(row, before, at=at)
    return row


def call_off(trip: uuid.UUID, *, reason: str, by: uuid.UUID, at: datetime) -> Trip:
    """Calls a trip off; who was to drive hears it. Raises Refusal as trips.services.cancel_trip."""
    with transaction.atomic():
        row = services.cancel_trip(trip, reason=reason, by=by, at=at)
        if row.driver is not None:
            _tell_off(row, row.driver, at=at)
    return row


def _tell_off(row: Trip, driver: uuid.UUID, *, at: datetime) -> None:
    somebody = responder_with_id(driver)
    notify(
        "trip_off", key=f"{row.id}|{driver}|{row.version}", incident=row.incident, at=at,
        facts={"number": row.number}, audience=to(somebody),
    )  # fmt: skip


def _tell_driver(row: Trip, driver: Responder, *, at: datetime) -> None:
    leave = row.hops.get(code=Hop.LEFT).due_at
    notify(
        "trip_asked", key=f"{row.id}|{row.version}", incident=row.incident, facts={"time": leave}, at=at,
        audience=to(driver),
        priority=Priority.LIFE if row.urgency == Urgency.LIFE else Priority.NORMAL,
    )  # fmt: skip


def trip_for_request(
    request: uuid.UUID, going: Going, *, grid: int | None = None, by: uuid.UUID, at: datetime
) -> Trip:
    """A request for care becomes a trip: who, where and how urgent come along, unless said otherwise.

    grid: where nobody knows yet where the request is. Two desks that press at once make one trip.

    Raises:
        Refusal: request_unknown, request_ended, trip_without_place, trip_for_request_already and those of
        trips.services.ask_trip.
    """
    with transaction.atomic():
        row = _open_request(request)
        for one in open_trips_of_request(row.id):
            if one.series_id is None and one.be_there_at == going.be_there_at:
                raise Refusal("trip_for_request_already", number=one.number)
        home = _home_of_request(row, grid)
        made = ask_trip(_as_asked(row, going), incident=row.incident, home=home, by=by, at=at)
        record_event("Request", row.id, "trip", at=at, actor=by, incident=row.incident, trip=made.number)
    return made


def series_for_request(
    request: uuid.UUID, said: Again, *, grid: int | None = None, by: uuid.UUID, at: datetime
) -> TripSeries:
    """A request for care that comes again: who and where come along, unless said otherwise.

    Raises:
        Refusal: as trip_for_request, series_for_request_already and those of trips.series.start_series.
    """
    with transaction.atomic():
        row = _open_request(request)
        known = TripSeries.objects.across(reason="trips").filter(request=row.id, stopped_at__isnull=True)
        if known.exists():
            raise Refusal("series_for_request_already")
        going = _as_asked(row, Going(who=said.who, phone=said.phone, pick_up=said.pick_up))
        made = start_series(
            incident=row.incident, home=_home_of_request(row, grid), kind=said.kind, rhythm=said.rhythm,
            who=going.who, phone=going.phone, pick_up=going.pick_up, to_place=said.to_place,
            transport=said.transport, request=row.id, by=by, at=at,
        )  # fmt: skip
        record_event("Request", row.id, "trip_series", at=at, actor=by, incident=row.incident)
    return made


def _open_request(request: uuid.UUID) -> Request:
    rows = Request.objects.across(reason="requests").select_for_update()
    row: Request | None = rows.filter(id=request).first()
    if row is None:
        raise Refusal("request_unknown")
    demand_open(row.status)
    return row


def _home_of_request(row: Request, grid: int | None) -> Home:
    if row.grid is not None or row.dwelling is not None:
        return Home(row.sub_district, row.grid, row.dwelling, row.household, row.person)
    if grid is None:
        raise Refusal("trip_without_place", field="grid")
    place = Grid.objects.get(id=grid)
    return Home(place.sub_district, place.id, None, row.household, row.person)


def _as_asked(row: Request, going: Going) -> Going:
    return replace(
        going, request=row.id, who=going.who or row.name or f"#{row.number}",
        phone=going.phone or row.phone or "", pick_up=going.pick_up or row.place or "",
        urgency=row.urgency if going.urgency == Urgency.NORMAL else going.urgency,
    )  # fmt: skip


def home_at(where: Where, *, person: Person | None = None) -> Home:
    """Where a trip begins. Raises Refusal("trip_without_place") where nothing is known."""
    if person is not None:
        return home_of(person)
    if where.grid is None:
        raise Refusal("trip_without_place", field="grid")
    return Home(where.sub_district, where.grid, where.dwelling, where.household)


def drivers_near(trip: Trip, *, at: datetime, count: int = 40) -> list[Responder]:
    """Who may be asked to drive now: who says that he drives, then who serves nearby; the same grid first."""
    rows = Responder.objects.across(reason="dispatch").filter(
        incident=trip.incident, sub_district=trip.sub_district, status__in=CAN_BE_ASKED
    )
    area = Grid.objects.filter(id=trip.grid or 0).values("area")
    nearby = set(Grid.objects.filter(area__in=area).values_list("id", flat=True))
    near = [one for one in rows.defer("limits", "branch") if drives(one) or one.grid in nearby]
    free = on_duty([one.id for one in near], at=at)
    busy = set(
        Trip.objects.across(reason="trips")
        .filter(driver__in=free).exclude(status__in=ENDED).exclude(id=trip.id)
        .values_list("driver", flat=True)
    )  # fmt: skip
    able = [one for one in near if one.id in free]
    return sorted(able, key=lambda r: (not drives(r), r.id in busy, r.grid != trip.grid, r.open_jobs, r.id))[
        :count
    ]


def drives(one: Responder) -> bool:
    return DRIVING in one.skills


FAMILY_STEPS = {
    "PLANNED": "asked",
    "AWAY": "coming",
    "THERE": "coming",
    "COMING_BACK": "coming",
    "HOME": "done",
}


def family_step(trip: Trip) -> str:
    """All that a relative hears of a trip: asked, coming, done; nothing where it was called off."""
    if trip.status == "PLANNED" and (trip.driver is not None or trip.transport == Transport.AMBULANCE):
        return "coming"
    return FAMILY_STEPS.get(trip.status, "")
