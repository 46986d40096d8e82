# SPDX-License-Identifier: Apache-2.0
"""Solving a walking problem: hierarchy, matrix, and for a walk its order; and the least a walk needs."""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np

from muster.planning._kernel.arrays import Ints
from muster.planning.contract import BadProblem, Progress
from muster.planning.network.distances import distances
from muster.planning.network.hierarchy import prepare
from muster.planning.network.plan import Plan
from muster.planning.network.problem import Problem, Task
from muster.planning.network.walking import WalkingOrder, walk_order

# A plan file holds its matrix as text. Larger ones are for `row_blocks`, which never holds them whole.
_MOST_CELLS = 50_000_000
_MOST_STOPS = 3_000


def solve(
    problem: Problem,
    *,
    budget_s: float,
    seed: int,
    executor: Executor | None = None,
    progress: Progress | None = None,
    kicks: int | None = None,
) -> Plan:
    """Return the distances or a short walk; the same problem and seed give the same plan.

    `budget_s` only ends the search for a walk early. Raises BadProblem, Cancelled.
    """
    _require_small(problem)
    hierarchy = prepare(problem.graph, progress=progress)
    if problem.task is Task.DISTANCES:
        matrix = distances(
            hierarchy,
            problem.places.take(problem.sources),
            problem.places.take(problem.targets),
            executor=executor,
            progress=progress,
        )
        return Plan(Task.DISTANCES, seed, matrix)
    stops = walked(problem)
    spots = problem.places.take(stops)
    matrix = distances(hierarchy, spots, spots, executor=executor, progress=progress)
    walk = _order(problem, stops, matrix, seed=seed, budget_s=budget_s, kicks=kicks, progress=progress)
    names = problem.names
    return Plan(
        Task.WALK,
        seed,
        None,
        tuple(names[stops[i]] for i in walk.order),
        tuple(names[stops[i]] for i in walk.cut_off),
        walk.length_dm,
        walk.bound_dm,
    )


def bound(problem: Problem) -> int:
    """Return the least length that any walk of the problem needs; 0 for a matrix, which is exact."""
    if problem.task is Task.DISTANCES:
        return 0
    answer = solve(problem, budget_s=60.0, seed=1).bound_dm
    return 0 if answer is None else answer


def walked(problem: Problem) -> tuple[int, ...]:
    """Return all places of the walk, in the order of the problem: stops, then ends that are none."""
    ends = [end for end in (problem.start, *problem.fixed_first, problem.finish) if end is not None]
    return tuple(dict.fromkeys((*problem.stops, *ends)))


def _order(
    problem: Problem,
    stops: tuple[int, ...],
    matrix: Ints,
    *,
    seed: int,
    budget_s: float,
    kicks: int | None,
    progress: Progress | None,
) -> WalkingOrder:
    place_of = {stop: place for place, stop in enumerate(stops)}
    return walk_order(
        matrix,
        seed=seed,
        start=None if problem.start is None else place_of[problem.start],
        finish=None if problem.finish is None else place_of[problem.finish],
        returns=problem.returns,
        fixed_first=[place_of[stop] for stop in problem.fixed_first],
        kicks=kicks,
        budget_s=budget_s,
        progress=progress,
    )


def _require_small(problem: Problem) -> None:
    cells = np.int64(len(problem.sources)) * len(problem.targets)
    if cells > _MOST_CELLS:
        raise BadProblem("targets", "", "planning.network.too_many_cells", limit=_MOST_CELLS)
    if len(problem.stops) > _MOST_STOPS:
        raise BadProblem("stops", "", "planning.network.too_many_stops", limit=_MOST_STOPS)
