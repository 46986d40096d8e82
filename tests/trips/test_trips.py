# SPDX-License-Identifier: Apache-2.0
"""A trip to care and back; leaving is never blocked; care that comes again books itself."""

from __future__ import annotations

import itertools
import threading
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import close_old_connections

from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.trips import series as again
from muster.trips import services
from muster.trips.models import HospitalAsked, Trip, TripHop, TripSeries
from muster.trips.queries import asked_of, hops_of, late, missed
from muster.trips.series import Rhythm
from muster.trips.services import Going, Home
from muster.trips.states import ORDER, Hop, TripStatus
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
BY = new_id()
ZONE = "Asia/Shanghai"


@pytest.fixture
def world() -> World:
    return make_world(frozen=False, doors=1, people=1)


def home(world: World, number: int = 0) -> Home:
    door = world.dwellings[number]
    person = next(p for p in world.persons if p.dwelling_id == door.id)
    return Home(door.sub_district, door.grid, door.id, None, person.id)


def a_trip(world: World, **more: Any) -> Trip:
    more.setdefault("who", "演甲")
    return services.ask_trip(Going(**more), incident=world.incident.id, home=home(world), by=BY, at=NOON)


def fresh(trip: Trip) -> Trip:
    return Trip.objects.across(reason="trips").get(id=trip.id)  # type: ignore[no-any-return]


def mark(trip: Trip, hop: str, minutes: float = 0) -> Trip:
    return services.mark_hop(trip.id, hop=hop, by=BY, at=NOON + timedelta(minutes=minutes))


def test_there_and_back(world: World) -> None:
    trip = a_trip(world, to_place="一医院", be_there_at=NOON + timedelta(hours=6))
    assert (trip.status, trip.next_hop) == (TripStatus.PLANNED, Hop.HOSPITAL)
    asked = services.ask_hospital(trip.id, name="一医院", by=BY, at=NOON)
    services.answer_hospital(asked.id, trip=trip.id, answer="NO", by=BY, at=NOON)
    second = services.ask_hospital(trip.id, name="二医院", by=BY, at=NOON)
    row = services.answer_hospital(second.id, trip=trip.id, answer="YES", who="急诊王护士", by=BY, at=NOON)
    assert (row.to_place, row.next_hop) == ("二医院", Hop.VEHICLE)
    services.set_transport(trip.id, transport="VEHICLE", driver=new_id(), by=BY, at=NOON)
    steps = [(Hop.GATE, "PLANNED"), (Hop.LEFT, "AWAY"), (Hop.ARRIVED, "THERE"), (Hop.WAY_BACK, "COMING_BACK"),
             (Hop.HOME, "HOME")]  # fmt: skip

    statuses = [mark(trip, hop, minutes=10 * n).status for n, (hop, _) in enumerate(steps)]

    assert statuses == [status for _, status in steps]
    row = fresh(trip)
    assert (row.next_hop, row.next_due) == ("", None)
    assert row.ended_at == NOON + timedelta(minutes=40)
    assert [(a.answer, a.who or "") for a in asked_of(trip.id)] == [("NO", ""), ("YES", "急诊王护士")]


@pytest.mark.parametrize("first", ORDER)
def test_no_step_is_a_condition_of_another(world: World, first: str) -> None:
    """Leaving for care is never blocked: every hop can be the first that is told."""
    trip = a_trip(world)

    mark(trip, first)

    assert TripHop.objects.filter(trip=trip, done_at__isnull=False).count() == 1


def test_every_order_of_the_way_ends_at_home(world: World) -> None:
    for order in itertools.permutations([Hop.LEFT, Hop.ARRIVED, Hop.WAY_BACK, Hop.HOME]):
        trip = a_trip(world)
        for hop in order:
            mark(trip, hop)
        assert fresh(trip).status == TripStatus.HOME


def test_who_left_at_once_is_written_down_as_away(world: World) -> None:
    trip = a_trip(world, urgency="LIFE", has_left=True)

    assert (trip.status, trip.next_hop, trip.transport) == (TripStatus.AWAY, Hop.ARRIVED, "AMBULANCE")


def test_a_trip_that_was_called_off_is_on_again_when_they_leave(world: World) -> None:
    trip = a_trip(world)
    assert services.cancel_trip(trip.id, reason="NOT_WANTED", by=BY, at=NOON).status == TripStatus.CANCELLED

    row = mark(trip, Hop.LEFT)

    assert (row.status, row.cancel_reason, row.ended_at) == (TripStatus.AWAY, "", None)


def test_told_twice_the_first_moment_stands(world: World) -> None:
    trip = a_trip(world)
    mark(trip, Hop.LEFT, 5)
    mark(trip, Hop.LEFT, 50)

    assert TripHop.objects.get(trip=trip, code=Hop.LEFT).done_at == NOON + timedelta(minutes=5)


