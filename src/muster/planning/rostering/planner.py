# SPDX-License-Identifier: Apache-2.0
"""The planner of months: for each person the cheapest lawful month at given margins, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning.contract import BadProblem
from muster.planning.rostering import _months
from muster.planning.rostering._months import NEVER, Space
from muster.planning.rostering.months import GRAIN, Automaton, Contract, contract_of, open_days
from muster.planning.rostering.problem import FREE, NO_LIMIT, OFF, Problem

# The first toll on a shift above its limit, doubled until the limit is kept.
_FIRST_TOLL = 2 * GRAIN
_TOLLS = 24
# How many states a search may reach at first; doubled when they do not suffice.
_FIRST_TRAIL = 1 << 16
_MOST_TRAIL = 1 << 27


@dataclass(frozen=True, slots=True)
class Month:
    """A row of duties and what it costs: by itself (`own`), and with the margins it was made for.

    No lawful month costs less than `floor` at those margins; mostly it is the cost itself.
    """

    row: Ints
    own: int
    cost: int
    floor: int


class Planner:
    """Contracts of all people, their tables, and room to search in. Not shared between threads."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        people = problem.people
        self.open = open_days(problem)
        self.pinned = np.full((people.size, problem.days), FREE, np.int32)
        for (person, day), duty in problem.pins.items():
            self.pinned[person, day] = duty
        self.contracts: list[Contract] = []
        self._unfit: set[tuple[int, tuple[int, ...]]] = set()
        self._automata: dict[tuple[int, tuple[int, ...]], tuple[Automaton, Ints]] = {}
        self.contract_at = np.zeros(people.size, np.int64)
        known: dict[tuple[object, ...], int] = {}
        contracts: dict[Contract, int] = {}
        for person in range(people.size):
            key = _likeness(problem, person)
            if key not in known:
                contract = contract_of(problem, person)
                if contract not in contracts:
                    contracts[contract] = len(self.contracts)
                    self.contracts.append(contract)
                known[key] = contracts[contract]
            self.contract_at[person] = known[key]
        self._narrow = [self._tracked_at_first(at) for at in range(len(self.contracts))]
        self._space = _months.make_space(1, _FIRST_TRAIL)
        self._cost: dict[int, Longs] = {}
        self._choice: dict[int, Ints] = {}
        self._classes = np.zeros(problem.days, np.int32)

    def best(self, person: int, margin: Longs) -> Month | None:
        """Return the cheapest lawful month at these margins; None when the person has none.

        Where not all limits fit into tables, the month is good but perhaps not the cheapest.
        """
        at = int(self.contract_at[person])
        tracked = self._narrow[at]
        while True:
            found = self._best(person, margin, at, tracked)
            if found is None:
                return None
            over = self._overrun(person, found.row, at, tracked)
            if not over:
                return found
            tracked = tuple(sorted({*tracked, *over}))
            if not self._fits(at, tracked):
                return self._dissuaded(person, margin, at, found.cost)

    def _dissuaded(self, person: int, margin: Longs, at: int, floor: int) -> Month | None:
        """Make shifts above their limit dearer and dearer until the month keeps all limits."""
        counters, tracked = self.problem.counters, self._narrow[at]
        shift_of = self.problem.duties.shift
        toll = np.zeros(counters.size, np.int64)
        for _ in range(_TOLLS):
            dearer = (counters.member * toll[:, None]).sum(axis=0)[shift_of]
            found = self._best(person, margin + dearer, at, tracked)
            if found is None:
                return None
            over = self._overrun(person, found.row, at, tracked)
            if not over:
                cost = found.own + int(_months.month_margin(found.row, margin))
                return Month(found.row, found.own, cost, floor)
            toll[over] = np.maximum(2 * toll[over], _FIRST_TOLL)
        return None

    def margin_of(self, staffed: Ints) -> Longs:
        """Return what one more person at each duty costs on top of those who are there."""
        table = self.problem.duties
        margin = np.zeros(staffed.shape, np.int64)
        _months.all_margins(staffed, table.need, table.under, table.over, GRAIN, margin)
        return margin

    def _tracked_at_first(self, at: int) -> tuple[int, ...]:
        """Return the counters in the tables: the tight ones, as long as the tables are not too large."""
        contract = self.contracts[at]
        wide = set(contract.wide())
        tracked = [c for c in contract.binding() if c not in wide]
        while not self._fits(at, tuple(tracked)):
            loose = [c for c in tracked if not contract.weight[c]]
            if not loose:
                break  # building the tables will say what is too much
            tracked.remove(max(loose, key=lambda c: (contract.counter_most[c], c)))
        return tuple(tracked)

    def _fits(self, at: int, tracked: tuple[int, ...]) -> bool:
        if (at, tracked) in self._unfit:
            return False
        try:
            self._automaton(at, tracked)
        except BadProblem:
            self._unfit.add((at, tracked))
            return False
        return True

    def _automaton(self, at: int, tracked: tuple[int, ...]) -> tuple[Automaton, Ints]:
        known = self._automata.get((at, tracked))
        if known is None:
            automaton = Automaton(self.contracts[at], tracked)
            known = automaton, automaton.class_of(self.problem.shifts.size)
            self._automata[at, tracked] = known
        return known

    def _room(self, automaton: Automaton) -> Space:
        if len(self._space.here) < automaton.states:
            self._space = _months.make_space(automaton.states, len(self._space.trail))
        return self._space

    def _best(self, person: int, margin: Longs, at: int, tracked: tuple[int, ...]) -> Month | None:
        problem, people = self.problem, self.problem.people
        automaton, class_of = self._automaton(at, tracked)
        width = len(automaton.members) + 1
        if width not in self._cost:
            self._cost[width] = np.zeros((problem.days, width), np.int64)
            self._choice[width] = np.zeros((problem.days, width), np.int32)
        cost, choice = self._cost[width], self._choice[width]
        _months.price_days(
            margin,
            problem.wish[person],
            self.open[person],
            people.duties[people.first[person] : people.first[person + 1]],
            problem.duties.shift,
            class_of,
            problem.previous[person],
            self.pinned[person],
            problem.change_cost,
            GRAIN,
            cost,
            choice,
        )
        before = int(people.before_shift[person])
        start = automaton.start(before, int(people.before_on[person]), int(people.before_off[person]))
        space = self._room(automaton)
        while True:
            total = int(
                _months.best_month(
                    automaton.tables,
                    cost,
                    start,
                    before < 0,
                    problem.first_weekday,
                    space,
                    self._classes,
                )
            )
            if total != _months.NO_ROOM:
                break
            reached = 2 * len(space.trail)
            if reached > _MOST_TRAIL:
                raise BadProblem(
                    "people", "", "planning.rostering.too_many_counts", states=reached, limit=_MOST_TRAIL
                )
            self._space = space = _months.make_space(len(space.here), reached)
        if total >= NEVER:
            return None
        row = np.where(
            self._classes >= 0, choice[np.arange(problem.days), self._classes], OFF
        ).astype(np.int32)  # fmt: skip
        return Month(row, total - int(_months.month_margin(row, margin)), total, total)

    def _overrun(self, person: int, row: Ints, at: int, tracked: tuple[int, ...]) -> list[int]:
        """Return the counters left out of the tables that the month breaks."""
        wide = [c for c in self.contracts[at].binding() if c not in tracked]
        if not wide:
            return []
        shifts = self.problem.duties.shift[row[row >= 0]]
        counters = self.problem.counters
        return [c for c in wide if counters.member[c][shifts].sum() > counters.most[person, c]]


