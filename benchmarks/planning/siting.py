# SPDX-License-Identifier: Apache-2.0
"""Sites of a generated city, and the sets of the field with known optima, beside FasterPAM, CP-SAT and HiGHS.

python -m benchmarks.planning.siting [--seconds 60] [--table-seconds 8] [--peer-seconds 8] [--clock quiet]
    [--parts medians,tables,every,city] [--data ../shared/data]

Gaps are in percent: `gap` to the bound that the engine proves itself, `above_best` to the best known cost.
Times are of the processor beside those of the wall. A budget counts what a quiet machine would have taken,
or the processor time of all threads (`--clock processor`), or the wall. `every` is all tables of both sets
without peers; parts
that are not asked for stay as they were.
"""

from __future__ import annotations

import argparse
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.planning.machine import CLOCKS, RESULTS, machine, memory_mb, timed, write_result
from muster.base.unpacking import unpack
from muster.planning._kernel.budget import count_by
from muster.planning.siting import Effort, Problem, check, make_problem, read_problem, solve

SEED = 1
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
# Best known costs of OR-Library's pmed1 to pmed40.
MEDIANS = """5819 4093 4250 3034 1355 7824 5631 4445 2734 1255 7696 6634 4374 2968 1729 8162 6999 4809 2845
1789 9138 8579 4619 2961 1828 9917 8307 4498 3033 1989 10086 9297 4700 3013 10400 9934 5057 11060 9423 5128"""
# Tables that are also given to the peers.
HARD = {"Lib_1": (9, 21, 33, 49, 53), "Lib_2": (19, 31, 55, 71)}


_BRIEF = Effort(kicks=250, steps=1_200)


