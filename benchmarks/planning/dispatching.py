# SPDX-License-Identifier: Apache-2.0
"""One request at a time at the desk, and many at once, beside looking at everybody and a search tree.

python -m benchmarks.planning.dispatching [--most 1000000]

Times at the desk are of single calls on the wall, in microseconds, with people moving in between; ratios
for many requests are of processor time in this run. `saved_percent` is the walk saved against giving
out one by one.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import cKDTree

from benchmarks.planning.machine import machine, memory_mb, timed, write_result
from muster.planning.dispatching import Desk, Problem, make_problem, one_by_one, solve

SEED = 5
SHARES = np.array([1, 0.25, 0.2, 0.15, 0.1, 0.08, 0.05, 0.03])
ASKED = np.array([0.5, 0.15, 0.1, 0.08, 0.07, 0.05, 0.03, 0.02])


def city(people: int, requests: int, *, free: float = 1.0) -> Problem:
    """Return people around 23 centres, and requests among them; `free` is who can take jobs now."""
    rng = np.random.default_rng(SEED)
    middle = rng.normal(0, 12_000, (23, 2))
    at, call = (middle[rng.integers(0, 23, n)] + rng.normal(0, 3_500, (n, 2)) for n in (people, requests))
    held = rng.random((people, 8)) < SHARES
    words = [[f"s{k}" for k in range(8) if bits >> k & 1] for bits in range(256)]
    codes = (held << np.arange(8)).sum(axis=1)
    capacity = rng.integers(1, 4, people) if free == 1.0 else (rng.random(people) < free).astype(int)
    return make_problem(
        responders={
            "x_m": at[:, 0],
            "y_m": at[:, 1],
            "traits": [words[code] for code in codes],
            "capacity": capacity,
        },
        requests={
            "x_m": call[:, 0],
            "y_m": call[:, 1],
            "needs": [[f"s{k}"] for k in rng.choice(8, requests, p=ASKED)],
        },
    )


def micros(times: list[float]) -> dict[str, float]:
    return {f"p{q}": round(float(np.percentile(times, q)) * 1e6, 2) for q in (50, 99)}


def at_the_desk(people: int, requests: int) -> dict[str, Any]:
    """Time each call, with a person moving and one taking a job between two requests."""
    problem = city(people, requests)
    desk, built = timed(lambda: Desk.of(problem))
    rng = np.random.default_rng(SEED)
    wanted = problem.requests
    for _ in range(100):
        desk.suggest(0, 0, count=1)
    asked, moved, engine = [], [], []
    movers = rng.integers(0, people, requests)
    steps = rng.integers(-300, 300, (requests, 2))
    for request in range(requests):
        x, y, needs = int(wanted.x_m[request]), int(wanted.y_m[request]), int(wanted.needs[request])
        if request % 2:  # each way of asking finds the city cold in its turn
            engine.append(in_engine(desk, x, y, needs))
            best = desk.suggest(x, y, needs=needs, count=1)
        else:
            start = time.perf_counter()
            best = desk.suggest(x, y, needs=needs, count=1)
            asked.append(time.perf_counter() - start)
        if best:
            desk.take_job(best[0].responder)
        who = int(movers[request])
        place = (
            problem.responders.x_m[who] + steps[request, 0],
            problem.responders.y_m[who] + steps[request, 1],
        )
        start = time.perf_counter()
        desk.move(who, int(place[0]), int(place[1]))
        moved.append(time.perf_counter() - start)
    return {
        "people": people,
        "requests": requests,
        "build": built.facts(),
        "suggest_us": micros(asked),
        "search_us": micros(engine),
        "move_us": micros(moved),
        **peers_at_the_desk(problem, min(requests, 500)),
    }


def in_engine(desk: Desk, x: int, y: int, needs: int) -> float:
    """Time the search alone, without making a suggestion of it."""
    from muster.planning.dispatching._pyramid import nearest

    found, nobody = np.zeros((1, 2), np.int64), np.zeros(0, np.int64)
    start = time.perf_counter()
    nearest(*desk._index, x, y, needs, 0, -1, nobody, found)
    return time.perf_counter() - start


def peers_at_the_desk(problem: Problem, requests: int) -> dict[str, Any]:
    """Look at everybody, and ask a tree for ever more neighbours; both must agree with the desk."""
    desk, wanted, people = Desk.of(problem), problem.requests, problem.responders
    tree = cKDTree(np.stack((people.x_m, people.y_m), axis=1))
    everybody, by_tree = [], []
    differences = 0
    for request in range(requests):
        x, y, needs = int(wanted.x_m[request]), int(wanted.y_m[request]), int(wanted.needs[request])
        best = desk.suggest(x, y, needs=needs, count=1)[0]
        start = time.perf_counter()
        walks = np.hypot(people.x_m - x, people.y_m - y)
        walks[(people.traits & needs) != needs] = np.inf
        nearest = float(walks.min())
        everybody.append(time.perf_counter() - start)
        differences += int(nearest + 0.5) != best.walk_m
        start = time.perf_counter()
        count = 64
        while True:
            far, who = tree.query((x, y), k=min(count, people.size))
            able = (people.traits[who] & needs) == needs
            if able.any():
                break
            count *= 4
        differences += int(far[able].min() + 0.5) != best.walk_m
        by_tree.append(time.perf_counter() - start)
    return {"everybody_us": micros(everybody), "tree_us": micros(by_tree), "differences": differences}


def many_at_once(people: int, requests: int) -> dict[str, Any]:
    problem = city(people, requests, free=0.15)
    plan, took = timed(lambda: solve(problem, budget_s=1e9, seed=SEED))
    simple, simply = timed(lambda: one_by_one(problem, seed=SEED))
    peer, peer_took = timed(lambda: sparse_matching(problem))
    walks = [mean_walk(problem, p.responder_of) for p in (plan, simple)]
    return {
        "people": people,
        "requests": requests,
        **took.facts(),
        "status": str(plan.status),
        "objective": plan.objective,
        "bound": plan.bound,
        "unserved": int((plan.responder_of < 0).sum()),
        "mean_walk_m": round(walks[0], 1),
        "one_by_one": {**simply.facts(), "mean_walk_m": round(walks[1], 1)},
        "saved_percent": round(100 * (1 - walks[0] / walks[1]), 1),
        "scipy_60_nearest": {**peer_took.facts(), "objective": peer},
        "ours_over_scipy_cpu": round(took.cpu_s / peer_took.cpu_s, 2),
    }


def mean_walk(problem: Problem, responder_of: np.ndarray) -> float:
    served = np.flatnonzero(responder_of >= 0)
    return float(np.mean([problem.walk_m(int(q), int(responder_of[q])) for q in served]))


def sparse_matching(problem: Problem) -> int | None:
    """Return the cost of the best matching to the 60 nearest free people of each skill, if there is one."""
    people, wanted = problem.responders, problem.requests
    rows, columns, walks = [], [], []
    free = people.capacity > people.load
    for needs in np.unique(wanted.needs):
        able = np.flatnonzero(free & ((people.traits & needs) == needs))
        asked = np.flatnonzero(wanted.needs == needs)
        tree = cKDTree(np.stack((people.x_m[able], people.y_m[able]), axis=1))
        count = min(60, len(able))
        far, who = tree.query(np.stack((wanted.x_m[asked], wanted.y_m[asked]), axis=1), k=count)
        rows.append(np.repeat(asked, count))
        columns.append(able[who.ravel()])
        walks.append(np.floor(far.ravel() + 0.5))
    row, column, walk = (np.concatenate(parts) for parts in (rows, columns, walks))
    used, place = np.unique(column, return_inverse=True)
    matrix = csr_matrix((walk + 1, (row, place)), shape=(wanted.size, len(used)))
    try:
        found = min_weight_full_bipartite_matching(matrix)
    except ValueError:
        return None
    return int(np.asarray(matrix[found]).sum()) - wanted.size


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--most", type=int, default=1_000_000)
    asked = words.parse_args()
    at_the_desk(1_000, 50)  # compile, or load what is compiled
    many_at_once(1_000, 50)
    result: dict[str, Any] = {"machine": machine(), "seed": SEED}
    sizes = [size for size in (100_000, 1_000_000) if size <= asked.most]
    result["desk"] = [at_the_desk(size, 10_000) for size in sizes]
    result["many"] = [many_at_once(100_000, requests) for requests in (200, 2_000, 10_000)]
    result["memory_mb"] = memory_mb()
    print(write_result("dispatching", result).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
