# SPDX-License-Identifier: Apache-2.0
"""A city's responders matched to posts, beside a pruned minimum-cost flow, greedy and HiGHS.

python -m benchmarks.planning.matching [--share 1.0] [--peers 0.1]

The city has 139,300 responders, 9,310 grids and 8 skills at share 1. Peers see only the 12 nearest grids
that ask for each skill of a person; ours sees all. HiGHS works on a smaller city, as its time
grows faster. Each solver runs in a process of its own, so that memory is its own. Ratios are of processor
time in this run.
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.planning.machine import machine, memory_mb, timed, write_result
from muster.planning.contract import Step
from muster.planning.matching import Effort, Problem, Wanted, check, make_problem, solve

SEED = 1
NEAREST = 12
UNFILLED_M = 60_000
SHARES = np.array([1, 0.25, 0.2, 0.15, 0.1, 0.08, 0.05, 0.03])
WANTED = np.array([8, 2, 1.6, 1.2, 0.8, 0.6, 0.35, 0.2])


def city(share: float) -> Problem:
    """Return districts with too many people and districts with too few, skills from common to rare."""
    rng = np.random.default_rng(SEED)
    people, grids, districts = round(139_300 * share), round(9_310 * share), 23
    spread = share**0.5  # a smaller city is as dense as a large one
    middle = rng.normal(0, 12_000 * spread, (districts, 2))
    weight = rng.dirichlet(np.full(districts, 3.0))
    district = rng.choice(districts, grids, p=weight)
    where = np.rint(middle[district] + rng.normal(0, 3_500 * spread, (grids, 2)))
    crowd = weight * rng.uniform(0.5, 1.6, districts)
    by_district = [np.flatnonzero(district == d) for d in range(districts)]
    crowd *= [len(own) > 0 for own in by_district]
    lives = rng.choice(districts, people, p=crowd / crowd.sum())
    home = np.array([rng.choice(by_district[d]) for d in lives])
    at = np.rint(where[home] + rng.normal(0, 400, (people, 2)))
    held = rng.random((people, 8)) < SHARES
    hard = rng.random(districts) < 0.25
    need = rng.poisson(WANTED * np.where(hard[district], 1.5, 0.9)[:, None])
    need = rng.binomial(need, min(1.0, 0.9 * people / need.sum()))
    grid, skill = np.nonzero(need)
    return make_problem(
        skills=[[f"s{k}" for k in np.flatnonzero(row)] for row in held],
        x_m=at[:, 0],
        y_m=at[:, 1],
        home=[f"g{g}" for g in home],
        grids=[f"g{g}" for g in range(grids)],
        grid_x_m=where[:, 0],
        grid_y_m=where[:, 1],
        posts=Wanted([f"g{g}" for g in grid], [f"s{k}" for k in skill], need[grid, skill]),
    )


def nearest_arcs(problem: Problem) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return responder, post and cost of the nearest posts of each responder's skills."""
    from scipy.spatial import cKDTree

    people, posts, costs = [], [], []
    owner = np.repeat(np.arange(problem.size), np.diff(problem.skill_first))
    for skill in range(len(problem.skills)):
        holders = owner[problem.skill == skill]
        asked = np.flatnonzero(problem.posts.skill == skill)
        grids = problem.posts.grid[asked]
        tree = cKDTree(np.stack((problem.grid_x_m[grids], problem.grid_y_m[grids]), axis=1))
        count = min(NEAREST, len(asked))
        at = np.stack((problem.x_m[holders], problem.y_m[holders]), axis=1)
        far, which = tree.query(at, k=np.arange(1, count + 1))
        who = np.repeat(holders, count)
        own = problem.home[who] == grids[which.ravel()]
        people.append(who)
        posts.append(asked[which.ravel()])
        costs.append(np.floor(far.ravel() + 0.5).astype(np.int64) - 300 * own)
    return np.concatenate(people), np.concatenate(posts), np.concatenate(costs)


def ours(problem: Problem) -> dict[str, Any]:
    tiny = city(0.01)
    check(tiny, solve(tiny, budget_s=1e9, seed=SEED))  # compile, or load what is compiled
    first: dict[str, Any] = {}

    def watch(step: Step) -> None:
        if step.objective is not None and not first:
            first["objective"] = step.objective

    rough, to_rough = timed(lambda: solve(problem, budget_s=1e9, seed=SEED, effort=Effort(most_phases=1)))
    plan, took = timed(lambda: solve(problem, budget_s=1e9, seed=SEED, progress=watch))
    memory = memory_mb()
    wrong, looked = timed(lambda: check(problem, plan))
    seated = np.flatnonzero(plan.grid_of >= 0)
    walks = [problem.walk_to(int(who), int(plan.grid_of[who])) for who in seated]
    return {
        **took.facts(),
        "status": str(plan.status),
        "objective": plan.objective,
        "bound": plan.bound,
        "unfilled": int(problem.posts.need.sum()) - len(seated),
        "mean_walk_m": round(float(np.mean(walks)), 1),
        "memory_mb": memory,
        "first_plan": {**to_rough.facts(), "objective": rough.objective, "bound": rough.bound},
        "independent_check": {**looked.facts(), "violations": len(wrong)},
    }


