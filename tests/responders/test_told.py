# SPDX-License-Identifier: Apache-2.0
"""Everyone placed is told: by phone, in the app, or by somebody; once, by day, and not where or what."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from muster.base.ids import new_id
from muster.flows.placement import ask_adopt, ask_take_back, carry_on
from muster.flows.telling import on_duty
from muster.notifications.delivery import deliver_due
from muster.notifications.models import Message
from muster.notifications.senders import NotSent, SmsFile
from muster.notifications.states import Fault, Priority
from muster.places.queries import scope_of
from muster.responders.checking_in import forget
from muster.responders.models import Responder
from muster.responders.placement.duties import accept
from muster.responders.placement.models import PlacementPlan, PlacementSeat
from muster.responders.placement.queries import seats_of
from muster.responders.placement.services import move_person
from muster.responders.placement.told import (
    note_unsent,
    tell_by_hand,
    told_counts,
    untold_seats,
)
from muster.storage.scoping import Scope
from muster.trail.models import Event
from tests.support.placing import (
    BY,
    LATER,
    adopted,
    killed_at_the_second_write,
    on_the_map,
    person,
    ready_plan,
    taken_back,
    vetted,
)
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
ALL = Scope(everything=True)
# The world's clock is Shanghai's: 15:30 UTC is half past eleven at night.
NIGHT = NOON.replace(hour=15, minute=30)
PHONE = "1390000000"


@pytest.fixture
def world() -> World:
    world = make_world(doors=2, people=1)
    on_the_map(world)
    return world


def coded(world: World, number: int, **more: Any) -> Responder:
    """Somebody who checked in by himself: a phone and a code."""
    (one,) = vetted(world, phone=f"{PHONE}{number}", code_index=bytes([number] * 16), **more)
    return one


def told(one: Responder) -> list[tuple[str, str]]:
    rows = Message.objects.across(reason="messages").filter(responder=one.id).order_by("id")
    return list(rows.values_list("template", "way"))


def to_tell() -> list[tuple[uuid.UUID, str]]:
    return [(seat.responder, seat.by_hand) for seat in PlacementSeat.objects.within(ALL).filter(to_tell=True)]


def all_told(plan: PlacementPlan) -> None:
    seats = [seat.id for seat in seats_of(plan)]
    tell_by_hand(seats, scope=ALL, incident=plan.incident, told=True, by=BY, at=LATER)


class NoGateway:
    def send(self, _one: Any, _phone: str) -> None:
        raise NotSent(Fault.REFUSED)


def deliver(sms: Any, *, at: datetime = LATER) -> Any:
    return deliver_due(
        now=lambda: at, on_duty=lambda ids: on_duty(ids, at=at), sms=sms, unsent=note_unsent, limit=50
    )


# ---- who hears it, and how


def test_each_hears_it_the_way_he_can(world: World) -> None:
    by_code = coded(world, 1)
    (in_app,) = vetted(world, user=new_id())
    (both,) = vetted(world, user=new_id(), phone=f"{PHONE}2", languages=["en"])
    (listed,) = vetted(world, phone=f"{PHONE}3")
    (nothing,) = vetted(world)

    plan = adopted(ready_plan(world))

    assert told(by_code) == [("placement_adopted", "SMS")]
    assert told(in_app) == [("placement_adopted", "APP")]
    assert told(both) == [("placement_adopted", "APP"), ("placement_adopted", "SMS")]
    assert told(listed) == [("placement_ask", "SMS")]
    assert told(nothing) == []
    assert dict(to_tell()) == {listed.id: "NO_CODE", nothing.id: "NO_PHONE"}
    sms = Message.objects.across(reason="messages").get(responder=both.id, way="SMS")
    assert (sms.phone, sms.language, sms.priority, sms.facts) == (f"{PHONE}2", "en", Priority.MANY, {})
    assert told_counts(plan) == {
        "sms": {"waiting": 3, "sent": 0, "failed": 0}, "app": {"there": 2, "read": 0},
        "to_tell": {"NO_CODE": 1, "NO_PHONE": 1}, "told_by_hand": 0, "accepted": 0,
    }  # fmt: skip


def test_what_goes_out_says_neither_who_nor_where(world: World, tmp_path: Path) -> None:
    one = coded(world, 1, name="欧阳演示")
    plan = adopted(ready_plan(world))

    deliver(SmsFile(tmp_path))

    (line,) = [path.read_text("utf-8") for path in tmp_path.glob("*.jsonl")]
    now = person(one)
    said = (now.name, world.grids[0].name, now.post, "社区")
    assert not [word for word in said if word and word in line]
    assert "报到码" in line
    assert told_counts(plan)["sms"] == {"waiting": 0, "sent": 1, "failed": 0}


def test_adopted_twice_nobody_who_stands_there_hears_it_again(world: World) -> None:
    one = coded(world, 1)
    (nothing,) = vetted(world)
    first = adopted(ready_plan(world))
    tell_by_hand(
        [s.id for s in seats_of(first)], scope=ALL, incident=first.incident, told=True, by=BY, at=LATER
    )

    adopted(ready_plan(world))

    assert told(one) == [("placement_adopted", "SMS")]
    assert to_tell() == []
    assert told(nothing) == []


def test_moved_he_hears_that_it_changed_and_the_old_line_is_gone(world: World) -> None:
    one, (nothing,) = coded(world, 1), vetted(world)
    adopted(ready_plan(world))
    second = ready_plan(world)
    for who in (one, nothing):
        second = PlacementPlan.objects.get(id=second.id)
        there = next(g for g in world.grids if g.id != person(who).grid)
        move_person(second, who.id, grid=there.id, by=BY, at=LATER)

    second = adopted(PlacementPlan.objects.get(id=second.id))

    assert told(one) == [("placement_adopted", "SMS"), ("placement_changed", "SMS")]
    left = PlacementSeat.objects.within(ALL).filter(to_tell=True)
    assert [(seat.responder, seat.plan) for seat in left] == [(nothing.id, second.id)]


def test_into_reserve_and_taken_back_he_hears_that_it_changed(world: World) -> None:
    one = coded(world, 1)
    adopted(ready_plan(world))
    second = ready_plan(world)
    move_person(second, one.id, grid=None, by=BY, at=LATER)
    second = adopted(PlacementPlan.objects.get(id=second.id))
    assert told(one)[1:] == [("placement_changed", "SMS")]

    taken_back(second)

    assert told(one)[2:] == [("placement_changed", "SMS")]
    assert person(one).grid is not None


def test_taken_back_the_list_is_of_those_who_must_hear_that(world: World) -> None:
    one, (nothing,) = coded(world, 1), vetted(world)
    plan = adopted(ready_plan(world))
    tell_by_hand(
        [s.id for s in seats_of(plan)], scope=ALL, incident=plan.incident, told=True, by=BY, at=LATER
    )
    assert to_tell() == []

    plan = taken_back(plan)

    assert told(one) == [("placement_adopted", "SMS"), ("placement_changed", "SMS")]
    assert dict(to_tell()) == {nothing.id: "NO_PHONE"}
    assert told_counts(plan)["sms"]["waiting"] == 1


def test_who_serves_already_hears_nothing_of_a_taking_back(world: World) -> None:
    one = coded(world, 1)
    plan = adopted(ready_plan(world))
    Responder.objects.across(reason="verify").filter(id=one.id).update(status="ON_DUTY")

    taken_back(plan)

    assert told(one) == [("placement_adopted", "SMS")]


def test_at_night_nobody_is_woken(world: World, tmp_path: Path) -> None:
    coded(world, 1)
    plan = ready_plan(world)
    ask_adopt(plan, area=world.city, version=plan.version, by=BY, at=NIGHT)
    carry_on(plan.id, at=NIGHT)

    row = Message.objects.across(reason="messages").get(template="placement_adopted")
    assert row.next_at == datetime(NIGHT.year, NIGHT.month, NIGHT.day, 23, 0, tzinfo=UTC), (
        "seven in the morning"
    )
    assert deliver(SmsFile(tmp_path), at=NIGHT + timedelta(hours=1)).sent == 0
    assert deliver(SmsFile(tmp_path), at=row.next_at).sent == 1


def test_a_city_told_at_once_does_not_hold_up_what_else_there_is_to_say(world: World) -> None:
    from muster.notifications.queries import due
    from muster.notifications.services import ToPhone, notify

    for number in range(1, 4):
        coded(world, number)
    adopted(ready_plan(world))
    notify("channel_test", key="1", audience=ToPhone("13700000000"), incident=world.incident.id,
           at=LATER + timedelta(minutes=5))  # fmt: skip

    first = due(at=LATER + timedelta(minutes=6), limit=1)

    assert [row.template for row in first] == ["channel_test"]


def test_a_fall_in_the_middle_tells_nobody_twice(world: World) -> None:
    people = [coded(world, number, grid=number % 4) for number in range(1, 9)]
    plan = ready_plan(world)

    with killed_at_the_second_write(plan, world.city, seats=5):
        assert sum(len(told(one)) for one in people) == 5
        carry_on(plan.id, at=LATER)

    assert [told(one) for one in people] == [[("placement_adopted", "SMS")]] * 8


def test_who_had_himself_deleted_is_neither_rung_nor_listed(world: World, tmp_path: Path) -> None:
    one, two = coded(world, 1), coded(world, 2)
    (nothing,) = vetted(world)
    adopted(ready_plan(world))
    for row in (one, nothing):
        forget(person(row), at=LATER)

    deliver(SmsFile(tmp_path))

    assert to_tell() == []
    rows = Message.objects.across(reason="messages").filter(way="SMS")
    assert [(row.responder, row.status) for row in rows] == [(two.id, "SENT")]
    forget(person(two), at=LATER)
    assert rows.get().phone is None


# ---- whom no message reaches


def test_who_does_not_get_the_message_is_told_by_somebody_unless_he_knows(world: World) -> None:
    one, knows = coded(world, 1), coded(world, 2)
    plan = adopted(ready_plan(world))
    accept(person(knows), at=LATER)

    at = LATER
    for _ in range(8):
        deliver(NoGateway(), at=at)
        at += timedelta(hours=1)

    assert told_counts(plan)["sms"] == {"waiting": 0, "sent": 0, "failed": 2}
    assert to_tell() == [(one.id, "NOT_SENT")]
    accept(person(one), at=at)
    assert to_tell() == []
    assert told_counts(plan)["accepted"] == 2


def test_a_message_that_failed_after_something_newer_was_said_counts_no_more(world: World) -> None:
    one = coded(world, 1)
    plan = adopted(ready_plan(world))
    old = Message.objects.across(reason="messages").get(responder=one.id)
    taken_back(plan)

    note_unsent([old.id])

    assert to_tell() == []


def test_two_desks_tell_him_at_once_and_a_slip_is_taken_back(world: World) -> None:
    (nothing,) = vetted(world)
    plan = adopted(ready_plan(world))
    (seat,) = untold_seats(ALL, incident=plan.incident)
    telling = {"scope": ALL, "incident": plan.incident, "by": BY, "at": LATER}

    changed = [tell_by_hand([seat.id], told=True, **telling) for _ in range(2)]

    assert changed == [1, 0]
    assert Event.objects.filter(verb="told_by_hand", entity_id=str(nothing.id)).count() == 1
    assert told_counts(plan)["told_by_hand"] == 1
    assert tell_by_hand([seat.id], told=False, **telling) == 1
    assert to_tell() == [(nothing.id, "NO_PHONE")]


def test_another_areas_desk_neither_sees_nor_ticks(world: World) -> None:
    vetted(world, grid=0)
    plan = adopted(ready_plan(world))
    (seat,) = untold_seats(ALL, incident=plan.incident)
    there = scope_of([world.streets[1].path], [])

    assert list(untold_seats(there, incident=plan.incident)) == []
    assert tell_by_hand([seat.id], scope=there, incident=plan.incident, told=True, by=BY, at=LATER) == 0
    assert to_tell() != []


def test_a_write_tells_five_hundred_as_it_tells_one(world: World) -> None:
    """The same statements, however many are told."""

    def statements(count: int, first: int) -> int:
        for number in range(count):
            (_,) = vetted(world, phone=f"1370000{first + number:04d}")
        plan = ready_plan(world)
        ask_adopt(plan, area=world.city, version=plan.version, by=BY, at=LATER)
        with CaptureQueriesContext(connection) as queries:
            carry_on(plan.id, at=LATER)
        return len(queries)

    assert abs(statements(1, 0) - statements(60, 100)) <= 1
    placed = Responder.objects.across(reason="verify").filter(status="ASSIGNED").count()
    assert Message.objects.across(reason="messages").filter(template="placement_ask").count() == placed > 20


def test_taking_back_is_asked_once(world: World) -> None:
    coded(world, 1)
    plan = adopted(ready_plan(world))
    ask_take_back(plan, version=plan.version, by=BY, at=LATER + timedelta(hours=1))

    for _ in range(2):
        carry_on(plan.id, at=LATER + timedelta(hours=1))

    assert Message.objects.across(reason="messages").filter(template="placement_changed").count() == 1
