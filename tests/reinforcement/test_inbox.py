# SPDX-License-Identifier: Apache-2.0
"""Orders, promises, hours and offers stand in the inbox of who can act, and rise a level when nobody does."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from muster.offers import services as offers
from muster.offers.services import Given
from muster.responders.reinforcement import sending, services
from muster.responders.reinforcement.models import OrderItem, ReinforcementOrder
from muster.responders.reinforcement.rules import Wanted
from muster.responders.reinforcement.sending import Sent
from muster.situation.serving_inbox import (
    offers_to_look_at,
    orders_to_approve,
    people_asked_for,
    people_over_hours,
)
from muster.storage.scoping import Scope
from tests.support.serving import pack, somebody_who_serves
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
ASKER, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world() -> World:
    return make_world(frozen=False)


def asked(world: World) -> ReinforcementOrder:
    return services.ask_for_people(
        world.communities[0], incident=world.incident.id, items=[Wanted("", 4, 6)], starts_at=NOON,
        ends_at=NOON + timedelta(days=1), reason="", load={}, skills=(), by=ASKER, at=NOON,
    )  # fmt: skip


def waiting(world: World, path: str, minutes: int = 0, user: uuid.UUID = OTHER) -> list[dict[str, Any]]:
    at = NOON + minutes * MINUTE
    return orders_to_approve([path], user=user, incident=world.incident.id, at=at)


def test_an_order_waits_for_the_next_level_and_rises_when_late(world: World) -> None:
    asked(world)
    street, district, city = world.streets[0], world.streets[0].parent, world.city
    assert district is not None

    def who_sees(minutes: int) -> list[str]:
        return [area.level for area in (street, district, city) if waiting(world, area.path, minutes)]

    assert who_sees(0) == ["street"]
    assert who_sees(31) == ["street", "district"]
    assert who_sees(61) == ["street", "district", "city"]
    assert waiting(world, street.path, user=ASKER) == [], "nobody approves his own"
    assert waiting(world, world.streets[1].path, 999) == []


def test_who_is_asked_for_people_sees_how_many_are_short(world: World) -> None:
    order = services.approve(asked(world).id, routes=[world.streets[1]], by=OTHER, at=NOON)

    def line(path: str) -> list[int]:
        found = people_asked_for([path], incident=world.incident.id, at=NOON)
        return [one["count"] for one in found]

    assert line(world.streets[1].path) == [4]
    assert line(world.streets[0].path) == []
    assert people_asked_for([], incident=world.incident.id, at=NOON) == []
    item = OrderItem.objects.get(order=order)
    sending.fill(
        item.id, Sent("市水务局", 3), giver=world.streets[1], paths=[world.streets[1].path], by=OTHER, at=NOON
    )
    assert line(world.streets[1].path) == [1]
    services.decline_route(order.id, paths=[world.streets[1].path], by=OTHER, at=NOON)
    assert line(world.streets[1].path) == []


def test_hours_and_offers_wait_where_they_lie(world: World) -> None:
    somebody_who_serves(world, on_duty_since=NOON - timedelta(hours=9))
    somebody_who_serves(world, on_duty_since=NOON - timedelta(hours=1))
    offers.make_offer(
        Given("food", phone="13911110000"), incident=world.incident.id, pack=pack(world),
        sub_district=world.streets[0].id, by=None, at=NOON,
    )  # fmt: skip

    def counts(street: int) -> list[int]:
        scope = Scope(sub_districts=frozenset({world.streets[street].id}))
        found = [
            *people_over_hours(scope, incident=world.incident.id, at=NOON),
            *offers_to_look_at(scope, incident=world.incident.id, at=NOON),
        ]
        return [one["count"] for one in found]

    assert counts(0) == [1, 1]
    assert counts(1) == []
