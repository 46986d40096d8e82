# SPDX-License-Identifier: Apache-2.0
"""Dividing a synthetic city of 200,000 buildings into nested grids, and a district as its first user has it.

python -m benchmarks.planning.districting [--buildings 200000] [--peers PYTHON]

`PYTHON` is an interpreter with gerrychain and spopt; they divide the same ground, written to a file.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from benchmarks.planning.machine import machine, memory_mb, timed, write_result
from muster.planning import districting
from muster.planning.districting import HardLine, Level, Plan, Problem, make_problem

SEED = 1
LEVELS = ("small", "medium", "large")


def city(
    size: int, counts: tuple[int, ...], *, compounds: int = 0, rivers: int = 0, seed: int = SEED
) -> Problem:
    """Return clustered buildings with lognormal populations, compounds that stay whole, rivers."""
    rng = np.random.default_rng(seed)
    side = 35.0 * np.sqrt(size)
    middles = rng.random((max(1, size // 150), 2)) * side
    many = size * 6 // 10
    clustered = middles[rng.integers(0, len(middles), many)] + rng.normal(0, 120, (many, 2))
    x, y = np.round(np.concatenate([clustered, rng.random((size - many, 2)) * side]), 1).T
    across = np.linspace(-1000, side + 1000, 400)
    lines = [
        HardLine("river", across, side * (n + 1) / (rivers + 1) + side * 0.02 * np.sin(across / side * 9))
        for n in range(rivers)
    ]
    return make_problem(
        population=np.maximum(1, np.rint(rng.lognormal(3.5, 0.8, size))).astype(np.int64),
        levels=[Level(name, count=count) for name, count in zip(LEVELS, counts, strict=False)],
        x_m=x,
        y_m=y,
        compound=_compounds(x, y, compounds, rng),
        hard_lines=lines,
    )


def _compounds(x: np.ndarray, y: np.ndarray, count: int, rng: np.random.Generator) -> list[str | None] | None:
    if count == 0:
        return None
    from scipy.spatial import cKDTree

    middles = rng.integers(0, len(x), count)
    away, nearest = cKDTree(np.stack([x[middles], y[middles]], 1)).query(np.stack([x, y], 1))
    radius = rng.uniform(30, 90, count)
    return [f"c{n}" if d < radius[n] else None for d, n in zip(away, nearest, strict=True)]


def figures(problem: Problem, label: np.ndarray, count: int) -> dict[str, Any]:
    """Return evenness, loose pieces and compactness of any division into smallest grids."""
    carried = np.bincount(label, problem.population, count)
    inside = label[problem.links.a] == label[problem.links.b]
    ends = problem.links.a[inside], problem.links.b[inside]
    links = coo_matrix((np.ones(int(inside.sum())), ends), shape=(problem.size,) * 2).tocsr()
    heads = np.maximum(1, np.bincount(label, minlength=count))
    mid_x, mid_y = (
        np.bincount(label, problem.x_m, count) / heads,
        np.bincount(label, problem.y_m, count) / heads,
    )
    away = np.hypot(problem.x_m - mid_x[label], problem.y_m - mid_y[label])
    return {
        "worst_percent": round(100 * float(np.abs(carried * count / carried.sum() - 1).max()), 2),
        "loose_pieces": int(connected_components(links, directed=False)[0]) - len(np.unique(label)),
        "mean_metres_to_middle": round(float(away.mean()), 1),
    }


def ours(problem: Problem) -> tuple[Plan, dict[str, Any]]:
    plan, took = timed(lambda: districting.solve(problem, budget_s=60, seed=SEED))
    broken = districting.check(problem, plan)
    lowest = plan.levels[0]
    facts = figures(problem, lowest.grid_of.astype(np.int64), len(lowest.grids)) | took.facts()
    facts |= {
        "rules_broken": len(broken),
        "worst_of_all_levels_percent": plan.worst_ppm / 10_000,
        "bound_percent": plan.bound_ppm / 10_000,
        "grids": [len(level.grids) for level in plan.levels],
    }
    return plan, facts


def metis(problem: Problem, count: int) -> dict[str, Any]:
    """Return plain METIS, k-way and contiguous, on the same links."""
    import pymetis

    from muster.planning.districting.ground import lay_out

    region = lay_out(problem).region
    adjacency = pymetis.CSRAdjacency(region.rows.astype(np.int32), region.heads)

    def run() -> np.ndarray:
        options = pymetis.Options(contig=1, seed=SEED)
        weights = region.weight.astype(np.int32)
        found = pymetis.part_graph(count, adjacency, vweights=weights, recursive=False, options=options)
        return np.asarray(found[1])

    label, took = timed(run)
    return figures(problem, label.astype(np.int64), count) | took.facts()


def peers(problem: Problem, count: int, python: str, limit_s: int) -> dict[str, Any]:
    """Return what gerrychain and spopt make of the same ground, each in a process of its own."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        ground = Path(folder) / "ground.npz"
        np.savez(
            ground,
            x=problem.x_m,
            y=problem.y_m,
            population=problem.population,
            a=problem.links.a,
            b=problem.links.b,
            count=count,
        )
        for name in ("gerrychain", "spopt"):
            answer = Path(folder) / f"{name}.npz"
            script = Path(__file__).with_name("districting_peers.py")
            try:
                subprocess.run([python, script, name, ground, answer], check=True, timeout=limit_s)
            except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
                found[name] = {"result": f"none: {type(error).__name__} within {limit_s} s"}
                continue
            given = np.load(answer)
            found[name] = figures(problem, given["label"].astype(np.int64), count)
            found[name] |= {
                "wall_s": round(float(given["wall_s"]), 2),
                "cpu_s": round(float(given["cpu_s"]), 2),
            }
    return found


