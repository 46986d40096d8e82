# SPDX-License-Identifier: Apache-2.0
"""A quick bound without solving: each post takes its nearest people, as if nobody else wanted them."""

from __future__ import annotations

import numpy as np

from muster.planning._kernel.arrays import Floats, Longs
from muster.planning.matching.problem import Problem, unit_costs


def quick_bound(problem: Problem) -> int:
    """Return a cost that no plan can be below; the bound of a solved plan is far closer."""
    total = 0
    for skill in range(len(problem.skills)):
        posts = np.flatnonzero(problem.posts.skill == skill)
        if len(posts):
            owner = np.repeat(np.arange(problem.size), np.diff(problem.skill_first))
            total += _of_skill(problem, posts, owner[problem.skill == skill])
    return total


def _of_skill(problem: Problem, posts: Longs, people: Longs) -> int:
    from scipy.spatial import cKDTree

    rooms = problem.posts.need[posts].astype(np.int64) + problem.posts.spare[posts]
    if not len(people):
        return sum(int(unit_costs(problem, int(post)).sum()) for post in posts)
    total = 0
    nearest: Floats | None = None
    if problem.walk_m is None:
        places = np.stack((problem.x_m[people], problem.y_m[people]), axis=1)
        grids = problem.posts.grid[posts]
        wanted = np.stack((problem.grid_x_m[grids], problem.grid_y_m[grids]), axis=1)
        most = min(len(people), max(1, int(rooms.max())))
        nearest = np.asarray(cKDTree(places).query(wanted, k=np.arange(1, most + 1))[0])
    for row, post in enumerate(posts):
        units = unit_costs(problem, int(post))
        if nearest is not None:
            walks = np.floor(nearest[row] * (problem.walk_permille / 1000.0)).astype(np.int64)
        else:
            walks = np.sort(_table_walks(problem, people, int(problem.posts.grid[post])))
        total += _least(walks - problem.weights.own_grid_m, units)
    return total


def _table_walks(problem: Problem, people: Longs, grid: int) -> Longs:
    assert problem.walk_m is not None
    assert problem.place is not None
    return problem.walk_m[problem.place[people], grid].astype(np.int64)


def _least(seats: Longs, units: Longs) -> int:
    """Return the least cost of a post: its dearest units to its cheapest people, as long as that pays."""
    count = min(len(seats), len(units))
    saved = np.minimum(0, seats[:count] - units[::-1][:count])
    return int(units.sum()) + int(saved.sum())
