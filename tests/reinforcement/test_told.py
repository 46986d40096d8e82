# SPDX-License-Identifier: Apache-2.0
"""Areas that are asked for people and people who are sent hear of it: once, a moment and no place."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from muster.accounts.services import add_user, grant_role
from muster.incidents.packs import pack_of
from muster.notifications.models import Message
from muster.places.models import Area
from muster.responders.reinforcement import names, sending, services
from muster.responders.reinforcement.models import OrderItem, ReinforcementOrder
from muster.responders.reinforcement.rules import FILL_WITHIN, Wanted
from muster.responders.reinforcement.sending import Sent
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
ASKER, APPROVER, GIVER = (uuid.UUID(int=n) for n in (1, 2, 3))


@pytest.fixture
def world() -> World:
    return make_world(frozen=False, doors=1, people=1)


def holder(area: Area, role: str = "street") -> uuid.UUID:
    user = add_user(username=f"{role}-{area.id}", name="街道")
    grant_role(user, role=role, at=NOON, area=area.id, area_path=area.path)
    return user.id


def order_of(world: World) -> ReinforcementOrder:
    order = services.ask_for_people(
        world.streets[0], incident=world.incident.id, items=(Wanted("", 4, 6), Wanted("driving", 2, 2)),
        starts_at=NOON + DAY, ends_at=NOON + 2 * DAY, reason="人手不够", load={}, skills={"driving"},
        by=ASKER, at=NOON,
    )  # fmt: skip
    return services.approve(order.id, routes=[world.streets[1]], by=APPROVER, at=NOON)


def told(template: str) -> list[Message]:
    return list(Message.objects.across(reason="messages").filter(template=template).order_by("id"))


def sent(world: World, leader_phone: str = "13800000001") -> uuid.UUID:
    return sending.send_people(
        Sent("市水务局", 3, leader="演队长", leader_phone=leader_phone), incident=world.incident.id,
        to=world.streets[0], giver=world.streets[1], starts_at=NOON + DAY, ends_at=NOON + 2 * DAY, by=GIVER,
        at=NOON,
    ).id  # fmt: skip


def put(deployment: uuid.UUID, world: World, *lines: list[str]) -> None:
    names.add_names(deployment, lines, pack=pack_of(world.incident), by=GIVER, at=NOON)


def test_area_that_is_asked_hears_how_many_and_until_when_and_others_nothing(world: World) -> None:
    asked = holder(world.streets[1])
    holder(world.streets[0])

    order = order_of(world)
    services.route(order.id, routes=[world.streets[1]], by=APPROVER, at=NOON)

    (one,) = told("people_asked")
    assert (one.account, one.way) == (asked, "APP")
    assert one.facts == {"count": 6, "time": (NOON + FILL_WITHIN).isoformat()}


def test_area_asked_later_hears_what_is_still_wanted(world: World) -> None:
    order = order_of(world)
    item = OrderItem.objects.get(order=order, skill="")
    sending.fill(item.id, Sent("市水务局", 4), giver=world.streets[1], paths=["/"], by=GIVER, at=NOON)
    later = holder(world.city, "district")

    services.route(order.id, routes=[world.city], by=APPROVER, at=NOON)

    assert [(m.account, m.facts["count"]) for m in told("people_asked")] == [(later, 2)]


def test_order_that_is_cancelled_is_told_to_areas_that_have_not_said_no(world: World) -> None:
    asked = holder(world.streets[1])
    order = order_of(world)
    services.end(order.id, to="CANCELLED", text="不用了", by=ASKER, at=NOON)

    assert [(m.account, m.facts) for m in told("people_not_needed")] == [(asked, {"number": order.number})]


def test_leader_and_list_hear_when_and_each_number_once(world: World) -> None:
    deployment = sent(world)

    put(deployment, world, ["演甲", "13800000001"], ["演乙", "13800000002"], ["演丙", ""])
    put(deployment, world, ["演乙", "13800000002"])

    rows = told("deployed")
    assert sorted(row.phone for row in rows) == ["13800000001", "13800000002"]
    assert {row.way for row in rows} == {"SMS"}
    assert rows[0].facts == {"time": (NOON + DAY).isoformat()}


def test_leader_without_a_number_is_sent_all_the_same(world: World) -> None:
    for said in ("", "内线", "内线 12", "—"):
        sent(world, leader_phone=said)

    assert told("deployed") == []


def test_called_off_all_who_were_told_hear_it(world: World) -> None:
    deployment = sent(world)
    put(deployment, world, ["演乙", "13800000002"])

    sending.take_back(deployment, by=GIVER, at=NOON)

    assert sorted(row.phone for row in told("deployed_off")) == ["13800000001", "13800000002"]


def test_cancelled_order_calls_off_who_was_promised_for_it(world: World) -> None:
    order = order_of(world)
    item = OrderItem.objects.get(order=order, skill="driving")
    sending.fill(
        item.id, Sent("市水务局", 1, leader="演队长", leader_phone="13800000003"), giver=world.streets[1],
        paths=["/"], by=GIVER, at=NOON,
    )  # fmt: skip

    services.end(order.id, to="CANCELLED", text="不用了", by=ASKER, at=NOON)

    assert [row.phone for row in told("deployed_off")] == ["13800000003"]


def test_who_stands_on_the_list_after_they_arrived_is_not_told_to_come(world: World) -> None:
    deployment = sent(world, leader_phone="")
    sending.count_people(deployment, arrived=2, by=GIVER, at=NOON)

    put(deployment, world, ["演乙", "13800000002"])

    assert told("deployed") == []