def test_a_late_hop_is_found_by_its_clock(world: World) -> None:
    trip = a_trip(world, be_there_at=NOON + timedelta(hours=2))
    rows = Trip.objects.across(reason="trips")

    assert list(late(rows, at=NOON)) == []
    assert [t.id for t in late(rows, at=NOON + timedelta(hours=2))] == [trip.id]
    for hop in ORDER:
        mark(trip, hop, 1)
    assert list(late(rows, at=NOON + timedelta(days=2))) == []


def test_staying_there_and_undoing_it(world: World) -> None:
    trip = a_trip(world)
    services.skip_hop(trip.id, hop=Hop.WAY_BACK, reason="STAYS_THERE", by=BY, at=NOON)
    mark(trip, Hop.LEFT)
    assert mark(trip, Hop.ARRIVED).status == TripStatus.HOME

    row = services.unmark_hop(trip.id, hop=Hop.WAY_BACK, by=BY, at=NOON)

    assert (row.status, row.next_hop, row.ended_at) == (TripStatus.THERE, Hop.WAY_BACK, None)
    assert mark(trip, Hop.WAY_BACK).status == TripStatus.COMING_BACK


def test_a_hospital_that_takes_its_yes_back(world: World) -> None:
    trip = a_trip(world)
    asked = services.ask_hospital(trip.id, name="一医院", by=BY, at=NOON)
    services.answer_hospital(asked.id, trip=trip.id, answer="YES", who="值班", by=BY, at=NOON)

    row = services.answer_hospital(asked.id, trip=trip.id, answer="NO", by=BY, at=NOON)

    assert row.next_hop == Hop.HOSPITAL
    assert not HospitalAsked.objects.across(reason="trips").filter(answer="YES").exists()


def test_texts_lie_sealed(world: World) -> None:
    trip = a_trip(world, who="王小明", to_place="一医院", why="透析", phone="13800000001", pick_up="3号楼501")

    row = fresh(trip)
    sealed = b"".join(bytes(row.__dict__[n]) for n in ("who", "to_place", "why", "phone", "pick_up"))
    assert not any(word.encode() in sealed for word in ("王小明", "一医院", "透析", "138"))
    assert row.why == "透析"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"who": "  "}, "trip_without_who"), ({"who": "长" * 501}, "trip_text_long"),
    ({"urgency": "SOON"}, "trip_urgency_unknown"), ({"transport": "BOAT"}, "trip_transport_unknown"),
    ({"travel_minutes": 0}, "trip_minutes_bad"), ({"stay_minutes": 10**6}, "trip_minutes_bad"),
    ({"be_there_at": NOON + timedelta(days=400)}, "trip_time_bad"),
    ({"be_there_at": NOON - timedelta(days=30)}, "trip_time_bad"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "code"), BAD)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(
    world: World, more: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refusal, match=code):
        a_trip(world, **more)

    assert Trip.objects.across(reason="trips").count() == 0


def test_steps_that_make_no_sense_are_refused(world: World) -> None:
    trip = a_trip(world)
    other = a_trip(world)
    asked = services.ask_hospital(other.id, name="一医院", by=BY, at=NOON)
    with pytest.raises(Refusal, match="trip_unknown"):
        services.mark_hop(new_id(), hop=Hop.LEFT, by=BY, at=NOON)
    with pytest.raises(Refusal, match="hop_unknown"):
        mark(trip, "FLY")
    with pytest.raises(Refusal, match="hop_time_bad"):
        services.mark_hop(trip.id, hop=Hop.LEFT, by=BY, at=NOON, happened_at=NOON + timedelta(days=1))
    with pytest.raises(Refusal, match="hospital_unknown"):
        services.answer_hospital(asked.id, trip=trip.id, answer="YES", who="x", by=BY, at=NOON)
    with pytest.raises(Refusal, match="hospital_yes_by_whom"):
        services.answer_hospital(asked.id, trip=other.id, answer="YES", by=BY, at=NOON)
    mark(trip, Hop.LEFT)
    with pytest.raises(Refusal, match="trip_under_way"):
        services.cancel_trip(trip.id, reason="NOT_WANTED", by=BY, at=NOON)
    with pytest.raises(Refusal, match="hop_done_already"):
        services.skip_hop(trip.id, hop=Hop.LEFT, reason="NOT_NEEDED", by=BY, at=NOON)


# ---- care that comes again --------------------------------------------------------------------------


def dialysis(world: World, **more: Any) -> TripSeries:
    rhythm = Rhythm(
        every_days=more.pop("every_days", 2), time_of_day=time(14), first_on=date(2022, 9, 3), lead_hours=48
    )
    return again.start_series(
        incident=world.incident.id, home=home(world), kind="dialysis", rhythm=rhythm, who="演甲",
        to_place="一医院", by=BY, at=NOON, **more,
    )  # fmt: skip


