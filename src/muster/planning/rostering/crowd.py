# SPDX-License-Identifier: Apache-2.0
"""Rotas of hundreds or thousands of people: each in turn gets the best month beside everybody else's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from muster.planning._kernel.arrays import Ints
from muster.planning._kernel.budget import Budget
from muster.planning.contract import OutOfTime
from muster.planning.rostering import _months
from muster.planning.rostering.columns import lagrange
from muster.planning.rostering.months import GRAIN
from muster.planning.rostering.planner import Month, Planner

# So long after the budget first months are still made, and so much longer for each person.
_GRACE_S, _MONTH_S = 1.5, 2e-4


def first_months(
    planner: Planner, people: Sequence[int], base: Ints, enough: Callable[[], bool], seconds: float
) -> dict[int, Month]:
    """Give a month to one person after another, those with the fewest duties first.

    Who gets none has no lawful month at all. Raises OutOfTime when it is enough long before everybody has
    one: without a month for each there is no rota.
    """
    problem = planner.problem
    choices = np.diff(problem.people.first)
    staffed = base.copy()
    margin = planner.margin_of(staffed)
    months = {}
    late: Budget | None = None
    for done, person in enumerate(sorted(people, key=lambda one: (int(choices[one]), one))):
        if late is None and enough():
            late = Budget(_GRACE_S + _MONTH_S * len(people))
        if late is not None and late.spent():
            raise OutOfTime(
                "planning.rostering.out_of_time",
                seconds=seconds,
                done=done,
                people=len(people),
                days=problem.days,
            )
        month = planner.best(person, margin)
        if month is not None:
            months[person] = month
            _put(planner, month.row, 1, staffed, margin)
    return months


def sweep(
    planner: Planner,
    months: dict[int, Month],
    base: Ints,
    *,
    rng: np.random.Generator,
    sweeps: int,
    enough: Callable[[], bool],
) -> dict[int, Month]:
    """Re-plan everybody in turn until nobody's month can be bettered; then shake pairs and go on."""
    months = dict(months)
    people = sorted(months)
    staffed = base.copy()
    for month in months.values():
        days = np.flatnonzero(month.row >= 0)
        staffed[days, month.row[days]] += 1
    margin = planner.margin_of(staffed)
    for _ in range(sweeps):
        gained = 0
        for at in rng.permutation(len(people)):
            if enough():
                return months
            person = people[at]
            old = months[person]
            _put(planner, old.row, -1, staffed, margin)
            before = old.own + int(_months.month_margin(old.row, margin))
            new = planner.best(person, margin)
            if new is not None and new.cost < before:
                gained += before - new.cost
                months[person] = new
            _put(planner, months[person].row, 1, staffed, margin)
        if not gained:
            break
    return months


def _put(planner: Planner, row: Ints, people: int, staffed: Ints, margin: np.ndarray) -> None:
    table = planner.problem.duties
    _months.put_month(row, people, staffed, table.need, table.under, table.over, GRAIN, margin)


def crowd_bound(
    planner: Planner,
    people: Sequence[int],
    base: Ints,
    *,
    target: int,
    passes: int,
    enough: Callable[[], bool],
) -> int:
    """Return a bound in grains by steps along the subgradient; `target` is a cost that can be reached."""
    table = planner.problem.duties
    margin = np.zeros((planner.problem.days, table.size), np.int64)
    wanted = table.need.astype(np.int64) - base
    best, pace = -(1 << 60), 1.0
    lowest, highest = -table.under * GRAIN, table.over * GRAIN
    for _ in range(passes):
        staffed = np.zeros_like(wanted)
        total = 0
        for person in people:
            if enough():
                return best
            month = planner.best(person, margin)
            if month is None:
                continue
            total += month.cost
            days = np.flatnonzero(month.row >= 0)
            staffed[days, month.row[days]] += 1
        value = lagrange(planner.problem, margin, base, total)
        pace = pace if value > best else pace * 0.7
        best = max(best, value)
        slope = staffed - wanted
        length = int((slope * slope).sum())
        if length == 0 or target * GRAIN - best < GRAIN:
            break
        step = pace * (target * GRAIN - value) / length
        margin = np.clip(margin + np.rint(step * slope).astype(np.int64), lowest, highest)
    return best
