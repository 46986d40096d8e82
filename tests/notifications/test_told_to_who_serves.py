# SPDX-License-Identifier: Apache-2.0
"""Who serves hears what was decided about him and what runs out: once, without a name, never off duty."""

from __future__ import annotations

from datetime import timedelta

import pytest

from muster.accounts.services import add_user, grant_role
from muster.base.ids import new_id
from muster.flows import duty_hours, medical_trip, request_clock
from muster.flows.relieving import relieve
from muster.flows.telling import on_duty
from muster.notifications.models import Message
from muster.notifications.templates import templates
from muster.requests import work
from muster.requests.queries import items_of
from muster.requests.work import Asking
from muster.responders import vetting
from muster.responders.rules import LONGEST_DUTY
from muster.trips import services
from muster.trips.services import Going
from tests.support.serving import ask, somebody_who_serves
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
BY = new_id()


@pytest.fixture
def world() -> World:
    return make_world(frozen=False, doors=1, people=1)


def told(template: str) -> list[Message]:
    return list(Message.objects.across(reason="messages").filter(template=template).order_by("id"))


def test_accepted_and_declined_reach_the_phone_without_a_reason(world: World) -> None:
    one, two, three = (
        somebody_who_serves(
            world, status="REGISTERED", birth_year=1980, phone=f"1380000000{n}", languages=[lang]
        )
        for n, lang in ((1, "zh"), (2, "en"), (3, "zh"))
    )

    vetting.accept(one, by=BY, at=NOON)
    vetting.decline(two, reason="NOT_REACHED", by=BY, at=NOON)
    vetting.accept_many([three], by=BY, at=NOON)

    assert {m.responder for m in told("check_in_accepted")} == {one.id, three.id}
    (app, sms) = told("check_in_declined")
    assert (app.way, sms.way, sms.phone, sms.language, sms.facts) == ("APP", "SMS", "13800000002", "en", {})


def test_an_offer_that_runs_out_is_told_once_when_most_of_the_time_is_over(world: World) -> None:
    helper = somebody_who_serves(world, phone="13800000005")
    item = items_of([ask(world, category="food").request.id])[0]
    (offer,) = work.offer(item.id, [Asking(helper.id)], by=None, at=NOON)
    lease = offer.lease_until - NOON

    for part in (0.1, 0.4):
        request_clock.look_after(world.incident, at=NOON + lease * part, with_quiet=False)
    assert told("offer_expiring") == []
    at = max(NOON + lease * 0.6, offer.lease_until - timedelta(minutes=4))
    for _ in range(2):
        request_clock.look_after(world.incident, at=at, with_quiet=False)

    assert [m.way for m in told("offer_expiring")] == ["APP", "SMS"]
    assert templates()["offer_expiring"].pages, "who is off duty meanwhile is not paged"


def test_too_long_on_duty_is_told_once_to_him_and_hourly_to_his_desk(world: World) -> None:
    desk = add_user(username="desk-1", name="工作台")
    area = world.communities[0]
    grant_role(desk, role="desk", at=NOON, area=area.id, area_path=area.path)
    tired = somebody_who_serves(world, on_duty_since=NOON - LONGEST_DUTY, phone="13800000005")
    somebody_who_serves(world, on_duty_since=NOON - LONGEST_DUTY / 2)
    relief = somebody_who_serves(world, status="STANDBY", phone="13800000006")

    found = [duty_hours.look_after(world.incident, at=NOON + timedelta(minutes=m)) for m in (0, 5, 61)]

    assert found == [1, 1, 1]
    assert {m.responder for m in told("hours_over")} == {tired.id}
    assert len(told("hours_over")) == 2
    assert [(m.account, m.facts) for m in told("hours_over_desk")] == [(desk.id, {"count": 1})] * 2
    assert not templates()["hours_over"].pages, "a rest is no call to act: who is tired hears it"
    relieve(tired, relief=relief, by=BY, at=NOON)
    assert {m.responder for m in told("relieved")} == {tired.id}
    assert {m.responder for m in told("takes_over")} == {relief.id}


def test_who_drives_hears_a_late_step_once_and_that_he_need_not_go(world: World) -> None:
    driver = somebody_who_serves(world, skills=["driving"], phone="13800000009")
    other = somebody_who_serves(world, skills=["driving"])
    home = medical_trip.home_of(world.persons[0])
    trip = services.ask_trip(Going("演甲"), incident=world.incident.id, home=home, by=BY, at=NOON)
    medical_trip.send_driver(trip.id, transport="VEHICLE", vehicle="", driver=driver.id, by=BY, at=NOON)
    services.mark_hop(trip.id, hop="LEFT", by=BY, at=NOON)

    for minutes in (0, 300, 301):
        medical_trip.tell_late(world.incident, at=NOON + timedelta(minutes=minutes))
    assert {m.responder for m in told("trip_hop_late")} == {driver.id}
    assert len(told("trip_hop_late")) == 2
    medical_trip.send_driver(trip.id, transport="VEHICLE", vehicle="", driver=other.id, by=BY, at=NOON)
    assert [(m.responder, m.facts) for m in told("trip_off")] == [(driver.id, {"number": trip.number})] * 2


def test_a_trip_that_is_called_off_is_told_to_its_driver_unless_he_is_off_duty(world: World) -> None:
    driver = somebody_who_serves(world, phone="13800000009")
    home = medical_trip.home_of(world.persons[0])
    trip = services.ask_trip(Going("演甲"), incident=world.incident.id, home=home, by=BY, at=NOON)
    medical_trip.send_driver(trip.id, transport="VEHICLE", vehicle="", driver=driver.id, by=BY, at=NOON)

    medical_trip.call_off(trip.id, reason="NOT_WANTED", by=BY, at=NOON)

    assert {m.responder for m in told("trip_off")} == {driver.id}
    assert on_duty([driver.id], at=NOON) == {driver.id}
    assert templates()["trip_off"].pages
