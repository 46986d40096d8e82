# SPDX-License-Identifier: Apache-2.0
"""Routes on public instances beside PyVRP alone, at the same core-seconds; Ghent1 (10,000 stops) for size.

python -m benchmarks.planning.routing [--seconds 15] [--ghent 120] [--ghent-peer]

Gaps are to the best known solutions beside the instances (../shared/data; absent: nothing is measured). Ours
is given so many steps as its pace in this run makes in the core-seconds that PyVRP gets, and what it really
took is written down. Every solver runs in a process of its own. `--ghent-peer` lets PyVRP work on Ghent1 too:
that takes about 4 GB.
"""

from __future__ import annotations

import argparse
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.planning.machine import alone, machine, memory_mb, write_result
from muster.base.unpacking import unpack
from muster.planning.contract import Step
from muster.planning.routing import Effort, Problem, check, read_problem, solve

SEED = 1
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SMALL = ("X-n153-k22", "X-n204-k19", "X-n284-k15", "X-n336-k84", "X-n411-k19", "X-n502-k39")
TIMED = ("R1_10_3", "RC2_10_1")
# A first stretch of so many steps tells the pace.
_TRIAL = 40_000
_ROUNDS = 24


def unpacked(folder: Path) -> bool:
    """Unpack the instances; tell whether they are there."""
    for pack in ("cvrp", "vrptw"):
        path = DATA / f"{pack}.tgz"
        if not path.exists():
            return False
        with tarfile.open(path) as archive:
            unpack(archive, folder)
    return True


def best_known(path: Path) -> float:
    lines = path.with_suffix(".sol").read_text(encoding="utf-8").splitlines()
    return next(float(line.split()[1]) for line in lines if line.lower().startswith("cost"))


def gap_percent(path: Path, cost: float) -> float:
    return round(100 * (cost / best_known(path) - 1), 3)


def pace(problem: Problem) -> float:
    """Return steps in a core-second, after everything is loaded."""
    solve(problem, budget_s=1e9, seed=SEED, effort=Effort(1, 1))
    begun = time.process_time()
    solve(problem, budget_s=1e9, seed=SEED, effort=Effort(1, 1))
    middle = time.process_time()
    solve(problem, budget_s=1e9, seed=SEED, effort=Effort(_TRIAL, 4))
    took = (time.process_time() - middle) - (middle - begun)
    return _TRIAL / max(0.05, took)


