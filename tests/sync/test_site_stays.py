# SPDX-License-Identifier: Apache-2.0
"""A site's screen says by name what does not travel to the city."""

from __future__ import annotations

from datetime import timedelta

import pytest

from muster.api.sites import _what_stays
from muster.base.ids import new_id
from muster.flows.medical_trip import home_of
from muster.sheets.pictures import add_picture
from muster.storage.keys import keystore
from muster.sync.models import HomeCity
from muster.trips import services
from muster.trips.services import Going
from tests.sheets.paper import desk, make
from tests.support.serving import ask, somebody_who_serves
from tests.support.town_sheets import a_photo
from tests.support.world import NOON, make_world

pytestmark = pytest.mark.django_db


def test_site_counts_what_was_recorded_here_and_is_not_passed_on() -> None:
    world = make_world(doors=2, people=1)
    home = HomeCity.objects.create(
        id=new_id(), site=keystore().instance_key().instance, name="东沟", incident=world.incident.id,
        grids=[world.grids[0].id], sub_districts=[s.id for s in world.streets], web="https://a.test",
        intake="https://a.test:8001", opened_at=NOON, until=NOON + timedelta(days=7),
    )  # fmt: skip
    ask(world, at=NOON - timedelta(hours=1))
    assert set(_what_stays(home).values()) == {0}

    ask(world, at=NOON + timedelta(minutes=1))
    add_picture(make(world, "ROSTER"), a_photo(), by=desk(world), at=NOON + timedelta(minutes=2))

    somebody_who_serves(world, checked_in_at=NOON + timedelta(minutes=3))
    somebody_who_serves(world, checked_in_at=NOON + timedelta(minutes=3), channel="WORKER")
    where = home_of(world.persons[0])
    services.ask_trip(
        Going("演甲"), incident=world.incident.id, home=where, by=new_id(), at=NOON + timedelta(minutes=4)
    )

    told = {"requests": 1, "trips": 1, "people": 1, "pictures": 1, "offers": 0, "imports": 0}
    assert _what_stays(home) == told
