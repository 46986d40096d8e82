# SPDX-License-Identifier: Apache-2.0
"""Rotas of the Curtois-Qu set beside plain CP-SAT, a week of a city's gates, and the repair of a gate.

python -m benchmarks.planning.rostering [--seconds 20] [--instances 1-12] [--areas 200] [--city-seconds 300]
    [--parts field,repair,city] [--clock quiet]

Ours and CP-SAT (eight workers, which it wants even on two cores) get the same seconds on the same instance,
one after the other, each in a process of its own. The seconds are what a quiet machine would have taken, or
those of all threads' processor time (`--clock processor`), or of the wall. A run over some instances leaves
the others as they were.
An area is ten gates around the clock with 156 people;
200 areas are 2,000 gates. `gap` is to the best rota known to the field. The instances are read from
`rota.tgz` of the shared data, and skipped with a word when it is absent.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np

from benchmarks.planning.machine import CLOCKS, RESULTS, machine, memory_mb, timed, write_result
from muster.base.unpacking import unpack
from muster.planning._kernel.budget import count_by
from muster.planning.rostering import check, make_problem, read_problem, solve
from muster.planning.rostering.exact import prove

SEED = 1
DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "rota.tgz"
BEST = [607, 828, 1001, 1716, 1143, 1950, 1056, 1300, 439, 4631, 3443, 4040]
SHIFTS = [
    {"name": "early", "start_min": 420, "minutes": 480},
    {"name": "late", "start_min": 900, "minutes": 480},
    {"name": "night", "start_min": 1380, "minutes": 480, "night": True},
]


def ours(path: str, seconds: float, clock: str) -> dict[str, Any]:
    problem = read_problem(Path(path))
    count_by(CLOCKS[clock]())
    plan, took = timed(lambda: solve(problem, budget_s=seconds, seed=SEED))
    return {
        **took.facts(),
        "clock": clock,
        "seconds": seconds,
        "objective": plan.objective,
        "bound": plan.bound,
        "status": str(plan.status),
        "rules_broken": len(check(problem, plan)),
        "memory_mb": memory_mb(),
    }


def cp_sat(path: str, seconds: float, clock: str) -> dict[str, Any]:
    problem = read_problem(Path(path))
    with _Stopping(seconds, CLOCKS[clock]()) as stop:
        answer, took = timed(lambda: prove(problem, hint=None, seconds=1e4, seed=SEED, solver_made=stop.heed))
    cost = None if answer.rows is None else answer.cost
    told = {"clock": clock, "seconds": seconds, "objective": cost, "bound": answer.bound}
    return {**took.facts(), **told, "memory_mb": memory_mb()}


class _Stopping:
    """Ends a solver after so many seconds of a clock; by itself it knows only the wall's."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._clock, self._until, self._done = clock, clock() + seconds, threading.Event()
        self._solver: Any = None
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def heed(self, solver: Any) -> None:
        self._solver = solver

    def _watch(self) -> None:
        while not self._done.wait(0.1):
            if self._clock() > self._until and self._solver is not None:
                self._solver.stop_search()


def alone(work: Callable[..., Any], *facts: Any) -> Any:
    """Run the work in a process of its own, so that its memory and its compiled code are its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, facts)


def percent(cost: int | None, best: int) -> float | None:
    return None if cost is None else round(100 * (cost / best - 1), 2)


def field(numbers: list[int], seconds: float, *, clock: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the row of each instance as soon as it is measured."""
    if not DATA.exists():
        print(f"{DATA.name} is not beside the checkout: the Curtois-Qu instances are left out")
        return
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(DATA) as packed:
            unpack(packed, Path(folder))
        print("instance   best | ours  bound    gap   cpu s | CP-SAT  bound    gap   cpu s")
        for number in numbers:
            path = next(Path(folder).rglob(f"Instance{number}.txt"))
            mine = alone(ours, str(path), seconds, clock)
            peer = alone(cp_sat, str(path), seconds, clock)
            best = BEST[number - 1]
            mine["gap_percent"] = percent(mine["objective"], best)
            peer["gap_percent"] = percent(peer["objective"], best)
            load = machine()["load_at_start"]
            print(
                f"{number:8} {best:6} | {mine['objective']:5} {mine['bound']:5} {mine['gap_percent']:6.2f} "
                f"{mine['cpu_s']:7.1f} | {peer['objective']!s:>5} {peer['bound']:6} "
                f"{peer['gap_percent']!s:>6} {peer['cpu_s']:7.1f}",
                flush=True,
            )
            yield f"Instance{number}", {"best_known": best, "load": load, "ours": mine, "cp_sat": peer}


def means(rows: dict[str, Any]) -> dict[str, Any]:
    gaps = {name: row["ours"]["gap_percent"] for name, row in rows.items()}
    first = [gaps[f"Instance{n}"] for n in range(1, 8) if f"Instance{n}" in gaps]
    worse = [
        name
        for name, row in rows.items()
        if row["cp_sat"]["objective"] is not None and row["ours"]["objective"] > row["cp_sat"]["objective"]
    ]
    return {
        "mean_gap_percent_1_to_7": round(float(np.mean(first)), 3) if first else None,
        "mean_gap_percent": round(float(np.mean(list(gaps.values()))), 3) if gaps else None,
        "worse_than_cp_sat": worse,
    }


