# SPDX-License-Identifier: Apache-2.0
"""Levels made of the grids below them: grids that join communities, and those above grids that are kept."""

from __future__ import annotations

import numpy as np

from muster.planning._kernel.arrays import Bools, Floats, Ints, Longs
from muster.planning.contract import BadProblem
from muster.planning.districting.counts import Piece, share_out
from muster.planning.districting.cutting import Effort, cut
from muster.planning.districting.ground import pieces_of
from muster.planning.districting.problem import Problem
from muster.planning.districting.region import Region
from muster.planning.districting.regridding import Today, regrid, spread_labels
from muster.planning.districting.wishes import own_levels, targets


def with_kept(problem: Problem, lowest: Longs, kept: Bools) -> Longs:
    """Give kept buildings their grid of today."""
    if not kept.any():
        return lowest
    today = problem.previous[0].grid_of.astype(np.int64)
    return np.where(kept, int(lowest.max(initial=-1)) + 1 + today, lowest)


def upper_levels(problem: Problem, lower: Longs, *, seed: int, effort: Effort) -> list[Longs]:
    """Return the grids of the levels that are made of the grids below them, by building."""
    found: list[Longs] = []
    for number in range(len(own_levels(problem)), len(problem.levels)):
        mixed = any(level.across for level in problem.levels[: number + 1])
        lower = _grouped(problem, lower, number, mixed=mixed, seed=seed + number, effort=effort)
        found.append(lower)
    return found


def _grouped(problem: Problem, lower: Longs, number: int, *, mixed: bool, seed: int, effort: Effort) -> Longs:
    _, packed = np.unique(lower, return_inverse=True)
    grid = packed.reshape(-1).astype(np.int64)
    region = _region(problem, grid, mixed=mixed)
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


def _region(problem: Problem, grid: Longs, *, mixed: bool) -> Region:
    count = int(grid.max()) + 1
    a, b = problem.links.a, problem.links.b
    if not mixed:
        same = problem.community[a] == problem.community[b]
        a, b = a[same], b[same]
    mass = np.bincount(grid, minlength=count).astype(np.int64)

    def middle(side: Floats) -> Floats:
        return np.bincount(grid, side, count) / mass if len(side) else np.zeros(count)

    return Region.of(
        grid[a],
        grid[b],
        np.ones(len(a), np.int64),
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
