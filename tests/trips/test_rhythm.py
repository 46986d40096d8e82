# SPDX-License-Identifier: Apache-2.0
"""On which days care comes again: by days of the week, around closed and skipped days, until a day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.trips.rhythm import Pattern, next_days

MO_WE_FR = frozenset({1, 3, 5})
SATURDAY = date(2022, 9, 3)


def d(*days: int) -> list[date]:
    return [date(2022, 9, day) for day in days]


def days(pattern: Pattern, count: int = 20, first: date = SATURDAY) -> list[date]:
    return next_days(pattern, pattern.first(first), count=count)


def test_days_of_the_week_until_a_day() -> None:
    assert days(Pattern(weekdays=MO_WE_FR, until=date(2022, 9, 14))) == d(5, 7, 9, 12, 14)


def test_a_skipped_day_is_left_out_and_the_others_stay() -> None:
    skipped = frozenset(d(7))

    assert days(Pattern(weekdays=MO_WE_FR, until=date(2022, 9, 12), skipped=skipped)) == d(5, 9, 12)
    assert days(Pattern(every_days=2, until=date(2022, 9, 9), skipped=skipped), first=d(5)[0]) == d(5, 9)


@pytest.mark.parametrize(
    ("closed", "expected"),
    [
        (d(7), d(5, 6, 9, 12)),  # the day before
        (d(6, 7), d(5, 8, 9, 12)),  # else the day after
        (d(6, 7, 8), d(5, 9, 12)),  # else with the next
        (d(5), d(4, 7, 9, 12)),
    ],
)
def test_a_closed_day_moves_within_its_neighbours(closed: list[date], expected: list[date]) -> None:
    pattern = Pattern(weekdays=MO_WE_FR, until=date(2022, 9, 12), closed=frozenset(closed))

    assert days(pattern) == expected


def test_where_every_day_is_closed_it_ends() -> None:
    closed = frozenset(SATURDAY + timedelta(days=n) for n in range(900))

    assert days(Pattern(weekdays=MO_WE_FR, until=date(2023, 9, 1), closed=closed)) == []


@given(
    st.sets(st.integers(1, 7), min_size=1),
    st.sets(st.integers(0, 40), max_size=12),
    st.sets(st.integers(0, 40), max_size=12),
)
def test_days_rise_and_are_open_and_wanted(weekdays: set[int], closed: set[int], skipped: set[int]) -> None:
    shut, left_out = ({SATURDAY + timedelta(days=n) for n in some} for some in (closed, skipped))
    pattern = Pattern(weekdays=frozenset(weekdays), closed=frozenset(shut), skipped=frozenset(left_out))

    found = days(pattern, count=30)

    assert found == sorted(set(found))
    assert not set(found) & (shut | left_out)
    # An open day of the week that nobody left out is never lost.
    wanted = {SATURDAY + timedelta(days=n) for n in range(30)}
    wanted = {day for day in wanted - shut - left_out if day.isoweekday() in weekdays}
    assert {day for day in wanted if day <= found[-1]} <= set(found)
