# SPDX-License-Identifier: Apache-2.0
"""Small generated towns for the matching tests, and a slow way to the best plan."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from muster.planning.matching import Wanted, Weights, make_problem
from muster.planning.matching.problem import unit_costs

NEVER = 10**9


def town(seed, *, people=None, grids=None, skills=None, teams=0, **changes):
    """Return a random problem with all that can stand in one: reach, bars, shortage, spare, tables."""
    rng = np.random.default_rng(seed)
    people = int(rng.integers(1, 30)) if people is None else people
    grids = int(rng.integers(1, 8)) if grids is None else grids
    skills = int(rng.integers(1, 4)) if skills is None else skills
    held = [
        sorted({f"s{k}" for k in rng.choice(skills, rng.integers(0, skills + 1), replace=False)})
        for _ in range(people)
    ]
    asked = [(f"g{g}", f"s{k}") for g in range(grids) for k in range(skills) if rng.random() < 0.8]
    by_table = rng.random() < 0.3
    facts = {
        "skills": held,
        "x_m": rng.uniform(0, 2000, people),
        "y_m": rng.uniform(0, 2000, people),
        "grids": [f"g{g}" for g in range(grids)],
        "grid_x_m": rng.uniform(0, 2000, grids),
        "grid_y_m": rng.uniform(0, 2000, grids),
        "posts": Wanted(
            [grid for grid, _ in asked],
            [skill for _, skill in asked],
            rng.integers(0, 5, len(asked)),
            rng.integers(0, 3, len(asked)),
        ),
        "home": [f"g{rng.integers(grids)}" if rng.random() < 0.7 else None for _ in range(people)],
        "team": [f"t{rng.integers(teams)}" for _ in range(people)] if teams else None,
        "reach_m": rng.integers(300, 3000, people),
        "weights": Weights(
            unfilled_m=int(rng.choice([500, 3000, 60000])),
            balance_m=int(rng.choice([0, 400])),
            spare_m=int(rng.choice([0, 300])),
            team_m=700 if teams else 0,
        ),
        "bars": [(str(rng.integers(people)), f"g{rng.integers(grids)}") for _ in range(rng.integers(0, 4))],
        "walk_m": rng.integers(0, 3000, (5, grids)) if by_table else None,
        "place": rng.integers(0, 5, people) if by_table else None,
    }
    return make_problem(**(facts | changes))


def best_cost(problem):
    """Return the least cost by the assignment of people to single units, everything written out."""
    units = [
        (int(problem.posts.grid[post]), int(problem.posts.skill[post]), int(cost))
        for post in range(len(problem.posts.grid))
        for cost in unit_costs(problem, post)
    ]
    people, count = problem.size, len(units)
    cost = np.full((people + count, count + people), NEVER, np.int64)
    for who in range(people):
        cost[who, count:] = 0
        for unit, (grid, skill, _) in enumerate(units):
            fits = skill in problem.skills_of(who) and (who, grid) not in set(problem.bars)
            if fits and problem.walk_to(who, grid) <= problem.reach_m[who]:
                own = problem.weights.own_grid_m if problem.home[who] == grid else 0
                cost[who, unit] = problem.walk_to(who, grid) - own
    for unit, (_, _, left) in enumerate(units):
        cost[people:, unit] = left
    cost[people:, count:] = 0
    rows, columns = linear_sum_assignment(cost)
    return int(cost[rows, columns].sum())


def city(seed, *, people=3_000, grids=200):
    """Return a problem shaped like a city: people near grids, eight skills from common to rare."""
    rng = np.random.default_rng(seed)
    side = 220.0 * grids**0.5
    x, y = rng.uniform(0, side, grids), rng.uniform(0, side, grids)
    home = rng.integers(0, grids, people)
    shares = np.array([1, 0.25, 0.2, 0.15, 0.1, 0.08, 0.05, 0.03])
    held = rng.random((people, 8)) < shares
    need = rng.poisson(shares * 0.85 * people / grids / shares.sum(), (grids, 8))
    grid, skill = np.nonzero(need)
    return make_problem(
        skills=[[f"s{k}" for k in np.flatnonzero(row)] for row in held],
        x_m=x[home] + rng.normal(0, 300, people),
        y_m=y[home] + rng.normal(0, 300, people),
        home=[f"g{g}" for g in home],
        grids=[f"g{g}" for g in range(grids)],
        grid_x_m=x,
        grid_y_m=y,
        posts=Wanted([f"g{g}" for g in grid], [f"s{k}" for k in skill], need[grid, skill]),
    )
