# SPDX-License-Identifier: Apache-2.0
"""Column generation: a linear program chooses among whole months, the planner adds the months it lacks.

The prices that come out say what one more person at a duty is worth; with them the cheapest months give a
lower bound for any rota (Lagrange), in whole numbers and therefore exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from muster.planning._kernel.arrays import Floats, Ints, Longs
from muster.planning.rostering.months import GRAIN
from muster.planning.rostering.planner import Month, Planner
from muster.planning.rostering.problem import Problem

# The share of the best prices so far in those that are tried next: keeps prices from swinging.
_STEADY = 0.7
_FREE_ROUNDS = 5
_SMALL = 1e-6
# So near (in grains) to the bound, no month would better the linear program.
_CLOSE = 1.0
# What leaving a person without a month costs; only until months are there.
_NO_MONTH = 1e7


@dataclass(frozen=True, slots=True)
class Column:
    """A month in the linear program and its variable there."""

    person: int
    month: Month
    variable: Any


@dataclass(frozen=True, slots=True)
class Prices:
    """What the linear program says: its cost, the worth of a person at each duty, the worth of each month."""

    cost: float
    worth: Floats
    month_worth: dict[int, float]


class Master:
    """The linear program over months of some people; everybody else is in `base`."""

    def __init__(self, problem: Problem, people: Sequence[int], base: Ints) -> None:
        from ortools.linear_solver import pywraplp

        self.problem = problem
        self.people = list(people)
        solver = pywraplp.Solver.CreateSolver("GLOP")
        self._solver = solver
        self._fixed = False
        self.paid = 0  # the own costs, in grains, of the months that were fixed
        self._objective = solver.Objective()
        self._objective.SetMinimization()
        self._far = solver.infinity()
        self._person = {}
        for person in self.people:
            row = solver.Constraint(1, 1)
            self._person[person] = row
            self._variable(_NO_MONTH, [(row, 1)])
        self._cover: dict[tuple[int, int], Any] = {}
        table = problem.duties
        for day, duty in self._wanted():
            need = float(table.need[day, duty] - base[day, duty])
            row = solver.Constraint(need, need)
            self._cover[day, duty] = row
            self._variable(float(table.under[day, duty]), [(row, 1)])
            self._variable(float(table.over[day, duty]), [(row, -1)])
        self.columns: list[Column] = []
        self._known: set[tuple[int, bytes]] = set()

    def _wanted(self) -> list[tuple[int, int]]:
        """Return the day and duty of every row of the program."""
        able = np.zeros(self.problem.duties.size, bool)
        people = self.problem.people
        for person in self.people:
            able[people.duties[people.first[person] : people.first[person + 1]]] = True
        return [(day, int(duty)) for day in range(self.problem.days) for duty in np.flatnonzero(able)]

    def _variable(self, cost: float, parts: Sequence[tuple[Any, float]]) -> Any:
        variable = self._solver.NumVar(0, self._far, "")
        self._objective.SetCoefficient(variable, cost)
        for row, coefficient in parts:
            row.SetCoefficient(variable, coefficient)
        return variable

    def add(self, person: int, month: Month) -> bool:
        """Add a month unless it is there already."""
        key = person, month.row.tobytes()
        if key in self._known:
            return False
        self._known.add(key)
        parts = [(self._cover[day, duty], 1) for day, duty in enumerate(month.row.tolist()) if duty >= 0]
        variable = self._variable(month.own / GRAIN, [(self._person[person], 1), *parts])
        self.columns.append(Column(person, month, variable))
        return True

    def used(self) -> list[tuple[int, Month]]:
        """Return the months that the last solution uses at least in part."""
        return [(c.person, c.month) for c in self.columns if c.variable.solution_value() > _SMALL]

    def fix(self, column: Column) -> None:
        column.variable.SetLb(1.0)
        self._fixed = True
        self.paid += column.month.own

    def cheapest(self, people: Sequence[int], prices: Prices, most: int) -> dict[int, list[Month]]:
        """Return of each of the people the months that the prices like best."""
        ranked: dict[int, list[tuple[float, int]]] = {person: [] for person in people}
        for at, column in enumerate(self.columns):
            if column.person in ranked:
                row = column.month.row
                days = np.flatnonzero(row >= 0)
                reduced = column.month.own / GRAIN - float(prices.worth[days, row[days]].sum())
                ranked[column.person].append((reduced, at))
        return {
            person: [self.columns[at].month for _, at in sorted(own)[:most]] for person, own in ranked.items()
        }

    def solve(self, seconds: float) -> Prices | None:
        """Solve the program; None when the solver could not in so many seconds."""
        # Without preprocessing the basis of the last solve is where the next one begins: after a month was
        # fixed it is good for the dual simplex, after months were added for the primal one.
        way = "true" if self._fixed else "false"
        self._solver.SetSolverSpecificParametersAsString(f"use_preprocessing: false use_dual_simplex: {way}")
        self._fixed = False
        self._solver.SetTimeLimit(max(1, int(1000 * min(seconds, 1e6))))
        if self._solver.Solve() != self._solver.OPTIMAL:
            return None
        worth = np.zeros((self.problem.days, self.problem.duties.size))
        for (day, duty), row in self._cover.items():
            worth[day, duty] = row.dual_value()
        months = {person: row.dual_value() for person, row in self._person.items()}
        return Prices(self._objective.Value(), worth, months)


def margins_of(problem: Problem, worth: Floats) -> Longs:
    """Return prices as margins in whole grains, within what a person can be worth at all."""
    table = problem.duties
    grains = np.rint(-worth * GRAIN).astype(np.int64)
    return np.clip(grains, -table.under * GRAIN, table.over * GRAIN)


def lagrange(problem: Problem, margin: Longs, base: Ints, month_costs: int) -> int:
    """Return a bound, in grains, from margins and the cheapest months at them."""
    wanted = problem.duties.need.astype(np.int64) - base
    return month_costs - int((margin * wanted).sum())


@dataclass(slots=True)
class Generation:
    """How far column generation came: the best bound in grains, and the prices that gave it."""

    bound: int
    steady: Floats | None


class Watch(Protocol):
    """Says how much time is left, and whether it is enough."""

    def spent(self) -> bool: ...
    def left_s(self) -> float: ...


def generate(
    master: Master,
    planner: Planner,
    people: Sequence[int],
    base: Ints,
    *,
    rounds: int,
    watch: Watch,
    steady: Floats | None = None,
) -> tuple[Generation, Prices | None]:
    """Add months until none is missing, or the rounds or the time are used up.

    `people` are those whose months are still open; `base` counts the others, whose own costs the bound
    leaves out.
    """
    state = Generation(-(1 << 60), steady)
    prices = master.solve(watch.left_s())
    for number in range(rounds):
        if prices is None or watch.spent() or prices.cost * GRAIN - master.paid - state.bound < _CLOSE:
            return state, prices
        share = _STEADY if number >= _FREE_ROUNDS and state.steady is not None else 0.0
        added = _price(master, planner, people, base, prices, share, state, watch)
        if not added and share:
            added = _price(master, planner, people, base, prices, 0.0, state, watch)
        if not added:
            return state, prices
        prices = master.solve(watch.left_s())
    return state, prices


def _price(
    master: Master,
    planner: Planner,
    people: Sequence[int],
    base: Ints,
    prices: Prices,
    share: float,
    state: Generation,
    watch: Watch,
) -> int:
    """Add the best month of each person at prices between the best and the last; return how many were new."""
    worth = prices.worth
    if share and state.steady is not None:
        worth = share * state.steady + (1 - share) * prices.worth
    margin = margins_of(planner.problem, worth)
    added = costs = 0
    for person in people:
        if watch.spent():
            return added
        month = planner.best(person, margin)
        if month is None:
            continue
        costs += month.floor
        days = np.flatnonzero(month.row >= 0)
        gain = prices.month_worth[person] + float(prices.worth[days, month.row[days]].sum())
        if month.own / GRAIN < gain - _SMALL:
            added += master.add(person, month)
    bound = lagrange(planner.problem, margin, base, costs)
    if bound > state.bound:
        state.bound, state.steady = bound, worth
    return added
