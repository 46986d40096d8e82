# SPDX-License-Identifier: Apache-2.0
"""Pattern: on which days care comes again. Every so many days, or on days of the week; until a day, without
the days on which it is closed or that were skipped. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

from muster.trips.rules import next_day

DAY = timedelta(days=1)
# A pattern of which every day is closed or skipped ends its search here.
FARTHEST = timedelta(days=800)


@dataclass(frozen=True, slots=True)
class Pattern:
    """weekdays: 1 Monday to 7 Sunday; where there are any, every_days says nothing. until: the last day."""

    every_days: int = 7
    weekdays: frozenset[int] = frozenset()
    until: date | None = None
    closed: frozenset[date] = frozenset()
    skipped: frozenset[date] = frozenset()

    def first(self, day: date) -> date:
        """The first day of care on or after a day; beyond `until` where nothing comes any more."""
        if not self.weekdays:
            while day in self.closed:
                day += DAY
            return self.after(day) if day in self.skipped else day
        return self.after(day - DAY)

    def after(self, day: date) -> date:
        """When care comes again after a day on which it was."""
        end = day + FARTHEST
        found = day
        while found < end:
            found = self._next(found)
            if found not in self.skipped:
                return found
        return end

    def days(self, first: date) -> Iterator[date]:
        """The days of care from the first one on; without an end where there is no `until`."""
        day = first
        while self.until is None or day <= self.until:
            yield day
            day = self.after(day)

    def _next(self, day: date) -> date:
        if not self.weekdays:
            return next_day(day, every_days=self.every_days, closed=self.closed)
        # Two days of the week around a closed day can move to the same day: it is care once.
        slot = day - timedelta(days=7)
        for _ in range(FARTHEST.days):
            slot = self._slot_after(slot)
            moved = self._open_day_for(slot)
            if moved is not None and moved > day:
                return moved
        return day + FARTHEST

    def _slot_after(self, day: date) -> date:
        steps = (day + timedelta(days=n) for n in range(1, 8))
        return next(one for one in steps if one.isoweekday() in self.weekdays)

    def _slot_before(self, day: date) -> date:
        steps = (day - timedelta(days=n) for n in range(1, 8))
        return next(one for one in steps if one.isoweekday() in self.weekdays)

    def _open_day_for(self, slot: date) -> date | None:
        """The day itself, else the nearest open day before, else after, within its neighbours; else none."""
        if slot not in self.closed:
            return slot
        before, after = self._slot_before(slot), self._slot_after(slot)
        day = slot - DAY
        while day > before:
            if day not in self.closed:
                return day
            day -= DAY
        day = slot + DAY
        while day < after:
            if day not in self.closed:
                return day
            day += DAY
        return None


def next_days(pattern: Pattern, first: date, *, count: int) -> list[date]:
    """The next days of care, so many at most."""
    return list(islice(pattern.days(first), count))
