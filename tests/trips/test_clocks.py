# SPDX-License-Identifier: Apache-2.0
"""Clocks of a trip, what it is by its hops, when care comes again: for every order of telling."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.trips.rules import (
    HopState,
    Plan,
    clocks_after,
    days_between,
    first_clocks,
    is_missed,
    next_day,
    next_hop,
    status_of,
)
from muster.trips.states import ORDER, PAPERS, WAY, Hop, TripStatus, Urgency
from tests.support.world import NOON

PLANS = st.builds(
    Plan,
    made_at=st.just(NOON),
    urgency=st.sampled_from(Urgency.values),
    travel_minutes=st.integers(1, 1440),
    stay_minutes=st.integers(0, 1440),
    be_there_at=st.none() | st.integers(-4000, 100_000).map(lambda m: NOON + timedelta(minutes=m)),
)


@given(PLANS)
def test_clocks_run_in_order_and_start_after_asking(plan: Plan) -> None:
    clocks = first_clocks(plan)

    assert list(clocks) == list(ORDER)
    assert all(due > NOON for due in clocks.values())
    way = [clocks[code] for code in WAY]
    assert all(first <= then for first, then in pairwise(way))
    assert all(clocks[code] <= clocks[Hop.LEFT] for code in PAPERS)


def test_a_life_is_answered_in_minutes() -> None:
    clocks = first_clocks(Plan(NOON, Urgency.LIFE, 30, 60))

    assert clocks[Hop.LEFT] <= NOON + timedelta(minutes=10)


def test_a_planned_trip_arrives_in_time() -> None:
    there = NOON + timedelta(days=2)
    clocks = first_clocks(Plan(NOON, Urgency.NORMAL, 40, 240, there))

    assert clocks[Hop.LEFT] == there - timedelta(minutes=40)
    assert clocks[Hop.ARRIVED] == there
    assert clocks[Hop.WAY_BACK] == there + timedelta(hours=4)


def test_booked_in_the_evening_for_the_morning_nobody_is_late_at_once() -> None:
    clocks = first_clocks(Plan(NOON, Urgency.NORMAL, 40, 240, NOON + timedelta(hours=12)))

    leave = clocks[Hop.LEFT]
    assert clocks[Hop.HOSPITAL] - NOON == (leave - NOON) / 4
    assert clocks[Hop.VEHICLE] == leave - timedelta(hours=6)
    life = first_clocks(Plan(NOON, Urgency.LIFE, 40, 240, NOON + timedelta(hours=12)))
    assert life[Hop.HOSPITAL] == NOON + timedelta(minutes=10)


def hops(plan: Plan, done: dict[str, int], skipped: set[str]) -> list[HopState]:
    due = first_clocks(plan)
    return [
        HopState(
            code,
            due[code],
            NOON + timedelta(minutes=done[code]) if code in done and code not in skipped else None,
            is_skipped=code in skipped,
        )
        for code in ORDER
    ]


@given(
    PLANS,
    st.dictionaries(st.sampled_from(ORDER), st.integers(0, 3000)),
    st.sets(st.sampled_from(ORDER), max_size=4),
)
def test_any_hops_in_any_order_give_a_state_and_a_next_hop(
    plan: Plan, done: dict[str, int], skipped: set[str]
) -> None:
    state = hops(plan, done, skipped)

    clocks = clocks_after(plan, state)
    status, coming = status_of(state), next_hop(state)

    assert set(clocks) == {hop.code for hop in state if hop.is_open}
    assert status != TripStatus.CANCELLED
    if coming is not None:
        assert coming[0] in clocks
    if not any(code in done and code not in skipped for code in WAY):
        assert status == TripStatus.PLANNED
    if Hop.HOME in done and Hop.HOME not in skipped:
        assert status == TripStatus.HOME
    # Papers never decide how far somebody is.
    without = [hop for hop in state if hop.code in WAY]
    assert status_of(without) == status


def test_leaving_at_once_is_leaving_and_the_papers_follow_tomorrow() -> None:
    plan = Plan(NOON, Urgency.URGENT, 30, 60)
    state = hops(plan, {Hop.LEFT: 1}, set())

    clocks = clocks_after(plan, state)

    assert status_of(state) == TripStatus.AWAY
    assert next_hop(state) is not None
    assert next_hop(state)[0] == Hop.ARRIVED  # type: ignore[index]
    assert clocks[Hop.HOSPITAL] >= NOON + timedelta(hours=24)


def test_whoever_left_late_is_expected_late() -> None:
    plan = Plan(NOON, Urgency.NORMAL, 30, 60, NOON + timedelta(hours=3))
    state = hops(plan, {Hop.LEFT: 200}, set())

    assert clocks_after(plan, state)[Hop.ARRIVED] == NOON + timedelta(minutes=200 + 30 + 15)


def test_whoever_stays_there_is_done_when_he_arrives() -> None:
    state = hops(Plan(NOON, Urgency.NORMAL, 30, 60), {Hop.ARRIVED: 60}, {Hop.WAY_BACK, Hop.HOME})

    assert status_of(state) == TripStatus.HOME


DAYS = st.dates(date(2022, 1, 1), date(2023, 12, 31))


@given(DAYS, st.integers(1, 60), st.sets(DAYS, max_size=40))
def test_care_never_comes_later_than_its_rhythm_unless_all_before_is_closed(
    after: date, every: int, closed: set[date]
) -> None:
    day = next_day(after, every_days=every, closed=closed)

    assert day > after
    assert day not in closed
    wanted = after + timedelta(days=every)
    if day > wanted:
        assert all(after + timedelta(days=n) in closed for n in range(1, every + 1))


def test_a_holiday_moves_care_to_the_day_before() -> None:
    closed = {date(2022, 10, 1), date(2022, 10, 2), date(2022, 10, 3)}

    days = days_between(date(2022, 9, 27), date(2022, 10, 8), every_days=2, closed=closed)

    assert days == [
        date(2022, 9, 27), date(2022, 9, 29), date(2022, 9, 30), date(2022, 10, 4), date(2022, 10, 6),
        date(2022, 10, 8),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "from_series", "minutes", "expected"),
    [
        ("PLANNED", True, 61, True), ("PLANNED", True, 59, False), ("THERE", True, 600, False),
        ("CANCELLED", True, 600, False), ("PLANNED", False, 600, False),
    ],
)  # fmt: skip
def test_missed_is_care_that_comes_again_and_did_not_happen(
    status: str, minutes: int, *, from_series: bool, expected: bool
) -> None:
    at = NOON + timedelta(minutes=minutes)

    assert is_missed(status=status, be_there_at=NOON, from_series=from_series, at=at) is expected
