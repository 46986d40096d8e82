# SPDX-License-Identifier: Apache-2.0
"""A trip from a request, and care that comes again begun by hand: shown before, one day left out, stopped."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.flows import medical_trip
from muster.requests import steps
from muster.requests.placing import place_of_door
from muster.storage.scoping import Scope
from muster.trips import series as again
from muster.trips.models import Trip, TripSeries
from muster.trips.series import Again, Rhythm
from muster.trips.services import Going, Home
from tests.support.serving import ask
from tests.support.town import AT, make_town
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
BY = new_id()
ZONE = "Asia/Shanghai"
MONDAY = date(2022, 9, 5)


@pytest.fixture
def world() -> World:
    return make_world(frozen=False, doors=1, people=1)


def by_week(world: World, **more: Any) -> TripSeries:
    door = world.dwellings[0]
    rhythm = Rhythm(
        7, time(14), more.pop("first_on", date(2022, 9, 3)), weekdays=(1, 3, 5), lead_hours=96,
        until=more.pop("until", date(2022, 9, 14)),
    )  # fmt: skip
    return again.start_series(
        incident=world.incident.id, home=Home(door.sub_district, door.grid, door.id), kind="dialysis",
        rhythm=rhythm, who="演甲", by=BY, at=NOON, **more,
    )  # fmt: skip


def booked() -> list[tuple[date, str]]:
    rows = Trip.objects.across(reason="trips").order_by("planned_on")
    return list(rows.values_list("planned_on", "status"))


def book(row: TripSeries, days: int = 0) -> None:
    again.book_due(row.id, zone=ZONE, at=NOON + timedelta(days=days))


def test_three_days_a_week_are_booked_until_the_last(world: World) -> None:
    row = by_week(world)
    assert row.next_on == MONDAY

    for n in range(20):
        book(row, n)

    assert [day.day for day, _ in booked()] == [5, 7, 9, 12, 14]


def test_one_that_is_booked_is_left_out_and_taken_up_again(world: World) -> None:
    row = by_week(world)
    book(row)

    again.skip_day(row.id, day=MONDAY, zone=ZONE, by=BY, at=NOON)
    book(row)
    assert booked() == [(MONDAY, "CANCELLED")]
    again.keep_day(row.id, day=MONDAY, zone=ZONE, by=BY, at=NOON)

    assert booked() == [(MONDAY, "PLANNED")]


def test_one_that_is_not_booked_yet_never_will_be_unless_kept(world: World) -> None:
    row = by_week(world)
    friday = date(2022, 9, 9)
    again.skip_day(row.id, day=friday, zone=ZONE, by=BY, at=NOON)
    again.skip_day(row.id, day=date(2022, 9, 12), zone=ZONE, by=BY, at=NOON)
    again.keep_day(row.id, day=date(2022, 9, 12), zone=ZONE, by=BY, at=NOON)

    for n in range(20):
        book(row, n)

    assert [day.day for day, _ in booked()] == [5, 7, 12, 14]


@pytest.mark.parametrize("day", [date(2022, 9, 6), date(2022, 8, 31), date(2022, 9, 16), date(2099, 1, 2)])
def test_a_day_without_care_cannot_be_left_out(world: World, day: date) -> None:
    row = by_week(world)
    with pytest.raises(Refusal, match="series_day_not_care"):
        again.skip_day(row.id, day=day, zone=ZONE, by=BY, at=NOON)
    with pytest.raises(Refusal, match="series_day_not_care"):
        again.keep_day(row.id, day=MONDAY, zone=ZONE, by=BY, at=NOON)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"until": date(2022, 9, 4)}, "series_until_bad"),
        ({"until": date(2030, 1, 1)}, "series_until_bad"),
        ({"first_on": date(1, 1, 1)}, "series_first_bad"),
        ({"first_on": date(9999, 12, 31)}, "series_first_bad"),
    ],
)
def test_days_that_make_no_sense_are_refused(world: World, more: dict[str, Any], code: str) -> None:
    with pytest.raises(Refusal, match=code):
        by_week(world, **more)


def test_two_desks_make_one_trip_of_a_request(world: World) -> None:
    request = ask(world, category="medical", name="演甲").request
    first = medical_trip.trip_for_request(request.id, Going(who=""), by=BY, at=NOON)

    with pytest.raises(Refusal, match="trip_for_request_already") as refused:
        medical_trip.trip_for_request(request.id, Going(who=""), by=BY, at=NOON)

    assert refused.value.facts["number"] == first.number
    later = Going(who="", be_there_at=NOON + timedelta(days=1))
    assert medical_trip.trip_for_request(request.id, later, by=BY, at=NOON).request == request.id


def test_care_that_comes_again_from_a_request_keeps_it_on_every_trip(world: World) -> None:
    request = ask(world, category="medical", name="演甲", phone="13800000001").request
    said = Again(Rhythm(7, time(14), date(2022, 9, 3), weekdays=(1, 3), lead_hours=120), kind="dialysis")
    made = medical_trip.series_for_request(request.id, said, by=BY, at=NOON)
    with pytest.raises(Refusal, match="series_for_request_already"):
        medical_trip.series_for_request(request.id, said, by=BY, at=NOON)

    book(made)

    rows = Trip.objects.across(reason="trips").all()
    assert {(t.request, t.who, t.phone) for t in rows} == {(request.id, "演甲", "13800000001")}
    assert made.dwelling == request.dwelling


def test_a_request_that_has_ended_makes_no_trip(world: World) -> None:
    request = ask(world, category="medical").request
    steps.withdraw(request.id, by=BY, at=NOON)

    with pytest.raises(Refusal, match="request_ended"):
        medical_trip.trip_for_request(request.id, Going(who=""), by=BY, at=NOON)


@time_machine.travel(AT, tick=False)
def test_the_desk_sees_the_days_before_it_saves_and_the_trip_shows_its_request() -> None:
    town = make_town(doors=1)
    desk = town.caller("desk")
    there = place_of_door(town.here.dwelling.id, scope=Scope(everything=True))
    asked_for = ask(town.world, category="medical", where=there).request
    client = Client()
    when = {
        "weekdays": [1, 3, 5],
        "time_of_day": "08:00",
        "lead_hours": 96,
        "first_on": "2022-09-03",
        "until": "2022-09-14",
    }

    def post(path: str, body: dict[str, Any]) -> Any:
        return client.post(f"/api/v1{path}", body, content_type="application/json", headers=desk)

    shown = post("/trip-series/days", when).json()
    assert TripSeries.objects.across(reason="trips").filter(weekdays=[1, 3, 5]).count() == 0
    made = post("/trip-series", {**when, "request": str(asked_for.id), "kind": "dialysis"}).json()

    assert [one["day"] for one in made["days"]] == shown["items"][:8]
    skipped = post(f"/trip-series/{made['id']}/skip", {"day": shown["items"][1]}).json()
    assert [one["state"] for one in skipped["days"]].count("SKIPPED") == 1
    trips = client.get(f"/api/v1/trips?status=all&of_request={asked_for.id}", headers=desk).json()["items"]
    assert trips
    page = client.get(f"/api/v1/trips/{trips[0]['id']}", headers=desk).json()
    assert page["request_number"] == asked_for.number
    elsewhere = client.get(f"/api/v1/trips?of_request={new_id()}", headers=desk).json()
    assert elsewhere["items"] == []
    assert post("/trip-series/days", {**when, "weekdays": [0, 9]}).json()["code"] == "series_rhythm_bad"
