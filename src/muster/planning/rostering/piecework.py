# SPDX-License-Identifier: Apache-2.0
"""The work on one piece of a rota: first months, a bound, a dive, neighbourhoods, and a proof beside them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from muster.planning._kernel.arrays import Ints
from muster.planning._kernel.budget import Budget
from muster.planning.contract import OutOfTime, Step
from muster.planning.rostering.columns import Master, generate
from muster.planning.rostering.crowd import crowd_bound, first_months, sweep
from muster.planning.rostering.diving import Dive, dive
from muster.planning.rostering.exact import MOST_BOOLEANS, Answer, booleans, prove
from muster.planning.rostering.improving import Pool, improve
from muster.planning.rostering.months import GRAIN
from muster.planning.rostering.planner import Month, Planner, cover_cost, own_cost
from muster.planning.rostering.pooling import pooled, told_apart
from muster.planning.rostering.problem import Problem
from muster.planning.rostering.rota import Rota, pinned_row, staff_of
from muster.planning.rostering.shaking import shake

# More people than this are planned in turn: the linear program would take too long.
CROWD = 400
# The part of the time that shaking may take.
_SHAKE_SHARE = 0.15
_TELL_EVERY_S = 0.2
_NICE = 10
Tell = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done at most: rounds of pricing at the root, groups planned anew, sweeps and passes over a
    crowd; `shakes` are quick steps of annealing before; `proof` is CP-SAT's deterministic time, 0 for none.
    """

    root_rounds: int = 300
    steps: int = 30
    sweeps: int = 20
    passes: int = 30
    proof: float = 0.0
    shakes: int = 300


