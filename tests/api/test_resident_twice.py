# SPDX-License-Identifier: Apache-2.0
"""Tired and hostile hands on the residents' pages: sent twice, changed and sent again, another's door named,
a number that cannot be, very many from one address. Nothing is refused, nothing doubled, and nothing is told
to who should not hear it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from muster.api.resident import rush
from muster.api.resident.saying import words
from muster.offers.models import HelpOffer
from muster.requests import work
from muster.requests.models import CareGrant, Note, Request
from muster.requests.queries import items_of
from muster.requests.services import Asked, Where, raise_request
from tests.support.serving import pack, somebody_who_serves
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
FOOD = {"category": "food", "urgency": "NORMAL", "text": "没米了", "phone": "13800000001"}


@pytest.fixture
def world() -> Iterator[World]:
    rush.asked.forget()
    with time_machine.travel(NOON, tick=False):
        yield make_world(frozen=False)
    rush.asked.forget()


def post(path: str, **said: Any) -> HttpResponse:
    return Client(enforce_csrf_checks=True).post(path, said, headers={"Accept-Language": "zh"})


def page(path: str) -> str:
    return Client().get(path, headers={"Accept-Language": "zh"}).content.decode()


def a_form(path: str = "/ask") -> str:
    found = re.search(r'name="form" value="([0-9a-f-]{36})"', page(path))
    assert found is not None
    return found[1]


def send(world: World, **more: Any) -> str:
    here = {"community": str(world.communities[0].id), "address": world.dwellings[0].label}
    answer = post("/ask", **{**FOOD, **here, **more})
    assert answer.status_code == 303, answer.content.decode()
    return str(answer["Location"]).split("?")[0].removeprefix("/track/")


def rows() -> list[Request]:
    return list(Request.objects.across(reason="requests").order_by("number"))


def test_two_taps_are_one_request_and_one_code(world: World) -> None:
    form = a_form()

    first, second = send(world, form=form), send(world, form=form)

    assert first == second
    assert [(r.status, r.urgency, r.repeats) for r in rows()] == [("NEW", "NORMAL", 0)]


def test_back_and_changed_is_not_swallowed(world: World) -> None:
    form = a_form()
    first = send(world, form=form)

    second = send(world, form=form, text="没米了，也没药了")
    third = send(world, form=form, urgency="LIFE")

    assert len({first, second, third}) == 3
    assert [r.status for r in rows()] == ["NEW", "LINKED", "NEW"], "a life keeps a clock of its own"
    assert rows()[0].urgency == "LIFE"


def test_without_a_form_number_two_are_two(world: World) -> None:
    assert send(world) != send(world)
    assert [r.status for r in rows()] == ["NEW", "LINKED"]


@pytest.mark.parametrize("forged", ["1", "x" * 36, "../../etc", "ABCDEFAB-0000-0000-0000-000000000000" * 3])
def test_forged_form_number_counts_for_nothing(world: World, forged: str) -> None:
    assert send(world, form=forged) != send(world, form=forged)


@pytest.mark.django_db(transaction=True)
def test_two_taps_at_the_same_moment_are_one(world: World) -> None:
    form, incident, packed = a_form(), world.incident.id, pack(world)

    def tap(_: int) -> str:
        try:
            return raise_request(
                Asked(category="food", text="没米了"), incident=incident, pack=packed, where=Where(),
                channel="WEB", by=None, at=NOON, form=form,
            ).code  # fmt: skip
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        codes = set(pool.map(tap, range(4)))

    assert len(codes) == 1
    assert len(rows()) == 1


def test_what_is_given_twice_is_one_offer(world: World) -> None:
    form = a_form("/offer")
    room = {"category": "room", "quantity": "2", "giver_kind": "LANDLORD", "phone": "13911110000"}

    first, second = (post("/offer", **room, form=form) for _ in range(2))
    changed = post("/offer", **{**room, "quantity": "3"}, form=form)

    assert first["Location"] == second["Location"] != changed["Location"]
    assert HelpOffer.objects.across(reason="count").count() == 2


def test_a_sentence_added_by_two_taps_stands_once(world: World) -> None:
    code = send(world)

    for said in ("门铃坏了", "门铃坏了", "请敲门"):
        post(f"/track/{code}", act="add", text=said)

    assert Note.objects.across(reason="requests").count() == 2


def test_who_names_anothers_door_is_not_told_who_comes_nor_the_password(world: World) -> None:
    code = send(world)
    stranger = send(world, phone="13900000009", text="也没米了")
    first = rows()[0]
    helper = somebody_who_serves(world, name="王小明", phone="13900000002")
    work.accept(items_of([first.id])[0].id, responder=helper.id, at=NOON)

    assert first.spoken_word in page(f"/track/{code}")
    theirs = page(f"/track/{stranger}")
    assert first.spoken_word not in theirs
    assert "王*" not in theirs
    assert words()["first_code"]["zh"] in theirs
    work.finish(items_of([first.id])[0].id, responder=helper.id, outcome="SOLVED", at=NOON)
    assert post(f"/track/{stranger}", act="solved").status_code == 422
    assert rows()[0].status == "DONE"
    assert post(f"/track/{code}", act="solved").status_code == 303
    assert rows()[0].status == "CONFIRMED"


def test_code_for_a_relative_shows_what_the_same_asker_asked_and_no_more(world: World) -> None:
    send(world, category="medicine", text="降压药", phone="13800000001")
    stranger = send(world, phone="13900000009")
    shared = post(f"/track/{stranger}", act="share", relative="远亲").content.decode()
    (care,) = set(re.findall(r'class="code">([0-9A-Z]{4}-[0-9A-Z]{4})<', shared)) - {stranger}

    seen = post("/relative", care=care).content.decode()

    assert seen.split("<form")[0].count('class="card"') == 1, "his own, not what was asked behind that door"
    assert CareGrant.objects.across(reason="own").get().origin == rows()[1].id


def test_relatives_code_gives_no_further_codes(world: World) -> None:
    code = send(world)
    shared = post(f"/track/{code}", act="share", relative="女儿").content.decode()
    (care,) = set(re.findall(r'class="code">([0-9A-Z]{4}-[0-9A-Z]{4})<', shared)) - {code}
    visit = post("/relative", care=care, act="visit", form=str(uuid.uuid4()))

    answer = post(str(visit["Location"]).split("?")[0], act="share", relative="别人")

    assert answer.status_code == 422
    assert "家属码只能由本人给" in answer.content.decode()
    assert CareGrant.objects.across(reason="own").count() == 1


@pytest.mark.parametrize("phone", ["1", "abc", "138", "1380000000012345"])
def test_number_that_cannot_be_is_said_and_the_request_is_in(world: World, phone: str) -> None:
    answer = post("/ask", **{**FOOD, "phone": phone, "address": "桥下"})

    assert answer.status_code == 303
    assert answer["Location"].endswith("said=phone_odd")
    assert words()["phone_odd"]["zh"] in page(str(answer["Location"]))


def test_two_strangers_with_the_same_nonsense_for_a_number_have_nothing_in_common(world: World) -> None:
    for _ in range(2):
        post("/ask", **{**FOOD, "phone": "1", "address": ""})

    assert [r.status for r in rows()] == ["NEW", "NEW"]


def test_who_asks_for_two_homes_asks_twice(world: World) -> None:
    send(world)
    send(world, address=world.dwellings[1].label)
    send(world, address="桥下", text="也没米了")
    send(world, address="河边", text="也没米了")

    assert [r.status for r in rows()] == ["NEW", "NEW", "LINKED", "LINKED"], "an unknown door joins the known"


def test_however_a_number_is_written_it_is_one(world: World) -> None:
    wide = "".join(chr(ord(figure) + 0xFEE0) for figure in "13800000001")
    for phone in ("13800000001", "+86 138 0000 0001", "138-0000-0001", wide):
        post("/ask", **{**FOOD, "phone": phone, "address": ""})

    assert [r.status for r in rows()] == ["NEW", "LINKED", "LINKED", "LINKED"]


def test_twenty_from_one_address_are_all_in_and_the_late_ones_are_looked_at(world: World) -> None:
    for n in range(20):
        post("/ask", **{**FOOD, "phone": "", "address": f"某处{n}"})
    post("/ask", **{**FOOD, "phone": "", "address": "某处", "urgency": "LIFE"})

    told = rows()
    assert len(told) == 21
    assert [r.is_spam for r in told[:10]] == [False] * 10
    assert all(r.is_spam for r in told[10:20])
    assert not told[20].is_spam, "what threatens a life is never held up"


@pytest.mark.parametrize(
    "text", ["滚！废物！" * 10, "🙏" * 900, "\u202e\u0000x", "<script>alert(1)</script>"]
)
def test_whatever_is_written_is_taken(world: World, text: str) -> None:
    code = send(world, text=text)

    assert rows()[0].text == text.replace("\0", "").strip()
    assert "<script>alert" not in page(f"/track/{code}")


def test_ten_thousand_characters_are_told_to_be_too_many_and_stay(world: World) -> None:
    answer = post("/ask", **{**FOOD, "text": "长" * 10_000})

    assert answer.status_code == 422
    assert "长" * 2_000 in answer.content.decode()
    assert rows() == []


def test_the_script_is_one_file_of_our_own_and_the_pages_do_without(world: World) -> None:
    answer = Client().get("/send.js")

    assert answer["Content-Type"].startswith("text/javascript")
    assert len(answer.content) < 4_000
    for path in ("/ask", "/offer"):
        shown = page(path)
        assert re.findall(r"<script[^>]*>", shown) == ['<script src="/send.js" defer>']
        assert len(shown.encode()) + len(answer.content) < 30_000


def test_a_form_sent_blank_is_answered(world: World) -> None:
    code = send(world)

    assert post("/relative", care="").status_code == 422
    assert Client().get("/track?code=").status_code == 422
    answer = post(f"/track/{code}", act="add", text="  ")
    assert answer.status_code == 422
    assert "还没写内容" in answer.content.decode()


def test_withdrawn_shows_no_steps_that_will_not_come(world: World) -> None:
    code = send(world)

    post(f"/track/{code}", act="withdraw")

    shown = page(f"/track/{code}")
    assert words()["step_WITHDRAWN"]["zh"] in shown
    assert words()["step_ON_SITE"]["zh"] not in shown


def test_not_solved_tells_that_nobody_is_on_the_way_and_starts_the_clock_anew(world: World) -> None:
    code = send(world)
    helper = somebody_who_serves(world)
    item = items_of([rows()[0].id])[0]
    work.accept(item.id, responder=helper.id, at=NOON)
    work.finish(item.id, responder=helper.id, outcome="SOLVED", at=NOON)

    with time_machine.travel(NOON + timedelta(hours=20), tick=False):
        post(f"/track/{code}", act="not_solved")
        shown = page(f"/track/{code}")

    row = rows()[0]
    assert (row.status, row.accepted_at) == ("TRIAGED", None)
    assert row.respond_by > NOON + timedelta(hours=20), "the old clock has long run out"
    assert words()["step_REOPENED"]["zh"] in shown
    assert re.findall(r'class="is-done">(?:<time>[^<]*</time>)?([^<]+)', shown) == [
        words()[f"step_{one}"]["zh"] for one in ("NEW", "REOPENED")
    ]
