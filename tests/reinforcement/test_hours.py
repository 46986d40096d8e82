# SPDX-License-Identifier: Apache-2.0
"""Who is over his hours is seen and relieved; what he had goes to others, whom he helps is not left alone."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from muster.base.errors import Refusal
from muster.flows.relieving import relieve
from muster.requests import work
from muster.requests.models import Offer
from muster.requests.queries import items_of, offers_to
from muster.requests.work import Asking
from muster.responders.duty import minutes_served
from muster.responders.hours import minutes_of_duty, reliefs_for
from muster.responders.models import Responder, Standing
from tests.support.serving import ask, door, somebody_who_serves
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
BY = uuid.UUID(int=7)


@pytest.fixture
def world() -> Iterator[World]:
    with time_machine.travel(NOON, tick=False):
        yield make_world(frozen=False)


def fresh(row: Responder) -> Responder:
    return Responder.objects.across(reason="own").get(id=row.id)  # type: ignore[no-any-return]


def test_relieved_rests_and_his_minutes_are_counted(world: World) -> None:
    row = somebody_who_serves(world, on_duty_since=NOON - 9 * HOUR)
    assert (minutes_of_duty(row, at=NOON), minutes_served(row, at=NOON)) == (540, 540)

    relieve(row, relief=None, by=BY, at=NOON)

    after = fresh(row)
    assert (after.status, after.on_duty_since, after.minutes_served) == ("RESTING", None, 540)
    assert minutes_of_duty(after, at=NOON + HOUR) == 0
    assert Standing.objects.across(reason="own").get(responder=row.id, until=None).status == "RESTING"
    with pytest.raises(Refusal, match="responder_step"):
        relieve(after, relief=None, by=BY, at=NOON)


def test_what_he_was_asked_and_had_not_begun_goes_to_his_relief(world: World) -> None:
    row, other = somebody_who_serves(world), somebody_who_serves(world, status="STANDBY")
    asked, taken, begun = (items_of([ask(world, where=door(world, n)).request.id])[0] for n in range(3))
    work.offer(asked.id, [Asking(row.id)], by=None, at=NOON)
    for item in (taken, begun):
        work.accept(item.id, responder=row.id, at=NOON)
    work.arrive(begun.id, responder=row.id, at=NOON)

    done = relieve(row, relief=other, by=BY, at=NOON)

    assert (done.items, done.offers, done.asked, done.still_at) == ((taken.id,), 1, 1, 1)
    assert Offer.objects.get(item=asked, responder=row.id).decline_reason == "RESTING"
    assert [o.item_id for o in offers_to(other.id, at=NOON)] == [taken.id]
    assert (fresh(other).status, fresh(row).open_jobs) == ("ON_DUTY", 1)
    work.finish(begun.id, responder=row.id, outcome="SOLVED", at=NOON + HOUR)
    assert fresh(row).open_jobs == 0, "whom he was with is not left alone"


def test_nobody_relieves_himself_and_nobody_who_rests_takes_over(world: World) -> None:
    row, weary = somebody_who_serves(world), somebody_who_serves(world, status="RESTING")

    with pytest.raises(Refusal, match="relief_himself"):
        relieve(row, relief=row, by=BY, at=NOON)
    with pytest.raises(Refusal, match="relief_not_free"):
        relieve(row, relief=weary, by=BY, at=NOON)
    assert fresh(row).status == "ON_DUTY"


def test_two_who_relieve_at_once_count_his_minutes_once(world: World) -> None:
    row = somebody_who_serves(world, on_duty_since=NOON - 9 * HOUR)
    one, two = fresh(row), fresh(row)

    relieve(one, relief=None, by=BY, at=NOON)
    with pytest.raises(Refusal):
        relieve(two, relief=None, by=BY, at=NOON)

    assert fresh(row).minutes_served == 540


def test_reliefs_are_near_rested_and_able(world: World) -> None:
    row = somebody_who_serves(world, skills=["medicine"])
    able = somebody_who_serves(world, status="STANDBY", skills=["medicine"])
    near = somebody_who_serves(world, status="ASSIGNED", open_jobs=2)
    far = somebody_who_serves(world, grid=2, status="STANDBY", skills=["medicine"])
    on_duty = somebody_who_serves(world, skills=["medicine"])

    found = reliefs_for(row, [far, near, on_duty, able, row], at=NOON)

    assert [one.responder.id for one in found] == [able.id, near.id, far.id]
    assert found[0].reasons == (
        "relief_same_grid", "relief_same_skills", "relief_standing_by", "relief_free_hands",
    )  # fmt: skip
    assert reliefs_for(row, [], at=NOON) == []
