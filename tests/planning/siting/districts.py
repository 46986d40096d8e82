# SPDX-License-Identifier: Apache-2.0
"""Small generated districts for the siting tests, and the best plan of each by an integer programme."""

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from muster.planning.siting import make_problem


def district(seed, *, points=None, sites=None, limits=True, **changes):
    """Return a random problem: houses and candidates in a square, room for about one and a half times all."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 13)) if points is None else points
    width = int(rng.integers(1, 7)) if sites is None else sites
    people = rng.integers(1, 30, size)
    side = 300.0
    facts = {
        "points": {
            "x_m": rng.uniform(0, side, size),
            "y_m": rng.uniform(0, side, size),
            "people": people,
        },
        "candidates": {
            "x_m": rng.uniform(0, side, width),
            "y_m": rng.uniform(0, side, width),
            "open_cost": rng.integers(0, 2_000, width),
        },
        "limit_m": 400,
    }
    if limits:
        room = int(people.sum()) * 3 // (2 * width) + 1
        facts["candidates"]["capacity"] = rng.integers(room // 2, 2 * room + 1, width)
    return make_problem(**(facts | changes))


def least_cost(problem):
    """Return the least cost of any plan, None when nobody can be served as the problem demands."""
    walks, sites, size = problem.walks, problem.candidates.size, problem.points.size
    point = np.repeat(np.arange(size), np.diff(walks.first))
    arcs = len(walks.cost)
    leave = np.flatnonzero(~problem.cut_off) if problem.unserved is not None else np.zeros(0, int)
    cost = np.concatenate((problem.candidates.open_cost, walks.cost))
    if problem.unserved is not None:
        cost = np.concatenate((cost, problem.unserved[leave]))
    total = len(cost)
    rows, low, high = [], [], []

    def add(entries, least, most):
        row = np.zeros(total)
        for column, value in entries:
            row[column] += value
        rows.append(row)
        low.append(least)
        high.append(most)

    for p in np.flatnonzero(~problem.cut_off):
        own = [(sites + e, 1) for e in np.flatnonzero(point == p)]
        own += [(sites + arcs + int(k), 1) for k in np.flatnonzero(leave == p)]
        add(own, 1, 1)
    for e in range(arcs):
        add([(sites + e, 1), (int(walks.candidate[e]), -1)], -np.inf, 0)
    for j in range(sites):
        room = min(int(problem.candidates.capacity[j]), 10**6)
        own = [
            (sites + e, int(problem.points.people[point[e]])) for e in np.flatnonzero(walks.candidate == j)
        ]
        add([*own, (j, -room)], -np.inf, 0)
    if problem.count is not None:
        add([(j, 1) for j in range(sites)], problem.count, problem.count)
    lower, upper = np.zeros(total), np.ones(total)
    lower[list(problem.opened | set(problem.sent.values()))] = 1
    upper[list(problem.closed)] = 0
    for e in range(arcs):
        if problem.sent.get(int(point[e]), walks.candidate[e]) != walks.candidate[e]:
            upper[sites + e] = 0
    whole = np.ones(total)
    if problem.may_split:
        whole[sites : sites + arcs] = 0
    done = milp(
        cost,
        constraints=LinearConstraint(np.asarray(rows).reshape(-1, total), low, high) if rows else (),
        bounds=Bounds(lower, upper),
        integrality=whole,
        options={"mip_rel_gap": 0},
    )
    return None if done.x is None else round(done.fun)
