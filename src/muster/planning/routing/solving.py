# SPDX-License-Identifier: Apache-2.0
"""Making a plan of routes: a first answer at once, then rounds of search on parts side by side."""

from __future__ import annotations

import os
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from muster.planning._kernel.budget import Budget
from muster.planning._kernel.fanning import in_order
from muster.planning.contract import Progress, Step, report
from muster.planning.routing.bounding import bound_within
from muster.planning.routing.finishing import plan_of, with_bound
from muster.planning.routing.parting import Layout, Part, divided, joined, parts_for
from muster.planning.routing.plan import Plan
from muster.planning.routing.problem import Problem, require_lawful

if TYPE_CHECKING:
    from muster.planning.routing._ground import Ground, Tours
    from muster.planning.routing.grounding import Field

# Steps that one core makes in a second on a modest machine; with windows, and with pairs.
_PLAIN_RATE, _TIMED_RATE, _PAIRED_RATE = 45_000, 18_000, 2_000
# More than so many steps for each stop gain nothing that can be measured.
_MOST_STEPS_A_STOP = 20_000
_STEPS_BETWEEN_LOOKS = 4_000
# A round takes about a second, so that a person can watch and call off.
_LEAST_ROUNDS, _MOST_ROUNDS = 8, 2_000
# The temperature begins at this part of the middle between a leg and a way from the depot (their geometric
# mean), less when there are few steps for each stop, and ends at a hundredth of that.
_HOT, _COLD = 0.7, 0.01
_MANY_STEPS = 800
_LEAST_HOT = 0.2
# With windows it begins at so many legs: what fits in time is often far from what lies near.
_HOT_WITH_WINDOWS = 4.0
_ENOUGH_STEPS = 100
# This part of the budget is for the bound; up to so many stops it is known before the search.
_BOUND_SHARE = 0.06
_BOUND_FIRST = 200


@dataclass(frozen=True, slots=True)
class Effort:
    """How many steps of search in all, and in how many rounds; None: as many as the budget allows.

    With both given, the same problem and seed give the same plan on any machine.
    """

    steps: int | None = None
    rounds: int | None = None


_DEFAULT_EFFORT = Effort()


def solve(
    problem: Problem,
    *,
    budget_s: float,
    seed: int,
    executor: Executor | None = None,
    progress: Progress | None = None,
    effort: Effort = _DEFAULT_EFFORT,
) -> Plan:
    """Plan routes: as many stops as must be, then the least cost. Raises BadProblem, Cancelled.

    Each better answer is told to `progress`. Without an executor the parts run on threads of this process.
    """
    from muster.planning.routing.grounding import field_of

    require_lawful(problem)
    report(progress, Step("read", 0, 1))
    load()
    budget = Budget((1.0 - _BOUND_SHARE) * budget_s)
    field = field_of(problem)
    layout, cost = first_answer(field.ground)
    early = bound_within(problem, seconds=budget_s) if problem.stops.size <= _BOUND_FIRST else None
    if len(layout.stops):
        report(progress, Step("first", 0, 1, field.behind + cost, early))
        search = _Search(field, layout, cost, budget, seed, executor, progress, early)
        layout = search.run(effort)
    plan = plan_of(problem, field, layout, seed=seed)
    report(progress, Step("bound", 0, 1, plan.objective, early))
    if early is None:
        early = bound_within(problem, seconds=_BOUND_SHARE * budget_s, known=plan.objective)
    return with_bound(plan, early)


@cache
def load() -> None:
    """Load the compiled search (or compile it, once on a machine) before the budget begins to count."""
    from muster.planning.routing.grounding import field_of
    from muster.planning.routing.tiny import two_stops

    ground = field_of(two_stops()).ground
    layout, _ = first_answer(ground)
    parts = divided(ground, layout, 1, np.random.default_rng(0), 0)
    improve_part(parts[0], 1.0, 0.5, 2, 0, 60.0)


def first_answer(ground: Ground) -> tuple[Layout, int]:
    """Return tours made at once: by savings where all vehicles are alike, else stop by stop."""
    from muster.planning.routing import _ground
    from muster.planning.routing._layout import put_all_in, read_off
    from muster.planning.routing._savings import join_by_savings

    tours = _ground.new_tours(ground)
    _ground.lay_empty(ground, tours)
    alike = len(ground.kinds) == 1 and not (ground.timed or ground.paired or ground.opens)
    if alike and not ground.kinds[0, _ground.ALWAYS] and not ground.node[:, _ground.NEED].any():
        join_by_savings(ground, tours)
    node = ground.node[: ground.stops]
    order = np.lexsort((np.arange(ground.stops), -node[:, _ground.FAR], node[:, _ground.ONLY] < 0))
    put_all_in(ground, tours, order)
    layout = read_off(tours.node[:, _ground.AFTER].copy(), ground.stops, ground.vehicles)
    return Layout(*layout), int(tours.totals[_ground.COST])


