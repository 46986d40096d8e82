# SPDX-License-Identifier: Apache-2.0
"""Alarms of the trail reach whoever may look into them, where they happened, and nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from muster.accounts.models import User
from muster.accounts.services import add_user, grant_role
from muster.base.ids import new_id
from muster.situation.watch_inbox import looks_over_budget, records_that_differ
from muster.storage.scoping import Scope
from muster.trail.models import SecondCopy
from muster.trail.reveals import ALARM
from muster.trail.services import record_event
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def world() -> World:
    return make_world(doors=2, people=1)


def looker(world: World, name: str, street: int = 0) -> User:
    user = add_user(username=f"looker-{new_id().hex}", name=name)
    place = world.streets[street]
    grant_role(user, role="desk", area=place.id, area_path=place.path, at=NOON)
    record_event("User", user.id, ALARM, at=NOON, actor=user.id, reason="refused", role="desk")
    return user


def test_look_past_the_budget_is_told_where_it_happened(world: World) -> None:
    user = looker(world, "社区一")
    here, there = (Scope(sub_districts=frozenset({s.id})) for s in world.streets[:2])

    told = looks_over_budget(here, reader=new_id(), at=LATER)

    assert [(one["kind"], one["facts"]) for one in told] == [("look_over_budget", {"name": "社区一"})]
    assert looks_over_budget(there, reader=new_id(), at=LATER) == []
    assert looks_over_budget(Scope(), reader=new_id(), at=LATER) == []
    assert looks_over_budget(here, reader=user.id, at=LATER) == []
    assert looks_over_budget(here, reader=new_id(), at=NOON + timedelta(days=2)) == []


def test_record_that_came_twice_with_other_words_is_told_where_it_happened(world: World) -> None:
    device = new_id()
    for seq in (1, 2):
        SecondCopy.objects.create(
            device=device, seq=seq, fact=new_id(), incident=world.incident.id, received_at=NOON,
            sub_district=world.streets[0].id, purpose=str(world.incident.id), code="body_differs", body="{}",
            body_hash=b"",
        )  # fmt: skip
    here, there = (Scope(sub_districts=frozenset({s.id})) for s in world.streets[:2])

    told = records_that_differ(here, at=LATER)

    assert [(one["count"], one["facts"]["devices"]) for one in told] == [(2, 1)]
    assert records_that_differ(there, at=LATER) == []
    assert records_that_differ(here, at=NOON + timedelta(days=2)) == []


def test_many_colleagues_of_one_place_are_read_with_as_many_statements_as_one(world: World) -> None:
    looker(world, "社区一")
    scope = Scope(everything=True)
    with CaptureQueriesContext(connection) as one:
        looks_over_budget(scope, reader=new_id(), at=LATER)
    for n in range(4):
        looker(world, f"社区{n}")
    with CaptureQueriesContext(connection) as five:
        assert len(looks_over_budget(scope, reader=new_id(), at=LATER)) == 5

    assert len(five) == len(one)
