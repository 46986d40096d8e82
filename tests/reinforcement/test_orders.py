# SPDX-License-Identifier: Apache-2.0
"""An order from need to home: asked, approved by another, filled in parts, arrived, engaged, returned."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import close_old_connections, connection
from hypothesis import given
from hypothesis import strategies as st

from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.places.models import Area
from muster.responders.reinforcement import sending, services
from muster.responders.reinforcement.models import Deployment, OrderItem, ReinforcementOrder
from muster.responders.reinforcement.rules import (
    Counts,
    Load,
    Wanted,
    deployment_status,
    levels_up,
    need_of,
    order_status,
)
from muster.responders.reinforcement.sending import Sent
from muster.responders.reinforcement.states import ORDER_ENDED, DeploymentStatus, OrderStatus
from muster.trail.models import Event
from tests.support.world import NOON, World, make_world

DAY = timedelta(days=1)
ASKER, APPROVER, GIVER, DESK = (uuid.UUID(int=n) for n in (1, 2, 3, 4))


@pytest.fixture
def world() -> World:
    return make_world(frozen=False)


def asked(world: World, *items: Wanted, area: Area | None = None) -> ReinforcementOrder:
    return services.ask_for_people(
        area or world.streets[0], incident=world.incident.id, items=items or (Wanted("", 4, 6),),
        starts_at=NOON, ends_at=NOON + DAY, reason="人手不够", load={}, skills={"medicine", "driving"},
        by=ASKER, at=NOON,
    )  # fmt: skip


def approved(world: World, *items: Wanted) -> ReinforcementOrder:
    return services.approve(asked(world, *items).id, routes=[world.streets[1]], by=APPROVER, at=NOON)


def send(
    world: World, order: ReinforcementOrder, count: int, *, skill: str = "", unit: str = "市水务局"
) -> Deployment:
    item = OrderItem.objects.get(order=order, skill=skill)
    return sending.fill(
        item.id, Sent(unit, count), giver=world.streets[1], paths=[world.streets[1].path], by=GIVER, at=NOON
    )


def status(order: ReinforcementOrder) -> str:
    return ReinforcementOrder.objects.get(id=order.id).status


@pytest.mark.django_db
def test_one_way_to_the_end(world: World) -> None:
    order = asked(world)
    assert status(order) == OrderStatus.REQUESTED
    services.approve(order.id, routes=[world.streets[1]], by=APPROVER, at=NOON)

    one = send(world, order, 3)
    assert status(order) == OrderStatus.FILLING
    two = send(world, order, 3, unit="市园林局")
    sending.count_people(one.id, arrived=3, by=DESK, at=NOON)
    assert status(order) == OrderStatus.FILLING, "three of at least four"
    sending.count_people(two.id, arrived=2, by=DESK, at=NOON)
    assert status(order) == OrderStatus.ARRIVED
    sending.count_people(one.id, engaged=3, by=DESK, at=NOON)
    sending.count_people(two.id, engaged=2, by=DESK, at=NOON)
    assert status(order) == OrderStatus.ENGAGED
    sending.count_people(one.id, returned=3, by=DESK, at=NOON)
    assert status(order) == OrderStatus.ENGAGED
    done = sending.count_people(two.id, returned=2, by=DESK, at=NOON)

    assert (done.status, status(order)) == (DeploymentStatus.RETURNED, OrderStatus.RETURNED)
    steps = Event.objects.filter(entity="ReinforcementOrder", entity_id=str(order.id)).exclude(to_state="")
    assert [one.to_state for one in steps.order_by("at", "id")] == [
        "REQUESTED", "APPROVED", "FILLING", "ARRIVED", "ENGAGED", "RETURNED",
    ]  # fmt: skip


@pytest.mark.django_db
def test_who_asks_does_not_approve_and_nobody_sends_before(world: World) -> None:
    order = asked(world)

    with pytest.raises(Refusal, match="order_own"):
        services.approve(order.id, routes=[world.streets[1]], by=ASKER, at=NOON)
    with pytest.raises(Refusal, match="order_without_routes"):
        services.approve(order.id, routes=[], by=APPROVER, at=NOON)
    with pytest.raises(Refusal, match="order_not_open"):
        send(world, order, 1)
    services.approve(order.id, routes=[world.streets[1]], by=APPROVER, at=NOON)
    with pytest.raises(Refusal, match="order_step"):
        services.approve(order.id, routes=[world.streets[1]], by=APPROVER, at=NOON)


@pytest.mark.django_db
def test_only_who_was_asked_sends_and_never_for_another(world: World) -> None:
    order = approved(world)
    item = OrderItem.objects.get(order=order)
    here, there = world.streets

    for giver, paths in ((here, [here.path]), (there, [here.path])):
        with pytest.raises(Refusal, match="order_not_routed"):
            sending.fill(item.id, Sent("局", 1), giver=giver, paths=paths, by=GIVER, at=NOON)
    sending.fill(item.id, Sent("局", 1), giver=world.communities[1], paths=[there.path], by=GIVER, at=NOON)


@pytest.mark.django_db
def test_more_than_asked_for_is_refused_with_what_is_left(world: World) -> None:
    order = approved(world, Wanted("", 4, 6))
    send(world, order, 4)

    with pytest.raises(Refusal) as refusal:
        send(world, order, 3)
    send(world, order, 2)

    assert (refusal.value.code, refusal.value.facts["left"]) == ("order_overfilled", 2)
    assert OrderItem.objects.get(order=order).promised == 6


@pytest.mark.django_db
def test_taken_back_is_free_for_others(world: World) -> None:
    order = approved(world)
    gone = send(world, order, 6)

    sending.take_back(gone.id, by=GIVER, at=NOON)

    assert (OrderItem.objects.get(order=order).promised, status(order)) == (0, OrderStatus.APPROVED)
    with pytest.raises(Refusal, match="deployment_ended"):
        sending.take_back(gone.id, by=GIVER, at=NOON)
    with pytest.raises(Refusal, match="deployment_ended"):
        sending.count_people(gone.id, arrived=1, by=DESK, at=NOON)
    here = send(world, order, 6)
    sending.count_people(here.id, arrived=1, by=DESK, at=NOON)
    with pytest.raises(Refusal, match="order_people_here"):
        sending.take_back(here.id, by=GIVER, at=NOON)


@pytest.mark.django_db
def test_enough_ends_the_wait_for_the_rest(world: World) -> None:
    order = approved(world, Wanted("", 4, 6), Wanted("medicine", 2, 2))
    one = send(world, order, 3)
    sending.count_people(one.id, arrived=3, engaged=3, by=DESK, at=NOON)
    assert status(order) == OrderStatus.FILLING

    services.say_enough(order.id, by=ASKER, at=NOON)

    assert status(order) == OrderStatus.ENGAGED
    with pytest.raises(Refusal, match="order_not_open"):
        send(world, order, 1)


@pytest.mark.django_db
def test_cancelling_takes_a_reason_and_never_loses_people_who_are_here(world: World) -> None:
    order = approved(world)
    sent = send(world, order, 2)

    with pytest.raises(Refusal, match="order_end_without_reason"):
        services.end(order.id, to=OrderStatus.CANCELLED, text=" ", by=ASKER, at=NOON)
    sending.count_people(sent.id, arrived=2, by=DESK, at=NOON)
    with pytest.raises(Refusal, match="order_people_here"):
        services.end(order.id, to=OrderStatus.CANCELLED, text="雨停了", by=ASKER, at=NOON)
    sending.count_people(sent.id, arrived=0, by=DESK, at=NOON)
    services.end(order.id, to=OrderStatus.CANCELLED, text="雨停了", by=ASKER, at=NOON)

    assert Deployment.objects.across(reason="own").get(id=sent.id).status == DeploymentStatus.CANCELLED
    with pytest.raises(Refusal, match="order_step"):
        services.end(order.id, to=OrderStatus.CANCELLED, text="再来", by=ASKER, at=NOON)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("items", "code"),
    [
        ((), "order_without_items"),
        ((Wanted("", 0, 3),), "order_item_bad"),
        ((Wanted("", 5, 3),), "order_item_bad"),
        ((Wanted("", 1, 10_001),), "order_item_bad"),
        ((Wanted("juggling", 1, 1),), "order_skill_unknown"),
        ((Wanted("driving", 1, 1), Wanted("driving", 2, 2)), "order_skill_twice"),
        (tuple(Wanted("", 1, 1) for _ in range(21)), "order_without_items"),
    ],
)
def test_unfitting_orders_are_refused_whole(world: World, items: tuple[Wanted, ...], code: str) -> None:
    with pytest.raises(Refusal, match=code):
        services.ask_for_people(
            world.streets[0], incident=world.incident.id, items=items, starts_at=NOON, ends_at=NOON + DAY,
            reason="", load={}, skills={"driving"}, by=ASKER, at=NOON,
        )  # fmt: skip
    assert ReinforcementOrder.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        (NOON + DAY, NOON), (NOON - 2 * DAY, NOON - DAY), (NOON, NOON + 61 * DAY),
        (NOON.replace(tzinfo=None), NOON.replace(tzinfo=None) + DAY),
    ],
    ids=["backwards", "over", "for ever", "no zone"],
)  # fmt: skip
def test_unfitting_times_are_refused(world: World, starts: object, ends: object) -> None:
    with pytest.raises(Refusal, match="stay_bad"):
        services.ask_for_people(
            world.streets[0], incident=world.incident.id, items=[Wanted("", 1, 1)], starts_at=starts,  # type: ignore[arg-type]
            ends_at=ends, reason="", load={}, skills=(), by=ASKER, at=NOON,  # type: ignore[arg-type]
        )  # fmt: skip


@pytest.mark.django_db
def test_counts_that_contradict_each_other_change_nothing(world: World) -> None:
    sent = send(world, approved(world), 3)

    for counts, code in (
        ({"arrived": -1}, "count_bad"),
        ({"arrived": 10_001}, "count_bad"),
        ({"engaged": 1}, "count_too_many"),
        ({"arrived": 2, "returned": 3}, "count_too_many"),
    ):
        with pytest.raises(Refusal, match=code):
            sending.count_people(sent.id, by=DESK, at=NOON, **counts)
    row = sending.count_people(sent.id, arrived=5, by=DESK, at=NOON)
    assert (row.arrived, row.promised) == (5, 3), "more than promised came, and is written down"


def race(world: World, *, naive: bool) -> list[str]:
    """Eight units promise two each for six places at the same moment, each on its own connection."""
    order = approved(world, Wanted("", 4, 6))
    item = OrderItem.objects.get(order=order)
    barrier = threading.Barrier(8)
    answers: list[str] = []

    def go() -> None:
        try:
            left = item.most - OrderItem.objects.get(id=item.id).promised
            barrier.wait(30)
            try:
                if naive:
                    if left < 2:
                        raise Refusal("order_overfilled", left=left, count=2)
                    answers.append("won")
                    return
                send(world, order, 2)
                answers.append("won")
            except Refusal as refusal:
                answers.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    close_old_connections()
    return answers


@pytest.mark.django_db(transaction=True)
def test_units_that_fill_at_once_never_overfill() -> None:
    answers = race(make_world(frozen=False), naive=False)

    assert sorted(answers) == ["order_overfilled"] * 5 + ["won"] * 3
    assert OrderItem.objects.get().promised == 6
    assert sum(d.promised for d in Deployment.objects.across(reason="own")) == 6


@pytest.mark.django_db(transaction=True)
def test_looking_before_writing_would_overfill() -> None:
    """Negative control: who reads what is left and then promises goes past it."""
    assert race(make_world(frozen=False), naive=True) == ["won"] * 8


SKILLS = st.sampled_from(["medicine", "driving"])
loads = st.builds(
    Load, grids=st.integers(0, 50), people=st.integers(0, 10_000), doors_left=st.integers(0, 5_000),
    open_requests=st.integers(0, 500), serving=st.integers(0, 200), tired=st.integers(0, 200),
    coming=st.integers(0, 50), skills=st.dictionaries(SKILLS, st.integers(0, 60)),
    skilled=st.dictionaries(SKILLS, st.integers(0, 9)),
)  # fmt: skip


@given(loads)
def test_need_adds_up_and_says_why(load: Load) -> None:
    need = need_of(load)

    assert need.short == max(0, need.wanted - need.fit - load.coming)
    assert sum(one.least for one in need.items) >= need.short
    assert all(1 <= one.least <= one.most for one in need.items)
    codes = {one["code"] for one in need.reasons}
    assert ("need_short" in codes) == bool(need.short)
    assert ("need_enough" in codes) != ("need_short" in codes)
    assert not (need.short and need.spare)


@given(loads)
def test_more_work_never_needs_fewer(load: Load) -> None:
    from dataclasses import replace

    assert need_of(replace(load, doors_left=load.doors_left + 500)).short >= need_of(load).short
    assert need_of(replace(load, tired=load.tired + 1)).short >= need_of(load).short


def test_nothing_to_do_and_nobody_there_needs_nobody() -> None:
    assert (need_of(Load()).short, need_of(Load()).items) == (0, ())


def fills() -> st.SearchStrategy[Counts]:
    @st.composite
    def one(draw: st.DrawFn) -> Counts:
        arrived = draw(st.integers(0, 9))
        return Counts(
            draw(st.integers(1, 9)), arrived, draw(st.integers(0, arrived)), draw(st.integers(0, arrived)),
            draw(st.booleans()),
        )  # fmt: skip

    return one()


@given(
    st.lists(st.tuples(st.integers(1, 9), st.lists(fills(), max_size=4)), min_size=1, max_size=4),
    st.booleans(),
)
def test_state_of_an_order_follows_from_its_people(
    items: list[tuple[int, list[Counts]]], enough: bool
) -> None:
    live = [c for _, fills in items for c in fills if not c.cancelled]

    state = order_status(items, enough=enough)

    assert (state == OrderStatus.APPROVED) == (not live)
    assert (state == OrderStatus.RETURNED) == (
        bool(live) and all(deployment_status(c) == DeploymentStatus.RETURNED for c in live)
    )
    if not enough and state == OrderStatus.ENGAGED:
        assert all(sum(c.engaged for c in fills if not c.cancelled) >= least for least, fills in items)
    for ended in ORDER_ENDED - {OrderStatus.RETURNED}:
        assert order_status(items, enough=enough, status=ended) == ended


def test_late_orders_rise_a_level_each_time_the_clock_runs_out() -> None:
    due = NOON
    levels = [
        levels_up(due, status="REQUESTED", at=NOON + timedelta(minutes=m)) for m in (-1, 0, 1, 31, 61, 999)
    ]

    assert levels == [0, 0, 1, 2, 3, 3]
    assert levels_up(due, status="CANCELLED", at=NOON + DAY) == 0
    assert levels_up(None, status="ENGAGED", at=NOON + DAY) == 0


@pytest.mark.django_db
def test_unknown_ones_are_told_apart_from_ended_ones() -> None:
    with pytest.raises(Refusal, match="order_unknown"):
        services.say_enough(new_id(), by=DESK, at=NOON)
    with pytest.raises(Refusal, match="deployment_unknown"):
        sending.take_back(new_id(), by=DESK, at=NOON)
