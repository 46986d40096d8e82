# SPDX-License-Identifier: Apache-2.0
"""Offers beside a request: the nearest first with the reason, kept with one key, or seen not to fit."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from muster.flows.offer_matching import offers_for, wanted_for
from muster.flows.sunset import overlay_rows
from muster.offers import services
from muster.offers.models import HelpOffer, HelpUnfit
from muster.offers.services import Given
from muster.requests.placing import where_is
from muster.storage.scoping import Scope
from tests.support.serving import ask, pack
from tests.support.town import AT, Place, Town, make_town
from tests.support.world import NOON

pytestmark = pytest.mark.django_db
BY = uuid.UUID(int=5)
EVERYWHERE = Scope(everything=True)


def an_offer(town: Town, place: Place, **said: Any) -> HelpOffer:
    row, _ = services.make_offer(
        Given(**{"category": "hands", "quantity": 3, "phone": "13911110000", **said}),
        incident=town.world.incident.id, pack=pack(town.world), sub_district=place.grid.sub_district,
        grid=place.grid.id, by=None, at=NOON,
    )  # fmt: skip
    checks = ["CALLED_BACK", "IDENTITY_SEEN"]
    return services.accept(row.id, checks=checks, pack=pack(town.world), by=BY, at=NOON)


@pytest.fixture
def town() -> Town:
    with time_machine.travel(AT, tick=False):
        return make_town(doors=1)


def api(town: Town, path: str, body: Any = None, *, place: Place | None = None, role: str = "desk") -> Any:
    headers = town.caller(role, place)
    with time_machine.travel(AT, tick=False):
        if body is None:
            return Client().get(f"/api/v1{path}", headers=headers)
        return Client().post(f"/api/v1{path}", body, content_type="application/json", headers=headers)


def test_used_with_one_key_and_then_not_proposed_again(town: Town) -> None:
    request = ask(town.world, category="visit", where=where_is(town.here.dwelling), phone="").request
    offer = an_offer(town, town.here)

    shown = api(town, f"/requests/{request.id}/help").json()
    assert [one["offer"]["id"] for one in shown["items"]] == [str(offer.id)]
    assert [why["code"] for why in shown["items"][0]["reasons"]] == ["match_same_grid"]
    assert (
        api(town, f"/offers/{offer.id}/match", {"request": str(request.id), "quantity": 2}).status_code == 200
    )

    after = api(town, f"/requests/{request.id}/help").json()
    assert after["items"] == []
    assert [(one["quantity"], one["status"]) for one in after["kept"]] == [(2, "RESERVED")]


def test_seen_not_to_fit_it_is_proposed_on_neither_side_until_it_fits_after_all(town: Town) -> None:
    request = ask(town.world, category="visit", where=where_is(town.here.dwelling), phone="").request
    offer = an_offer(town, town.here)
    path = f"/requests/{request.id}/help/{offer.id}"

    def both() -> tuple[bool, bool]:
        beside = offers_for(request, scope=EVERYWHERE, pack=pack(town.world), at=AT)
        whom = wanted_for(offer, scope=EVERYWHERE, pack=pack(town.world), at=AT)
        return any(o.offer == offer for o in beside), any(w.request == request for w in whom)

    assert both() == (True, True)
    for _ in range(2):  # pressed twice it is said once
        answer = api(town, f"{path}/unfit", {}).json()
    assert both() == (False, False)
    assert (answer["items"], [one["id"] for one in answer["unfit"]]) == ([], [str(offer.id)])
    assert HelpUnfit.objects.count() == 1
    assert overlay_rows(town.world.incident.id)["help_unfit"].count() == 1
    assert api(town, f"{path}/fits", {}).json()["unfit"] == []
    assert both() == (True, True)


def test_who_may_not_match_and_who_sits_elsewhere_sees_nothing(town: Town) -> None:
    request = ask(town.world, category="visit", where=where_is(town.here.dwelling), phone="").request
    offer = an_offer(town, town.here)
    path = f"/requests/{request.id}/help"

    assert api(town, path, role="worker").status_code == 403
    assert api(town, path, place=town.there).status_code == 404
    assert api(town, f"{path}/{offer.id}/unfit", {}, place=town.there).status_code == 404
    assert api(town, f"{path}/{uuid.uuid4()}/unfit", {}).status_code == 404
    assert HelpUnfit.objects.count() == 0


@pytest.mark.parametrize("many", [1, 12])
def test_it_takes_the_same_queries_however_much_is_offered(town: Town, many: int) -> None:
    request = ask(town.world, category="visit", where=where_is(town.here.dwelling), phone="").request
    for _ in range(many):
        an_offer(town, town.here)

    with CaptureQueriesContext(connection) as queries:
        answer = api(town, f"/requests/{request.id}/help")

    assert len(answer.json()["items"]) == many
    assert len(queries) <= 34
