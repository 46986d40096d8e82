# SPDX-License-Identifier: Apache-2.0
"""The whole rota as one CP-SAT model: proves small rotas best, and is given what the search has found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from muster.planning._kernel.arrays import Ints
from muster.planning.rostering.months import open_days
from muster.planning.rostering.problem import FREE, NO_LIMIT, OFF, SATURDAY, SUNDAY, Problem

# CP-SAT's portfolio wants eight workers even on two cores.
_WORKERS = 8
MOST_BOOLEANS = 80_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What CP-SAT found: rows (None: no rota), its bound, and whether the rota is proved best."""

    rows: Ints | None
    cost: int
    bound: int
    proved: bool


def booleans(problem: Problem) -> int:
    return len(problem.people.duties) * problem.days


class Model:
    """Variables: person p does duty d on day t; person p works on day t."""

    def __init__(self, problem: Problem, *, cover_of: Ints | None = None) -> None:
        from ortools.sat.python import cp_model

        self.problem = problem
        self.model = cp_model.CpModel()
        self.open = open_days(problem)
        self.does: dict[tuple[int, int, int], Any] = {}
        self.works: dict[tuple[int, int], Any] = {}
        self.costs: list[Any] = []
        self._at: defaultdict[tuple[int, int], list[Any]] = defaultdict(list)
        for person in range(problem.people.size):
            self._person(person)
        self._cover(np.zeros((problem.days, problem.duties.size), np.int32) if cover_of is None else cover_of)
        self.model.minimize(sum(self.costs))

    def _person(self, person: int) -> None:
        problem, people, model = self.problem, self.problem.people, self.model
        own = people.duties[people.first[person] : people.first[person + 1]].tolist()
        by_shift: dict[int, list[Any]] = defaultdict(list)
        on_day: dict[tuple[int, int], list[Any]] = defaultdict(list)
        minutes: list[list[Any]] = [[] for _ in range(problem.days)]
        for day in range(problem.days):
            todays = []
            works = model.new_bool_var("")
            self.works[person, day] = works
            known = int(problem.previous[person, day])
            pinned = problem.pins.get((person, day), FREE)
            for duty in own:
                shift = int(problem.duties.shift[duty])
                if not self.open[person, day, shift] or (pinned >= 0 and pinned != duty):
                    continue
                does = model.new_bool_var("")
                self.does[person, day, duty] = does
                todays.append(does)
                by_shift[shift].append(does)
                on_day[day, shift].append(does)
                self._at[day, duty].append(does)
                minutes[day].append(int(problem.shifts.minutes[shift]) * does)
                changed = problem.change_cost * (known not in {FREE, duty})
                self._cost(int(problem.wish[person, day, shift]) + changed, does)
            model.add(sum(todays) == works)
            if not self.open[person, day, -1]:
                model.add(works == 1)
            changed = problem.change_cost * (known not in {FREE, OFF})
            self._cost(int(problem.wish[person, day, -1]) + changed, 1 - works)
        self._rest(person, on_day)
        self._rows_of_days(person)
        self._amounts(person, by_shift, minutes)

    def _cost(self, weight: int, what: Any) -> None:
        if weight:
            self.costs.append(weight * what)

    def _rest(self, person: int, on_day: dict[tuple[int, int], list[Any]]) -> None:
        problem, model = self.problem, self.model
        lag = problem.shifts.lag[problem.people.rest[person]]
        before, off = int(problem.people.before_shift[person]), int(problem.people.before_off[person])
        for (day, shift), these in on_day.items():
            if before >= 0 and day + 1 + off < lag[before, shift]:
                model.add(sum(these) == 0)
            for gap in range(1, int(lag[shift].max())):
                later = [
                    does
                    for other in range(problem.shifts.size)
                    if lag[shift, other] > gap
                    for does in on_day.get((day + gap, other), ())
                ]
                if later:
                    model.add(sum(these) + sum(later) <= 1)

    def _rows_of_days(self, person: int) -> None:
        problem, people, model = self.problem, self.problem.people, self.model
        days = problem.days
        line: list[Any] = [self.works[person, day] for day in range(days)]
        shift = int(people.before_shift[person])
        on, off = int(people.before_on[person]), int(people.before_off[person])
        past = [] if shift < 0 else [1] * max(1, on) + [0] * off
        most, least, rest = (int(column[person]) for column in (people.max_on, people.min_on, people.min_off))
        past = past[-max(min(most, days), least, rest, 1) - 1 :]
        line = [*past, *line]
        begin = len(past)
        for first in range(max(0, begin - most), len(line) - most):
            model.add(sum(line[first : first + most + 1]) <= most)
        for length in range(1, least):
            for first in range(max(1, begin - length), len(line) - length):
                model.add(line[first - 1] + length + line[first + length] > sum(line[first : first + length]))
        for length in range(1, rest):
            for first in range(max(1, begin - length), len(line) - length):
                inner = sum(line[first : first + length])
                model.add(line[first - 1] + line[first + length] <= 1 + inner)

    def _amounts(self, person: int, by_shift: dict[int, list[Any]], minutes: list[list[Any]]) -> None:
        problem, people, model = self.problem, self.problem.people, self.model
        total = sum((part for day in minutes for part in day), start=0)
        least, most = int(people.min_minutes[person]), int(people.max_minutes[person])
        if least > 0:
            model.add(total >= least)
        if most < NO_LIMIT:
            model.add(total <= most)
        weeks: dict[int, list[Any]] = defaultdict(list)
        weekends: dict[int, list[Any]] = defaultdict(list)
        for day in range(problem.days):
            week = (problem.first_weekday + day) // 7
            weeks[week] += minutes[day]
            if problem.weekday(day) in {SATURDAY, SUNDAY}:
                weekends[week].append(self.works[person, day])
        week_most = int(people.max_week_minutes[person])
        if week_most < NO_LIMIT:
            for parts in weeks.values():
                model.add(sum(parts) <= week_most)
        counters = problem.counters
        for c in range(counters.size):
            count = [does for shift, these in by_shift.items() if counters.member[c, shift] for does in these]
            if int(counters.most[person, c]) < problem.days:
                model.add(sum(count) <= int(counters.most[person, c]))
            self._unfair(sum(count, start=0), problem.days, int(counters.share[c]), int(counters.weight[c]))
        busy = []
        for parts in weekends.values():
            one = model.new_bool_var("")
            for works in parts:
                model.add_implication(works, one)
            busy.append(one)
        if int(people.max_weekends[person]) < len(busy):
            model.add(sum(busy) <= int(people.max_weekends[person]))
        self._unfair(sum(busy, start=0), len(busy), int(counters.share[-1]), int(counters.weight[-1]))

    def _unfair(self, count: Any, top: int, share: int, weight: int) -> None:
        """Cost weight * (1 + 2 + … + n) for n more than the share: one step for each."""
        if not weight or share >= top:
            return
        steps = [self.model.new_bool_var("") for _ in range(top - share)]
        self.model.add(count <= share + sum(steps))
        self.costs += [weight * (n + 1) * step for n, step in enumerate(steps)]

    def _cover(self, there: Ints) -> None:
        table = self.problem.duties
        for day in range(self.problem.days):
            for duty in range(table.size):
                these = self._at.get((day, duty), [])
                need = int(table.need[day, duty] - there[day, duty])
                missing = self.model.new_int_var(0, max(0, need), "")
                surplus = self.model.new_int_var(0, len(these) + max(0, -need), "")
                self.model.add(sum(these) + missing - surplus == need)
                self._cost(int(table.under[day, duty]), missing)
                self._cost(int(table.over[day, duty]), surplus)

    def hint(self, rows: Ints) -> None:
        for (person, day, duty), does in self.does.items():
            self.model.add_hint(does, bool(rows[person, day] == duty))
        for (person, day), works in self.works.items():
            self.model.add_hint(works, bool(rows[person, day] >= 0))


def prove(
    problem: Problem,
    *,
    hint: Ints | None,
    seconds: float,
    seed: int,
    work: float | None = None,
    solver_made: Callable[[Any], None] | None = None,
) -> Answer:
    """Solve the model within seconds; with `work` (deterministic time) the answer is always the same."""
    from ortools.sat.python import cp_model

    model = Model(problem)
    if hint is not None:
        model.hint(hint)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(0.1, seconds)
    solver.parameters.num_workers = _WORKERS
    solver.parameters.random_seed = seed % (1 << 31)
    if work is not None:
        solver.parameters.interleave_search = True
        solver.parameters.max_deterministic_time = work
    if solver_made is not None:
        solver_made(solver)
    status = solver.solve(model.model)
    bound = int(np.ceil(solver.best_objective_bound - 1e-6)) if status != cp_model.INFEASIBLE else 0
    if status not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        return Answer(None, 0, bound, proved=False)
    rows = np.full((problem.people.size, problem.days), OFF, np.int32)
    for (person, day, duty), does in model.does.items():
        if solver.boolean_value(does):
            rows[person, day] = duty
    return Answer(rows, round(solver.objective_value), bound, proved=status == cp_model.OPTIMAL)
