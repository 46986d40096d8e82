# SPDX-License-Identifier: Apache-2.0
"""Requests on the map: the most pressing are drawn, the others are counted, nobody's words are in it."""

from __future__ import annotations

import pytest
import time_machine
from django.test import Client

from muster.api import request_map
from muster.places.models import Grid
from muster.requests.models import Request
from muster.requests.services import Where
from tests.support.serving import ask, door
from tests.support.town import AT, Town, make_town

pytestmark = pytest.mark.django_db


def town_at_rest(*, doors: int) -> Town:
    """Nobody asks for anything yet."""
    town = make_town(doors=doors)
    Request.objects.across(reason="requests").update(status="CANCELLED")
    return town


def test_the_most_pressing_are_drawn_and_the_rest_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_map, "MOST_POINTS", 3)
    with time_machine.travel(AT, tick=False):
        town = town_at_rest(doors=4)
        Grid.objects.filter(lon=None).update(lon=34.2, lat=108.9)
        for number in range(4):
            ask(town.world, where=door(town.world, number), phone=f"1387777000{number}", text="没药了", at=AT)
        lost = Where(sub_district=town.here.street.id)
        life = ask(town.world, where=lost, phone="13877770009", category="visit", urgency="LIFE", at=AT)
        headers = town.caller("street")
        answer = Client().get("/api/v1/map/requests.geojson", headers=headers)
        listed = Client().get("/api/v1/requests?status=open", headers=headers).json()["count"]

    drawn = answer.json()
    assert life.request.number not in [one["properties"]["number"] for one in drawn["features"]]
    assert (len(drawn["features"]), drawn["without_place"], drawn["beyond"]) == (2, 1, listed - 3)
    assert listed > 3
    assert "没药了" not in answer.content.decode()


def test_nothing_open_is_an_empty_map() -> None:
    with time_machine.travel(AT, tick=False):
        headers = town_at_rest(doors=1).caller("street")
        drawn = Client().get("/api/v1/map/requests.geojson", headers=headers).json()

    assert (drawn["features"], drawn["without_place"], drawn["beyond"]) == ([], 0, 0)
