# SPDX-License-Identifier: Apache-2.0
"""Whom to send: near, able, not tired, not asked twice; many at once within everybody's cap."""

from datetime import timedelta

import pytest

from muster.base.messages import messages
from muster.places.models import Building, Grid
from muster.requests import steps, work
from muster.requests.models import WorkItem
from muster.requests.plans import free_items, match_all, suggest
from muster.requests.queries import item_with_id, items_of
from muster.requests.work import Asking
from tests.support.serving import ask, door, somebody_who_serves
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    world = make_world(frozen=False)
    for number, (grid, building) in enumerate(zip(world.grids, world.buildings, strict=True)):
        lon, lat = 108.9 + 0.003 * number, 34.2
        Grid.objects.filter(id=grid.id).update(lon=lon, lat=lat)
        Building.objects.filter(id=building.id).update(lon=lon, lat=lat)
    return world


def item(world: World, number: int = 0, **said: str) -> WorkItem:
    request = ask(world, where=door(world, number), **said).request
    return item_with_id(items_of([request.id])[0].id)


def test_own_grid_comes_first_with_words_for_why(world: World) -> None:
    far, own = somebody_who_serves(world, grid=3), somebody_who_serves(world, grid=0)

    found = suggest(item(world), at=NOON)

    assert [s.responder.id for s in found] == [own.id, far.id]
    assert found[0].walk_m == 0
    assert 900 < found[1].walk_m < 1300
    assert all(reason["code"] in messages() for one in found for reason in one.reasons)


def test_only_who_has_the_skill_and_may_be_asked(world: World) -> None:
    somebody_who_serves(world)
    somebody_who_serves(world, skills=["medicine"], on_duty_since=NOON - timedelta(hours=9))
    somebody_who_serves(world, skills=["medicine"], status="ISOLATED")
    somebody_who_serves(world, skills=["medicine"], open_jobs=4)
    able = somebody_who_serves(world, grid=2, skills=["medicine"])

    found = suggest(item(world, category="medicine", needs_skill="medicine"), at=NOON)

    assert [s.responder.id for s in found] == [able.id]


def test_who_cannot_do_what_it_asks_of_a_body_is_not_asked(world: World) -> None:
    weak = somebody_who_serves(world, cannot=["lifting"])
    able = somebody_who_serves(world, grid=2, cannot=["nights"])

    assert [s.responder.id for s in suggest(item(world, category="food"), at=NOON)] == [able.id]
    asks_nothing = suggest(item(world, category="care"), at=NOON)
    assert [s.responder.id for s in asks_nothing] == [weak.id, able.id]


def test_who_declined_is_not_asked_again(world: World) -> None:
    one, two = somebody_who_serves(world), somebody_who_serves(world, grid=1)
    wanted = item(world)
    work.offer(wanted.id, [Asking(one.id)], by=None, at=NOON)
    work.decline(wanted.id, responder=one.id, reason="BUSY", at=NOON)

    assert [s.responder.id for s in suggest(item_with_id(wanted.id), at=NOON)] == [two.id]


def test_nobody_there_is_an_empty_list(world: World) -> None:
    assert suggest(item(world), at=NOON) == []


def test_many_at_once_nobody_above_his_cap(world: World) -> None:
    people = [somebody_who_serves(world, grid=n, most_jobs=2) for n in range(4)]
    requests = [ask(world, where=door(world, n)).request for n in range(len(world.dwellings))][:12]

    lines = match_all(free_items([r.id for r in requests]), at=NOON)

    jobs = [sum(1 for line in lines if line.responder.id == one.id) for one in people]
    assert jobs == [2, 2, 2, 2]
    assert len({line.item.id for line in lines}) == 8


def test_life_is_served_first_when_hands_are_short(world: World) -> None:
    somebody_who_serves(world, most_jobs=1)
    ask(world, where=door(world, 0))
    life = ask(world, where=door(world, 1), category="medical", urgency="LIFE").request
    everything = [i.request_id for i in WorkItem.objects.across(reason="requests")]

    lines = match_all(free_items(everything), at=NOON)

    assert [line.item.request_id for line in lines] == [life.id]


def test_who_did_it_before_is_asked_again_only_when_nobody_else_is_left(world: World) -> None:
    first = somebody_who_serves(world)
    request = ask(world).request
    item = items_of([request.id])[0]
    work.accept(item.id, responder=first.id, at=NOON)
    work.finish(item.id, responder=first.id, outcome="SOLVED", at=NOON)
    steps.answer_solved(request.id, result="NOT_SOLVED", by=None, by_resident=True, at=NOON)
    again = items_of([request.id])[-1]

    alone = [one.responder.id for one in suggest(item_with_id(again.id), at=NOON)]
    other = somebody_who_serves(world, grid=1)
    with_another = [one.responder.id for one in suggest(item_with_id(again.id), at=NOON)]

    assert alone == [first.id]
    assert with_another == [other.id]
