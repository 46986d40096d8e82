# SPDX-License-Identifier: Apache-2.0
"""Who joins with a worker's code has a post on that grid, once, and the phone is told its duty."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx
import pytest
import time_machine
from django.test import Client

from muster.accounts.models import EnrolCode, User
from muster.drill.device import DeviceClient, _key_jwk
from muster.packs import load
from muster.places.models import Grid, GridPost
from muster.places.posts import take_worker_posts
from muster.places.services import add_grid, appoint, issue_enrol_code, relieve
from muster.trail.models import Event
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
SOON = NOON + timedelta(minutes=5)


@pytest.fixture
def world() -> World:
    return make_world(doors=1, people=1, frozen=False)


DUTY = next(post for post in load("epidemic-zh", data_dir=None).posts if post.type == "worker")


def code_for(world, grid: Grid, name: str = "网格员赵") -> str:
    code, _ = issue_enrol_code(grid, incident=world.incident.id, worker_name=name, by=world.head.id, at=NOON)
    return code


def join(code: str, phone: DeviceClient | None = None) -> dict:
    phone = phone or DeviceClient(web="", name="phone", http=httpx.Client())
    body = {"code": code, "public_key": _key_jwk(phone.key), "name": "phone"}
    with time_machine.travel(SOON, tick=False):
        answer = Client().post("/api/v1/devices/enrol", json.dumps(body), content_type="application/json")
    assert answer.status_code == 200, answer.content
    return answer.json()


def pulled(answer: dict) -> list[dict]:
    with time_machine.travel(SOON, tick=False):
        told = Client().get("/sync/v1/pull", headers={"Authorization": f"Bearer {answer['lease']}"})
    return told.json()["grids"]


def posts(grid: Grid) -> list[GridPost]:
    return list(GridPost.objects.filter(grid=grid, type="worker").order_by("since"))


def test_worker_who_joins_has_a_post_with_its_duty(world):
    grid = world.grids[0]
    revision = grid.revision

    answer = join(code_for(world, grid))

    (post,) = posts(grid)
    assert (post.holder_name, post.title, post.duty) == ("网格员赵", DUTY.name.zh, DUTY.duty.zh)
    assert str(post.holder) == answer["actor"]["id"]
    assert [told["duty"] for told in pulled(answer)] == [DUTY.duty.zh]
    grid.refresh_from_db()
    assert grid.revision == revision + 1
    assert Event.objects.get(entity="GridPost").reason == "enrolled"


def test_answer_that_was_lost_on_the_way_gives_no_second_post(world):
    code, phone = code_for(world, world.grids[0]), DeviceClient(web="", name="phone", http=httpx.Client())

    first, second = join(code, phone), join(code, phone)

    assert first["device"] == second["device"]
    assert len(posts(world.grids[0])) == 1
    assert Event.objects.filter(entity="GridPost").count() == 1


def test_two_workers_of_a_grid_have_a_post_each(world):
    for name in ("甲", "乙"):
        join(code_for(world, world.grids[0], name))

    assert [post.holder_name for post in posts(world.grids[0])] == ["甲", "乙"]


def test_post_that_was_ended_is_not_begun_again_by_the_same_code(world):
    code, phone = code_for(world, world.grids[0]), DeviceClient(web="", name="phone", http=httpx.Client())
    join(code, phone)
    relieve(posts(world.grids[0])[0], by=world.head.id, at=SOON)

    join(code, phone)

    assert [post.until is None for post in posts(world.grids[0])] == [False]


def test_who_holds_a_post_there_already_keeps_that_one(world):
    code = code_for(world, world.grids[0])
    worker = EnrolCode.objects.get().worker
    appoint(
        world.grids[0], type="deputy", name=worker.name, phone="", title="", duty="代行职责",
        holder=worker.id, by=None, at=NOON,
    )  # fmt: skip

    answer = join(code)

    assert posts(world.grids[0]) == []
    assert [told["duty"] for told in pulled(answer)] == ["代行职责"]


def test_code_of_a_wider_grid_gives_a_post_on_each_small_one(world):
    wide = add_grid(code="M1", name="中网格", area=world.communities[0], level="MEDIUM", at=NOON)
    Grid.objects.filter(id__in=[g.id for g in world.grids[:2]]).update(parent=wide)

    answer = join(code_for(world, wide))

    assert all(len(posts(grid)) == 1 for grid in world.grids[:2])
    assert {told["duty"] for told in pulled(answer)} == {DUTY.duty.zh}


def test_pack_without_such_a_post_gives_one_without_words(world, monkeypatch):
    monkeypatch.setattr("muster.places.posts.WORKER", "oarsman")

    made = take_worker_posts(
        [world.grids[0].id], holder=User.objects.first(), incident=world.incident, since=NOON, at=SOON
    )

    assert [(post.type, post.title, post.duty) for post in made] == [("oarsman", "", "")]
