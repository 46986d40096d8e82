# SPDX-License-Identifier: Apache-2.0
"""Status of people who serve: one machine, every change written down, counts that follow."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.responders.models import Responder, Standing
from muster.responders.services import responder_for_worker
from muster.responders.standing import change_status, change_statuses
from muster.responders.states import TRANSITIONS, ResponderStatus
from muster.trail.models import Event
from tests.support.serving import somebody_who_serves
from tests.support.world import NOON, World, make_world

HOUR = timedelta(hours=1)


@pytest.fixture
def world(db: None) -> Iterator[World]:
    return make_world(frozen=False, doors=1, people=1)


def read(row: Responder) -> Responder:
    found: Responder = Responder.objects.across(reason="own").get(id=row.id)
    return found


def standings_of(row: Responder) -> list[tuple[str, int, int | None]]:
    rows = Standing.objects.across(reason="own").filter(responder=row.id).order_by("since")
    return [
        (s.status, int((s.since - NOON) / HOUR), None if s.until is None else int((s.until - NOON) / HOUR))
        for s in rows
    ]


def test_changes_end_one_standing_and_begin_the_next(world: World) -> None:
    row = somebody_who_serves(world, status="STANDBY")

    change_status(row, "ON_DUTY", by=None, at=NOON)
    change_status(row, "RESTING", by=None, at=NOON + 3 * HOUR)
    change_status(row, "ON_DUTY", by=None, at=NOON + 5 * HOUR)

    assert standings_of(row) == [("ON_DUTY", 0, 3), ("RESTING", 3, 5), ("ON_DUTY", 5, None)]
    assert (read(row).minutes_served, read(row).on_duty_since) == (180, NOON + 5 * HOUR)
    told = Event.objects.filter(entity="Responder", entity_id=str(row.id)).order_by("at")
    assert [(e.from_state, e.to_state) for e in told] == [
        ("STANDBY", "ON_DUTY"), ("ON_DUTY", "RESTING"), ("RESTING", "ON_DUTY"),
    ]  # fmt: skip


@pytest.mark.parametrize("status", ResponderStatus.values)
def test_only_the_table_of_steps_is_allowed(world: World, status: str) -> None:
    for to in set(ResponderStatus.values) - set(TRANSITIONS[status]):
        row = somebody_who_serves(world, status=status)
        with pytest.raises(Refusal) as refused:
            change_status(row, to, by=None, at=NOON)
        assert refused.value.code == "responder_step"
        assert (read(row).status, standings_of(row)) == (status, [])


def test_of_two_who_change_the_same_one_the_second_is_told(world: World) -> None:
    row = somebody_who_serves(world, status="STANDBY")
    first, second = read(row), read(row)

    change_status(first, "ON_DUTY", by=None, at=NOON)
    with pytest.raises(Refusal) as refused:
        change_status(second, "RESTING", by=None, at=NOON)

    assert refused.value.code == "responder_changed_meanwhile"
    assert read(row).status == "ON_DUTY"
    assert Standing.objects.across(reason="own").filter(responder=row.id, until__isnull=True).count() == 1


def test_of_many_one_that_may_not_stops_all(world: World) -> None:
    rows = [somebody_who_serves(world, status="VETTED"), somebody_who_serves(world, status="RELEASED")]

    with pytest.raises(Refusal):
        change_statuses(rows, "ASSIGNED", by=None, at=NOON)

    assert [read(row).status for row in rows] == ["VETTED", "RELEASED"]


def test_many_are_written_in_few_statements(world: World) -> None:
    rows = [somebody_who_serves(world, status="VETTED") for _ in range(60)]
    for row in rows:
        row.grid = world.grids[3].id

    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        change_statuses(rows, "ASSIGNED", by=None, at=NOON, columns=("grid",))

    # executemany counts as one each; savepoints of the test's own transaction stand around them
    assert len(asked) < 12
    assert {read(row).grid for row in rows} == {world.grids[3].id}
    assert Standing.objects.across(reason="own").filter(grid=world.grids[3].id).count() == 60


def test_a_late_clock_never_ends_before_it_began(world: World) -> None:
    row = somebody_who_serves(world, status="STANDBY")
    change_status(row, "ON_DUTY", by=None, at=NOON)

    change_status(row, "RESTING", by=None, at=NOON - HOUR)

    assert read(row).minutes_served == 0
    assert ("ON_DUTY", 0, 0) in standings_of(row)


steps = st.lists(st.tuples(st.sampled_from(ResponderStatus.values), st.integers(0, 600)), max_size=12)


@pytest.mark.django_db
@settings(max_examples=25, deadline=None)
@given(steps)
def test_minutes_equal_the_standings_on_duty(told: list[tuple[str, int]]) -> None:
    """The counter on the row and a recount from the history agree, whatever was tried."""
    from django.db import transaction

    with transaction.atomic():
        row = Responder(
            incident=uuid.UUID(int=1), purpose="daily", sub_district=1, name="甲",
            status="STANDBY", status_since=NOON, checked_in_at=NOON, vetted_at=NOON,
        )  # fmt: skip
        row.save(force_insert=True)
        at = NOON
        for to, minutes in told:
            at += timedelta(minutes=minutes)
            try:
                change_status(row, to, by=None, at=at)
            except Refusal:
                continue
        spent = sum(
            int((s.until - s.since).total_seconds() // 60)
            for s in Standing.objects.across(reason="own").filter(
                responder=row.id, status="ON_DUTY", until__isnull=False
            )
        )
        assert read(row).minutes_served == spent
        transaction.set_rollback(True)


def test_who_is_enrolled_with_a_phone_is_counted_from_then_on(world: World) -> None:
    row = responder_for_worker(
        incident=world.incident.id, user=new_id(), name="甲", sub_district=world.streets[0].id,
        grid=world.grids[0].id, at=NOON,
    )  # fmt: skip

    assert standings_of(row) == [("ON_DUTY", 0, None)]
    change_status(row, "RESTING", by=None, at=NOON + HOUR)
    assert read(row).minutes_served == 60
