# SPDX-License-Identifier: Apache-2.0
"""Sheets over the API: who may, where; lists in few statements; every refusal in one sentence."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from muster.accounts.models import User
from muster.accounts.services import add_user, grant_role, make_token
from muster.sheets.models import SheetReturn
from muster.trail.models import Disclosure, Fact
from tests.sheets.paper import edited, make, taken_out, told
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
AT = NOON + timedelta(hours=2)
PRINTS, TYPES = {"grid_head", "desk", "street"}, {"worker", "grid_head", "desk", "street"}


@pytest.fixture
def world() -> World:
    return make_world(doors=2, people=1)


def somebody(world: World, role: str | None, *, there: bool = False) -> dict[str, str]:
    """Headers of somebody with a role over the first grid (there: over the other sub-district)."""
    user: User = add_user(username=f"u-{role}-{there}", name="某人")
    place = 2 if there else 0
    if role in ("worker", "grid_head"):
        grant_role(user, role=role, at=NOON, grid=world.grids[place].id)
    elif role is not None:
        street = world.streets[1 if there else 0]
        grant_role(user, role=role, at=NOON, area=street.id, area_path=street.path)
    token = make_token(user, name="test", at=NOON)
    return {"Authorization": f"Bearer {token}", "Accept-Language": "en"}


def send(method: str, path: str, headers: dict[str, str], body: Any = None) -> HttpResponse:
    said = json.dumps(body) if body is not None else ""
    client = Client(raise_request_exception=False)
    with time_machine.travel(AT, tick=False):
        return client.generic(  # type: ignore[return-value]
            method, f"/api/v1{path}", said, content_type="application/json", headers=headers
        )


def asked(world: World) -> dict[str, tuple[str, str, Any, set[str]]]:
    roster, listed = make(world, "ROSTER"), make(world, "LIST")
    line = {"number": 1, "outcome": "done"}
    wish = {"grid": world.grids[0].id, "kind": "ROSTER"}
    return {
        "make": ("POST", f"/rounds/{world.round.id}/sheets", wish, PRINTS),
        "print": ("GET", f"/sheets/{roster.code}/print", None, PRINTS),
        "file": ("GET", f"/sheets/{listed.code}/list.xlsx", None, PRINTS),
        "read": ("GET", f"/sheets/{roster.code}", None, TYPES),
        "type": ("POST", f"/sheets/{roster.code}/typed", {"by": "李填表", "lines": [line]}, TYPES),
    }


@pytest.mark.parametrize("role", ["worker", "grid_head", "desk", "street", "district", "command", "resident"])
def test_each_role_may_in_its_own_place_and_nobody_elsewhere(world: World, role: str) -> None:
    here, there = somebody(world, role), somebody(world, role, there=True)

    for method, path, body, roles in asked(world).values():
        assert send(method, path, here, body).status_code == (200 if role in roles else 403), path
        assert send(method, path, there, body).status_code == (404 if role in roles else 403), path
    assert send("GET", f"/sheets/{make(world).code}", {}).status_code == 401


def test_other_places_do_not_see_what_was_handed_out_or_came_back(world: World) -> None:
    sheet, here, there = make(world), somebody(world, "desk"), somebody(world, "desk", there=True)
    raw = edited(taken_out(world, sheet), told(0, outcome="外出"))
    with time_machine.travel(AT, tick=False):
        back = Client().post(
            f"/api/v1/rounds/{world.round.id}/sheet-returns",
            {"file": SimpleUploadedFile("list.xlsx", raw), "by": "李填表"}, headers=here,
        ).json()  # fmt: skip
        refused = Client().post(
            f"/api/v1/rounds/{world.round.id}/sheet-returns",
            {"file": SimpleUploadedFile("list.xlsx", raw), "by": "李填表"}, headers=there,
        )  # fmt: skip

    assert back["counts"]["change"] == 1
    assert (refused.status_code, refused.json()["code"]) == (404, "sheet_unknown")
    for list_ in ("sheets", "sheet-returns"):
        assert send("GET", f"/rounds/{world.round.id}/{list_}", here).json()["count"] == 1
        assert send("GET", f"/rounds/{world.round.id}/{list_}", there).json()["count"] == 0
    for act in ("", "/commit", "/undo", "/mend.xlsx"):
        method = "POST" if act in ("/commit", "/undo") else "GET"
        assert send(method, f"/sheet-returns/{back['id']}{act}", there, {}).status_code == 404
    assert Fact.objects.count() == 0


def test_from_file_to_undo_over_the_api(world: World) -> None:
    here = somebody(world, "desk")
    raw = edited(taken_out(world, make(world)), told(0, outcome="胡说"))
    raw = edited(raw, told(1, outcome="外出"))
    with time_machine.travel(AT, tick=False):
        back = Client().post(
            f"/api/v1/rounds/{world.round.id}/sheet-returns",
            {"file": SimpleUploadedFile("list.xlsx", raw), "by": "李填表", "where": "门口"}, headers=here,
        ).json()  # fmt: skip
    path = f"/sheet-returns/{back['id']}"

    assert [row["will"] for row in back["rows"]] == ["bad", "change"]
    assert "there is no outcome" in back["rows"][0]["mistakes"][0]["message"]
    assert "演2" not in json.dumps(back, ensure_ascii=False)
    assert send("GET", f"{path}/mend.xlsx", here).content[:2] == b"PK"
    assert send("POST", f"{path}/commit", here, {}).json()["counts"]["APPLIED"] == 1
    assert send("POST", f"{path}/commit", here, {}).json()["state"] == "COMMITTED"
    assert send("POST", f"{path}/undo", here, {}).json()["taken_back"] == 1
    again = send("POST", f"{path}/commit", here, {})
    assert (again.status_code, again.json()["code"]) == (422, "return_not_ready")
    assert again.json()["title"]
    assert Disclosure.objects.filter(operation="sheets.return").exists()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"kind": "PASSES"}, "sheet_kind_unknown"),
        ({"kind": "ROSTER", "why": "fun"}, "sheet_why_unknown"),
        ({"kind": "ROSTER", "grid": 2**70}, "grid_unknown"),
        ({"kind": "ROSTER", "grid": "x"}, "input_bad"),
    ],
)
def test_wish_that_cannot_be_is_refused_in_words(world: World, body: dict[str, Any], code: str) -> None:
    wish = {"grid": world.grids[0].id, **body}

    answer = send("POST", f"/rounds/{world.round.id}/sheets", somebody(world, "desk"), wish)

    assert (answer.json()["code"], bool(answer.json()["title"])) == (code, True)
    assert answer.status_code in (404, 422)


@pytest.mark.parametrize("code", ["XXXX-XXXX", "x", "演演演演-演演演演", "%00", "A" * 300, "..", "' or 1=1"])
def test_code_that_nobody_gave_is_not_there(world: World, code: str) -> None:
    from urllib.parse import quote

    answer = send("GET", f"/sheets/{quote(code, safe='')}", somebody(world, "desk"))

    assert answer.status_code in (404, 422)
    assert b"Traceback" not in answer.content


def test_list_of_returns_takes_as_many_statements_for_one_as_for_many(world: World) -> None:
    here, sheet = somebody(world, "desk"), make(world, "ROSTER")
    counts = []
    for n in (1, 4):
        while SheetReturn.objects.across(reason="verify").count() < n:
            typed = {
                "by": f"第{SheetReturn.objects.across(reason='verify').count()}人",
                "lines": [{"number": 1}],
            }
            assert send("POST", f"/sheets/{sheet.code}/typed", here, typed).status_code == 200
        with CaptureQueriesContext(
            connection,
        ) as told_:
            send("GET", f"/rounds/{world.round.id}/sheet-returns", here)
        counts.append(len(told_))
    assert counts[0] == counts[1]


def test_line_of_a_card_tells_the_password_to_who_may_look(world: World) -> None:
    card = make(world, "CARDS")

    told_ = send("GET", f"/sheets/{card.code}?line=2", somebody(world, "worker")).json()

    assert [row["number"] for row in told_["rows"]] == [2]
    assert len(told_["rows"][0]["password"].split()) == 2
    assert told_["rows"][0]["name"] == ""
