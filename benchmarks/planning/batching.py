# SPDX-License-Identifier: Apache-2.0
"""Units spread over sites and slots, beside what happens without a plan and beside CP-SAT.

python -m benchmarks.planning.batching [--most 50000]

`peak_over_bound` is how far the peak is above what no plan can be below (1 is the best possible). Without
a plan everybody goes to the nearest site, in a random slot of those when they can come. Each solver runs in
a process of its own, so that memory is its own. The time includes the bound, not the making of the problem.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.planning.machine import alone, machine, memory_mb, timed, write_result
from muster.planning.batching import Problem, bound, check, make_problem, solve
from muster.planning.batching.problem import peak_permille

SEED = 2
SLOTS = {
    "name": [f"h{t}" for t in range(12)],
    "start_min": [480 + 60 * t for t in range(12)],
    "minutes": [60] * 12,
}


def buildings(units: int, sites: int) -> Problem:
    """Return whole buildings, some of hundreds of people, who can come in six slots of ten."""
    rng = np.random.default_rng(SEED)
    side = units**0.5 * 60
    comes = rng.random((units, 12)) < 0.6
    comes[np.arange(units), rng.integers(0, 12, units)] = True
    return make_problem(
        units={
            "x_m": rng.uniform(0, side, units),
            "y_m": rng.uniform(0, side, units),
            "people": np.maximum(1, np.rint(rng.lognormal(4.2, 0.8, units))),
            "slots": [[f"h{t}" for t in np.flatnonzero(row)] for row in comes],
        },
        sites={
            "x_m": rng.uniform(0, side, sites),
            "y_m": rng.uniform(0, side, sites),
            "lanes": rng.integers(1, 4, sites).tolist(),
        },
        slots=SLOTS,
    )


def stairwells(units: int, sites: int) -> Problem:
    """Return stairwells in clusters; sites close at times, and a third of the people come at set times."""
    rng = np.random.default_rng(SEED)
    side = units**0.5 * 30
    middle = rng.uniform(0, side, (max(3, units // 400), 2))
    at = middle[rng.integers(0, len(middle), units)] + rng.normal(0, 250, (units, 2))
    where = middle[rng.integers(0, len(middle), sites)] + rng.normal(0, 300, (sites, 2))
    lanes = rng.integers(0, 4, (sites, 12))
    lanes[:, 10] = 2
    kinds = [list(range(12)), [10, 11], [0, 1, 2, 3, 10], [8, 9, 10, 11]]
    kind = rng.choice(4, units, p=[0.67, 0.11, 0.11, 0.11])
    return make_problem(
        units={
            "x_m": at[:, 0],
            "y_m": at[:, 1],
            "people": np.maximum(1, np.rint(rng.lognormal(3.0, 0.6, units))),
            "slots": [[f"h{t}" for t in kinds[k]] for k in kind],
        },
        sites={"x_m": where[:, 0], "y_m": where[:, 1], "lanes": lanes.tolist()},
        slots=SLOTS,
    )


def without_plan(problem: Problem) -> int:
    """Return the peak when everybody takes the nearest site and a random slot of theirs there."""
    rng = np.random.default_rng(SEED)
    width = problem.slots.size
    loads = np.zeros(problem.sites.size * width, np.int64)
    for unit in range(problem.units.size):
        own = problem.choices.cell[problem.choices.first[unit] : problem.choices.first[unit + 1]]
        nearest = own[own // width == own[0] // width]
        loads[rng.choice(nearest)] += problem.units.people[unit]
    return peak_permille(loads, np.maximum(1, problem.lanes_of_cells()))


def by_cp_sat(problem: Problem, seconds: float) -> dict[str, Any]:
    """Return the peak of the same model in CP-SAT with eight workers."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    first, cell, lanes = problem.choices.first, problem.choices.cell, problem.lanes_of_cells()
    by_cell: dict[int, list[Any]] = {}
    for unit in range(problem.units.size):
        choices = [model.new_bool_var("") for _ in range(first[unit], first[unit + 1])]
        model.add_exactly_one(choices)
        for entry, choice in zip(range(first[unit], first[unit + 1]), choices, strict=True):
            by_cell.setdefault(int(cell[entry]), []).append(choice * int(problem.units.people[unit]))
    peak = model.new_int_var(0, 1000 * int(problem.units.people.sum()), "peak")
    for number, loads in by_cell.items():
        model.add(1000 * sum(loads) <= int(lanes[number]) * peak)
    model.minimize(peak)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 8
    status, took = timed(lambda: solver.solve(model))
    found = status in {cp_model.OPTIMAL, cp_model.FEASIBLE}
    return {**took.facts(), "peak_permille": int(solver.objective_value) if found else None}


def ours(make: Callable[[int, int], Problem], size: tuple[int, int]) -> dict[str, Any]:
    tiny = buildings(60, 3)
    check(tiny, solve(tiny, budget_s=1e9, seed=SEED))  # compile, or load what is compiled
    problem = make(*size)
    least, bound_time = timed(lambda: bound(problem))
    plan, took = timed(lambda: solve(problem, budget_s=1e9, seed=SEED))
    memory = memory_mb()
    begins: dict[tuple[str, int], int] = {}
    for slot, minute in zip(plan.batches.slot, plan.batches.begins_min.tolist(), strict=True):
        begins[slot, minute] = begins.get((slot, minute), 0) + 1
    return {
        "units": problem.units.size,
        "sites": problem.sites.size,
        "people": int(problem.units.people.sum()),
        "choices": len(problem.choices.cell),
        **took.facts(),
        "bound_time": bound_time.facts(),
        "memory_mb": memory,
        "peak_permille": plan.objective,
        "bound_permille": least,
        "peak_over_bound": round(plan.objective / least, 4),
        "mean_walk_m": round(float(np.average(plan.walk_m, weights=problem.units.people)), 1),
        "without_plan_over_bound": round(without_plan(problem) / least, 2),
        "batches": len(plan.batches.people),
        "mean_route_m": round(float(plan.batches.route_m.mean()), 1),
        "most_sites_beginning_in_a_minute": max(begins.values()),
        "violations": len(check(problem, plan)),
    }


def theirs(make: Callable[[int, int], Problem], size: tuple[int, int], seconds: float) -> dict[str, Any]:
    return by_cp_sat(make(*size), seconds)


def compared(make: Callable[[int, int], Problem], size: tuple[int, int]) -> dict[str, Any]:
    facts: dict[str, Any] = alone(ours, make, size)
    if size[0] <= 5_000:
        facts["cp_sat"] = alone(theirs, make, size, 20.0)
        peak = facts["cp_sat"]["peak_permille"]
        facts["cp_sat_over_bound"] = round(peak / facts["bound_permille"], 4) if peak else None
    return facts


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--most", type=int, default=50_000)
    asked = words.parse_args()
    sizes = [pair for pair in ((300, 8), (5_000, 60), (50_000, 600)) if pair[0] <= asked.most]
    result: dict[str, Any] = {"machine": machine(), "seed": SEED}
    for make in (buildings, stairwells):
        result[make.__name__] = [compared(make, size) for size in sizes]
    print(write_result("batching", result).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
