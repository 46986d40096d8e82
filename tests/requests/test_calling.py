# SPDX-License-Identifier: Apache-2.0
"""Quiet people: called in time, visited when nobody answers; the clocks that nobody has to wind."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from muster.base.errors import Refusal
from muster.flows.request_clock import ASKED_BY_ITSELF, TAKE_UP_WITHIN, look_after
from muster.register.models import Need, Person
from muster.requests import steps, work
from muster.requests.calling import ask_to_look_in_on, quiet_people, record_call
from muster.requests.models import CareCall, Offer, Request
from muster.requests.queries import items_of
from muster.requests.work import Asking
from muster.storage.scoping import Scope
from tests.support.serving import ask, door, pack, somebody_who_serves
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
ALL = Scope(everything=True)
DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    return make_world(frozen=False)


def need(world: World, number: int = 0, *, seen: datetime | None = NOON, days: int | None = None) -> Person:
    """Somebody with the need of the pack that allows the fewest quiet days, or just so many."""
    kinds = sorted(pack(world).needs, key=lambda one: one.cadence_days)
    kind = next(k for k in kinds if days is None or k.cadence_days == days)
    person = world.persons[number]
    Need.objects.create(
        sub_district=person.sub_district, grid=person.grid, person=person, kind=kind.code, seen_at=seen
    )
    return person


def due(world: World, at: datetime, scope: Scope = ALL) -> list[Person]:
    found, count = quiet_people(world.incident.id, pack=pack(world), scope=scope, at=at)
    assert count == len(found)
    return [one.person for one in found]


def test_due_as_soon_as_the_packs_days_are_over(world: World) -> None:
    person = need(world, days=7)

    assert due(world, NOON + 6 * DAY) == []
    assert due(world, NOON + 7 * DAY) == [person]


def test_of_several_needs_the_shortest_silence_counts_and_never_heard_of_is_due_now(world: World) -> None:
    person = need(world, days=7)
    kind = next(k for k in pack(world).needs if k.cadence_days == 2)
    Need.objects.create(sub_district=person.sub_district, grid=person.grid, person=person, kind=kind.code,
                        seen_at=NOON)  # fmt: skip
    never = need(world, 1, seen=None, days=7)

    assert due(world, NOON) == [never]
    assert due(world, NOON + 2 * DAY) == [person, never]


def test_a_word_starts_the_time_anew(world: World) -> None:
    person = need(world, days=2)
    record_call(person, incident=world.incident.id, pack=pack(world), result="WELL", by=world.head.id,
                at=NOON + 2 * DAY)  # fmt: skip

    assert due(world, NOON + 3 * DAY) == []
    assert due(world, NOON + 4 * DAY) == [person]


def test_who_needs_help_has_a_request_at_once(world: World) -> None:
    person = need(world)
    called = record_call(person, incident=world.incident.id, pack=pack(world), result="HELP", text="药快没了",
                         by=world.head.id, at=NOON)  # fmt: skip

    assert called.taken is not None
    row = called.taken.request
    assert (row.channel, row.person, row.dwelling, row.text) == (
        "PROACTIVE", person.id, person.dwelling_id, "药快没了",
    )  # fmt: skip


def test_second_call_in_vain_asks_somebody_to_look_in(world: World) -> None:
    person = need(world)

    def call(at: datetime) -> object:
        told = record_call(person, incident=world.incident.id, pack=pack(world), result="NO_ANSWER",
                           by=world.head.id, at=at)  # fmt: skip
        return told.taken

    assert call(NOON) is None
    assert call(NOON + timedelta(hours=2)) is not None
    assert Request.objects.across(reason="own").get().category == "visit"


def test_unknown_result_writes_nothing(world: World) -> None:
    person = need(world)
    with pytest.raises(Refusal, match="call_result_unknown"):
        record_call(person, incident=world.incident.id, pack=pack(world), result="VISIT", by=world.head.id,
                    at=NOON)  # fmt: skip
    assert not CareCall.objects.across(reason="own").exists()


def test_a_silence_twice_as_long_raises_a_visit_by_itself_and_only_one(world: World) -> None:
    need(world, days=2)
    made = []
    for hours in (0, 24, 48, 49, 72):
        at = NOON + 2 * DAY + timedelta(hours=hours)
        quiet, _ = quiet_people(world.incident.id, pack=pack(world), scope=ALL, at=at)
        made.append(len(ask_to_look_in_on(quiet, incident=world.incident.id, pack=pack(world), at=at)))

    assert made == [0, 0, 1, 0, 0]


def test_who_moved_away_or_lies_elsewhere_is_not_called(world: World) -> None:
    gone, other = need(world, days=2), need(world, len(world.persons) - 1, days=2)
    Person.objects.across(reason="own").filter(id=gone.id).update(left_at=NOON)

    assert due(world, NOON + 2 * DAY, Scope(grids=frozenset({world.grids[0].id}))) == []
    assert due(world, NOON + 2 * DAY) == [other]


def test_list_takes_the_same_number_of_questions_for_one_and_for_many(world: World) -> None:
    need(world, 0, days=2)
    with CaptureQueriesContext(connection) as one:
        due(world, NOON + 2 * DAY)
    for number in range(1, 9):
        need(world, number, days=2)
    with CaptureQueriesContext(connection) as many:
        due(world, NOON + 2 * DAY)

    assert len(many) == len(one) <= 5


def test_lapsed_is_asked_of_the_next_best_and_goes_up_when_nobody_says_yes(world: World) -> None:
    people = [somebody_who_serves(world) for _ in range(ASKED_BY_ITSELF + 2)]
    request = ask(world, category="food", where=door(world)).request
    item = items_of([request.id])[0]
    work.offer(item.id, [Asking(people[0].id)], by=world.head.id, at=NOON)
    asked = []
    for hours in range(1, 8):
        at = NOON + timedelta(hours=hours, minutes=hours)
        asked.append(look_after(world.incident, at=at).asked)

    assert asked == [1] * ASKED_BY_ITSELF + [0] * (7 - ASKED_BY_ITSELF)
    assert len(set(Offer.objects.values_list("responder", flat=True))) == ASKED_BY_ITSELF + 1
    row = Request.objects.across(reason="own").get(id=request.id)
    assert row.escalation == 1, "once, and seen by who is above"


def test_what_nobody_sent_out_is_not_sent_by_the_clock(world: World) -> None:
    somebody_who_serves(world)
    ask(world, category="food", where=door(world))

    assert look_after(world.incident, at=NOON + DAY).asked == 0


def test_held_goes_on_and_what_was_passed_on_in_vain_comes_back(world: World) -> None:
    held = ask(world, category="food", where=door(world)).request
    steps.hold(held.id, reason="NOT_HOME", until=NOON + timedelta(hours=1), by=None, at=NOON)
    passed = ask(world, category="repair", where=door(world, 1)).request
    here, there = world.communities[0].id, world.communities[1].id
    steps.transfer(passed.id, to_area=there, from_area=here, by=world.head.id, at=NOON)

    early = look_after(world.incident, at=NOON + timedelta(minutes=59))
    late = look_after(world.incident, at=NOON + TAKE_UP_WITHIN)

    assert (early.resumed, early.bounced) == (0, 0)
    assert (late.resumed, late.bounced) == (1, 1)
    row = Request.objects.across(reason="own").get(id=passed.id)
    assert (row.held_by_area, row.escalation) == (here, 1)
    assert look_after(world.incident, at=NOON + TAKE_UP_WITHIN) == type(late)(0, 0, 0, 0, 0)