def pruned_flow(problem: Problem) -> dict[str, Any]:
    from ortools.graph.python import min_cost_flow

    person, post, cost = nearest_arcs(problem)
    need = problem.posts.need.astype(np.int64)
    people, posts, units = problem.size, len(need), int(need.sum())
    reserve = people + posts
    solver = min_cost_flow.SimpleMinCostFlow()
    add = solver.add_arcs_with_capacity_and_unit_cost

    def run() -> Any:
        add(person, people + post, np.ones(len(person), np.int64), cost + 300)
        add(np.arange(people), np.full(people, reserve), np.ones(people, np.int64), np.full(people, 300))
        add(np.full(posts, reserve), people + np.arange(posts), need, np.full(posts, UNFILLED_M))
        supply = np.concatenate((np.ones(people, np.int64), -need, [units - people]))
        solver.set_nodes_supplies(np.arange(people + posts + 1), supply)
        return solver.solve()

    status, took = timed(run)
    assert status == solver.OPTIMAL
    empty = int(solver.flows(np.arange(len(person) + people, len(person) + people + posts)).sum())
    objective = int(solver.optimal_cost()) - 300 * people
    return {
        **took.facts(),
        "arcs": len(person),
        "objective": objective,
        "unfilled": empty,
        "memory_mb": memory_mb(),
    }


def greedy(problem: Problem) -> dict[str, Any]:
    """Nearest pairs first, as a person with a list would do it."""
    person, post, cost = nearest_arcs(problem)

    def run() -> tuple[int, int]:
        free, room = np.ones(problem.size, bool), problem.posts.need.copy()
        total = 0
        for arc in np.argsort(cost, kind="stable").tolist():
            if free[person[arc]] and room[post[arc]] > 0:
                free[person[arc]] = False
                room[post[arc]] -= 1
                total += int(cost[arc])
        return total + UNFILLED_M * int(room.sum()), int(room.sum())

    (objective, empty), took = timed(run)
    return {**took.facts(), "objective": objective, "unfilled": empty}


def highs(problem: Problem) -> dict[str, Any]:
    from scipy.optimize import linprog
    from scipy.sparse import csr_matrix, vstack

    person, post, cost = nearest_arcs(problem)
    arcs, people, posts = len(person), problem.size, len(problem.posts.need)
    need = problem.posts.need.astype(float)

    def run() -> int:
        column = np.arange(arcs)
        by_person = csr_matrix((np.ones(arcs), (person, column)), shape=(people, arcs))
        by_post = csr_matrix((np.ones(arcs), (post, column)), shape=(posts, arcs))
        limits = np.concatenate((np.ones(people), need))
        # Filling a unit saves what leaving it empty would cost.
        done = linprog(cost - UNFILLED_M, A_ub=vstack((by_person, by_post)), b_ub=limits, method="highs")
        return round(done.fun) + UNFILLED_M * int(need.sum())

    objective, took = timed(run)
    return {**took.facts(), "objective": objective, "memory_mb": memory_mb()}


def apart(work: Callable[[Problem], dict[str, Any]], share: float) -> dict[str, Any]:
    """Run a solver in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_made_and_solved, (work, share))


def _made_and_solved(work: Callable[[Problem], dict[str, Any]], share: float) -> dict[str, Any]:
    return work(city(share))


def compared(share: float, peers: list[Callable[[Problem], dict[str, Any]]]) -> dict[str, Any]:
    problem = city(share)
    facts: dict[str, Any] = {
        "responders": problem.size,
        "grids": len(problem.grids),
        "posts": len(problem.posts.grid),
        "needed": int(problem.posts.need.sum()),
        "pairs": problem.arcs(),
    }
    del problem
    facts |= {work.__name__: apart(work, share) for work in [ours, *peers]}
    for work in peers:
        times = facts["ours"]["cpu_s"] / facts[work.__name__]["cpu_s"]
        facts[f"ours_over_{work.__name__}_cpu"] = round(times, 2)
    return facts


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--share", type=float, default=1.0)
    words.add_argument("--peers", type=float, default=0.1, help="share of the city for HiGHS")
    asked = words.parse_args()
    result: dict[str, Any] = {"machine": machine(), "seed": SEED}
    result["city"] = compared(asked.share, [pruned_flow, greedy])
    result["district"] = compared(asked.peers, [pruned_flow, greedy, highs])
    print(write_result("matching", result).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
