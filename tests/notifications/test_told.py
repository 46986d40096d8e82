# SPDX-License-Identifier: Apache-2.0
"""The acts that tell somebody: offered, accepted, lapsed, escalated, a head gone, a round closing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from muster.accounts.services import add_user, grant_role
from muster.base.errors import Refusal
from muster.campaigns.services import start_closing
from muster.notifications.models import Message
from muster.notifications.states import Priority
from muster.places.services import appoint, relieve
from muster.requests import steps, work
from muster.requests.queries import items_of
from muster.requests.work import Asking
from tests.support.serving import ask, somebody_who_serves
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world(doors=1, people=1)


def told(template: str) -> list[Message]:
    return list(Message.objects.across(reason="messages").filter(template=template).order_by("id"))


def a_desk(world: World, role: str = "desk") -> None:
    area = world.communities[0] if role == "desk" else world.streets[0]
    user = add_user(username=f"{role}-1", name="工作台")
    grant_role(user, role=role, at=NOON, area=area.id, area_path=area.path)


def test_who_is_offered_hears_it_and_who_asked_hears_that_somebody_has_it(world: World) -> None:
    helper = somebody_who_serves(world, phone="13800000005")
    request = ask(world, text="没药了", phone="13800000001", category="medicine").request
    item = items_of([request.id])[0]

    work.offer(item.id, [Asking(helper.id)], by=None, at=NOON)
    for _ in range(2):
        work.accept(item.id, responder=helper.id, at=NOON)

    assert [m.way for m in told("request_offered")] == ["APP", "SMS"]
    assert {m.responder for m in told("request_offered")} == {helper.id}
    (answer,) = told("request_accepted")
    assert (answer.phone, answer.facts) == ("13800000001", {"number": request.number})


def test_what_was_refused_tells_nobody(world: World) -> None:
    """The message and the change are one transaction."""
    resting = somebody_who_serves(world, status="RESTING", phone="13800000005")
    item = items_of([ask(world).request.id])[0]
    with pytest.raises(Refusal):
        work.offer(item.id, [Asking(resting.id)], by=None, at=NOON)

    assert told("request_offered") == []


def test_desks_hear_what_lapsed_and_who_is_above_what_was_escalated(world: World) -> None:
    a_desk(world)
    a_desk(world, "street")
    helper = somebody_who_serves(world)
    request = ask(world).request
    item = items_of([request.id])[0]
    work.offer(item.id, [Asking(helper.id)], by=None, at=NOON)
    work.lapse_all(world.incident.id, at=NOON + timedelta(days=1))
    steps.escalate(request.id, by=None, at=NOON)

    assert [m.facts for m in told("request_expired")] == [{"count": 1}]
    assert [m.facts for m in told("request_escalated")] == [{"number": request.number}]
    assert told("request_expired")[0].account != told("request_escalated")[0].account


def test_a_life_in_danger_is_told_at_once(world: World) -> None:
    a_desk(world)
    ask(world, urgency="LIFE", category="medical")
    ask(world, category="repair")

    assert [m.priority for m in told("request_escalated")] == [Priority.LIFE]


def test_a_grid_without_a_head_is_told(world: World) -> None:
    a_desk(world)
    posts = [
        appoint(
            world.grids[0], type=kind, name="甲", phone="", title="", duty="", holder=None, by=None, at=NOON
        )
        for kind in ("head", "worker")
    ]
    for post in posts:
        relieve(post, by=None, at=NOON)

    assert len(told("head_missing")) == 1


def test_who_has_a_post_hears_that_the_round_closes(world: World) -> None:
    for grid in world.grids[:2]:
        appoint(
            grid, type="head", name="甲", phone="", title="", duty="", holder=world.head.id, by=None, at=NOON
        )
    world.round.closes_at = NOON + timedelta(hours=2)
    world.round.save(update_fields=["closes_at"])

    start_closing(world.round, by=None, at=NOON)

    assert [(m.account, m.facts) for m in told("round_closing")] == [
        (world.head.id, {"time": (NOON + timedelta(hours=2)).isoformat()})
    ]
