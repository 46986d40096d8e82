# SPDX-License-Identifier: Apache-2.0
"""The work on one piece of ground, as a pure and picklable job: from nothing, or from today's grids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning.districting.cutting import Effort, cut
from muster.planning.districting.dividing import (
    Branch,
    branch_out,
    divide,
    first_cut,
    grid_of_leaf,
    seed_below,
)
from muster.planning.districting.pinning import Pinned, settle_pins
from muster.planning.districting.region import Region
from muster.planning.districting.regridding import Regrid, Today, regrid, spread_labels


@dataclass(frozen=True, slots=True, eq=False)
class PieceTask:
    """One piece: how many grids it gets at each level, what it looks like today, what is pinned.

    `today` is by level, as far as known: the grid of each atom in numbers from 0 on, and which grids of the
    problem those are.
    """

    region: Region
    counts: tuple[int, ...]
    today: tuple[tuple[Ints, Longs], ...]
    pinned: tuple[Pinned, ...]
    tolerance: float
    seed: int
    effort: Effort

    @property
    def is_fresh(self) -> bool:
        return not self.today and not self.pinned


@dataclass(frozen=True, slots=True, eq=False)
class PieceAnswer:
    """For each level the grid of each atom and today's number of each grid (-1: new).

    `pin_parts` are the smallest grids in which the pinned groups ended up.
    """

    levels: tuple[Regrid, ...]
    pin_parts: tuple[int, ...] = ()

    def uneven(self, region: Region) -> float:
        """Return how far the worst smallest grid is from the mean of the piece."""
        count = len(self.levels[0].today)
        carried = np.bincount(self.levels[0].label, region.weight, count)
        return float(np.abs(carried * count / max(1.0, carried.sum()) - 1.0).max())


def work_on(tasks: Sequence[PieceTask]) -> list[PieceAnswer]:
    """Work on some pieces, one after the other."""
    return [_work_on(task) for task in tasks]


def wide_cut(task: PieceTask) -> list[tuple[Branch, Longs]]:
    """Cut a wide piece once, so that what is inside each part is a job of its own."""
    branches = branch_out(int(task.region.weight.sum()), task.counts)
    return first_cut(task.region, branches, tolerance=task.tolerance, seed=task.seed, effort=task.effort)


def divide_below(region: Region, branch: Branch, tolerance: float, seed: int, effort: Effort) -> Ints:
    """Return the leaf of each atom inside one part of a wide piece."""
    if not branch.below:
        return np.zeros(region.size, np.int32)
    return divide(region, branch.below, tolerance=tolerance, seed=seed, effort=effort)


def wide_answer(task: PieceTask, cuts: list[tuple[Branch, Longs]], inside: Sequence[Ints]) -> PieceAnswer:
    """Put the parts of a wide piece together again."""
    leaves = np.zeros(task.region.size, np.int32)
    first = 0
    for (branch, atoms), below in zip(cuts, inside, strict=True):
        leaves[atoms] = below + first
        first += branch.leaves
    return _from_leaves(task, leaves)


def inner_seed(task: PieceTask, number: int) -> int:
    return seed_below(task.seed, number)


def _work_on(task: PieceTask) -> PieceAnswer:
    if task.today:
        return _grown_from_today(task)
    branches = branch_out(int(task.region.weight.sum()), task.counts)
    leaves = divide(task.region, branches, tolerance=task.tolerance, seed=task.seed, effort=task.effort)
    if not task.pinned:
        return _from_leaves(task, leaves)
    return _pinned_anew(task, leaves)


def _from_leaves(task: PieceTask, leaves: Ints) -> PieceAnswer:
    if len(np.unique(leaves)) < task.counts[0]:
        # a part came out with fewer atoms than grids: cut the small grids first and group them
        return _grouped_up(task, _flat(task), ())
    branches = branch_out(int(task.region.weight.sum()), task.counts)
    levels = []
    for level in range(len(task.counts)):
        grids = grid_of_leaf(branches, level)[leaves].astype(np.int32)
        levels.append(_new(grids, task.counts[level]))
    return PieceAnswer(tuple(levels))


def _flat(task: PieceTask) -> Ints:
    goal = np.full(task.counts[0], max(1, int(task.region.weight.sum()) // task.counts[0]), np.int64)
    return cut(task.region, goal, tolerance=task.tolerance, seed=task.seed, effort=task.effort)


def _new(label: Ints, count: int) -> Regrid:
    return Regrid(label, np.full(count, -1, np.int64))


def _pinned_anew(task: PieceTask, leaves: Ints) -> PieceAnswer:
    """Bring pinned atoms of a fresh division into grids of their own, and balance again around them."""
    region, count = task.region, task.counts[0]
    if len(np.unique(leaves)) < count:
        leaves = _flat(task)
    label, fixed, parts = settle_pins(region, leaves, count, task.pinned)
    nobody_at_home = np.full(region.size, -1, np.int32)
    today = Today(label, nobody_at_home, count, fixed)
    small = regrid(region, today, count, tolerance=task.tolerance, seed=task.seed, effort=task.effort)
    return _grouped_up(task, small.label, _numbers_of(parts, small))


def _grouped_up(task: PieceTask, small: Ints, pin_parts: tuple[int, ...]) -> PieceAnswer:
    levels = [_new(small, task.counts[0])]
    for level in range(1, len(task.counts)):
        levels.append(_grouped(task, levels[-1].label, level))
    return PieceAnswer(tuple(levels), pin_parts)


def _grown_from_today(task: PieceTask) -> PieceAnswer:
    region = task.region
    home, names = task.today[0]
    parts = len(names)
    label = spread_labels(region.rows, region.heads, home)
    label, fixed, pin_parts = settle_pins(region, label, parts, task.pinned)
    today = Today(label, np.where(fixed, label, home).astype(np.int32), parts, fixed)
    small = regrid(
        region, today, task.counts[0], tolerance=task.tolerance, seed=task.seed, effort=task.effort
    )
    levels = [small]
    for level in range(1, len(task.counts)):
        levels.append(_grouped(task, levels[-1].label, level))
    return PieceAnswer(tuple(levels), _numbers_of(pin_parts, small))


def _grouped(task: PieceTask, lower: Ints, level: int) -> Regrid:
    """Group the grids of the level below into those of this level, as today where today is known."""
    below, count = task.counts[level - 1], task.counts[level]
    merged = task.region.merged(lower.astype(np.int64), below)
    if level < len(task.today):
        upper, names = task.today[level]
        parts = len(names)
        home = _most_of(lower, upper, task.region.weight, below, parts)
        label = spread_labels(merged.rows, merged.heads, home)
        today = Today(label, home, parts, np.zeros(below, np.bool_))
        found = regrid(
            merged, today, count, tolerance=task.tolerance, seed=task.seed + level, effort=task.effort
        )
        return Regrid(found.label[lower], found.today)
    goal = np.full(count, max(1, int(merged.weight.sum()) // count), np.int64)
    groups = cut(merged, goal, tolerance=task.tolerance, seed=task.seed + level, effort=task.effort)
    return _new(groups[lower], count)


def _most_of(lower: Ints, upper: Ints, weight: Longs, below: int, parts: int) -> Ints:
    """Return for each lower grid the upper one in which most of its people are today; -1: none."""
    known = upper >= 0
    share = np.zeros((below, parts), np.int64)
    np.add.at(share, (lower[known], upper[known]), weight[known] + 1)
    return np.where(share.sum(axis=1) > 0, share.argmax(axis=1), -1).astype(np.int32)


def _numbers_of(parts: Sequence[int], found: Regrid) -> tuple[int, ...]:
    """Return the numbers that parts of before have now."""
    number = {int(old): new for new, old in enumerate(found.today) if old >= 0}
    return tuple(number.get(part, 0) for part in parts)
