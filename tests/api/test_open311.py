# SPDX-License-Identifier: Apache-2.0
"""Open311 GeoReport v2: services, a request in and followed, updates; nobody lists what others need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import time_machine
from django.test import Client

from muster.requests import work
from muster.requests.models import Note, Request
from muster.requests.queries import items_of
from tests.support.serving import somebody_who_serves
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
V2 = "/open311/v2"
EN = {"Accept-Language": "en"}


@pytest.fixture
def world() -> Iterator[World]:
    with time_machine.travel(NOON, tick=False):
        yield make_world(frozen=False)


def get(path: str, **query: str) -> Any:
    return Client().get(f"{V2}/{path}", query, headers=EN)


def post(path: str, **said: str) -> Any:
    return Client(enforce_csrf_checks=True).post(f"{V2}/{path}", said, headers=EN)


def brought_in(**more: str) -> str:
    answer = post(
        "requests.json", **{"service_code": "medicine", "description": "insulin", "phone": "138", **more}
    )
    assert answer.status_code == 201, answer.content
    code: str = answer.json()[0]["service_request_id"]
    return code


def test_services_are_listed_with_their_questions(world: World) -> None:
    listed = get("services.json").json()
    one = get("services/medicine.json").json()
    xml = ET.fromstring(get("services.xml").content)

    codes = [s["service_code"] for s in listed]
    assert "medicine" in codes
    assert [s.findtext("service_code") for s in xml] == codes
    assert {s["metadata"] for s in listed if s["service_code"] == "medicine"} == {True}
    assert one["attributes"][0]["code"] == "days_left"
    assert get("services/no_such.json").status_code == 404


def test_request_comes_in_at_its_point_and_is_followed(world: World) -> None:
    home = world.buildings[0]
    code = brought_in(lat=str(home.lat), long=str(home.lon), **{"attribute[days_left]": "1"})

    row = Request.objects.across(reason="requests").get()
    told = get(f"requests/{code}.json").json()[0]
    assert (row.channel, row.building, row.grid) == ("API", home.id, home.grid)
    assert (told["status"], told["service_code"], told["description"]) == ("open", "medicine", None)
    assert told["requested_datetime"] == "2022-09-02T04:00:00Z"
    assert b"insulin" not in get(f"requests/{code}.xml").content


def test_updates_tell_the_steps_and_take_the_answer(world: World) -> None:
    code = brought_in()
    row = Request.objects.across(reason="requests").get()
    helper = somebody_who_serves(world)
    item = items_of([row.id])[0]
    work.accept(item.id, responder=helper.id, at=NOON)
    post("servicerequestupdates.json", service_request_id=code, description="second floor")
    work.finish(item.id, responder=helper.id, outcome="SOLVED", at=NOON)

    closed = post("servicerequestupdates.json", service_request_id=code, status="closed")

    assert closed.status_code == 201
    row.refresh_from_db()
    assert row.status == "CONFIRMED"
    assert Note.objects.across(reason="requests").get().text == "second floor"
    steps = [u["description"] for u in get("servicerequestupdates.json", service_request_id=code).json()]
    assert steps == ["Received", "Somebody is coming", "Done", "Solved"]
    assert get("requests.json", service_request_id=code).json()[0]["status"] == "closed"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"service_code": "no_such", "description": "x"}, 404),
        ({"description": ""}, 400),
        ({"service_code": "food", "lat": "north", "long": "1"}, 400),
        ({"service_code": "food", "lat": "91", "long": "1"}, 400),
        ({"service_code": "food", "lat": "nan", "long": "1"}, 400),
    ],
)
def test_unfitting_input_is_told_as_the_standard_says(
    world: World, said: dict[str, str], status: int
) -> None:
    answer = post("requests.json", **said)

    assert answer.status_code == status
    assert (answer.json()[0]["code"], bool(answer.json()[0]["description"])) == (status, True)
    assert Request.objects.across(reason="count").count() == 0


def test_nobody_lists_what_others_need(world: World) -> None:
    brought_in()

    assert get("requests.json").status_code == 400
    assert get("requests.json", status="open").status_code == 400
    assert get("requests/ABCD-EFGH.json").status_code == 404
    assert get("tokens/ABCD-EFGH.json").status_code == 404


def test_update_that_cannot_be_is_told_and_leaves_no_half_behind(world: World) -> None:
    code = brought_in()

    answer = post(
        "servicerequestupdates.json", service_request_id=code, description="thanks", status="closed"
    )

    assert answer.status_code == 400
    assert Note.objects.across(reason="requests").count() == 0


def test_missing_id_is_told_in_a_sentence(world: World) -> None:
    assert "service_request_id is missing" in get("requests.json").json()[0]["description"]


@pytest.mark.parametrize("path", ["services.json", "requests/ABCD-EFGH.json", "tokens/ABCD-EFGH.xml"])
def test_other_methods_are_told_in_the_asked_for_form(world: World, path: str) -> None:
    answer = Client(enforce_csrf_checks=True).delete(f"{V2}/{path}", headers=EN)

    assert answer.status_code == 405
    assert "GET" in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_a_body_that_is_json_is_told_so(world: World) -> None:
    answer = Client().post(
        f"{V2}/requests.json", '{"service_code":', content_type="application/json", headers=EN
    )

    assert (answer.status_code, "form" in answer.json()[0]["description"]) == (400, True)
    assert Request.objects.across(reason="count").count() == 0