def _likeness(problem: Problem, person: int) -> tuple[object, ...]:
    """Return what makes two people surely alike; cheap, because a city has many."""
    people = problem.people
    return (
        people.duties[people.first[person] : people.first[person + 1]].tobytes(),
        int(people.rest[person]),
        int(people.min_minutes[person]),
        int(people.max_minutes[person]),
        int(people.max_week_minutes[person]),
        int(people.max_on[person]),
        int(people.min_on[person]),
        int(people.min_off[person]),
        int(people.max_weekends[person]),
        int(people.before_shift[person]),
        problem.counters.most[person].tobytes(),
    )


def own_cost(problem: Problem, person: int, row: Ints) -> int:
    """Return wishes, changes and unfairness of a month, without what it does for the posts."""
    total = 0
    for day, duty in enumerate(row.tolist()):
        total += int(problem.wish[person, day, problem.duties.shift[duty] if duty >= 0 else -1])
        known = int(problem.previous[person, day])
        total += problem.change_cost * (known not in {FREE, duty})
    counters = problem.counters
    shifts = problem.duties.shift[row[row >= 0]]
    counts = [int(counters.member[c][shifts].sum()) for c in range(counters.size)]
    worked = {(problem.first_weekday + d) // 7 for d, duty in enumerate(row.tolist())
              if duty >= 0 and problem.weekday(d) >= 5}  # fmt: skip
    for c, count in enumerate([*counts, len(worked)]):
        if counters.weight[c] and counters.share[c] < NO_LIMIT:
            more = max(0, count - int(counters.share[c]))
            total += int(counters.weight[c]) * more * (more + 1) // 2
    return total


def cover_cost(problem: Problem, staffed: Ints) -> int:
    """Return what missing and surplus people cost."""
    table = problem.duties
    missing = np.maximum(0, table.need - staffed).astype(np.int64)
    surplus = np.maximum(0, staffed - table.need).astype(np.int64)
    return int((missing * table.under + surplus * table.over).sum())
