# SPDX-License-Identifier: Apache-2.0
"""Upper levels over all pieces: grids that may join communities, and a place for grids kept as they are."""

from __future__ import annotations

import numpy as np

from muster.planning._kernel.arrays import Bools, Floats, Ints, Longs
from muster.planning.contract import BadProblem
from muster.planning.districting.counts import Piece, share_out
from muster.planning.districting.cutting import Effort, Region, cut
from muster.planning.districting.ground import pieces_of
from muster.planning.districting.problem import Problem
from muster.planning.districting.regridding import Today, regrid, spread_labels
from muster.planning.districting.tasks import own_levels, targets


def with_kept(problem: Problem, by_level: list[Longs], kept: Bools) -> list[Longs]:
    """Give kept buildings their grid of today, and an upper grid beside or around them."""
    if not kept.any():
        return by_level
    today = problem.previous[0].grid_of.astype(np.int64)
    lowest = by_level[0].copy()
    lowest[kept] = int(lowest.max(initial=-1)) + 1 + today[kept]
    levels = [lowest]
    for number, upper in enumerate(by_level[1:], start=1):
        filled = upper.copy()
        for grid in np.unique(today[kept]):
            inside = kept & (today == grid)
            filled[inside] = _upper_for(problem, filled, inside, number)
        levels.append(filled)
    return levels


def _upper_for(problem: Problem, upper: Longs, inside: Bools, number: int) -> int:
    """Return the upper grid for a kept grid: the one it is in today, else one beside it, else its own."""
    known = upper >= 0
    if number < len(problem.previous):
        before = problem.previous[number].grid_of
        own = np.bincount(before[inside & (before >= 0)]) if (before[inside] >= 0).any() else None
        if own is not None:
            mates = known & (before == int(own.argmax()))
            if mates.any():
                return int(np.bincount(upper[mates]).argmax())
    a, b = problem.links.a, problem.links.b
    same = problem.community[a] == problem.community[b]
    beside = np.concatenate([b[same & inside[a] & known[b]], a[same & inside[b] & known[a]]])
    if len(beside):
        return int(np.bincount(upper[beside]).argmax())
    return int(upper.max(initial=-1)) + 1


def across_levels(problem: Problem, by_level: list[Longs], *, seed: int, effort: Effort) -> list[Longs]:
    """Return the grids of the levels that may join communities, by building."""
    found: list[Longs] = []
    lower = by_level[-1]
    for number in range(len(own_levels(problem)), len(problem.levels)):
        lower = _grouped(problem, lower, number, seed=seed + number, effort=effort)
        found.append(lower)
    return found


def _grouped(problem: Problem, lower: Longs, number: int, *, seed: int, effort: Effort) -> Longs:
    _, packed = np.unique(lower, return_inverse=True)
    grid = packed.reshape(-1).astype(np.int64)
    region = _region(problem, grid)
    pieces = pieces_of(region)
    facts = [Piece(int(region.weight[p].sum()), int(region.weight[p].max()), len(p)) for p in pieces]
    level, target = problem.levels[number], targets(problem)[number]
    try:
        counts = share_out(facts, target, level.count)
    except ValueError as error:
        raise BadProblem(
            "count",
            f"levels[{number}]",
            "planning.districting.count_range",
            fewest=len(pieces),
            most=region.size,
        ) from error
    home = _today(problem, grid, region.size, number)
    label = np.zeros(region.size, np.int64)
    first = 0
    for atoms, count in zip(pieces, counts, strict=True):
        part = region.part(atoms)
        label[atoms] = first + _cut(problem, part, home[atoms], count, seed, effort)
        first += count
    return label[grid]


def _cut(problem: Problem, part: Region, home: Ints, count: int, seed: int, effort: Effort) -> Ints:
    tolerance = problem.tolerance_ppm / 1e6
    if not (home >= 0).any():
        goal = np.full(count, max(1, int(part.weight.sum()) // count), np.int64)
        return cut(part, goal, tolerance=tolerance, seed=seed, effort=effort)
    names = np.unique(home[home >= 0])
    own = np.where(home >= 0, np.searchsorted(names, home), -1).astype(np.int32)
    label = spread_labels(part.rows, part.heads, own)
    today = Today(label, own, len(names), np.zeros(part.size, np.bool_))
    return regrid(part, today, count, tolerance=tolerance, seed=seed, effort=effort).label


def _region(problem: Problem, grid: Longs) -> Region:
    count = int(grid.max()) + 1
    links = problem.links
    mass = np.bincount(grid, minlength=count).astype(np.int64)

    def middle(side: Floats) -> Floats:
        return np.bincount(grid, side, count) / mass if len(side) else np.zeros(count)

    return Region.of(
        grid[links.a],
        grid[links.b],
        np.ones(len(links.a), np.int64),
        np.bincount(grid, problem.weights(), count).astype(np.int64),
        mass,
        middle(problem.x_m),
        middle(problem.y_m),
    )


def _today(problem: Problem, grid: Longs, count: int, number: int) -> Ints:
    """Return today's upper grid of most people of each lower grid; -1: none known."""
    if number >= len(problem.previous):
        return np.full(count, -1, np.int32)
    before = problem.previous[number]
    known = before.grid_of >= 0
    share = np.zeros((count, max(1, len(before.names))), np.int64)
    np.add.at(share, (grid[known], before.grid_of[known]), problem.weights()[known] + 1)
    return np.where(share.sum(axis=1) > 0, share.argmax(axis=1), -1).astype(np.int32)
