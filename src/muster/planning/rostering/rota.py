# SPDX-License-Identifier: Apache-2.0
"""A rota in the making: the month of each person, the staff at each duty, what all of it costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from muster.planning._kernel.arrays import Ints
from muster.planning.rostering.months import GRAIN
from muster.planning.rostering.planner import Month, cover_cost, own_cost
from muster.planning.rostering.problem import OFF, Problem


class Rota:
    """Months by person; people without a lawful month are not in it but may stand in `staffed`."""

    def __init__(self, problem: Problem, months: Mapping[int, Month], fixed: Mapping[int, Ints]) -> None:
        self.problem = problem
        self.months = dict(months)
        self.fixed = fixed
        self._fixed_cost = sum(own_cost(problem, person, row) for person, row in sorted(fixed.items()))
        self.staffed = staff_of(
            problem, [*(m.row for m in self.months.values()), *(fixed[p] for p in sorted(fixed))]
        )
        self.cost = self._cost()

    def _cost(self) -> int:
        own = sum(month.own for month in self.months.values()) // GRAIN
        return own + self._fixed_cost + cover_cost(self.problem, self.staffed)

    def without(self, people: Iterable[int]) -> Ints:
        """Return the staff without some people."""
        staffed = self.staffed.copy()
        for person in people:
            row = self.months[person].row
            days = np.flatnonzero(row >= 0)
            staffed[days, row[days]] -= 1
        return staffed

    def part_cost(self, people: Iterable[int]) -> int:
        """Return the cost without the own costs of everybody else."""
        group = set(people)
        others = sum(month.own for person, month in self.months.items() if person not in group) // GRAIN
        return self.cost - others - self._fixed_cost

    def with_months(self, months: Mapping[int, Month]) -> Rota:
        """Return the rota in which some people have other months."""
        return Rota(self.problem, self.months | dict(months), self.fixed)

    def rows(self) -> Ints:
        """Return the duties by person and day."""
        table = np.full((self.problem.people.size, self.problem.days), OFF, np.int32)
        for person, month in self.months.items():
            table[person] = month.row
        for person, row in self.fixed.items():
            table[person] = row
        return table


def staff_of(problem: Problem, rows: Iterable[Ints]) -> Ints:
    """Return how many people stand at each duty on each day."""
    staffed = np.zeros((problem.days, problem.duties.size), np.int32)
    for row in rows:
        days = np.flatnonzero(row >= 0)
        staffed[days, row[days]] += 1
    return staffed


def pinned_row(problem: Problem, person: int) -> Ints:
    """Return what was pinned for a person, days off otherwise."""
    row = np.full(problem.days, OFF, np.int32)
    for (who, day), duty in problem.pins.items():
        if who == person:
            row[day] = duty
    return row