def ours(path: Path, core_s: float, rounds: int) -> dict[str, Any]:
    problem = read_problem(path)
    steps = int(pace(problem) * core_s)
    answers: list[dict[str, float]] = []
    begun, wall = time.process_time(), time.perf_counter()

    def watch(step: Step) -> None:
        if step.objective is not None and step.stage in {"first", "improve"}:
            gap = gap_percent(path, step.objective / problem.divisor)
            answers.append({"cpu_s": round(time.process_time() - begun, 2), "gap_percent": gap})

    plan = solve(problem, budget_s=1e9, seed=SEED, effort=Effort(steps, rounds), progress=watch)
    took = time.process_time() - begun
    told = answers[:1] + answers[len(answers) // 6 :: max(1, len(answers) // 6)]
    return {
        "cpu_s": round(took, 1),
        "wall_s": round(time.perf_counter() - wall, 1),
        "steps": steps,
        "gap_percent": gap_percent(path, plan.objective / plan.divisor),
        "routes": len(plan.routes),
        "bound_gap": plan.envelope().gap,
        "violations": len(check(problem, plan)),
        "memory_mb": memory_mb(),
        "answers": told,
    }


def pyvrp(path: Path, core_s: float) -> dict[str, Any]:
    """PyVRP alone on one core, as it comes."""
    import pyvrp as peer

    class Spent:
        def __init__(self) -> None:
            self.begun = time.process_time()

        def __call__(self, _cost: float) -> bool:
            return time.process_time() - self.begun > core_s

    timed = "_10_" in path.name
    begun = time.process_time()
    ground = peer.read(path, round_func="dimacs" if timed else "round")
    done = peer.solve(ground, Spent(), seed=SEED, display=False, collect_stats=False)
    cost = done.cost() / (10 if timed else 1)
    return {
        "cpu_s": round(time.process_time() - begun, 1),
        "gap_percent": gap_percent(path, cost),
        "feasible": done.is_feasible(),
        "memory_mb": memory_mb(),
    }


def compared(path: Path, core_s: float) -> dict[str, Any]:
    facts = {
        "instance": path.stem,
        "pyvrp": alone(pyvrp, path, core_s),
        "ours": alone(ours, path, core_s, _ROUNDS),
    }
    print(
        f"{path.stem}: ours {facts['ours']['gap_percent']} %, PyVRP {facts['pyvrp']['gap_percent']} %",
        file=sys.stderr,
    )
    return facts


def mean(cases: list[dict[str, Any]], who: str) -> float:
    return round(sum(case[who]["gap_percent"] for case in cases) / max(1, len(cases)), 3)


def rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of the common table."""
    found = []
    for name, goal in (("cvrp", "<= PyVRP"), ("vrptw", "<= 0.8 x PyVRP")):
        cases = result[name]
        if not cases:
            continue
        here, there = mean(cases, "ours"), mean(cases, "pyvrp")
        found.append(
            {
                "case": f"{len(cases)} {name.upper()} instances, {result['core_seconds']:g} core-s each",
                "ours": f"mean gap {here} %",
                "best": "best known",
                "gap": f"{here} %",
                "seconds": f"{result['core_seconds']:g}",
                "peer": f"PyVRP {there} %",
                "goal": goal,
                "met": here <= there * (1.0 if name == "cvrp" else 0.8),
            }
        )
    ghent = result["ghent"]["ours"]
    first = ghent["answers"][0]
    found.append(
        {
            "case": "Ghent1, 10,000 stops",
            "ours": f"first answer {first['gap_percent']} % after {first['cpu_s']} s",
            "best": "best known",
            "gap": f"{ghent['gap_percent']} %",
            "seconds": f"{ghent['cpu_s']:g}",
            "peer": f"PyVRP {result['ghent']['pyvrp']['gap_percent']} %"
            if "pyvrp" in result["ghent"]
            else "",
            "memory_mb": f"{ghent['memory_mb']}",
            "goal": "<= 2 % in 2 x 60 s, <= 512 MB, first in 1 s",
            "met": ghent["gap_percent"] <= 2.0 and ghent["memory_mb"] <= 512 and first["cpu_s"] <= 1.0,
        }
    )
    return found


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument(
        "--seconds", type=float, default=10.0, help="core-seconds for each solver and instance"
    )
    words.add_argument("--ghent", type=float, default=120.0, help="core-seconds on Ghent1")
    words.add_argument("--ghent-peer", action="store_true", help="PyVRP on Ghent1 too")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not unpacked(folder):
            print("the public instances are not beside the checkout; nothing is measured")
            return
        result: dict[str, Any] = {"machine": machine(), "seed": SEED, "core_seconds": asked.seconds}
        for kind, names in (("cvrp", SMALL), ("vrptw", TIMED)):
            result[kind] = [compared(next(folder.rglob(f"{one}.vrp")), asked.seconds) for one in names]
        ghent = next(folder.rglob("Ghent1.vrp"))
        result["ghent"] = {"ours": alone(ours, ghent, asked.ghent, 60)}
        if asked.ghent_peer:
            result["ghent"]["pyvrp"] = alone(pyvrp, ghent, asked.ghent)
        result["mean_gap_percent"] = {
            kind: {who: mean(result[kind], who) for who in ("ours", "pyvrp")} for kind in ("cvrp", "vrptw")
        }
        result["table"] = rows(result)
        print(write_result("routing", result).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
