# SPDX-License-Identifier: Apache-2.0
"""Why a division is as it is: how even, what stands in the way of more, who changes grid, what was fixed."""

from __future__ import annotations

import numpy as np

from muster.planning._kernel.arrays import Bools, Longs
from muster.planning.contract import Facts, Reason
from muster.planning.districting.plan import GridLevel, Plan
from muster.planning.districting.problem import Problem, pins
from muster.planning.districting.wishes import kept_buildings, targets

# So many compounds or communities that stand in the way are named.
_EXAMPLES = 3


def explain(problem: Problem, plan: Plan) -> list[Reason]:
    """Return the reasons as message codes with facts, the most important first."""
    reasons = [_of_level(problem, plan, number) for number in range(len(plan.levels))]
    if plan.worst_ppm <= problem.tolerance_ppm:
        reasons.append(Reason("planning.districting.within", {"percent": _percent(problem.tolerance_ppm)}))
    elif plan.worst_ppm <= plan.bound_ppm:
        reasons.append(Reason("planning.districting.best_possible", {"percent": _percent(plan.bound_ppm)}))
    else:
        facts: Facts = {"percent": _percent(plan.worst_ppm), "least": _percent(plan.bound_ppm)}
        reasons.append(Reason("planning.districting.beyond", facts))
    reasons += _large_compounds(problem)
    reasons += _uneven_communities(problem, plan)
    reasons += _changes(problem, plan)
    if fixed := len(pins(problem)) - int(kept_buildings(problem).sum()):
        reasons.append(Reason("planning.districting.pinned", {"buildings": fixed}))
    if problem.kept:
        reasons.append(Reason("planning.districting.kept", {"grids": len(problem.kept)}))
    return reasons


def explain_grid(problem: Problem, plan: Plan, grid: str) -> list[Reason]:
    """Return why a smallest grid is as it is: its people, its deviation, the hard lines around it."""
    lowest = plan.levels[0]
    inside = lowest.grid_of == lowest.grids.index(grid)
    weight, target = problem.weights(), targets(problem)[0]
    off = (float(int(weight[inside].sum()) / target) - 1) * 100
    facts: Facts = {
        "grid": grid,
        "people": int(problem.population[inside].sum()),
        "buildings": int(inside.sum()),
        "percent": round(off, 1),
    }
    reasons = [Reason("planning.districting.grid", facts)]
    for compound in np.unique(problem.compound[inside & (problem.compound >= 0)]):
        own = inside & (problem.compound == compound)
        share = round(100 * int(weight[own].sum()) / max(1, int(weight[inside].sum())))
        if share >= 50:
            most: Facts = {"compound": problem.compound_names[compound], "percent": share}
            reasons.append(Reason("planning.districting.grid_compound", most))
    return reasons


def _of_level(problem: Problem, plan: Plan, number: int) -> Reason:
    level, target = plan.levels[number], targets(problem)[number]
    kept = kept_buildings(problem) if number == 0 else np.zeros(problem.size, np.bool_)
    carried = _carried(level, problem.weights(), ~kept)
    off = [abs(float(int(weight) / target) - 1) for weight in carried]
    even = 0.0 if problem.levels[number].across else _worst_inside(problem, level, ~kept)
    facts: Facts = {
        "level": level.name,
        "grids": len(level.grids),
        "target": round(float(target)),
        "percent": round(100 * max(off, default=0.0), 1),
        "inside": round(100 * even, 1),
    }
    return Reason("planning.districting.level", facts)


def _worst_inside(problem: Problem, level: GridLevel, judged: Bools) -> float:
    """Return how far any grid is from the mean of its own community."""
    worst = 0.0
    for number in np.unique(problem.community):
        inside = judged & (problem.community == number)
        carried = _carried(level, problem.weights(), inside)
        if len(carried) and carried.sum():
            worst = max(worst, float(np.abs(carried * len(carried) / carried.sum() - 1).max()))
    return worst


def _carried(level: GridLevel, weight: Longs, judged: Bools) -> Longs:
    found = np.bincount(level.grid_of[judged], weight[judged], len(level.grids)).astype(np.int64)
    return found[np.unique(level.grid_of[judged])]


def _large_compounds(problem: Problem) -> list[Reason]:
    """Name compounds that are kept whole although they are heavier than a grid should be."""
    if problem.divide_large_compounds:
        return []
    inside = problem.compound >= 0
    weight = problem.weights()
    carried = np.bincount(problem.compound[inside], weight[inside], len(problem.compound_names))
    target = float(targets(problem)[0])
    most = target * (1 + problem.tolerance_ppm / 1e6)
    heavy = [int(number) for number in np.argsort(-carried, kind="stable") if carried[number] > most]
    return [
        Reason(
            "planning.districting.large_compound",
            {"compound": problem.compound_names[number], "times": round(float(carried[number]) / target, 2)},
        )
        for number in heavy[:_EXAMPLES]
    ]


def _uneven_communities(problem: Problem, plan: Plan) -> list[Reason]:
    """Name communities whose people do not divide into whole grids."""
    weight, lowest = problem.weights(), plan.levels[0]
    target = float(targets(problem)[0])
    found = []
    for number in np.unique(problem.community):
        inside = problem.community == number
        grids = len(np.unique(lowest.grid_of[inside]))
        off = abs(float(weight[inside].sum()) / grids / target - 1)
        if off > problem.tolerance_ppm / 1e6:
            found.append((off, int(number), grids))
    found.sort(key=lambda entry: (-entry[0], entry[1]))
    return [
        Reason(
            "planning.districting.uneven_community",
            {"community": problem.community_names[number], "grids": grids, "percent": round(100 * off, 1)},
        )
        for off, number, grids in found[:_EXAMPLES]
    ]


def _changes(problem: Problem, plan: Plan) -> list[Reason]:
    """Say how many people change their smallest grid, and which grids are new or gone."""
    if not problem.previous:
        return []
    today, lowest = problem.previous[0], plan.levels[0]
    known = np.flatnonzero(today.grid_of >= 0)
    before = [today.names[grid] for grid in today.grid_of[known]]
    after = [lowest.grids[grid] for grid in lowest.grid_of[known]]
    moved = [building for building, old, new in zip(known, before, after, strict=True) if old != new]
    people = int(problem.population[moved].sum()) if moved else 0
    total = max(1, int(problem.population[known].sum()))
    facts: Facts = {"people": people, "percent": round(100 * people / total, 1), "buildings": len(moved)}
    reasons = [Reason("planning.districting.moved", facts)]
    new, gone = sorted(set(lowest.grids) - set(today.names)), sorted(set(before) - set(lowest.grids))
    if new or gone:
        reasons.append(Reason("planning.districting.new_and_gone", {"new": len(new), "gone": len(gone)}))
    return reasons


def _percent(ppm: int) -> float:
    return round(ppm / 10_000, 2)
