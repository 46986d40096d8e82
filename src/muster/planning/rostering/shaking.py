# SPDX-License-Identifier: Apache-2.0
"""A quick search before the careful one: a few people at a time get new months in turn (annealing)."""

from __future__ import annotations

import math

import numpy as np

from muster.planning._kernel.arrays import Ints
from muster.planning._kernel.budget import Budget
from muster.planning.rostering import _months
from muster.planning.rostering.columns import Watch
from muster.planning.rostering.months import GRAIN
from muster.planning.rostering.planner import Month, Planner
from muster.planning.rostering.rota import staff_of

_GROUP = 4
_NOISE = 0.3
_WARM = 3.0 * GRAIN


def shake(
    planner: Planner,
    months: dict[int, Month],
    base: Ints,
    *,
    rng: np.random.Generator,
    steps: int,
    seconds: float,
    watch: Watch,
) -> dict[int, Month]:
    """Return months after so many steps, or seconds; it cools as either runs out."""
    months, people = dict(months), sorted(months)
    staffed = base + staff_of(planner.problem, (month.row for month in months.values()))
    margin = planner.margin_of(staffed)
    table, budget = planner.problem.duties, Budget(seconds)

    def put(row: Ints, count: int) -> None:
        _months.put_month(row, count, staffed, table.need, table.under, table.over, GRAIN, margin)

    for step in range(steps):
        if not people or budget.spent() or watch.spent():
            break
        heat = _WARM * min(1 - step / steps, budget.left_s() / max(seconds, 1e-9))
        group = [people[at] for at in rng.permutation(len(people))[: rng.integers(1, _GROUP + 1)]]
        gain = 0
        for person in group:
            put(months[person].row, -1)
            gain += months[person].own + int(_months.month_margin(months[person].row, margin))
        fresh: list[tuple[int, Month]] = []
        for person in group:
            last = person == group[-1]
            noise = 1.0 if last else 1 + _NOISE * (rng.random(margin.shape) - 0.5)
            month = planner.best(person, margin if last else np.rint(margin * noise).astype(np.int64))
            if month is None:
                month = months[person]
            gain -= month.own + int(_months.month_margin(month.row, margin))
            put(month.row, 1)
            fresh.append((person, month))
        if gain >= 0 or rng.random() < math.exp(gain / max(heat, 1e-9)):
            months.update(fresh)
        else:
            for _, month in fresh:
                put(month.row, -1)
            for person in group:
                put(months[person].row, 1)
    return months