_UNBOUNDED = Effort(root_rounds=2_000, steps=1 << 30, sweeps=1 << 20, passes=200, shakes=1 << 30)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a problem, to be planned by itself; `alone`: nothing else is planned beside it."""

    problem: Problem
    seed: int
    alone: bool = True


@dataclass(frozen=True, slots=True)
class PieceAnswer:
    """Duties by person and day (numbers of the piece), a bound, and who has no lawful month."""

    rows: Ints
    bound: int
    unlawful: list[int]


@dataclass(slots=True)
class _Watch:
    """Says when it is enough: time is up, or the cost is down at the bound. Tells how far it has come."""

    budget: Budget
    tell: Tell | None
    bound: int = 0
    stage: str = "months"
    told: float = 0.0
    answer: Answer | None = None
    cost: int | None = None
    solver: Any = field(default=None)

    def spent(self) -> bool:
        if self.tell is not None and time.monotonic() - self.told > _TELL_EVERY_S:
            self.told = time.monotonic()
            done = min(100, int(100 * (1 - self.budget.left_s() / max(self.budget.seconds, 1e-9))))
            self.tell(Step(self.stage, done, 100, self.cost, self.bound))
        return self.budget.spent() or (self.answer is not None and self.answer.proved)

    def left_s(self) -> float:
        return self.budget.left_s()

    def enough(self, cost: int) -> bool:
        self.cost = cost
        return cost <= self.bound or self.spent()


def solve_piece(piece: Piece, effort: Effort | None, seconds: float, tell: Tell | None = None) -> PieceAnswer:
    """Plan a piece: within seconds, and within the effort where one is given."""
    pools = pooled(piece.problem)
    answer = _solve(replace(piece, problem=pools.problem), effort, seconds, tell)
    return replace(answer, rows=told_apart(piece.problem, pools, answer.rows))


def _solve(piece: Piece, effort: Effort | None, seconds: float, tell: Tell | None) -> PieceAnswer:
    problem = piece.problem
    watch = _Watch(Budget(seconds), tell)
    planner = Planner(problem)
    nobody = np.zeros((problem.days, problem.duties.size), np.int32)
    months = first_months(planner, range(problem.people.size), nobody, watch.spent, seconds)
    lawful = sorted(months)
    unlawful = sorted(set(range(problem.people.size)) - set(lawful))
    fixed = {person: pinned_row(problem, person) for person in unlawful}
    base = staff_of(problem, fixed.values())
    fixed_cost = sum(own_cost(problem, person, row) for person, row in fixed.items())
    work = effort or _UNBOUNDED
    rng = np.random.default_rng(piece.seed)
    if len(lawful) > CROWD:
        months, grains = _crowd(planner, months, base, work, watch, rng)
        rows = Rota(problem, months, fixed).rows()
        return PieceAnswer(rows, _whole(grains) + fixed_cost, unlawful)
    months = sweep(planner, months, base, rng=rng, sweeps=3, enough=watch.spent)
    rota = Rota(problem, months, fixed)
    if piece.alone and rota.cost > fixed_cost:  # one of many pieces is small, its dive soon done
        months = shake(
            planner,
            months,
            base,
            rng=rng,
            steps=work.shakes,
            seconds=_SHAKE_SHARE * watch.left_s(),
            watch=watch,
        )
        shaken = Rota(problem, months, fixed)
        rota = shaken if shaken.cost < rota.cost else rota
    rows = _few(planner, rota, base, fixed_cost, piece, work, effort is None, watch, rng)
    return PieceAnswer(rows, watch.bound, unlawful)


def _whole(grains: int) -> int:
    """Return a bound in whole costs: every rota's cost is a whole number."""
    return max(0, -(-grains // GRAIN))


def _crowd(
    planner: Planner,
    months: dict[int, Month],
    base: Ints,
    work: Effort,
    watch: _Watch,
    rng: np.random.Generator,
) -> tuple[dict[int, Month], int]:
    people = sorted(months)
    months = sweep(planner, months, base, rng=rng, sweeps=work.sweeps, enough=watch.spent)
    rota = Rota(planner.problem, months, {})
    watch.cost, watch.stage = rota.cost, "bound"
    grains = crowd_bound(
        planner, people, base, target=rota.cost, passes=work.passes, enough=watch.spent
    )  # fmt: skip
    return months, grains


def _few(
    planner: Planner,
    rota: Rota,
    base: Ints,
    fixed_cost: int,
    piece: Piece,
    work: Effort,
    by_time: bool,  # noqa: FBT001
    watch: _Watch,
    rng: np.random.Generator,
) -> Ints:
    """Return the rows of the best rota found; leaves the bound in `watch`."""
    problem = piece.problem
    people = sorted(rota.months)
    pool = Pool()
    watch.cost, watch.stage = rota.cost, "bound"
    months, root, useful = dive(
        planner,
        people,
        base,
        {person: [month] for person, month in rota.months.items()},
        way=Dive(),
        rng=rng,
        watch=watch,
        root_rounds=work.root_rounds,
        limit=rota.part_cost(people),  # a dive that has become dearer than the rota is of no use
        known=rota.part_cost(people),
    )
    watch.bound = max(watch.bound, _whole(root.bound) + fixed_cost)
    pool.take(useful)
    if len(months) == len(people):
        dived = rota.with_months(months)
        rota = dived if dived.cost < rota.cost else rota
    if watch.enough(rota.cost):
        return rota.rows()
    watch.stage = "months"
    provable = not rota.fixed and booleans(problem) <= MOST_BOOLEANS
    if by_time and piece.alone and provable:
        with _Prover(problem, rota.rows(), watch, piece.seed):
            rota = improve(planner, rota, pool, rng=rng, steps=work.steps, watch=watch, bound=watch.bound)
    else:
        rota = improve(planner, rota, pool, rng=rng, steps=work.steps, watch=watch, bound=watch.bound)
        if work.proof > 0 and provable and not watch.enough(rota.cost):
            left = watch.budget.left_s()
            watch.answer = prove(problem, hint=rota.rows(), seconds=left, seed=piece.seed, work=work.proof)
    answer = watch.answer
    if answer is None:
        return rota.rows()
    watch.bound = max(watch.bound, answer.bound)
    better = answer.rows is not None and answer.cost < rota.cost
    return answer.rows if better and answer.rows is not None else rota.rows()


class _Prover:
    """CP-SAT at low priority on a thread, while the search goes on; stopped when the search has ended."""

    def __init__(self, problem: Problem, hint: Ints, watch: _Watch, seed: int) -> None:
        self._problem, self._hint, self._watch, self._seed = problem, hint, watch, seed
        self._solver: Any = None
        self._stopped = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        while self._thread.is_alive():
            if self._solver is not None:
                self._solver.stop_search()
            self._thread.join(0.05)

    def _run(self) -> None:
        # Linux keeps a niceness for each thread, and the solver's own threads take it over.
        with suppress(AttributeError, OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        seconds = self._watch.budget.left_s()
        self._watch.answer = prove(
            self._problem, hint=self._hint, seconds=seconds, seed=self._seed, solver_made=self._made
        )

    def _made(self, solver: Any) -> None:
        self._solver = solver
        if self._stopped:
            solver.parameters.max_time_in_seconds = 0.01


def exact_cost(problem: Problem, rows: Ints) -> int:
    """Return what a rota costs."""
    own = sum(own_cost(problem, person, rows[person]) for person in range(problem.people.size))
    return own + cover_cost(problem, staff_of(problem, rows))


def bound_of_piece(problem: Problem, seconds: float) -> int:
    """Return a lower bound on the cost of a piece, without making a rota."""
    budget = Budget(seconds)
    problem = pooled(problem).problem
    planner = Planner(problem)
    nobody = np.zeros((problem.days, problem.duties.size), np.int32)
    try:
        months = first_months(planner, range(problem.people.size), nobody, budget.spent, seconds)
    except OutOfTime:
        return 0
    people = sorted(months)
    fixed = {p: pinned_row(problem, p) for p in range(problem.people.size) if p not in months}
    base = staff_of(problem, fixed.values())
    fixed_cost = sum(own_cost(problem, person, row) for person, row in fixed.items())
    if len(people) > CROWD:
        target = Rota(problem, months, fixed).cost
        grains = crowd_bound(planner, people, base, target=target, passes=30, enough=budget.spent)
    else:
        master = Master(problem, people, base)
        for person, month in months.items():
            master.add(person, month)
        root, _ = generate(master, planner, people, base, rounds=1_000, watch=budget)
        grains = root.bound
    return _whole(grains) + fixed_cost
