# SPDX-License-Identifier: Apache-2.0
"""The plain page for who gives: light, in both languages, discreet, and it keeps what was typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client

from muster.offers import services
from muster.offers.models import HelpOffer
from muster.offers.rules import checks_needed
from muster.offers.services import category_of
from tests.support.serving import ask, pack
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
ROOM = {
    "category": "room",
    "quantity": "2",
    "what": "二楼空着",
    "giver_kind": "LANDLORD",
    "phone": "13911110000",
}


@pytest.fixture
def world() -> Iterator[World]:
    with time_machine.travel(NOON, tick=False):
        yield make_world(frozen=False)


def post(path: str, **said: Any) -> HttpResponse:
    return Client(enforce_csrf_checks=True).post(path, said, headers={"Accept-Language": "zh"})


def page(path: str) -> str:
    answer = Client().get(path, headers={"Accept-Language": "zh"})
    assert answer.status_code == 200
    return answer.content.decode()


def given(world: World, **more: Any) -> tuple[str, HelpOffer]:
    answer = post("/offer", **{**ROOM, "community": str(world.communities[0].id), **more})
    code = re.fullmatch(r"/offer/([0-9A-Z-]{9})\?new=1", answer["Location"])
    assert code is not None
    return code[1], HelpOffer.objects.across(reason="own").latest("number")


@pytest.mark.parametrize("path", ["/offer", "/offer/find"])
@pytest.mark.parametrize(("lang", "word"), [("zh", "我能出一份力"), ("en", "I can give")])
def test_pages_are_light_and_in_one_language(world: World, path: str, lang: str, word: str) -> None:
    shown = page(f"{path}?lang={lang}")

    assert len(shown.encode()) < 30_000
    assert shown.count("<script") == shown.count('<script src="/send.js" defer></script>') <= 1
    assert word in shown
    assert ({"我能出一份力", "I can give"} - {word}).pop() not in shown


def test_a_landlord_offers_a_room_and_follows_it(world: World) -> None:
    code, row = given(world)
    request = ask(world, category="hardship", text="没地方住", phone="13822220000").request

    assert (row.category, row.quantity, row.giver_kind, row.sub_district, row.made_by) == (
        "room", 2, "LANDLORD", world.streets[0].id, None,
    )  # fmt: skip
    assert "我们会打电话给您核实" in page(f"/offer/{code}")
    checks = checks_needed(category_of(pack(world), "room"), "LANDLORD")
    services.accept(row.id, checks=checks, pack=pack(world), by=row.id, at=NOON)
    kept = services.reserve(row.id, request=request.id, quantity=1, by=row.id, at=NOON)
    assert "已为 1 处留着" in page(f"/offer/{code}")
    services.step_match(kept.id, to="GIVEN", pack=pack(world), by=row.id, at=NOON)
    shown = page(f"/offer/{code.lower().replace('-', '')}")

    assert "已帮到 1 处，谢谢您" in shown
    assert not any(word in shown for word in ("没地方住", "13822220000", world.dwellings[0].label)), (
        "who gives is not shown who needs"
    )


def test_taken_back_without_a_reason(world: World) -> None:
    code, row = given(world)

    assert post(f"/offer/{code}", act="withdraw").status_code == 303

    assert "您已收回" in page(f"/offer/{code}")
    assert post(f"/offer/{code}", act="withdraw").status_code == 422
    assert HelpOffer.objects.across(reason="own").get(id=row.id).status == "WITHDRAWN"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"category": ""}, "还没选能提供什么"),
        ({"quantity": "很多"}, "数量应在 1 和"),
        ({"quantity": "0"}, "数量应在 1 和"),
        ({"quantity": "999999999999"}, "数量应在 1 和"),
        ({"phone": ""}, "还没留电话"),
        ({"giver_kind": "KING"}, "没有“KING”这一类"),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_stays(
    world: World, said: dict[str, str], told: str
) -> None:
    answer = post("/offer", **{**ROOM, **said})

    shown = answer.content.decode()
    assert answer.status_code == 422
    assert told in shown
    assert "二楼空着" in shown
    assert HelpOffer.objects.across(reason="count").count() == 0


def test_markup_is_shown_as_text_and_robots_leave_nothing(world: World) -> None:
    _, row = given(world, what="<script>alert(1)</script>", name="演<b>")
    post("/offer", **ROOM, website="http://x.example")

    assert row.what == "<script>alert(1)</script>"
    assert (
        "<script>"
        not in post("/offer", **{**ROOM, "phone": "", "what": "<script>1</script>"}).content.decode()
    )
    assert HelpOffer.objects.across(reason="count").count() == 1


@pytest.mark.parametrize("code", ["ABCD-EFGH", "x", "'; DROP", "A" * 300])
def test_a_forged_code_learns_nothing(world: World, code: str) -> None:
    given(world)

    answer = Client().get(f"/offer/{code}", headers={"Accept-Language": "zh"})

    assert answer.status_code == 422
    assert "没有这个编码" in answer.content.decode()
    assert post("/offer/find", code=code).status_code == 422