def days(world: World) -> list[tuple[date, str]]:
    rows = Trip.objects.across(reason="trips").order_by("planned_on", "made_at")
    return list(rows.values_list("planned_on", "status"))


def test_care_that_comes_again_books_itself_once(world: World) -> None:
    row = dialysis(world)

    booked = [
        len(again.book_due(row.id, zone=ZONE, at=NOON + timedelta(hours=h))) for h in (0, 0, 24, 49, 49)
    ]

    assert booked == [1, 0, 0, 1, 0]
    assert [day for day, _ in days(world)] == [date(2022, 9, 3), date(2022, 9, 5)]
    trip = Trip.objects.across(reason="trips").order_by("planned_on").first()
    assert trip is not None
    assert trip.be_there_at == datetime.fromisoformat("2022-09-03T14:00:00+08:00")
    due = {hop.code: hop.due_at for hop in hops_of([trip.id])[trip.id]}
    assert due[Hop.LEFT] == trip.be_there_at - timedelta(minutes=40)
    assert due[Hop.ARRIVED] == trip.be_there_at


def test_a_holiday_moves_what_is_booked_and_what_comes(world: World) -> None:
    row = dialysis(world)
    for hours in (0, 26):
        again.book_due(row.id, zone=ZONE, at=NOON + timedelta(hours=hours))

    again.close_day(row.id, day=date(2022, 9, 5), zone=ZONE, by=BY, at=NOON)

    assert days(world) == [
        (date(2022, 9, 3), "PLANNED"), (date(2022, 9, 4), "PLANNED"), (date(2022, 9, 5), "CANCELLED"),
    ]  # fmt: skip
    again.close_day(row.id, day=date(2022, 9, 7), zone=ZONE, by=BY, at=NOON)
    again.book_due(row.id, zone=ZONE, at=NOON + timedelta(hours=97))
    assert days(world)[-1] == (date(2022, 9, 6), "PLANNED")


def test_one_that_was_missed_is_found_until_somebody_saw_it(world: World) -> None:
    row = dialysis(world)
    (trip,) = again.book_due(row.id, zone=ZONE, at=NOON)
    rows = Trip.objects.across(reason="trips")
    after = trip.be_there_at + timedelta(hours=2)  # type: ignore[operator]

    assert list(missed(rows, at=NOON)) == []
    assert [t.id for t in missed(rows, at=after)] == [trip.id]
    services.saw_missed(trip.id, by=BY, at=after)
    assert list(missed(rows, at=after)) == []


def test_a_stopped_one_books_nothing_and_a_long_pause_is_not_made_up_for(world: World) -> None:
    row = dialysis(world)
    later = NOON + timedelta(days=20)
    assert [t.planned_on for t in again.book_due(row.id, zone=ZONE, at=later)] == [date(2022, 9, 23)]
    again.stop_series(row.id, by=BY, at=later)

    assert again.book_due(row.id, zone=ZONE, at=later + timedelta(days=9)) == []
    with pytest.raises(Refusal, match="series_stopped"):
        again.close_day(row.id, day=date(2022, 10, 1), zone=ZONE, by=BY, at=later)


def test_one_need_has_one_arrangement(world: World) -> None:
    need = new_id()
    first = dialysis(world, need=need)
    with pytest.raises(Refusal, match="series_for_need_already"):
        dialysis(world, need=need)
    again.stop_series(first.id, by=BY, at=NOON)

    assert dialysis(world, need=need).id != first.id


@pytest.mark.parametrize("every_days", [0, -1, 400])
def test_a_rhythm_that_is_none_is_refused(world: World, every_days: int) -> None:
    with pytest.raises(Refusal, match="series_rhythm_bad"):
        dialysis(world, every_days=every_days)


@pytest.mark.django_db(transaction=True)
def test_two_who_book_at_once_book_one_trip(world: World) -> None:
    row = dialysis(world)
    start, made, refused = threading.Barrier(4), [], []

    def run() -> None:
        start.wait()
        try:
            made.extend(again.book_due(row.id, zone=ZONE, at=NOON))
        except Refusal as refusal:
            refused.append(refusal.code)
        finally:
            close_old_connections()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len(made) == 1
    assert set(refused) <= {"trip_booked_already"}
    assert Trip.objects.across(reason="trips").count() == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_trips_at_once_have_twenty_numbers(world: World) -> None:
    def run() -> None:
        try:
            a_trip(world)
        finally:
            close_old_connections()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    numbers = list(Trip.objects.across(reason="trips").values_list("number", flat=True))
    assert sorted(numbers) == list(range(1, 9))
