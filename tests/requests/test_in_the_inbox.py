# SPDX-License-Identifier: Apache-2.0
"""Requests in the inbox: a life by itself and on top, the late ones together, the done ones to be called."""

from datetime import timedelta
from typing import Any

import pytest

from muster.requests import work
from muster.requests.queries import items_of
from muster.situation.inbox import inbox_items
from muster.storage.scoping import Scope
from tests.support.serving import ask, door, somebody_who_serves
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=3)


@pytest.fixture
def world() -> World:
    return make_world(frozen=False)


def of_requests(scope: Scope) -> list[dict[str, Any]]:
    return [i for i in inbox_items(scope, at=LATER) if str(i["kind"]).startswith("request")]


def test_requests_stand_in_the_inbox_by_what_they_need(world: World) -> None:
    ask(world, category="food")
    life = ask(world, category="medical", urgency="LIFE", where=door(world, 1)).request
    done = ask(world, category="repair", where=door(world, 2)).request
    helper = somebody_who_serves(world)
    item = items_of([done.id])[0]
    work.accept(item.id, responder=helper.id, at=NOON)
    work.finish(item.id, responder=helper.id, outcome="SOLVED", at=NOON)

    told = of_requests(Scope(everything=True))

    assert [i["kind"] for i in told] == ["request_life", "requests_late", "requests_done"]
    assert told[0]["facts"]["number"] == life.number
    assert [i["count"] for i in told[1:]] == [1, 1]


def test_another_streets_requests_do_not(world: World) -> None:
    ask(world, category="food")

    assert of_requests(Scope(sub_districts=frozenset({world.streets[1].id}))) == []
