# SPDX-License-Identifier: Apache-2.0
"""From a rota problem to a rota: by pieces; small pieces by whole months and CP-SAT, large ones in turn."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor
from functools import partial

import numpy as np

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning._kernel.budget import Budget
from muster.planning._kernel.fanning import in_order
from muster.planning.contract import Progress, Step, report
from muster.planning.rostering.pieces import part, pieces
from muster.planning.rostering.piecework import Effort, Piece, PieceAnswer, solve_piece
from muster.planning.rostering.plan import Plan, Shortage
from muster.planning.rostering.planner import cover_cost, own_cost
from muster.planning.rostering.problem import OFF, Problem, require_lawful
from muster.planning.rostering.rota import staff_of

# What is left for putting pieces together and for the first months of the last ones.
_CARE = 0.9


def solve(
    problem: Problem,
    *,
    budget_s: float,
    seed: int,
    executor: Executor | None = None,
    progress: Progress | None = None,
    effort: Effort | None = None,
) -> Plan:
    """Plan the rota. With an `effort` the same problem and seed give the same bytes, unless time cuts it;
    without one all the time is used, or until the rota is proved best.

    Raises BadProblem, OutOfTime, Cancelled.
    """
    require_lawful(problem)
    budget = Budget(budget_s)
    report(progress, Step("pieces", 0, 1))
    parts = pieces(problem)
    roster = np.full((problem.people.size, problem.days), OFF, np.int32)
    unlawful: list[str] = []
    bound = _unreachable(problem, parts)
    answers: Iterator[PieceAnswer]
    if len(parts) == 1:
        piece = _piece(problem, parts[0], seed, 0)
        tell = None if progress is None else partial(report, progress)
        answers = iter([solve_piece(piece, effort, budget.left_s(), tell)])
    else:
        answers = _many(problem, parts, seed, effort, budget, executor)
    for number, ((people, duties), answer) in enumerate(zip(parts, answers, strict=True)):
        names = np.append(duties, OFF).astype(np.int32)  # the last stands for a day off
        roster[people] = names[answer.rows]
        unlawful += [problem.people.names[people[person]] for person in answer.unlawful]
        bound += answer.bound
        if len(parts) > 1:
            report(progress, Step("pieces", number + 1, len(parts)))
    plan = finished(problem, roster, unlawful, bound, seed)
    report(progress, Step("done", 1, 1, plan.objective, plan.bound))
    return plan


def _unreachable(problem: Problem, parts: list[tuple[Longs, Longs]]) -> int:
    """Return what duties cost that nobody can do."""
    reached = {int(duty) for _, duties in parts for duty in duties}
    lost = [duty for duty in range(problem.duties.size) if duty not in reached]
    table = problem.duties
    return int((table.need[:, lost].astype(np.int64) * table.under[:, lost]).sum())


def _piece(
    problem: Problem, one: tuple[Longs, Longs], seed: int, number: int, *, alone: bool = True
) -> Piece:
    people, duties = one
    whole = len(people) == problem.people.size and len(duties) == problem.duties.size
    own_seed = (seed * 1_000_003 + number) % (1 << 31)
    return Piece(problem if whole else part(problem, people, duties), own_seed, alone)


def _many(
    problem: Problem,
    parts: list[tuple[Longs, Longs]],
    seed: int,
    effort: Effort | None,
    budget: Budget,
    executor: Executor | None,
) -> Iterator[PieceAnswer]:
    """Plan the pieces side by side; each gets its share of the time that is left when its turn comes."""
    hands = os.cpu_count() or 1

    def jobs() -> Iterator[tuple[Piece, Effort | None, float]]:
        left = sum(len(people) for people, _ in parts)
        for number, one in enumerate(parts):
            share = min(1.0, hands * len(one[0]) / left)
            left -= len(one[0])
            yield _piece(problem, one, seed, number, alone=False), effort, budget.left_s() * share * _CARE

    return in_order(solve_piece, jobs(), executor=executor)


def finished(problem: Problem, roster: Ints, unlawful: list[str], bound: int, seed: int) -> Plan:
    """Return the plan of a roster: its cost, and who is missing where."""
    staffed = staff_of(problem, roster)
    own = sum(own_cost(problem, person, roster[person]) for person in range(problem.people.size))
    objective = own + cover_cost(problem, staffed)
    table = problem.duties
    missing = np.maximum(0, table.need - staffed)
    short = tuple(
        Shortage(int(day), int(duty), int(missing[day, duty]), bool(table.must[day, duty]))
        for day, duty in np.argwhere(missing)
    )
    return Plan(
        people=problem.people.names,
        duties=tuple(problem.duty_name(duty) for duty in range(table.size)),
        roster=roster,
        short=short,
        unlawful=tuple(sorted(unlawful)),
        objective=objective,
        bound=min(bound, objective),
        seed=seed,
        form=problem.form,
    )
