# SPDX-License-Identifier: Apache-2.0
"""Small made-up problems for each engine, wide enough that solving them runs every compiled kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from muster.planning import engines

SEED = 1
_SECONDS = 30.0


def rehearse(engine: str) -> None:
    """Solve the made-up problems of an engine, and check the plans. What it finds is thrown away."""
    _REHEARSALS[engine]()


def _solve(name: str, problem: Any, **effort: Any) -> Any:
    engine: Any = engines.load(name)
    plan = engine.solve(problem, budget_s=_SECONDS, seed=SEED, **effort)
    engine.check(problem, plan)
    engine.bound(problem)
    return plan


def _spread(count: int, side: int, *, salt: int = 0) -> tuple[list[int], list[int]]:
    """Return places in a square, whole metres."""
    at = np.random.default_rng(SEED + salt).integers(0, side, (2, count))
    return at[0].tolist(), at[1].tolist()


def _allocating() -> None:
    from muster.planning.allocating import Effort, make_problem

    for areas, units in ((1, 5), (12, 40), (12, 400)):
        x, y = _spread(areas, 2_000)
        names = [f"area {n}" for n in range(areas)]
        facts: dict[str, Any] = {
            "items": {"name": ["masks", "gowns", "money"], "pack": [2, 2, 1]},
            "sources": {"name": ["east", "west"], "x_m": [0, 2_000], "y_m": [0, 2_000]},
            "areas": {
                "name": names,
                "x_m": x,
                "y_m": y,
                "weight": [100 + 10 * (n % 5) for n in range(areas)],
            },
            "stock": {
                "source": ["east", "east", "west", "west"],
                "item": ["masks", "gowns", "gowns", "money"],
                "units": [units, units, units, units],
            },
            "needs": {
                "area": [name for name in names for _ in range(3)],
                "item": ["masks", "gowns", "money"] * areas,
                "units": [7 + n % 6 for n in range(3 * areas)],
                "least": [2 if n % 4 == 0 else 0 for n in range(3 * areas)],
            },
        }
        _solve("allocating", make_problem(**facts))
        facts["stand_ins"] = {"item": ["masks"], "by": ["gowns"], "extra_m": [50]}
        facts["reach_m"] = 1_500
        _solve("allocating", make_problem(**facts))
        _solve("allocating", make_problem(**facts), effort=Effort(most_ways=0))
        _solve("allocating", make_problem(**facts), effort=Effort(most_ways=1))


def _batching() -> None:
    from muster.planning.batching import make_problem

    for units in (3, 60):
        x, y = _spread(units, 600)
        names = ["morning", "noon", "evening"]
        problem = make_problem(
            units={
                "x_m": x,
                "y_m": y,
                "people": [5 + 7 * n % 40 for n in range(units)],
                "slots": [names if n % 3 else names[1:] for n in range(units)],
            },
            sites={"x_m": [100, 500], "y_m": [100, 500], "lanes": [[1, 2, 2], [2, 1, 0]]},
            slots={"name": names, "start_min": [480, 600, 1_080], "minutes": [60] * 3},
            stagger_min=10,
        )
        _solve("batching", problem)


def _dispatching() -> None:
    from muster.planning.dispatching import Desk, make_problem

    for people, requests in ((5, 2), (60, 40), (20, 60)):
        x, y = _spread(people, 3_000)
        at_x, at_y = _spread(requests, 3_000, salt=1)
        problem = make_problem(
            responders={
                "x_m": x,
                "y_m": y,
                "traits": [["nurse"] if n % 3 == 0 else [] for n in range(people)],
                "load": [n % 2 for n in range(people)],
                "capacity": [1 + n % 3 for n in range(people)],
                "grid": ["a" if n % 2 else None for n in range(people)],
            },
            requests={
                "x_m": at_x,
                "y_m": at_y,
                "needs": [["nurse"] if n % 5 == 0 else [] for n in range(requests)],
                "avoids": [[] for _ in range(requests)],
                "grid": ["a" for _ in range(requests)],
                "urgency": [1 + n % 3 for n in range(requests)],
            },
            declined=[("0", "1")],
        )
        _solve("dispatching", problem)
        desk = Desk.of(problem)
        desk.suggest(500, 500, needs=0, avoids=0, grid=0, declined=[1], count=3)
        desk.move(0, 100, 100)
        desk.take_job(0)
        desk.finish_job(0)


def _districting() -> None:
    from muster.planning.districting import HardLine, Level, make_problem

    for size, counts in ((6, (2,)), (60, (6, 2)), (400, (20, 5))):
        x, y = _spread(size, 40 * size)
        levels = [Level(name, count=n) for name, n in zip(("small", "medium"), counts, strict=False)]
        middle = 20 * size
        facts: dict[str, Any] = {
            "population": [20 + 13 * n % 50 for n in range(size)],
            "levels": levels,
            "x_m": np.asarray(x, float) + np.arange(size) / 7,
            "y_m": np.asarray(y, float),
        }
        _solve("districting", make_problem(**facts))
        facts["compound"] = ["yard" if n < 3 else None for n in range(size)]
        line = np.asarray([-100.0, 50.0 * size]), np.asarray([float(middle), float(middle)])
        facts["hard_lines"] = [HardLine("river", *line)]
        plan = _solve("districting", make_problem(**facts))
        facts["pins"] = {"1": "here"}
        _solve("districting", make_problem(**facts))
        facts["today"] = [[grid.grids[n] for n in grid.grid_of] for grid in plan.levels]
        facts["pins"] = {"1": facts["today"][0][0]}
        _solve("districting", make_problem(**facts))


def _matching() -> None:
    from muster.planning.matching import Wanted, Weights, make_problem

    for people, grids in ((4, 2), (60, 6)):
        x, y = _spread(people, 2_000)
        at_x, at_y = _spread(grids, 2_000, salt=1)
        names = [f"grid {n}" for n in range(grids)]
        facts: dict[str, Any] = {
            "skills": [["nurse"] if n % 3 == 0 else ["driver"] for n in range(people)],
            "x_m": np.asarray(x, float),
            "y_m": np.asarray(y, float),
            "grids": names,
            "grid_x_m": np.asarray(at_x, float),
            "grid_y_m": np.asarray(at_y, float),
            "posts": Wanted(
                names * 2, ["nurse"] * grids + ["driver"] * grids, [3] * 2 * grids, [1] * 2 * grids
            ),
            "home": [names[n % grids] for n in range(people)],
            "reach_m": [3_000] * people,
        }
        _solve("matching", make_problem(**facts))
        facts["team"] = [f"team {n // 4}" for n in range(people)]
        facts["weights"] = Weights(unfilled_m=3_000, balance_m=400, spare_m=300, team_m=700)
        _solve("matching", make_problem(**facts))


def _network() -> None:
    from muster.planning.network import distances, prepare, problem_from_json, walk_order
    from muster.planning.network.distances import within

    side, dice = 12, np.random.default_rng(SEED)
    number = np.arange(side * side).reshape(side, side)
    a = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    b = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    north, east = np.divmod(np.arange(side * side), side)
    doors = [f"door {n}" for n in range(30)]
    facts: dict[str, Any] = {
        "nodes": {"lon": (104.0 + east / 1_000).tolist(), "lat": (30.6 + north / 1_000).tolist()},
        "edges": {"a": a.tolist(), "b": b.tolist(), "dm": dice.integers(950, 1_400, len(a)).tolist()},
        "places": [
            {"name": name, "lon": 104.0 + at[0] / 100, "lat": 30.6 + at[1] / 100}
            for name, at in zip(doors, dice.random((len(doors), 2)).tolist(), strict=True)
        ],
    }
    matrix = problem_from_json(facts | {"task": "distances", "sources": doors[:10], "targets": doors})
    _solve("network", matrix)
    hierarchy = prepare(matrix.graph)
    distances(hierarchy, matrix.places, matrix.places)
    within(hierarchy, matrix.places, matrix.places, limit_dm=5_000)
    for wishes in ({"start": doors[3]}, {"returns": True}):
        _solve("network", problem_from_json(facts | {"task": "walk", "stops": doors, **wishes}), kicks=300)
    for stops in (5, 30):
        away = dice.integers(1, 900, (stops, stops))
        walk_order((away + away.T).astype(np.int64), kicks=50, start=0)


def _rostering() -> None:
    from muster.planning.rostering import Effort, make_problem

    shifts = [
        {"name": "early", "start_min": 420, "minutes": 480},
        {"name": "late", "start_min": 900, "minutes": 480},
        {"name": "night", "start_min": 1_380, "minutes": 480, "night": True},
    ]
    for people in (4, 16):
        problem = make_problem(
            days=7,
            shifts=shifts,
            posts=[
                {"name": "gate", "needs": [{"shift": s["name"], "kind": "any", "count": 2} for s in shifts]}
            ],
            people=[
                {"name": f"p{n}", "kinds": ["any"], "max_minutes": 2_400, "max_days_on": 5, "rest_min": 660}
                | ({"wishes": [{"day": n % 7, "cost": 5}]} if n % 2 else {})
                for n in range(people)
            ],
            fairness={"nights": 2},
        )
        _solve("rostering", problem, effort=Effort(root_rounds=20, steps=4, sweeps=4, passes=4, shakes=40))


def _routing() -> None:
    from muster.planning.routing import Effort, make_problem

    x, y = _spread(120, 3_000)
    facts: dict[str, Any] = {
        "stops": {"x_m": x, "y_m": y, "demand": [1 + n % 5 for n in range(120)], "service_s": [60] * 120},
        "depots": {"x_m": [1_500], "y_m": [1_500]},
        "vehicles": {"name": ["van"], "count": [30], "capacity": [25]},
        "metres_per_minute": 100,
    }
    _solve("routing", make_problem(**facts), effort=Effort(2_000, 2))
    facts["stops"]["close_s"] = [20_000 + 100 * n for n in range(120)]
    facts["vehicles"]["shift_end_s"] = [40_000]
    facts["pairs"] = [[str(n + 1), str(n + 61)] for n in range(20)]
    _solve("routing", make_problem(**facts), effort=Effort(2_000, 2))


def _siting() -> None:
    from muster.planning.siting import Effort, make_problem
    from muster.planning.siting.field_files import problem_from_text

    _solve("siting", problem_from_text("4 3 1\n1 2 5\n2 3 5\n3 4 9\n", "pmed.txt"))
    little = Effort(kicks=30, rounds=60, steps=80, finish=0.1, workers=1)
    for points, room, changes in (
        (200, 0, {"count": 5}),
        (200, 0, {}),
        (200, 900, {}),
        (200, 900, {"count": 9}),
        (200, 900, {"may_split": True}),
    ):
        x, y = _spread(points, 2_000)
        at_x, at_y = _spread(20, 2_000, salt=1)
        candidates: dict[str, Any] = {"x_m": at_x, "y_m": at_y, "open_cost": [20_000] * 20}
        if room:
            candidates["capacity"] = [room + 10 * n for n in range(20)]
        people = [5 + 11 * n % 50 for n in range(points)]
        problem = make_problem(
            points={"x_m": x, "y_m": y, "people": people}, candidates=candidates, limit_m=2_500, **changes
        )
        _solve("siting", problem, effort=little)


_REHEARSALS: dict[str, Callable[[], None]] = {
    "allocating": _allocating,
    "batching": _batching,
    "dispatching": _dispatching,
    "districting": _districting,
    "matching": _matching,
    "network": _network,
    "rostering": _rostering,
    "routing": _routing,
    "siting": _siting,
}
