# SPDX-License-Identifier: Apache-2.0
"""Everyone told where, with whom, for what; a calendar of hours by a secret address (RFC 5545)."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from muster.incidents.packs import pack_of
from muster.places.services import appoint
from muster.responders.models import Responder
from muster.responders.placement.calendars import (
    Slot,
    calendar_text,
    escaped,
    feed_of,
    folded,
    open_feed,
    slots_of,
)
from muster.responders.placement.duties import Duty, accept, duties_of, first_name
from muster.responders.placement.models import CalendarFeed, GridAssignment
from muster.responders.teams import services
from muster.responders.teams.services import TeamWords
from muster.trail.models import Event
from tests.support.placing import BY, LATER, adopted, on_the_map, person, ready_plan, vetted
from tests.support.world import NOON, World, make_world

TIMES = ["workday_morning", "weekend_night"]


@pytest.fixture
def world(db: Any) -> World:
    world = make_world(doors=2, people=1)
    on_the_map(world)
    return world


def told(world: World, *people: Responder, lang: str = "zh") -> list[Duty | None]:
    found = duties_of(
        [person(one) for one in people], pack=pack_of(world.incident), incident=world.incident, lang=lang
    )
    return [found.get(one.id) for one in people]


# ---- where, with whom, for what


def test_a_person_is_told_where_with_whom_and_for_what(world: World) -> None:
    (one,), (mate,) = vetted(world, name="王小明"), vetted(world, name="李秀英", skills=["driving"])
    appoint(
        world.grids[0],
        type="head",
        name="网格长甲",
        phone="028-1",
        title="",
        duty="",
        holder=None,
        by=BY,
        at=NOON,
    )
    team = services.make_team(
        world.streets[0],
        incident=world.incident,
        kind="commando",
        words=TeamWords("东街突击队"),
        by=BY,
        at=NOON,
    )
    services.add_members(team, [one.id], by=BY, at=NOON)
    services.add_place(team, code="vanguard", place="东门", holder=one.id, by=BY, at=NOON)
    adopted(ready_plan(world))

    (duty,), (english,) = told(world, one), told(world, one, lang="en")

    assert duty is not None
    assert english is not None
    assert (duty.grid, duty.post, duty.meet) == ("1-1网格", "联户志愿者", "1号楼")
    assert (duty.head, duty.head_phone, duty.mates) == ("网格长甲", "028-1", ("秀英",))
    assert duty.teams == ("东街突击队 · 先锋岗 东门",)
    assert duty.duty.startswith("联系分到的二十户")
    assert english.post == "Neighbour volunteer"
    assert "李" not in "".join(duty.lines("zh"))
    assert person(mate).grid == person(one).grid


def test_who_has_no_place_is_told_nothing(world: World) -> None:
    (one,) = vetted(world)

    assert told(world, one) == [None]


def test_more_people_ask_no_more_statements(world: World) -> None:
    people = [one for number in range(4) for one in vetted(world, grid=number, count=3)]
    adopted(ready_plan(world))

    def statements(some: list[Responder]) -> int:
        rows, pack = [person(one) for one in some], pack_of(world.incident)
        with CaptureQueriesContext(connection) as captured:
            duties_of(rows, pack=pack, incident=world.incident, lang="zh")
        return len(captured)

    assert statements(people) == statements(people[:1])


def test_a_person_says_that_he_will_come_once(world: World) -> None:
    (one,) = vetted(world)
    adopted(ready_plan(world))

    assert [accept(person(one), at=LATER), accept(person(one), at=LATER)] == [True, False]
    assert GridAssignment.objects.across(reason="verify").get(responder=one.id).state == "ACCEPTED"
    assert Event.objects.filter(verb="accept_place").count() == 1


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("王小明", "小明"),
        ("王丽", "丽"),
        ("欧阳小明", "小明"),
        ("Anna Brown", "Anna"),
        ("李", "李"),
        ("", ""),
    ],
)
def test_first_names(name: str, first: str) -> None:
    assert first_name(name) == first


# ---- the calendar


def parsed(text: str) -> list[tuple[str, str]]:
    """Content lines after unfolding, with the rules of the format checked on the way."""
    assert text.endswith("\r\n")
    raw = text.split("\r\n")[:-1]
    assert all("\n" not in line and "\r" not in line for line in raw)
    assert all(len(line.encode()) <= 75 for line in raw)
    lines = text.replace("\r\n ", "").split("\r\n")[:-1]
    pairs = [tuple(line.split(":", 1)) for line in lines]
    assert all(len(pair) == 2 and re.fullmatch(r"[A-Z-]+(;[A-Z-]+=[^:;]+)*", pair[0]) for pair in pairs)
    stack = []
    for name, value in pairs:
        if name == "BEGIN":
            stack.append(value)
        if name == "END":
            assert stack.pop() == value
    assert not stack
    return pairs  # type: ignore[return-value]


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def test_a_calendar_keeps_the_rules_of_the_format() -> None:
    slots = [Slot(NOON + timedelta(days=n), NOON + timedelta(days=n, hours=4)) for n in range(5)]

    pairs = parsed(
        calendar_text(slots, owner=uuid.UUID(int=1), name="我的服务时间" * 9, summary="服务", at=NOON)
    )
    values = [value for name, value in pairs if name == "UID"]

    assert pairs[:2] == [("BEGIN", "VCALENDAR"), ("VERSION", "2.0")]
    assert len(values) == len(set(values)) == 5
    assert [moment(value) for name, value in pairs if name == "DTSTART" and value.endswith("Z")] == [
        slot.begins for slot in slots
    ]
    assert {name for name, _ in pairs} >= {"PRODID", "DTSTAMP", "DTEND", "SUMMARY"}


def test_an_empty_calendar_still_holds_a_component() -> None:
    pairs = parsed(calendar_text([], owner=uuid.UUID(int=1), name="x", summary="y", at=NOON))

    assert ("BEGIN", "VTIMEZONE") in pairs
    assert ("BEGIN", "VEVENT") not in pairs


@given(st.text(max_size=300))
def test_whatever_a_text_holds_the_calendar_stays_one(raw: str) -> None:
    raw = raw.encode("utf-8", "ignore").decode()
    line = folded(f"SUMMARY:{escaped(raw)}")

    assert all(len(part.encode()) <= 75 for part in line.split("\r\n"))
    assert "\n" not in line.replace("\r\n ", "")
    assert line.replace("\r\n ", "") == f"SUMMARY:{escaped(raw)}"


def test_the_hours_are_those_he_named_by_the_clock_of_the_place(world: World) -> None:
    (one,) = vetted(world, free_times=TIMES)
    adopted(ready_plan(world))

    slots = slots_of(person(one), world.incident, at=LATER)

    hours = {(slot.begins.hour, slot.ends.hour) for slot in slots}
    assert hours == {(0, 4), (14, 22)}
    assert all(slot.ends > slot.begins for slot in slots)
    assert all(slot.ends <= world.incident.ends_at for slot in slots)
    assert slots_of(person(one), world.incident, at=world.incident.ends_at) == []


def test_who_has_no_place_or_takes_leave_has_no_hours(world: World) -> None:
    (one, waits) = vetted(world, free_times=TIMES, count=2)
    adopted(ready_plan(world))
    Responder.objects.across(reason="verify").filter(id=one.id).update(status="UNAVAILABLE")
    GridAssignment.objects.across(reason="verify").filter(responder=waits.id).delete()

    assert slots_of(person(one), world.incident, at=LATER) == []
    assert slots_of(person(waits), world.incident, at=LATER) == []


def test_a_secret_address_tells_hours_only_and_ends_with_the_next(world: World) -> None:
    (one,) = vetted(world, name="王小明", free_times=TIMES)
    adopted(ready_plan(world))
    old = open_feed(person(one), at=LATER)
    new = open_feed(person(one), at=LATER)

    with time_machine.travel(LATER, tick=False):
        answer = Client().get(f"/calendar/{new}.ics", headers={"Accept-Language": "zh"})
        gone = Client().get(f"/calendar/{old}.ics")
        guessed = Client().get(f"/calendar/{'x' * 32}.ics")
        text = answer.content.decode()

    assert (answer.status_code, gone.status_code, guessed.status_code) == (200, 404, 404)
    assert answer["Content-Type"].startswith("text/calendar")
    assert parsed(text)
    assert text.count("BEGIN:VEVENT") > 10
    assert not any(word in text for word in ("王小明", "网格", "联户", str(one.id), new))
    assert bytes(CalendarFeed.objects.get().secret) != new.encode()
    assert feed_of("") is None
