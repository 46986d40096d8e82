# SPDX-License-Identifier: Apache-2.0
"""A wrong place: nobody knows the door, and it still stands in the queue; said again it is found."""

from __future__ import annotations

import pytest
import time_machine
from django.test import Client

from muster.base.ids import new_id
from muster.requests import steps
from muster.requests.models import Request, WorkItem
from muster.requests.services import Where
from tests.support.serving import ask, door
from tests.support.town import AT, make_town
from tests.support.world import make_world

pytestmark = pytest.mark.django_db
PHONE = "13877770000"


def test_without_a_door_it_stands_in_the_queue_of_every_desk_around_it() -> None:
    with time_machine.travel(AT, tick=False):
        town = make_town(doors=1)
        street, area = town.here.street.id, town.here.area.id
        lost = ask(town.world, where=Where(sub_district=street), phone=PHONE, category="visit", at=AT).request
        headers = town.caller("street")
        shown = Client().get(f"/api/v1/requests?area={area}", headers=headers).json()["items"]
        elsewhere = town.caller("street", town.there)
        theirs = (
            Client().get(f"/api/v1/requests?area={town.there.area.id}", headers=elsewhere).json()["items"]
        )

    assert str(lost.id) in {one["id"] for one in shown}
    assert str(lost.id) not in {one["id"] for one in theirs}


def test_said_again_with_the_door_it_is_found() -> None:
    world = make_world(frozen=False, doors=2, people=1)
    lost = ask(world, where=Where(sub_district=world.streets[0].id), phone=PHONE, text="没药了").request

    ask(world, where=door(world, 0), phone=PHONE)
    ask(world, where=door(world, 1), phone=PHONE)

    row = Request.objects.across(reason="requests").get(id=lost.id)
    assert (row.dwelling, row.text, row.repeats) == (world.dwellings[0].id, "没药了", 1), (
        "the first door stays: who asks for another home with his own phone asks for another home"
    )
    assert Request.objects.across(reason="requests").filter(status="NEW").count() == 2
    assert WorkItem.objects.across(reason="requests").get(request=row).grid == row.grid


def test_what_was_passed_to_a_desk_is_theirs_to_see_and_work_on() -> None:
    with time_machine.travel(AT, tick=False):
        town = make_town(doors=1)
        mine = ask(town.world, where=door(town.world, 0), phone=PHONE, category="visit", at=AT).request
        theirs = town.caller("street", town.there)
        path = f"/api/v1/requests/{mine.id}"
        before = Client().get(path, headers=theirs).status_code
        steps.transfer(mine.id, to_area=town.there.area.id, from_area=town.here.area.id, by=new_id(), at=AT)

        after = Client().get(path, headers=theirs).json()
        listed = Client().get(f"/api/v1/requests?area={town.there.street.id}", headers=theirs).json()["items"]
        stranger = Client().get(path, headers=town.caller("worker", town.there)).status_code

    assert before == 404
    assert after["held_by"]["id"] == town.there.area.id
    assert str(mine.id) in {one["id"] for one in listed}
    assert stranger in {403, 404}