def city(points: int, sites: int, count: int, slack: float, **changes: Any) -> Problem:
    """Return clustered buildings and candidates; room for `slack` times all people where it is not 0."""
    rng = np.random.default_rng(SEED)
    side = 12_000 * (points / 50_000) ** 0.5
    middle = rng.uniform(0, side, (max(2, points // 250), 2))
    at = middle[rng.integers(0, len(middle), points)] + rng.normal(0, 350, (points, 2))
    where = middle[rng.integers(0, len(middle), sites)] + rng.normal(0, 400, (sites, 2))
    people = np.maximum(1, np.rint(rng.lognormal(4.2, 0.8, points))).astype(np.int64)
    candidates: dict[str, Any] = {"x_m": where[:, 0], "y_m": where[:, 1]}
    if slack:
        room = people.sum() / count * slack
        candidates["capacity"] = rng.integers(int(0.8 * room), int(1.2 * room), sites)
    return make_problem(
        points={"x_m": at[:, 0], "y_m": at[:, 1], "people": people},
        candidates=candidates,
        limit_m=1_500,
        walk_permille=1_300,
        count=count,
        **changes,
    )


def large(slack: float, seconds: float, **changes: Any) -> dict[str, Any]:
    problem, read = timed(lambda: city(50_000, 2_000, 600, slack, **changes))
    plan, took = timed(lambda: solve(problem, budget_s=seconds, seed=SEED))
    return {
        "points": problem.points.size,
        "candidates": problem.candidates.size,
        "open": len(plan.opened),
        "walks": len(problem.walks.cost),
        "slack": slack,
        "may_split": problem.may_split,
        "reading": read.facts(),
        **took.facts(),
        "status": str(plan.status),
        "unserved": len(plan.unserved),
        "gap": None if plan.bound is None else round(100 * (plan.objective / plan.bound - 1), 3),
        "mean_walk_m": round(plan.objective / int(problem.points.people.sum()), 1),
        "violations": len(check(problem, plan)),
    }


def medians(folder: Path) -> dict[str, Any]:
    """Return what comes of the p-median graphs with so few kicks that reading and all take about a second."""
    best = [int(word) for word in MEDIANS.split()]
    rows = []
    for number in range(1, 41):
        path = folder / "pmedian" / f"pmed{number}.txt"
        if not path.is_file():
            continue
        problem, read = timed(lambda path=path: read_problem(path))
        plan, took = timed(lambda p=problem: solve(p, budget_s=1e9, seed=SEED, effort=_BRIEF))
        rows.append(
            {
                "instance": number,
                "above_best": round(100 * (plan.objective / best[number - 1] - 1), 4),
                "gap": round(100 * (plan.objective / plan.bound - 1), 3) if plan.bound else None,
                "cpu_s": round(read.cpu_s + took.cpu_s, 3),
                "peer": by_fasterpam(problem),
            }
        )
    hits = sum(row["above_best"] <= 0 for row in rows)
    slowest = max((row["cpu_s"] for row in rows), default=0.0)
    return {"instances": len(rows), "optimal": hits, "slowest_cpu_s": slowest, "rows": rows}


def by_fasterpam(problem: Problem) -> Any:
    """Return the cost that kmedoids.fasterpam ends at from one start, where that is installed."""
    try:
        import kmedoids
    except ModuleNotFoundError:
        return "kmedoids is not installed"
    size = problem.points.size
    table = np.zeros((size, size))
    owner = np.repeat(np.arange(size), np.diff(problem.walks.first))
    table[owner, problem.walks.candidate] = problem.walks.cost
    answer, took = timed(lambda: kmedoids.fasterpam(table, problem.count, random_state=SEED))
    return {"cost": int(answer.loss), **took.facts()}


def tables(folder: Path, seconds: float, peer_s: float) -> dict[str, Any]:
    """Return what comes of the tables with single sources; the hard ones also from CP-SAT and HiGHS."""
    result: dict[str, Any] = {"budget_s": seconds, "peer_budget_s": peer_s}
    for library, numbers in HARD.items():
        best = [int(word) for word in (folder / "sscflp" / library / "os").read_text().split()]
        rows = []
        for number in numbers:
            problem = read_problem(folder / "sscflp" / library / f"p{number}")
            plan, took = timed(lambda p=problem: solve(p, budget_s=seconds, seed=SEED))
            row = {
                "instance": number,
                "size": f"{problem.candidates.size} x {problem.points.size}",
                "above_best": _above(plan.objective, best[number - 1]),
                "proved": str(plan.status),
                **took.facts(),
                "violations": len(check(problem, plan)),
            }
            if peer_s:
                row["cp_sat_above_best"] = _above(by_cp_sat(problem, peer_s), best[number - 1])
                row["highs_above_best"] = _above(by_highs(problem, peer_s), best[number - 1])
            rows.append(row)
        result[library] = rows
    return result


def every_table(folder: Path, seconds: float) -> dict[str, Any]:
    """Return how far above the best known cost each table of both sets ends, and which of them miss 1 %."""
    result: dict[str, Any] = {"budget_s": seconds, "machine": machine()}
    for library, name in (("Lib_1", "Delmaire"), ("Lib_2", "Holmberg")):
        best = [int(word) for word in (folder / "sscflp" / library / "os").read_text().split()]
        rows = []
        for number, known in enumerate(best, 1):
            problem = read_problem(folder / "sscflp" / library / f"p{number}")
            plan, took = timed(lambda p=problem: solve(p, budget_s=seconds, seed=SEED))
            above = _above(plan.objective, known)
            violations = len(check(problem, plan))
            rows.append(
                {"instance": number, "above_best": above, "status": str(plan.status)}
                | {"violations": violations, **took.facts()}
            )
            print(name, number, above, plan.status, violations, took, flush=True)
        gaps = [row["above_best"] for row in rows]
        result[name] = {
            "instances": len(rows),
            "at_best": sum(gap <= 0 for gap in gaps),
            "proved": sum(row["status"] == "OPTIMAL" for row in rows),
            "worst": max(gaps),
            "beyond_1_percent": [row["instance"] for row in rows if row["above_best"] > 1],
            "violations": sum(row["violations"] for row in rows),
            "rows": rows,
        }
    return result


def _above(cost: float | None, best: int) -> float | None:
    return None if cost is None else round(100 * (cost / best - 1), 3)


def by_cp_sat(problem: Problem, seconds: float) -> float | None:
    """Return the cost of the plain model in CP-SAT with eight workers."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    opens = [model.new_bool_var("") for _ in range(problem.candidates.size)]
    loads: list[list[Any]] = [[] for _ in opens]
    cost = sum(int(price) * choice for price, choice in zip(problem.candidates.open_cost, opens, strict=True))
    walks, people = problem.walks, problem.points.people
    for point in range(problem.points.size):
        choices = []
        for entry in range(int(walks.first[point]), int(walks.first[point + 1])):
            choice, site = model.new_bool_var(""), int(walks.candidate[entry])
            model.add_implication(choice, opens[site])
            loads[site].append(int(people[point]) * choice)
            cost += int(walks.cost[entry]) * choice
            choices.append(choice)
        model.add_exactly_one(choices)
    for site, load in enumerate(loads):
        model.add(sum(load) <= int(problem.candidates.capacity[site]) * opens[site])
    model.minimize(cost)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 8
    found = solver.solve(model) in {cp_model.OPTIMAL, cp_model.FEASIBLE}
    return solver.objective_value if found else None


def by_highs(problem: Problem, seconds: float) -> float | None:
    """Return the cost of the same model in HiGHS."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    walks, sites, size = problem.walks, problem.candidates.size, problem.points.size
    arcs = len(walks.cost)
    point = np.repeat(np.arange(size), np.diff(walks.first))
    arc, total = sites + np.arange(arcs), sites + arcs
    goes = coo_array((np.ones(arcs), (point, arc)), (size, total))
    room = coo_array(
        (
            np.concatenate((problem.points.people[point], -problem.candidates.capacity)),
            (
                np.concatenate((walks.candidate, np.arange(sites))),
                np.concatenate((arc, np.arange(sites))),
            ),
        ),
        (sites, total),
    )
    both = np.arange(arcs)
    open_too = coo_array(
        (
            np.concatenate((np.ones(arcs), -np.ones(arcs))),
            (np.concatenate((both, both)), np.concatenate((arc, walks.candidate))),
        ),
        (arcs, total),
    )
    done = milp(
        np.concatenate((problem.candidates.open_cost, walks.cost)),
        constraints=[
            LinearConstraint(goes.tocsr(), 1, 1),
            LinearConstraint(room.tocsr(), -np.inf, 0),
            LinearConstraint(open_too.tocsr(), -np.inf, 0),
        ],
        bounds=Bounds(0, 1),
        integrality=np.ones(total),
        options={"time_limit": seconds},
    )
    return None if done.x is None else float(done.fun)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--seconds", type=float, default=60.0)
    words.add_argument("--table-seconds", type=float, default=8.0)
    words.add_argument("--peer-seconds", type=float, default=8.0)
    words.add_argument("--parts", default="medians,tables,every,city")
    words.add_argument("--clock", choices=CLOCKS, default="quiet")
    words.add_argument("--data", type=Path, default=DATA)
    asked = words.parse_args()
    for limits in (True, False):  # compile, or load what is compiled
        solve(city(300, 20, 6, 1.3 * limits), budget_s=60.0, seed=SEED, effort=Effort(50, 50, 50, 0.1))
    count_by(CLOCKS[asked.clock]())
    parts = asked.parts.split(",")
    kept = RESULTS / "siting.json"
    result: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    result |= {"machine": machine(), "seed": SEED, "clock": asked.clock}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("pmedian", "sscflp"):
            archive = asked.data / f"{name}.tgz"
            if not archive.is_file():
                print(f"{archive.name} is not here: its part is left out")
                continue
            with tarfile.open(archive) as tar:
                unpack(tar, Path(folder))
        if "medians" in parts and (Path(folder) / "pmedian").is_dir():
            result["medians"] = medians(Path(folder))
        if (Path(folder) / "sscflp").is_dir():
            if "tables" in parts:
                result["tables"] = tables(Path(folder), asked.table_seconds, asked.peer_seconds)
            if "every" in parts:
                result["every_table"] = every_table(Path(folder), asked.table_seconds)
    if "city" in parts:
        result["city"] = [large(0.0, asked.seconds), large(1.15, asked.seconds)]
    result["memory_mb"] = memory_mb()
    print(write_result("siting", result).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
