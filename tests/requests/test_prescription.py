# SPDX-License-Identifier: Apache-2.0
"""A prescription that came with a medicine run: only the runner sees it, until it is handed over."""

from __future__ import annotations

import pytest
import time_machine
from django.test import Client

from muster.requests import work
from muster.requests.pictures import add_picture
from tests.requests.test_pictures import photo
from tests.support.town import AT, lease_of, make_town

pytestmark = pytest.mark.django_db


def test_a_prescription_is_for_the_runner_only_and_until_hand_over() -> None:
    """Who runs the errand, and neither a desk nor another worker; once it is handed over nobody."""
    with time_machine.travel(AT, tick=False):
        town = make_town(doors=1)
        assert town.here.serving is not None
        item = work.item_with_id(town.here.serving.asked)  # a medicine run, offered to the phone's holder
        name = add_picture(item.request_id, photo(), by=None, at=AT).sha256
        path = f"/sync/v1/jobs/{item.id}/pictures/{name}"
        mine, theirs = lease_of(town, town.here), lease_of(town, town.there)
        desks = {role: town.caller(role) for role in ("worker", "grid_head", "desk", "street", "district")}

        def seen(headers: dict[str, str]) -> int:
            return Client(raise_request_exception=False).get(path, headers=headers).status_code

        before = seen(mine)
        runner = Client().post(f"/sync/v1/jobs/{item.id}/accept", headers=mine).status_code
        while_running = (seen(mine), seen(theirs))
        # Judged to be of another kind it is still a prescription.
        Client().post(f"/api/v1/requests/{item.request_id}/triage", {"category": "repair"},
                      content_type="application/json", headers=desks["desk"])  # fmt: skip
        at_desk = {
            role: Client(raise_request_exception=False).get(
                f"/api/v1/requests/{item.request_id}/pictures/{name}", headers=headers
            )
            for role, headers in desks.items()
        }
        page = Client().get(f"/api/v1/requests/{item.request_id}", headers=desks["desk"]).json()
        work.finish(item.id, responder=work.item_with_id(item.id).responder, outcome="SOLVED", at=AT)
        after = seen(mine)

    assert (before, runner, while_running[0], after) == (422, 200, 200, 422)
    assert while_running[1] in {404, 422}
    assert {role: answer.json()["code"] for role, answer in at_desk.items()} == dict.fromkeys(
        desks, "picture_for_runner"
    )
    assert page["pictures"] == []
