# SPDX-License-Identifier: Apache-2.0
"""The register, the drivers and the trips together: needs book themselves, a family hears three words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.flows import medical_trip
from muster.flows.telling import on_duty
from muster.notifications.models import Message
from muster.register.models import Need, Person
from muster.register.services import note_need
from muster.responders.models import Responder
from muster.situation.inbox import inbox_items
from muster.storage.scoping import Scope
from muster.trips import services
from muster.trips.models import Trip, TripSeries
from muster.trips.series import stop_series
from muster.trips.services import Going
from muster.trips.states import TripStatus
from tests.support.serving import ask, door, somebody_who_serves
from tests.support.town import AT, make_town
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
BY = new_id()


@pytest.fixture
def world() -> World:
    return make_world(frozen=False, doors=1, people=1)


def needs(world: World, person: Person, kind: str) -> Need:
    note_need(person, kind=kind, severity=2, note="", at=NOON, purpose=str(world.incident.id))
    return Need.objects.across(reason="verify").get(person=person, kind=kind)  # type: ignore[no-any-return]


def series(world: World) -> list[TripSeries]:
    return list(TripSeries.objects.across(reason="trips").filter(incident=world.incident.id))


def a_trip(world: World, **more: Any) -> Trip:
    home = medical_trip.home_of(world.persons[0])
    going = Going(**{"who": "演甲", **more})
    return services.ask_trip(going, incident=world.incident.id, home=home, by=BY, at=NOON)


@pytest.mark.parametrize(("kind", "every"), [("dialysis", 2), ("chemotherapy", 21), ("pregnant", 14)])
def test_a_need_that_means_going_out_again_books_itself(world: World, kind: str, every: int) -> None:
    needs(world, world.persons[0], kind)
    needs(world, world.persons[1], "elder_alone")

    booked = [medical_trip.look_after(world.incident, at=NOON + timedelta(minutes=m)) for m in (0, 1, 2)]

    assert booked == [1, 0, 0]
    (row,) = series(world)
    assert (row.kind, row.every_days, row.person) == (kind, every, world.persons[0].id)
    trip = Trip.objects.across(reason="trips").get()
    assert (trip.who, trip.dwelling, trip.next_hop) == (row.who, world.persons[0].dwelling_id, "HOSPITAL")


def test_what_was_stopped_is_not_begun_again_and_an_ended_need_begins_nothing(world: World) -> None:
    needs(world, world.persons[0], "dialysis")
    over = needs(world, world.persons[1], "dialysis")
    Need.objects.across(reason="verify").filter(id=over.id).update(ended_at=NOON)
    medical_trip.look_after(world.incident, at=NOON)
    (row,) = series(world)
    stop_series(row.id, by=BY, at=NOON)

    medical_trip.look_after(world.incident, at=NOON + timedelta(days=3))

    assert [one.id for one in series(world)] == [row.id]


def test_a_driver_is_told_once_and_only_while_on_duty(world: World) -> None:
    driver = somebody_who_serves(world, skills=["driving"], phone="13800000009")
    trip = a_trip(world)

    for _ in range(2):
        medical_trip.send_driver(trip.id, transport="VEHICLE", vehicle="", driver=driver.id, by=BY, at=NOON)

    rows = Message.objects.across(reason="messages")
    assert set(rows.values_list("way", flat=True)) == {"APP", "SMS"}
    assert all(set(row.facts) == {"time"} for row in rows)
    assert on_duty([driver.id], at=NOON) == {driver.id}
    Responder.objects.across(reason="own").filter(id=driver.id).update(status="RESTING")
    assert on_duty([driver.id], at=NOON) == set()


def test_a_driver_of_another_incident_is_nobody(world: World) -> None:
    driver = somebody_who_serves(world)
    Responder.objects.across(reason="own").filter(id=driver.id).update(incident=new_id())
    trip = a_trip(world)

    for one in (driver.id, new_id()):
        with pytest.raises(Refusal, match="responder_unknown"):
            medical_trip.send_driver(trip.id, transport="VEHICLE", vehicle="", driver=one, by=BY, at=NOON)

    assert Message.objects.across(reason="messages").count() == 0


def test_who_drives_and_is_near_comes_first(world: World) -> None:
    far = somebody_who_serves(world, grid=1, skills=["driving"])
    near = somebody_who_serves(world, grid=0, skills=["driving"])
    neighbour = somebody_who_serves(world, grid=0, skills=[])
    next_grid = somebody_who_serves(world, grid=1, skills=[])
    somebody_who_serves(world, grid=0, skills=["driving"], status="RESTING")
    somebody_who_serves(world, grid=2, skills=["driving"])

    found = medical_trip.drivers_near(a_trip(world), at=NOON)

    assert [one.id for one in found] == [near.id, far.id, neighbour.id, next_grid.id]


def test_a_request_for_care_becomes_a_trip(world: World) -> None:
    request = ask(world, category="medical", urgency="URGENT", name="演甲", phone="13800000001").request

    trip = medical_trip.trip_for_request(request.id, Going(who=""), by=BY, at=NOON)

    assert (trip.who, trip.phone, trip.urgency, trip.dwelling) == (
        "演甲", "13800000001", "URGENT", request.dwelling,
    )  # fmt: skip


def test_a_family_hears_three_words_and_no_more(world: World) -> None:
    trip = a_trip(world, why="透析")
    heard = [medical_trip.family_step(trip)]
    trip = services.set_transport(trip.id, transport="VEHICLE", driver=new_id(), by=BY, at=NOON)
    heard.append(medical_trip.family_step(trip))
    for hop in ("LEFT", "ARRIVED", "WAY_BACK", "HOME"):
        heard.append(medical_trip.family_step(services.mark_hop(trip.id, hop=hop, by=BY, at=NOON)))

    assert heard == ["asked", "coming", "coming", "coming", "coming", "done"]


def test_a_relative_sees_the_elders_trips_and_nobody_elses(world: World) -> None:
    from muster.requests.care import give_care_grant

    elder, other = world.persons[0], world.persons[1]
    where = door(world)
    _, code = give_care_grant(
        incident=world.incident.id, where=where, person=elder.id, relative_name="女儿", relative_phone="",
        through="WEB", by=None, at=NOON,
    )  # fmt: skip
    with time_machine.travel(NOON, tick=False):
        before = Client().post("/relative", {"care": code}).content.decode()
        a_trip(world, why="透析", to_place="一医院")
        services.ask_trip(Going(who="演乙"), incident=world.incident.id, by=BY, at=NOON,
                          home=replace(medical_trip.home_of(elder), person=other.id))  # fmt: skip
        after = Client().post("/relative", {"care": code}).content.decode()

    assert before.count("出门接送") == 0
    assert after.count("出门接送") == 1
    assert "已登记" in after
    assert not any(word in after for word in ("透析", "一医院", "演乙"))


def test_what_is_late_or_missed_stands_in_the_inbox_of_its_own_street(world: World) -> None:
    needs(world, world.persons[0], "dialysis")
    medical_trip.look_after(world.incident, at=NOON)
    a_trip(world, urgency="URGENT")
    later = NOON + timedelta(days=1, hours=4)

    def told(scope: Scope) -> list[tuple[str, Any]]:
        items = inbox_items(scope, at=later)
        return [(i["kind"], i["count"]) for i in items if str(i["kind"]).startswith("trip")]

    assert told(Scope(everything=True)) == [("trip_missed", None), ("trips_late", 1)]
    assert told(Scope(sub_districts=frozenset({world.streets[1].id}))) == []


def test_late_trips_are_told_once_an_hour(world: World) -> None:
    from muster.accounts.services import grant_role

    path = world.communities[0].path
    grant_role(world.head, role="desk", at=NOON, area=world.communities[0].id, area_path=path)
    a_trip(world, urgency="URGENT")
    later = NOON + timedelta(hours=3)

    told = [medical_trip.tell_late(world.incident, at=later + timedelta(minutes=m)) for m in (0, 5, 60)]

    assert told == [1, 0, 1]


@pytest.mark.parametrize("many", [1, 12])
def test_the_list_takes_the_same_queries_however_long(many: int) -> None:
    with time_machine.travel(AT, tick=False):
        town = make_town(doors=1)
        home = medical_trip.home_of(town.here.person)
        for _ in range(many):
            services.ask_trip(Going(who="演甲"), incident=town.world.incident.id, home=home, by=BY, at=NOON)
        headers = town.caller("desk")
        with CaptureQueriesContext(connection) as queries:
            answer = Client().get("/api/v1/trips", headers=headers)

    assert answer.status_code == 200
    assert len(queries) <= 16


def test_the_drivers_sheet_says_nothing_of_why() -> None:
    with time_machine.travel(AT, tick=False):
        town = make_town(doors=1)
        home = medical_trip.home_of(town.here.person)
        trip = services.ask_trip(Going(who="演甲", why="透析三小时", kind="dialysis"),
                                 incident=town.world.incident.id, home=home, by=BY, at=NOON)  # fmt: skip
        headers = town.caller("desk")
        sheet = Client().get(f"/api/v1/trips/{trip.id}/sheet", headers=headers)
        page = Client().get(f"/api/v1/trips/{trip.id}", headers=headers)

    assert "透析" in str(page.json())
    assert "透析" not in str(sheet.json())
    assert "dialysis" not in str(sheet.json())
    assert "received_by" not in sheet.json()


def test_leaving_is_one_call_whatever_was_arranged() -> None:
    """Asked by a desk: who left is away, and a cancelled trip does not hold anybody back."""
    with time_machine.travel(AT, tick=False):
        town = make_town(doors=1)
        headers = {**town.caller("desk"), "Content-Type": "application/json"}
        body = {"who": "演甲", "grid": town.here.grid.id, "has_left": True, "urgency": "LIFE"}
        made = Client().post("/api/v1/trips", body, content_type="application/json", headers=headers).json()
        other = Client().post("/api/v1/trips", {"who": "演乙", "grid": town.here.grid.id},
                              content_type="application/json", headers=headers).json()  # fmt: skip
        path = f"/api/v1/trips/{other['id']}"
        Client().post(
            f"{path}/cancel", {"reason": "MISTAKE"}, content_type="application/json", headers=headers
        )
        left = Client().post(f"{path}/hops/LEFT/done", {}, content_type="application/json", headers=headers)

    assert (made["status"], made["transport"]) == (TripStatus.AWAY, "AMBULANCE")
    assert (left.status_code, left.json()["status"]) == (200, TripStatus.AWAY)
