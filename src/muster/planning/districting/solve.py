# SPDX-License-Identifier: Apache-2.0
"""Dividing a whole problem: the pieces of ground as jobs, upper levels over them, names for the grids."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from muster.planning._kernel.arrays import Bools, Longs
from muster.planning._kernel.budget import Budget
from muster.planning._kernel.fanning import in_order
from muster.planning.contract import BadProblem, Progress, Step, report
from muster.planning.districting.bound import bound_on
from muster.planning.districting.cutting import Effort
from muster.planning.districting.ground import Ground, lay_out
from muster.planning.districting.naming import claims_of, named_level
from muster.planning.districting.piecework import (
    PieceAnswer,
    PieceTask,
    divide_below,
    inner_seed,
    wide_answer,
    wide_cut,
    work_on,
)
from muster.planning.districting.plan import PPM, GridLevel, Plan, worst_ppm
from muster.planning.districting.problem import Problem, require_lawful
from muster.planning.districting.tasks import tasks_of
from muster.planning.districting.upper import upper_levels, with_kept
from muster.planning.districting.wishes import kept_buildings, own_levels, targets

# A piece with more atoms is cut once here, and its parts are jobs of their own.
_WIDE = 20_000
# Small pieces share a job until it has about so many atoms.
_JOB_ATOMS = 5_000
_ATTEMPTS = 3
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
    """Divide the ground; the same problem and seed give the same plan, whatever the executor.

    Pieces whose grids are more uneven than the tolerance are tried again with other seeds, twice at most
    and within the budget. Raises BadProblem, Cancelled.
    """
    require_lawful(problem)
    budget = Budget(budget_s)
    kept = kept_buildings(problem)
    ground = lay_out(problem, ~kept)
    least = bound_on(problem, ground)
    tasks = tasks_of(problem, ground, seed=seed, effort=effort)
    answers = _work(tasks, executor, progress)
    for attempt in range(1, _ATTEMPTS):
        uneven = [
            number
            for number, (task, answer) in enumerate(zip(tasks, answers, strict=True))
            if answer.uneven(task.region) > problem.tolerance_ppm / PPM
        ]
        if not uneven or budget.spent():
            break
        again = [replace(tasks[number], seed=tasks[number].seed + 7919 * attempt) for number in uneven]
        for number, answer in zip(uneven, _work(again, executor, progress), strict=True):
            region = tasks[number].region
            if answer.uneven(region) < answers[number].uneven(region):
                answers[number] = answer
    levels = _levels(problem, ground, kept, tasks, answers, seed=seed, effort=effort)
    _require_pins(problem, levels[0], kept)
    worst = worst_of(problem, levels, kept)
    return Plan(levels, seed, worst, min(least, worst), problem.form)


def _require_pins(problem: Problem, lowest: GridLevel, kept: Bools) -> None:
    """Raise BadProblem when pins could not all be met: a plan without them is not what was asked."""
    if problem.pinned is None:
        return
    for building in np.flatnonzero((problem.pinned >= 0) & ~kept):
        if lowest.grids[lowest.grid_of[building]] != problem.pin_names[problem.pinned[building]]:
            raise BadProblem("pins", problem.names[building], "planning.districting.pin_unmet")


def worst_of(problem: Problem, levels: Sequence[GridLevel], kept: Bools) -> int:
    """Return the worst deviation of any grid at any level, in millionths; kept grids are not judged."""
    weight = problem.weights()
    found = [0]
    for number, (level, goal) in enumerate(zip(levels, targets(problem), strict=True)):
        judged = ~kept if number == 0 else np.ones(problem.size, np.bool_)
        loads = np.bincount(level.grid_of[judged], weight[judged], len(level.grids))
        present = np.unique(level.grid_of[judged])
        found.append(worst_ppm(loads[present].astype(np.int64), goal))
    return max(found)


def _work(
    tasks: Sequence[PieceTask], executor: Executor | None, progress: Progress | None
) -> list[PieceAnswer]:
    """Return the answers in the order of the tasks: wide pieces cut into jobs, small ones put together."""
    answers: dict[int, PieceAnswer] = {}
    total = max(1, sum(task.region.size for task in tasks))
    done = 0
    batches = _batches(tasks)
    jobs = [([tasks[number] for number in batch],) for batch in batches]
    for batch, found in zip(batches, in_order(work_on, jobs, executor=executor), strict=True):
        answers |= dict(zip(batch, found, strict=True))
        done += sum(tasks[number].region.size for number in batch)
        report(progress, Step("divide", done, total))
    for number, task in enumerate(tasks):
        if number not in answers:
            answers[number] = _work_wide(task, executor, progress, done, total)
            done += task.region.size
    return [answers[number] for number in range(len(tasks))]


def _is_wide(task: PieceTask) -> bool:
    return task.is_fresh and task.region.size > _WIDE


def _batches(tasks: Sequence[PieceTask]) -> list[list[int]]:
    batches: list[list[int]] = []
    atoms = _JOB_ATOMS
    for number, task in enumerate(tasks):
        if _is_wide(task):
            continue
        if atoms >= _JOB_ATOMS:
            batches.append([])
            atoms = 0
        batches[-1].append(number)
        atoms += task.region.size
    return batches


def _work_wide(
    task: PieceTask, executor: Executor | None, progress: Progress | None, done: int, total: int
) -> PieceAnswer:
    report(progress, Step("divide", done, total))
    cuts = wide_cut(task)
    jobs = [
        (task.region.part(atoms), branch, task.tolerance, inner_seed(task, number), task.effort)
        for number, (branch, atoms) in enumerate(cuts)
    ]
    inside = []
    for (_, atoms), leaves in zip(cuts, in_order(divide_below, jobs, executor=executor), strict=True):
        inside.append(leaves)
        done += len(atoms)
        report(progress, Step("divide", done, total))
    return wide_answer(task, cuts, inside)


def _levels(
    problem: Problem,
    ground: Ground,
    kept: Bools,
    tasks: Sequence[PieceTask],
    answers: Sequence[PieceAnswer],
    *,
    seed: int,
    effort: Effort,
) -> tuple[GridLevel, ...]:
    """Return all levels by building, with names."""
    own = len(own_levels(problem))
    by_level = [_by_building(problem, ground, answers, number) for number in range(own)]
    by_level[0] = with_kept(problem, by_level[0], kept)
    by_level += upper_levels(problem, by_level[-1], seed=seed, effort=effort)
    given = _pin_names(problem, ground, tasks, answers)
    people = problem.weights()
    levels = []
    for number, grid_of in enumerate(by_level):
        before = problem.previous[number] if number < len(problem.previous) else None
        names = _taken(problem, number)
        claims = [] if before is None else claims_of(grid_of, before.grid_of, before.names, people)
        if number == 0 and kept.any() and before is not None:
            given |= {
                int(grid_of[building]): before.names[before.grid_of[building]]
                for building in np.flatnonzero(kept)
            }
        levels.append(
            named_level(
                problem.levels[number].name,
                grid_of,
                claims=claims,
                given=given if number == 0 else {},
                taken=names,
            )
        )
    return tuple(levels)


def _by_building(problem: Problem, ground: Ground, answers: Sequence[PieceAnswer], number: int) -> Longs:
    """Return the grid of each building at a level, numbered through all pieces; -1 where none is made."""
    by_atom = np.full(ground.region.size, -1, np.int64)
    first = 0
    for atoms, answer in zip(ground.pieces, answers, strict=True):
        by_atom[atoms] = first + answer.levels[number].label
        first += len(answer.levels[number].today)
    grid_of = np.full(problem.size, -1, np.int64)
    used = ground.atom_of >= 0
    grid_of[used] = by_atom[ground.atom_of[used]]
    return grid_of


def _pin_names(
    problem: Problem, ground: Ground, tasks: Sequence[PieceTask], answers: Sequence[PieceAnswer]
) -> dict[int, str]:
    """Return the names of the smallest grids that got them from a pin."""
    given: dict[int, str] = {}
    first = 0
    for task, answer in zip(tasks, answers, strict=True):
        for group, part in zip(task.pinned, answer.pin_parts, strict=True):
            given.setdefault(first + part, group.name)
        first += len(answer.levels[0].today)
    return given


def _taken(problem: Problem, number: int) -> frozenset[str]:
    """Return names that no new grid may have: those of today, so that nobody mistakes one for the other."""
    before = problem.previous[number].names if number < len(problem.previous) else ()
    return frozenset((*before, *problem.pin_names))