def improve_part(
    part: Part, hot: float, cold: float, steps: int, seed: int, seconds: float
) -> tuple[Layout, Layout, int]:
    """Search on one part; return the tours as they are at the end, the best ones seen, and their gain."""
    from muster.planning.routing import _ground
    from muster.planning.routing._annealing import anneal, new_journal
    from muster.planning.routing._layout import lay_out, links_of, read_off

    budget = Budget(seconds)
    ground = part.ground
    tours: Tours = _ground.new_tours(ground)
    lay_out(ground, tours, *part.layout)
    before = best_cost = int(tours.totals[_ground.COST])
    best = links_of(tours)
    journal = new_journal(ground)
    done = 0
    while done < steps and ground.stops and ground.vehicles and not budget.spent():
        more = min(_STEPS_BETWEEN_LOOKS, steps - done)
        warm, cool = (hot * (cold / hot) ** (at / steps) for at in (done, done + more))
        best_cost = int(anneal(ground, tours, journal, best, best_cost, warm, cool, more, seed + done))
        done += more
    now = read_off(links_of(tours), ground.stops, ground.vehicles)
    kept = read_off(best, ground.stops, ground.vehicles)
    return part.in_whole(Layout(*now)), part.in_whole(Layout(*kept)), before - best_cost


class _Search:
    """Rounds of search; what is best so far is kept apart from where the search goes on."""

    def __init__(
        self,
        field: Field,
        layout: Layout,
        cost: int,
        budget: Budget,
        seed: int,
        executor: Executor | None,
        progress: Progress | None,
        bound: int | None,
    ) -> None:
        self.field, self.ground = field, field.ground
        self.now = self.best = layout
        self.now_cost = self.best_cost = cost
        self.budget, self.seed = budget, seed
        self.executor, self.progress, self.bound = executor, progress, bound
        self.parts = parts_for(field.ground, layout)

    def run(self, effort: Effort) -> Layout:
        steps, rounds = self._amount(effort)
        warm = _warmth(self.ground, self.now, steps)
        turn = 0
        while turn < rounds and not self.budget.spent():
            if self.bound is not None and self.field.behind + self.best_cost <= self.bound:
                break
            share = [turn / rounds, (turn + 1) / rounds]
            hot, cold = (max(1e-3, warm * _COLD**at) for at in share)
            self._round(turn, hot, cold, steps // rounds)
            step = Step("improve", turn + 1, rounds, self.field.behind + self.best_cost, self.bound)
            report(self.progress, step)
            turn += 1
            if effort.steps is None:
                turn = max(turn, self._due(rounds))
        return self.best

    def _due(self, rounds: int) -> int:
        """Return the round that is due by the clock: whoever is late cools down sooner."""
        if self.budget.seconds <= 0:
            return rounds
        gone = 1.0 - self.budget.left_s() / self.budget.seconds
        return int(rounds * gone - 1.5)

    def _amount(self, effort: Effort) -> tuple[int, int]:
        ground = self.ground
        rate = _PAIRED_RATE if ground.paired else _TIMED_RATE if ground.timed else _PLAIN_RATE
        side_by_side = min(self.parts, os.cpu_count() or 1)
        most = _MOST_STEPS_A_STOP * ground.stops
        steps = (
            effort.steps
            if effort.steps is not None
            else int(min(most, rate * side_by_side * self.budget.seconds))
        )
        rounds = effort.rounds or int(min(_MOST_ROUNDS, max(_LEAST_ROUNDS, self.budget.seconds)))
        return max(1, steps), max(1, min(rounds, steps))

    def _round(self, turn: int, hot: float, cold: float, steps: int) -> None:
        draw = np.random.default_rng([self.seed, turn])
        parts = divided(self.ground, self.now, self.parts, draw, turn)
        # Parts wait for each other where there are more of them than cores.
        seconds = self.budget.left_s() * min(1.0, (os.cpu_count() or 1) / len(parts))
        jobs = [
            (
                part,
                hot,
                cold,
                max(1, steps * part.ground.stops // max(1, self.ground.stops)),
                int(draw.integers(1 << 30)),
                seconds,
            )
            for part in parts
        ]
        now, best, gain = [], [], 0
        for current, kept, gained in in_order(improve_part, jobs, executor=self.executor):
            now.append(current)
            best.append(kept)
            gain += gained
        if self.now_cost - gain < self.best_cost:
            self.best, self.best_cost = joined(best), self.now_cost - gain
        self.now = joined(now)
        self.now_cost = cost_of(self.ground, self.now)


def cost_of(ground: Ground, layout: Layout) -> int:
    """Return what tours cost, with the penalties of stops left out."""
    from muster.planning.routing import _ground
    from muster.planning.routing._layout import lay_out

    tours = _ground.new_tours(ground)
    lay_out(ground, tours, *layout)
    return int(tours.totals[_ground.COST])


def _warmth(ground: Ground, layout: Layout, steps: int) -> float:
    """Return the temperature to begin with."""
    from muster.planning.routing import _ground
    from muster.planning.routing._layout import lay_out

    tours = _ground.new_tours(ground)
    lay_out(ground, tours, *layout)
    leg = max(1.0, float(tours.node[layout.stops, _ground.LEG].mean()))
    far = max(leg, float(ground.node[layout.stops, _ground.FAR].mean()))
    each = steps / max(1, ground.stops)
    if ground.timed:
        return leg * max(_LEAST_HOT, _HOT_WITH_WINDOWS * min(1.0, each / _ENOUGH_STEPS))
    plenty = min(1.0, each / _MANY_STEPS)
    return max(_LEAST_HOT * leg, _HOT * plenty * (leg * far) ** 0.5)