def first_user() -> dict[str, Any]:
    """Return how long a fresh process needs for a district of about 30,000 people, start to plan."""
    program = (
        "from benchmarks.planning.districting import city; from muster.planning import districting as d; "
        "p = city(700, (20, 5, 1), compounds=25); plan = d.solve(p, budget_s=60, seed=1); "
        "print(plan.worst_ppm, int(p.population.sum()))"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, capture_output=True)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], check=True, capture_output=True, text=True
    )
    wall = time.perf_counter() - started
    worst, people = done.stdout.split()
    _, facts = ours(city(700, (20, 5, 1), compounds=25))
    return facts | {
        "people": int(people),
        "process_start_to_plan_wall_s": round(wall, 2),
        "worst_percent": int(worst) / 10_000,
    }


def divided_again(problem: Problem, plan: Plan) -> dict[str, Any]:
    """Return how many people change their grid after populations have changed by a tenth each way."""
    from dataclasses import replace

    from muster.planning.districting import Previous

    rng = np.random.default_rng(SEED)
    people = np.maximum(0, np.rint(problem.population * rng.normal(1, 0.1, problem.size))).astype(np.int64)
    today = tuple(Previous(level.grids, level.grid_of) for level in plan.levels)
    changed = replace(problem, population=people, workload=people, previous=today)
    again, took = timed(lambda: districting.solve(changed, budget_s=60, seed=SEED))
    anew = districting.solve(replace(changed, previous=()), budget_s=60, seed=SEED + 1)
    before = plan.levels[0].grid_of
    carried = np.bincount(before, people)
    return {
        "worst_percent_if_nothing_moved": round(100 * float(np.abs(carried / carried.mean() - 1).max()), 2),
        "worst_percent": again.worst_ppm / 10_000,
        "rules_broken": len(districting.check(changed, again)),
        "people_moved_percent": _moved(plan, again, people),
        "people_moved_percent_if_divided_anew": _moved(plan, anew, people),
        **took.facts(),
    }


def _moved(before: Plan, after: Plan, people: np.ndarray) -> float:
    """Return the share of people outside the best match of their old grid, in percent."""
    from scipy.optimize import linear_sum_assignment

    old, new = before.levels[0], after.levels[0]
    shared = np.zeros((len(old.grids), len(new.grids)))
    np.add.at(shared, (old.grid_of, new.grid_of), people)
    rows, columns = linear_sum_assignment(-shared)
    return round(100 * float(1 - shared[rows, columns].sum() / people.sum()), 2)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--buildings", type=int, default=200_000)
    words.add_argument("--peers", default="")
    words.add_argument("--limit", type=int, default=400)
    asked = words.parse_args()
    result: dict[str, Any] = {"machine": machine(), "seed": SEED}
    result["first_user"] = first_user()
    size = asked.buildings
    counts = (size // 100, size // 1_000, size // 10_000)
    for name, wishes in (
        ("open", {}),
        ("compounds", {"compounds": size // 33}),
        ("compounds_and_rivers", {"compounds": size // 33, "rivers": 3}),
    ):
        problem, links = timed(lambda wishes=wishes: city(size, counts, **wishes))
        plan, facts = ours(problem)
        result[name] = {"buildings": size, "links": links.facts(), "ours": facts}
        if not wishes:
            result[name]["metis"] = metis(problem, counts[0])
            result["divided_again"] = divided_again(problem, plan)
    result["memory_mb"] = memory_mb()
    for small in (2_000, 20_000) if asked.peers else ():
        problem = city(small, (small // 100,))
        _, facts = ours(problem)
        beside = {"ours": facts, "metis": metis(problem, small // 100)}
        beside |= peers(problem, small // 100, asked.peers, asked.limit)
        for peer in ("gerrychain", "spopt"):
            if "cpu_s" in beside[peer]:
                beside[peer]["cpu_over_ours"] = round(beside[peer]["cpu_s"] / facts["cpu_s"], 1)
        result[f"peers_{small}"] = beside
    print(write_result("districting", result).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