def city(areas: int, gates: int = 10, spare: float = 1.2) -> dict[str, Any]:
    """Return a week of gates: a party member and two volunteers each, a medic for each area."""
    rng = np.random.default_rng(SEED)
    posts, people = [], []
    for area in range(areas):
        names = [f"{area}-{gate}" for gate in range(gates)]
        for gate, name in enumerate(names):
            kinds = [("party", 1), ("volunteer", 2), *([("medic", 1)] if gate == 0 else [])]
            needs = [{"shift": s["name"], "kind": k, "count": n} for s in SHIFTS for k, n in kinds]
            posts.append({"name": name, "needs": needs})
        for kind, shifts in (("party", gates * 21), ("volunteer", gates * 42), ("medic", 21)):
            for number in range(round(shifts / 5 * spare)):
                also = ["volunteer"] if kind == "party" and rng.random() < 0.3 else []
                person: dict[str, Any] = {"name": f"{kind} {area}-{number}", "kinds": [kind, *also]}
                person["posts"] = names
                if rng.random() < 0.3:
                    away = rng.choice(7, int(rng.integers(1, 4)), replace=False)
                    person["unavailable"] = [{"day": int(day)} for day in away]
                if rng.random() < 0.3:
                    person["wishes"] = [{"day": int(rng.integers(7)), "cost": 5}]
                people.append(person)
    rules = {"max_minutes": 2400, "max_days_on": 5, "rest_min": 660, "max_nights": 3}
    fairness = {"nights": 2}
    return {"days": 7, "shifts": SHIFTS, "posts": posts, "people": people, "defaults": rules} | {
        "fairness": fairness
    }


def weeks(areas: int, seconds: float) -> dict[str, Any]:
    problem, read = timed(lambda: make_problem(**city(areas)))
    plan, took = timed(lambda: solve(problem, budget_s=seconds, seed=SEED))
    broken, looked = timed(lambda: check(problem, plan))
    return {
        **took.facts(),
        "gates": areas * 10,
        "people": problem.people.size,
        "places": int(problem.duties.need.sum()),
        "missing": sum(entry.missing for entry in plan.short),
        "objective": plan.objective,
        "bound": plan.bound,
        "rules_broken": len(broken),
        "read_cpu_s": round(read.cpu_s, 1),
        "check_cpu_s": round(looked.cpu_s, 1),
        "memory_mb": memory_mb(),
    }


def repair() -> dict[str, Any]:
    """Plan an area, let somebody fail from the fourth day on, and plan again with changes that cost."""
    facts = city(1)
    before = solve(make_problem(**facts), budget_s=20, seed=SEED)
    absent = int(np.argmax((before.roster[:, 3:] >= 0).sum(axis=1)))
    lost = int((before.roster[absent, 3:] >= 0).sum())
    known = [
        {"person": name, "day": day} | dict(zip(("post", "shift", "kind"), before.duties[duty], strict=True))
        for name, row in zip(before.people, before.roster.tolist(), strict=True)
        for day, duty in enumerate(row)
        if duty >= 0
    ]
    facts |= {"previous": known, "change_cost": 50, "fairness": {}}
    for person in facts["people"]:
        person.pop("wishes", None)
    facts["people"][absent]["unavailable"] = [{"day": day} for day in range(3, 7)]
    problem = make_problem(**facts)
    after, took = timed(lambda: solve(problem, budget_s=20, seed=SEED))
    fresh = solve(make_problem(**(facts | {"change_cost": 0})), budget_s=20, seed=SEED)
    return {
        **took.facts(),
        "shifts_lost": lost,
        "days_changed": int((after.roster != before.roster).sum()),
        "days_changed_when_planned_afresh": int((fresh.roster != before.roster).sum()),
        "missing": sum(entry.missing for entry in after.short),
        "status": str(after.status),
        "rules_broken": len(check(problem, after)),
    }


def numbers_of(said: str) -> list[int]:
    found: list[int] = []
    for part in said.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--instances", default="1-12")
    parser.add_argument("--areas", type=int, default=200)
    parser.add_argument("--city-seconds", type=float, default=300)
    parser.add_argument("--parts", default="field,repair,city", help="the others stay as they were")
    parser.add_argument("--clock", choices=CLOCKS, default="quiet")
    options = parser.parse_args()
    parts = options.parts.split(",")
    kept = RESULTS / "rostering.json"
    result = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    result |= {"machine": machine(), "seed": SEED}
    if "field" in parts:
        rows = result.get("curtois_qu", {})
        for name, row in field(numbers_of(options.instances), options.seconds, clock=options.clock):
            rows[name] = row
            result |= {"curtois_qu": rows, "curtois_qu_means": means(rows)}
            write_result("rostering", result)
        print(result.get("curtois_qu_means"))
    if "repair" in parts:
        result["repair"] = alone(repair)
        print("repair", result["repair"])
    if "city" in parts:
        result["city"] = alone(weeks, options.areas, options.city_seconds)
        print("city", result["city"])
    print(write_result("rostering", result))


if __name__ == "__main__":
    main()
