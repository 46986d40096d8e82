# SPDX-License-Identifier: Apache-2.0
"""Placement over the API: what a desk sees, changes, adopts; what it is refused, and with which words."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from muster.flows.placement import carry_on
from muster.notifications.models import Message
from muster.register.names import mask_name
from muster.responders.models import Responder
from muster.responders.placement.models import PlacementPlan
from muster.trail.models import Disclosure
from tests.support.placing import on_the_map, ready_plan, vetted
from tests.support.town import AT, Town, make_town

pytestmark = pytest.mark.django_db
API = "/api/v1/placement/plans"
NIL = uuid.UUID(int=0)


@pytest.fixture
def town() -> Any:
    with time_machine.travel(AT, tick=False):
        made = make_town()
        on_the_map(made.world)
        yield made


def get(path: str, headers: dict[str, str]) -> Any:
    return Client(raise_request_exception=True).get(f"{API}{path}", headers=headers)


def post(path: str, headers: dict[str, str], **body: Any) -> Any:
    return Client().post(f"{API}{path}", json.dumps(body), content_type="application/json", headers=headers)


def solved(town: Town) -> PlacementPlan:
    return ready_plan(town.world, town.here.street)


def test_a_street_proposes_looks_moves_and_adopts(town: Town) -> None:
    people = vetted(town.world, grid=0, count=3)
    street = town.caller("street")

    asked = post("", street, area=town.here.street.id).json()
    assert asked["state"] == "QUEUED"
    carry_on(asked["id"], at=AT)
    plan = get(f"/{asked['id']}", street).json()
    seats = get(f"/{asked['id']}/seats", street).json()
    grids = get(f"/{asked['id']}/grids", street).json()["items"]
    other = next(grid for grid in grids if grid["id"] != people[0].home_grid)
    moved = post(f"/{asked['id']}/move", street, responder=str(people[0].id), grid=other["id"]).json()
    preview = get(f"/{asked['id']}/change", street).json()
    answer = post(f"/{asked['id']}/adopt", street, version=preview["version"])
    carry_on(asked["id"], at=AT)

    assert plan["state"] == "READY"
    assert plan["figures"]["proved"] is True
    assert {str(one.id) for one in people} <= {seat["responder"]["id"] for seat in seats["items"]}
    assert moved["seat"]["grid"]["id"] == other["id"]
    assert moved["seat"]["pinned"] is True
    assert (preview["people"], preview["changed"]) == (seats["count"], 0)
    assert answer.json()["state"] == "ADOPTING"
    assert get(f"/{asked['id']}", street).json()["state"] == "ADOPTED"
    now = Responder.objects.across(reason="verify").filter(id__in=[one.id for one in people])
    assert {row.status for row in now} == {"ASSIGNED"}


def test_names_are_masked_and_looks_are_written_down(town: Town) -> None:
    vetted(town.world, grid=0, name="欧阳演示")
    plan = solved(town)

    items = get(f"/{plan.id}/seats?q=欧阳", town.caller("desk", town.here)).json()["items"]

    assert len(items) == 1
    assert items[0]["responder"]["name"] == mask_name("欧阳演示") != "欧阳演示"
    assert Disclosure.objects.filter(operation="placement.read").exists()


def test_the_printed_list_has_names_in_full_and_is_written_down(town: Town) -> None:
    placed = town.here.placed
    assert placed is not None
    street = town.caller("street")

    sheet = get(f"/{placed.ready}/sheet", street).json()

    assert [line["name"] for line in sheet["items"]] == ["演安排"]
    assert sheet["grids"][0]["meet"]
    told = Disclosure.objects.get(operation="placement.print")
    assert (told.subject, told.purpose) == (placed.person, "print")
    assert get(f"/{placed.ready}/sheet", town.caller("command")).status_code in {403, 404}


def test_reasons_come_in_both_languages(town: Town) -> None:
    vetted(town.world, grid=0)
    plan = get(f"/{solved(town).id}", town.caller("street")).json()

    lines = [line for grid in plan["short"] for line in grid["lines"] if line["missing"]]

    assert lines
    assert all(line["reason"]["zh"] and line["reason"]["en"] for line in lines)


def test_an_adopted_plan_is_told_to_who_has_an_account_and_says_nothing_of_places(town: Town) -> None:
    from muster.base.ids import new_id

    (one, _) = vetted(town.world, grid=0, count=2)
    Responder.objects.across(reason="verify").filter(id=one.id).update(user=new_id())
    plan, street = solved(town), town.caller("street")

    post(f"/{plan.id}/adopt", street, version=plan.version)
    carry_on(plan.id, at=AT)

    told = list(Message.objects.across(reason="own").filter(template="placement_adopted"))
    assert [row.responder for row in told] == [one.id]
    assert told[0].facts == {}


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("adopt", {"version": 99}, 409, "placement_changed_meanwhile"),
        ("adopt", {"version": 1, "area": 2**62}, 404, "area_unknown"),
        ("take-back", {"version": 1}, 422, "placement_not_adopted"),
        (
            "move",
            {"responder": str(NIL), "grid": 1},
            404,
            "placement_person_unknown",
        ),
        ("move", {"responder": "x"}, 422, "input_bad"),
        ("ban", {"grid": -1}, 422, "input_bad"),
    ],
)
def test_bad_input_has_one_clear_answer(
    town: Town, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    plan = town.here.placed.ready  # type: ignore[union-attr]

    answer = post(f"/{plan}/{path}", town.caller("street"), **body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["title"]


def test_a_plan_of_another_street_does_not_exist(town: Town) -> None:
    there = town.there.placed
    street = town.caller("street", town.here)

    assert there is not None
    assert get(f"/{there.ready}", street).status_code == 404
    assert post(f"/{there.ready}/adopt", street, version=1).status_code == 404
    assert str(there.ready) not in get("", street).content.decode()
    assert post("", street, area=town.there.street.id).status_code == 404


def test_a_stale_plan_says_who_changed(town: Town) -> None:
    placed = town.here.placed
    assert placed is not None
    Responder.objects.across(reason="verify").filter(id=placed.person).update(status="UNAVAILABLE")
    street = town.caller("street")

    preview = get(f"/{placed.ready}/change", street).json()
    refused = post(f"/{placed.ready}/adopt", street, version=1)
    taken = post(f"/{placed.ready}/adopt", street, version=1, without_changed=True)

    assert (preview["changed"], len(preview["changed_people"])) == (1, 1)
    assert (refused.status_code, refused.json()["facts"]) == (409, {"count": 1})
    assert taken.status_code == 200


def test_lists_are_paged_and_ask_no_more_statements_for_more_people(town: Town) -> None:
    vetted(town.world, grid=0, count=12)
    plan, street = solved(town), town.caller("street")

    def statements(limit: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(get(f"/{plan.id}/seats?limit={limit}", street).json()["items"]) == limit
        return len(captured)

    first = get(f"/{plan.id}/seats?limit=5", street).json()
    second = get(f"/{plan.id}/seats?limit=50&cursor={first['next']}", street).json()
    assert len(first["items"]) + len(second["items"]) == first["count"] >= 13
    assert second["next"] is None
    assert get(f"/{plan.id}/seats?cursor=x", street).json()["code"] == "cursor_bad"
    assert statements(1) == statements(12)
    assert {one["is_new"] for one in get(f"/{plan.id}/seats?only=new", street).json()["items"]} == {True}


# ---- who heard of it, and whom somebody has to tell


UNTOLD = "/api/v1/placement/untold"


def untold(headers: dict[str, str], query: str = "") -> Any:
    return Client().get(f"{UNTOLD}{query}", headers=headers)


def tell(headers: dict[str, str], seats: list[str], *, told: bool = True) -> Any:
    body = json.dumps({"seats": seats, "told": told})
    return Client().post(f"{UNTOLD}/told", body, content_type="application/json", headers=headers)


def adopted_here(town: Town, **more: Any) -> PlacementPlan:
    vetted(town.world, grid=0, **more)
    plan = solved(town)
    post(f"/{plan.id}/adopt", town.caller("street"), version=plan.version)
    carry_on(plan.id, at=AT)
    return plan


def test_whom_no_message_reaches_is_listed_printed_and_ticked_off(town: Town) -> None:
    plan = adopted_here(town, name="欧阳演示", free_times=["workday_morning"], unit="二中")
    desk, street = town.caller("desk", town.here), town.caller("street")

    counts = get(f"/{plan.id}/told", street).json()
    lines = untold(street).json()
    mine = next(one for one in lines["items"] if one["responder"]["name"] == mask_name("欧阳演示"))
    cards = untold(street, "/cards").json()["items"]
    card = next(one for one in cards if one["name"] == "欧阳演示")

    assert counts["to_tell"]["NO_PHONE"] == lines["count"]
    assert (mine["phone"], mine["why"]["code"], mine["number"]) == (None, "by_hand_no_phone", card["number"])
    assert mine["why"]["zh"]
    assert mine["why"]["en"]
    assert mine["grid"]["id"] == town.world.grids[0].id
    assert (card["unit"], card["times"]) == ("二中", ["workdays, mornings"])
    assert any("Grid head" in line for line in card["lines"])
    assert Disclosure.objects.filter(operation="placement.print", fields="name,phone").count() == len(cards)
    inbox = Client().get("/api/v1/inbox", headers=desk).json()["items"]
    assert [one["count"] for one in inbox if one["kind"] == "people_to_tell"] == [lines["count"]]
    assert [tell(desk, [mine["id"]]).json()["changed"] for _ in range(2)] == [1, 0]
    assert untold(street).json()["count"] == lines["count"] - 1
    assert tell(desk, [mine["id"]], told=False).json() == {"changed": 1, "left": lines["count"]}


def test_another_street_neither_sees_prints_nor_ticks_them(town: Town) -> None:
    plan = adopted_here(town)
    there = town.caller("street", town.there)
    seat = untold(town.caller("street")).json()["items"][0]["id"]

    assert untold(there).json()["count"] == 0
    assert untold(there, "/cards").json()["items"] == []
    assert tell(there, [seat]).json()["changed"] == 0
    assert untold(there, f"?area={town.here.street.id}").json()["count"] == 0
    assert get(f"/{plan.id}/told", there).status_code in {403, 404}
    assert tell(town.caller("command", town.here), [seat]).status_code == 403


def test_too_many_and_unknown_seats_change_nothing(town: Town) -> None:
    adopted_here(town)
    street = town.caller("street")
    count = untold(street).json()["count"]

    assert tell(street, [str(NIL)]).json() == {"changed": 0, "left": count}
    assert tell(street, [str(uuid.UUID(int=n)) for n in range(501)]).status_code == 422
    assert tell(street, ["x"]).status_code == 422
    assert untold(street, "?cursor=x").status_code == 422
    assert untold(street, "?area=999999").status_code in {404, 422}


def test_the_list_and_the_cards_ask_the_same_of_the_database_for_one_and_for_many(town: Town) -> None:
    street = town.caller("street")

    def statements(path: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            untold(street, path)
        return len(asked)

    adopted_here(town)
    few = [statements(path) for path in ("", "/cards")]
    adopted_here(town, count=20)

    assert [statements(path) for path in ("", "/cards")] == few
