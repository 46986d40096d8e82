# SPDX-License-Identifier: Apache-2.0
"""An independent check of divisions, from the problem alone and without code of the engine.

Each hard rule is one function that yields the violations of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from muster.planning._kernel.arrays import Bools, Longs
from muster.planning.contract import Facts, Violation
from muster.planning.districting.plan import Plan
from muster.planning.districting.problem import Problem

# So many examples of one rule are named; one is enough to refuse a plan.
_EXAMPLES = 5


def check(problem: Problem, plan: Plan) -> list[Violation]:
    """Return the violations found; an empty list means that the plan keeps all rules."""
    broken = [*levels_are_those_asked_for(problem, plan), *every_building_has_a_grid(problem, plan)]
    if broken:
        return broken
    return [
        *counts_are_as_asked(problem, plan),
        *grids_are_connected(problem, plan),
        *communities_are_not_mixed(problem, plan),
        *compounds_are_whole(problem, plan),
        *levels_are_nested(plan),
        *pins_are_kept(problem, plan),
        *kept_grids_are_as_today(problem, plan),
        *figures_are_true(problem, plan),
    ]


def levels_are_those_asked_for(problem: Problem, plan: Plan) -> Iterator[Violation]:
    wanted = [level.name for level in problem.levels]
    found = [level.name for level in plan.levels]
    if wanted != found:
        yield Violation("levels_are_those_asked_for", "", {"wanted": list(wanted), "found": list(found)})


def every_building_has_a_grid(problem: Problem, plan: Plan) -> Iterator[Violation]:
    for level in plan.levels:
        if len(level.grid_of) != problem.size:
            facts: Facts = {"wanted": problem.size, "found": len(level.grid_of)}
            yield Violation("every_building_has_a_grid", level.name, facts)
            continue
        outside = np.flatnonzero((level.grid_of < 0) | (level.grid_of >= len(level.grids)))
        for building in outside[:_EXAMPLES]:
            yield Violation("every_building_has_a_grid", problem.names[building], {"level": level.name})
        for grid in sorted(set(range(len(level.grids))) - set(level.grid_of.tolist()))[:_EXAMPLES]:
            yield Violation("no_grid_is_empty", level.grids[grid], {"level": level.name})


def counts_are_as_asked(problem: Problem, plan: Plan) -> Iterator[Violation]:
    for wanted, level in zip(problem.levels, plan.levels, strict=True):
        if wanted.count is not None and len(level.grids) != wanted.count:
            facts: Facts = {"wanted": wanted.count, "found": len(level.grids)}
            yield Violation("counts_are_as_asked", level.name, facts)


def grids_are_connected(problem: Problem, plan: Plan) -> Iterator[Violation]:
    """One can walk through a grid without crossing a hard line, or leaving the grid or its community.

    Grids kept as they are today count as connected.
    """
    lawful = _lawful_links(problem)
    for wanted, level in zip(problem.levels, plan.levels, strict=True):
        a, b = problem.links.a[lawful], problem.links.b[lawful]
        if not _may_mix(problem, wanted.name):
            same = problem.community[a] == problem.community[b]
            a, b = a[same], b[same]
        (own_a, own_b), (kept_a, kept_b) = _courtyards(problem), _kept_chains(problem)
        a, b = np.concatenate([a, own_a, kept_a]), np.concatenate([b, own_b, kept_b])
        inside = level.grid_of[a] == level.grid_of[b]
        links = coo_matrix((np.ones(inside.sum()), (a[inside], b[inside])), shape=(problem.size,) * 2)
        _, piece = connected_components(links.tocsr(), directed=False)
        pairs = np.unique(np.stack([level.grid_of, piece], axis=1), axis=0)[:, 0]
        grids, pieces = np.unique(pairs, return_counts=True)
        for grid, number in list(zip(grids[pieces > 1], pieces[pieces > 1], strict=True))[:_EXAMPLES]:
            facts: Facts = {"level": level.name, "pieces": int(number)}
            yield Violation("grids_are_connected", level.grids[grid], facts)


def communities_are_not_mixed(problem: Problem, plan: Plan) -> Iterator[Violation]:
    for level in plan.levels:
        if _may_mix(problem, level.name):
            continue
        # a grid around kept grids has the communities that those have
        around = np.unique(level.grid_of[_kept(problem)])
        judged = ~np.isin(level.grid_of, around)
        pairs = np.stack([level.grid_of[judged], problem.community[judged]], axis=1)
        pairs = np.unique(pairs, axis=0)[:, 0]
        grids, communities = np.unique(pairs, return_counts=True)
        for grid in grids[communities > 1][:_EXAMPLES]:
            yield Violation("communities_are_not_mixed", level.grids[grid], {"level": level.name})


def compounds_are_whole(problem: Problem, plan: Plan) -> Iterator[Violation]:
    """What of a compound lies on one piece of ground is in one grid."""
    grid_of = plan.levels[0].grid_of
    whole = _stays_whole(problem) & ~_kept(problem)
    triples = np.stack([problem.compound[whole], _pieces(problem)[whole], grid_of[whole]], axis=1)
    homes = np.unique(triples, axis=0)[:, :2]
    compounds, grids = np.unique(homes, axis=0, return_counts=True)
    for (compound, _), number in list(zip(compounds[grids > 1], grids[grids > 1], strict=True))[:_EXAMPLES]:
        yield Violation("compounds_are_whole", problem.compound_names[compound], {"grids": int(number)})


def levels_are_nested(plan: Plan) -> Iterator[Violation]:
    for lower, upper in pairwise(plan.levels):
        pairs = np.unique(np.stack([lower.grid_of, upper.grid_of], axis=1), axis=0)[:, 0]
        grids, parents = np.unique(pairs, return_counts=True)
        for grid, number in list(zip(grids[parents > 1], parents[parents > 1], strict=True))[:_EXAMPLES]:
            facts: Facts = {"level": upper.name, "parents": int(number)}
            yield Violation("levels_are_nested", lower.grids[grid], facts)


def pins_are_kept(problem: Problem, plan: Plan) -> Iterator[Violation]:
    if problem.pinned is None:
        return
    lowest = plan.levels[0]
    for building in np.flatnonzero((problem.pinned >= 0) & ~_kept(problem)):
        wanted = problem.pin_names[problem.pinned[building]]
        found = lowest.grids[lowest.grid_of[building]]
        if found != wanted:
            yield Violation("pins_are_kept", problem.names[building], {"wanted": wanted, "found": found})


def kept_grids_are_as_today(problem: Problem, plan: Plan) -> Iterator[Violation]:
    lowest = plan.levels[0]
    for name in sorted(problem.kept):
        today = problem.previous[0]
        before = set(np.flatnonzero(today.grid_of == today.names.index(name)).tolist())
        number = lowest.grids.index(name) if name in lowest.grids else -1
        after = set(np.flatnonzero(lowest.grid_of == number).tolist())
        if before != after:
            facts: Facts = {"left": len(before - after), "joined": len(after - before)}
            yield Violation("kept_grids_are_as_today", name, facts)


def figures_are_true(problem: Problem, plan: Plan) -> Iterator[Violation]:
    worst = 0
    for number, level in enumerate(plan.levels):
        judged = ~_kept(problem) if number == 0 else np.ones(problem.size, np.bool_)
        carried: dict[int, int] = {}
        weights = problem.weights()[judged].tolist()
        for grid, weight in zip(level.grid_of[judged].tolist(), weights, strict=True):
            carried[grid] = carried.get(grid, 0) + weight
        target = _target(problem, number)
        worst = max([worst, *(_millionths(weight, target) for weight in carried.values())])
    if worst != plan.worst_ppm:
        yield Violation("figures_are_true", "", {"true_ppm": worst, "found_ppm": plan.worst_ppm})
    if plan.bound_ppm > plan.worst_ppm:
        facts: Facts = {"worst_ppm": plan.worst_ppm, "bound_ppm": plan.bound_ppm}
        yield Violation("bound_is_not_above_worst", "", facts)


def _millionths(weight: int, target: Fraction) -> int:
    off = abs(weight - target) * 1_000_000 / target
    return int(off) if off == int(off) else int(off) + 1


def _target(problem: Problem, number: int) -> Fraction:
    level, weight = problem.levels[number], problem.weights()
    if level.size is not None:
        return Fraction(level.size)
    out = _kept(problem) if number == 0 else np.zeros(problem.size, np.bool_)
    left_out = len(problem.kept) if number == 0 else 0
    return Fraction(max(1, int(weight[~out].sum())), max(1, (level.count or 1) - left_out))


def _kept(problem: Problem) -> Bools:
    if not problem.kept:
        return np.zeros(problem.size, np.bool_)
    today = problem.previous[0]
    return np.asarray([grid >= 0 and today.names[grid] in problem.kept for grid in today.grid_of], np.bool_)


def _may_mix(problem: Problem, name: str) -> bool:
    """Say whether grids of this level may join communities: it, or one below it, is an `across` level."""
    for level in problem.levels:
        if level.across:
            return True
        if level.name == name:
            return False
    return False


def _stays_whole(problem: Problem) -> Bools:
    inside = problem.compound >= 0
    if not problem.divide_large_compounds or not inside.any():
        return np.asarray(inside, np.bool_)
    weight, level = problem.weights(), problem.levels[0]
    target = Fraction(max(1, int(weight.sum())), level.count) if level.count else Fraction(level.size or 1)
    most = float(target) * (1 + problem.tolerance_ppm / 1e6)
    carried = np.bincount(problem.compound[inside], weight[inside], len(problem.compound_names))
    return inside & (carried[np.maximum(problem.compound, 0)] <= most)


def _pieces(problem: Problem) -> Longs:
    """Return the piece of ground of each building: what lawful links of one community hold together."""
    lawful = _lawful_links(problem) & _same_community(problem) & ~_at_kept(problem)
    ends = problem.links.a[lawful], problem.links.b[lawful]
    links = coo_matrix((np.ones(int(lawful.sum())), ends), shape=(problem.size,) * 2)
    return np.asarray(connected_components(links.tocsr(), directed=False)[1], np.int64)


def _same_community(problem: Problem) -> Bools:
    return np.asarray(problem.community[problem.links.a] == problem.community[problem.links.b], np.bool_)


def _at_kept(problem: Problem) -> Bools:
    kept = _kept(problem)
    return np.asarray(kept[problem.links.a] | kept[problem.links.b], np.bool_)


def _courtyards(problem: Problem) -> tuple[Longs, Longs]:
    """Return pairs that chain the buildings of each whole compound on one piece: people walk freely in it."""
    inside, piece = np.flatnonzero(_stays_whole(problem)), _pieces(problem)
    order = inside[np.lexsort((inside, piece[inside], problem.compound[inside]))]
    same = (np.diff(problem.compound[order]) == 0) & (np.diff(piece[order]) == 0)
    return order[:-1][same], order[1:][same]


def _kept_chains(problem: Problem) -> tuple[Longs, Longs]:
    """Return pairs that chain the buildings of each kept grid: how it is, is not for the plan to say."""
    kept = np.flatnonzero(_kept(problem))
    if len(kept) == 0:
        return kept, kept
    grid_of = problem.previous[0].grid_of
    order = kept[np.argsort(grid_of[kept], kind="stable")]
    same = np.diff(grid_of[order]) == 0
    return order[:-1][same], order[1:][same]


def _lawful_links(problem: Problem) -> Bools:
    """Say of each link whether it crosses no hard line, or only a wall by a gate or inside a compound."""
    links = problem.links
    lawful = np.ones(len(links.a), np.bool_)
    if not problem.hard_lines or len(problem.x_m) == 0:
        return lawful
    import shapely

    x, y = problem.x_m, problem.y_m
    ends = np.stack([np.stack([x[links.a], x[links.b]], 1), np.stack([y[links.a], y[links.b]], 1)], axis=2)
    lines = [shapely.linestrings(np.stack([line.x_m, line.y_m], axis=1)) for line in problem.hard_lines]
    wall = np.asarray([line.kind == "wall" for line in problem.hard_lines])
    link, line = shapely.STRtree(lines).query(shapely.linestrings(ends), predicate="crosses")
    compound = problem.compound
    own = (compound[links.a] == compound[links.b]) & (compound[links.a] >= 0)
    excused = wall[line] & (links.through_wall | own)[link]
    lawful[link[~excused]] = False
    return lawful
