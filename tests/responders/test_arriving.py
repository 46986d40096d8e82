# SPDX-License-Identifier: Apache-2.0
"""At the post and home again: said by oneself, shown by the code that hangs there."""

from __future__ import annotations

import pytest

from muster.base.errors import Refusal
from muster.flows import arriving
from muster.notifications.models import Message
from muster.requests import work
from muster.requests.queries import items_of
from muster.responders.models import Responder
from muster.trail.models import Event
from tests.support.serving import ask, somebody_who_serves
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world(frozen=False, doors=1, people=1)


def now(row: Responder) -> Responder:
    return Responder.objects.across(reason="own").get(id=row.id)  # type: ignore[no-any-return]


def test_here_by_the_code_of_the_post_or_by_word(world: World) -> None:
    one, two = (somebody_who_serves(world, status="ASSIGNED") for _ in range(2))
    code = arriving.post_code(one.grid or 0, incident=world.incident.id)

    assert arriving.arrive(one, code=code.lower().replace("-", " "), at=NOON)
    assert not arriving.arrive(two, at=NOON)
    assert not arriving.arrive(now(two), at=NOON), "said twice it is said once"

    assert {now(one).status, now(two).status} == {"ON_DUTY"}
    assert now(one).on_duty_since == NOON
    shown = Event.objects.filter(entity="Responder", verb="arrival_shown")
    assert [e.entity_id for e in shown] == [str(one.id)]


@pytest.mark.parametrize("code", ["ABCD-EFGH", "?", "0" * 40])
def test_another_posts_code_is_not_mine(world: World, code: str) -> None:
    one = somebody_who_serves(world, status="ASSIGNED")
    codes = [code, arriving.post_code(world.grids[1].id, incident=world.incident.id)]

    for wrong in codes:
        with pytest.raises(Refusal, match="arrival_code_wrong"):
            arriving.arrive(one, code=wrong, at=NOON)
    assert now(one).status == "ASSIGNED"


def test_who_has_no_place_or_is_not_accepted_cannot_arrive(world: World) -> None:
    waits = somebody_who_serves(world, status="VETTED")
    nowhere = somebody_who_serves(world, status="STANDBY")
    nowhere.grid = None

    for row, refused in ((waits, "responder_step"), (nowhere, "arrival_without_place")):
        with pytest.raises(Refusal, match=refused):
            arriving.arrive(row, at=NOON)
    assert arriving.steps_of(waits) == (False, False)


def test_leaving_hands_on_what_was_not_begun_and_pages_nobody(world: World) -> None:
    one = somebody_who_serves(world, on_duty_since=NOON)
    items = [items_of([ask(world, category=kind).request.id])[0].id for kind in ("food", "repair")]
    for item in items:
        work.accept(item, responder=one.id, at=NOON)
    work.arrive(items[1], responder=one.id, at=NOON)

    left = arriving.leave(now(one), at=NOON)

    assert (left.items, left.still_at, now(one).status) == ((items[0],), 1, "RESTING")
    assert Message.objects.across(reason="messages").filter(template="relieved").count() == 0
    with pytest.raises(Refusal, match="responder_step"):
        arriving.leave(now(one), at=NOON)
