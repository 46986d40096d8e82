# SPDX-License-Identifier: Apache-2.0
"""A problem laid out for the searches: arrays both ways round, pins applied, what can never be left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning.contract import BadProblem
from muster.planning.siting.problem import (
    MOST_TOTAL,
    UNLIMITED,
    Problem,
    Walks,
    by_candidate,
    kept_open,
)

if TYPE_CHECKING:
    from muster.planning.siting._prices import Room
    from muster.planning.siting._swaps import Ground

# Room up to which points are packed exactly, as the check does too.
_EXACT_ROOM = 4_096
_EXACT_WORK = 1 << 22
_MOST_SCALE = 1 << 10


def lay_out(problem: Problem) -> Ground:
    """Return the arrays of the search. A point that has to be served costs more than all else elsewhere."""
    from muster.planning.siting._swaps import Ground

    walks = _usable(problem)
    width = problem.candidates.size
    first, point, point_cost = by_candidate(walks, width)
    fixed = np.zeros(width, np.int32)
    fixed[list(problem.closed)] = -1
    fixed[list(kept_open(problem))] = 1
    return Ground(
        first=walks.first,
        candidate=walks.candidate,
        cost=walks.cost,
        unserved=_unserved(problem, walks),
        of_first=first,
        point=point,
        point_cost=point_cost,
        open_cost=problem.candidates.open_cost.astype(np.int64),
        fixed=fixed,
    )


def _usable(problem: Problem) -> Walks:
    """Return the walks that a plan may use: to a pinned site only, and where a whole point has room."""
    walks = problem.walks
    if not problem.sent and (problem.may_split or not problem.has_limits):
        return walks
    point = np.repeat(np.arange(problem.points.size), np.diff(walks.first))
    keep = np.ones(len(point), np.bool_)
    if problem.sent:
        target = np.full(problem.points.size, -1, np.int64)
        target[list(problem.sent)] = list(problem.sent.values())
        keep &= (target[point] < 0) | (target[point] == walks.candidate)
    if not problem.may_split:
        keep &= problem.points.people[point] <= problem.candidates.capacity[walks.candidate]
    first = np.zeros(problem.points.size + 1, np.int64)
    np.cumsum(np.bincount(point[keep], minlength=problem.points.size), out=first[1:])
    return Walks(first, walks.candidate[keep], walks.cost[keep])


def _unserved(problem: Problem, walks: Walks) -> Longs:
    """Return what leaving out a point costs; nothing for those that nobody could serve."""
    if problem.unserved is None:
        size = problem.points.size
        all_costs = int(_dearest(walks).sum()) + int(problem.candidates.open_cost.sum()) + 1
        cost = np.full(size, min(all_costs, (1 << 60) // max(1, size)), np.int64)
    else:
        cost = problem.unserved.astype(np.int64)
    return np.where(problem.cut_off, 0, cost)


def _dearest(walks: Walks) -> Longs:
    dearest = np.zeros(len(walks.first) - 1, np.int64)
    has = np.diff(walks.first) > 0
    dearest[has] = walks.cost[walks.first[1:][has] - 1]
    return dearest


def room_of(problem: Problem, ground: Ground) -> Room:
    """Return what bounds the sites, and within what prices make sense."""
    from muster.planning.siting._prices import Room

    size, width = problem.points.size, problem.candidates.size
    capacity = np.minimum(problem.candidates.capacity, UNLIMITED)
    wanted = np.bincount(ground.candidate, minlength=width)
    exact = (capacity <= _EXACT_ROOM) & (capacity * wanted <= _EXACT_WORK)
    has = np.diff(ground.first) > 0
    cheapest, dearest = np.zeros(size, np.int64), np.zeros(size, np.int64)
    cheapest[has] = ground.cost[ground.first[:-1][has]]
    dearest[has] = ground.cost[ground.first[1:][has] - 1]
    most = int(dearest.max(initial=0)) + int(ground.open_cost.max(initial=0)) + 1
    total = 4 * most * max(1, size) + int(ground.open_cost.sum())
    if total > MOST_TOTAL:
        raise BadProblem("open_cost", "candidates", "planning.siting.costs_too_large")
    scale = 1
    while scale < _MOST_SCALE and total * scale * 2 <= 1 << 61:
        scale *= 2
    highest = np.where(has, 4 * most, 0)
    if problem.unserved is not None:
        highest = np.minimum(highest, ground.unserved)
    return Room(
        people=problem.points.people.astype(np.int64),
        capacity=capacity,
        is_exact=(exact & (not problem.may_split)).astype(np.int32),
        opening=np.asarray([-1 if problem.count is None else problem.count]),
        scale=np.asarray([scale]),
        lowest=np.minimum(cheapest, highest) * scale,
        highest=highest * scale,
    )
