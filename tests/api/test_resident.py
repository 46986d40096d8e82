# SPDX-License-Identifier: Apache-2.0
"""The resident's pages: ask, track, answer, share with a relative; light, in both languages, discreet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client

from muster.api.resident.saying import words
from muster.requests import steps, work
from muster.requests.models import CareGrant, Request
from muster.requests.queries import items_of
from muster.trail.models import Disclosure
from tests.support.serving import somebody_who_serves
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
LANGUAGES = ("zh", "en")


@pytest.fixture
def world() -> Iterator[World]:
    with time_machine.travel(NOON, tick=False):
        yield make_world(frozen=False)


def post(path: str, follow: bool = True, **said: Any) -> HttpResponse:
    return Client(enforce_csrf_checks=True).post(path, said, follow=follow, headers={"Accept-Language": "zh"})


def ask_for_food(world: World, **more: Any) -> tuple[str, Request]:
    said = {"category": "food", "urgency": "NORMAL", "text": "没米了", "phone": "13800000001",
            "community": str(world.communities[0].id), "address": world.dwellings[0].label}  # fmt: skip
    answer = post("/ask", follow=False, **{**said, **more})
    assert answer.status_code == 303
    code = re.fullmatch(r"/track/([0-9A-Z-]{9})\?new=1", answer["Location"])
    assert code is not None
    return code[1], Request.objects.across(reason="requests").latest("number")


def page(path: str, **headers: str) -> str:
    answer = Client().get(path, headers={"Accept-Language": "zh", **headers})
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("path", ["/", "/ask", "/track", "/relative"])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_pages_are_light_and_in_one_language(world: World, path: str, lang: str) -> None:
    shown = page(f"{path}?lang={lang}")

    assert len(shown.encode()) < 30_000
    # One file of our own helps where scripts run; nothing stands in the page itself.
    assert shown.count("<script") == shown.count('<script src="/send.js" defer></script>') <= 1
    other = words()["ask"]["en" if lang == "zh" else "zh"]
    assert other not in shown.replace("English", "").replace("中文", "")


def test_every_word_is_there_twice_and_used() -> None:
    from pathlib import Path

    import muster.api

    root = Path(muster.api.__file__).parent
    told = "".join(f.read_text() for f in [*root.glob("templates/resident/*"), *root.glob("resident/*.py")])
    computed = re.compile(
        r"^give_[A-Z]|^visit_[A-Z]|^(giver|step|hold|serve|declined|act|fault|trip)_|^(LIFE|URGENT|NORMAL)$"
    )
    unused = [k for k in words() if not computed.match(k) and f"w.{k}" not in told and f'"{k}"' not in told]
    assert unused == []
    assert all(set(both) == {"zh", "en"} and both["zh"] and both["en"] for both in words().values())


def test_one_sentence_is_enough_and_the_code_shows_the_way(world: World) -> None:
    code, row = ask_for_food(world)

    shown = page(f"/track/{code}")
    assert (row.dwelling, row.channel, row.made_by) == (world.dwellings[0].id, "WEB", None)
    assert "收到了，编号 1。" in shown
    assert "13:00前会有人联系您" in shown, "noon here is four o'clock UTC, and the clock is an hour"
    assert "下一件就是您的" in shown
    assert "13800000001" not in shown
    assert "没米了" not in shown


def test_life_stands_on_top_with_the_number_to_call(world: World) -> None:
    code, row = ask_for_food(world, category="medical", urgency="LIFE", cannot_call="1")

    assert (row.urgency, row.cannot_call, row.escalation) == ("LIFE", True, 1)
    assert 'href="tel:120"' in page(f"/track/{code}")


def test_what_is_missing_is_said_and_what_was_typed_stays(world: World) -> None:
    answer = post("/ask", text="", category="", address="三楼", phone="138")

    shown = answer.content.decode()
    assert answer.status_code == 422
    assert "还没写要帮什么" in shown
    assert 'value="三楼"' in shown
    assert Request.objects.across(reason="count").count() == 0


def test_address_that_fits_nowhere_is_taken_all_the_same(world: World) -> None:
    _, row = ask_for_food(world, address="桥下面，红色帐篷")

    assert (row.dwelling, row.sub_district) == (None, world.streets[0].id)
    assert row.place == "桥下面，红色帐篷"


@pytest.mark.parametrize("code", ["ABCD-EFGH", "x", "%00", "'; DROP", "A" * 300])
def test_forged_code_learns_nothing(world: World, code: str) -> None:
    ask_for_food(world)

    answer = Client().get(f"/track/{code}", headers={"Accept-Language": "zh"})

    assert answer.status_code in {404, 422}
    assert "编号" not in answer.content.decode()


def test_who_comes_and_the_password_show_only_once_taken(world: World) -> None:
    code, row = ask_for_food(world)
    helper = somebody_who_serves(world, name="王小明", phone="13900000002")
    assert "口令" not in page(f"/track/{code}")

    work.accept(items_of([row.id])[0].id, responder=helper.id, at=NOON)

    shown = page(f"/track/{code}")
    assert "来的人：王*" in shown
    assert f"口令 {row.spoken_word}" in shown
    assert "王小明" not in shown
    assert "13900000002" not in shown


def finish(row: Request, world: World) -> None:
    helper = somebody_who_serves(world)
    item = items_of([row.id])[-1]
    work.accept(item.id, responder=helper.id, at=NOON)
    work.finish(item.id, responder=helper.id, outcome="SOLVED", at=NOON)


def test_solved_or_not_is_the_residents_to_say(world: World) -> None:
    code, row = ask_for_food(world)
    finish(row, world)
    assert "解决了吗？" in page(f"/track/{code}")

    again = post(f"/track/{code}", act="not_solved").content.decode()
    row.refresh_from_db()
    assert ("马上再安排人" in again, row.status, row.reopened) == (True, "TRIAGED", 1)
    finish(row, world)
    assert "谢谢您告诉我们" in post(f"/track/{code}", act="solved").content.decode()
    row.refresh_from_db()
    assert row.status == "CONFIRMED"


def test_hurry_counts_only_after_the_clock_and_once_an_hour(world: World) -> None:
    code, row = ask_for_food(world)

    assert "还没到约好的时间" in post(f"/track/{code}", act="hurry").content.decode()
    with time_machine.travel(NOON + timedelta(minutes=61), tick=False):
        for _ in range(3):
            assert "已经报给上一级" in post(f"/track/{code}", act="hurry").content.decode()
    row.refresh_from_db()
    assert row.escalation == 1


def test_linked_request_follows_the_first_one(world: World) -> None:
    _, first = ask_for_food(world)
    code, second = ask_for_food(world)
    finish(first, world)

    shown = page(f"/track/{code}")
    assert second.linked_to == first.id
    assert "和您家之前的求助并在一起办" in shown
    assert "解决了吗？" in shown


def test_relative_sees_steps_asks_and_loses_sight_when_the_code_is_taken_back(world: World) -> None:
    code, row = ask_for_food(world, text="糖尿病的药没了")
    shown = post(f"/track/{code}", act="share", relative="女儿").content.decode()
    (care,) = set(re.findall(r'class="code">([0-9A-Z]{4}-[0-9A-Z]{4})<', shown)) - {code}

    seen = post("/relative", care=care.lower()).content.decode()
    assert "生活物资" in seen
    assert "已收到" in seen
    for secret in ("糖尿病", "13800000001", world.dwellings[0].label, code):
        assert secret not in seen
    assert Disclosure.objects.filter(operation="relative.look").count() == 1

    visit = post("/relative", care=care, act="visit")
    asked = Request.objects.across(reason="requests").get(category="visit")
    assert visit.status_code == 200
    assert (asked.dwelling, asked.for_relative, asked.name) == (row.dwelling, True, "女儿")

    assert "家属码已收回" in post(f"/track/{code}", act="unshare").content.decode()
    assert post("/relative", care=care).status_code == 422
    assert post("/relative", care=care, act="visit").status_code == 422
    assert CareGrant.objects.across(reason="own").filter(revoked_at__isnull=True).count() == 0


def test_relative_without_a_grant_is_told_the_other_way(world: World) -> None:
    answer = post("/relative", care="ABCD-EFGH", act="ask", text="x", category="food")

    assert answer.status_code == 422
    assert "家属码没有用" in answer.content.decode()
    assert Request.objects.across(reason="count").count() == 0


def test_refusal_and_hold_are_told_in_words(world: World) -> None:
    code, row = ask_for_food(world)
    steps.hold(row.id, reason="NO_SUPPLIES", until=NOON + timedelta(hours=3), by=None, at=NOON)
    assert "在等物资，15:00前再联系您" in page(f"/track/{code}")

    steps.resume(row.id, by=None, at=NOON)
    steps.refuse(
        row.id, reason="今天没有车，明早再来", by=world.head.id, approved_by=world.workers[0].id, at=NOON
    )
    assert "今天没有车，明早再来" in page(f"/track/{code}")


def test_large_type_and_language_are_remembered_without_an_account(world: World) -> None:
    client = Client()
    client.get("/?size=large&lang=en")

    shown = client.get("/ask").content.decode()
    assert 'class="large"' in shown
    assert words()["ask"]["en"] in shown


@pytest.mark.parametrize(("said", "lang", "words"), [("zh-CN", "zh", "没有找到"), ("en", "en", "not found")])
def test_address_that_is_not_there_has_a_page_in_the_readers_language_with_a_way_home(
    said: str, lang: str, words: str
) -> None:
    answer = Client().get("/nothing/here", headers={"Accept-Language": said})

    page = answer.content.decode()
    assert answer.status_code == 404
    assert f'<html lang="{lang}' in page
    assert words in page
    assert 'href="/"' in page


def test_a_visit_tells_the_relative_what_it_found_once_somebody_was_met_there(world: World) -> None:
    code, row = ask_for_food(world)
    shown = post(f"/track/{code}", act="share", relative="女儿").content.decode()
    (care,) = set(re.findall(r'class="code">([0-9A-Z]{4}-[0-9A-Z]{4})<', shown)) - {code}
    post("/relative", care=care, act="visit")
    visit = Request.objects.across(reason="requests").get(category="visit")
    finish(visit, world)
    before = post("/relative", care=care).content.decode()

    finish(row, world)

    assert "见到本人，平安" not in before, "a stranger who named the door would learn who is at home"
    assert "见到本人，平安" in post("/relative", care=care).content.decode()
