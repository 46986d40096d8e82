# SPDX-License-Identifier: Apache-2.0
"""Dividing a piece of ground from nothing: large grids first, then medium ones inside each, then small.

Going down, each level has many atoms to balance with; going up from finished small grids it would not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning.districting.cutting import Effort, cut
from muster.planning.districting.region import Region

# METIS balances few parts better than many: more children than this get helpers above them.
_MOST_CHILDREN = 40
# An upper level uses up only this share of the tolerance, so that the levels below have room.
_UPPER_SHARE = 0.15
HELPER = -1

# How often a region is cut anew when a leaf of it is off: small grids, and grids with grids below them.
_TRIES = 3
_TRIES_ABOVE = 2


@dataclass(frozen=True, slots=True)
class Branch:
    """A grid to be and the grids inside it: `goal` is its weight, `level` 0 the smallest (HELPER: none)."""

    goal: int
    level: int
    below: tuple[Branch, ...] = ()

    @property
    def leaves(self) -> int:
        return sum(branch.leaves for branch in self.below) if self.below else 1


def branch_out(weight: int, counts: Sequence[int]) -> tuple[Branch, ...]:
    """Return the grids of the uppermost level of one piece; `counts` go from the smallest level up.

    Where counts do not divide evenly, an upper grid with more small ones gets more weight: half way
    between an equal share and what its small ones would want.
    """
    mean = weight / counts[0]
    return _branches(weight, tuple(counts), mean, counts)


def divide(
    region: Region, branches: Sequence[Branch], *, tolerance: float, seed: int, effort: Effort
) -> Ints:
    """Return for each atom of a connected region its leaf, counted through the branches in order.

    Where a leaf misses the tolerance, the region is cut anew, from another seed, and the better one stays.
    """
    tries = _TRIES_ABOVE if any(branch.below for branch in branches) else _TRIES
    goals = np.asarray([max(1, leaf.goal) for leaf in _at_level(branches, 0)], np.float64)
    best, least = None, np.inf
    for attempt in range(tries):
        leaves = _divide_once(
            region, branches, tolerance=tolerance, seed=seed + 7919 * attempt, effort=effort
        )
        load = np.bincount(leaves, region.weight, len(goals))
        worst = float(np.abs(load / goals - 1.0).max())
        if best is None or worst < least:
            best, least = leaves, worst
        if worst <= max(tolerance, effort.enough):
            break
    return np.zeros(region.size, np.int32) if best is None else best


def _divide_once(
    region: Region, branches: Sequence[Branch], *, tolerance: float, seed: int, effort: Effort
) -> Ints:
    leaves = np.zeros(region.size, np.int32)
    first = 0
    cuts = first_cut(region, branches, tolerance=tolerance, seed=seed, effort=effort)
    for number, (branch, atoms) in enumerate(cuts):
        leaves[atoms] = first
        if branch.below:
            inner_seed = seed_below(seed, number)
            part = region.part(atoms)
            leaves[atoms] += divide(part, branch.below, tolerance=tolerance, seed=inner_seed, effort=effort)
        first += branch.leaves
    return leaves


def first_cut(
    region: Region, branches: Sequence[Branch], *, tolerance: float, seed: int, effort: Effort
) -> list[tuple[Branch, Longs]]:
    """Cut a connected region once; returns the branches (or helpers above them) with their atoms."""
    few = _with_helpers(tuple(branches))
    goal = np.asarray([max(1, branch.goal) for branch in few], np.int64)
    upper = any(branch.below for branch in few)
    allowed = tolerance * _UPPER_SHARE if upper else tolerance
    label = cut(region, goal, tolerance=allowed, seed=seed, effort=effort)
    order = np.argsort(label, kind="stable")
    borders = np.cumsum(np.bincount(label, minlength=len(few)))[:-1]
    return list(zip(few, np.split(order, borders), strict=True))


def seed_below(seed: int, number: int) -> int:
    """Return the seed of a part, so that it does not matter which process works on it."""
    return (seed * 1_000_003 + number + 1) % (1 << 31)


def grid_of_leaf(branches: Sequence[Branch], level: int) -> Longs:
    """Return for each leaf the number of its grid at a level, counted in the order of the leaves."""
    numbers: list[int] = []
    for number, branch in enumerate(_at_level(branches, level)):
        numbers += [number] * branch.leaves
    return np.asarray(numbers, np.int64)


def _at_level(branches: Sequence[Branch], level: int) -> Iterator[Branch]:
    for branch in branches:
        if branch.level == level:
            yield branch
        else:
            yield from _at_level(branch.below, level)


def _branches(
    weight: float, inside: tuple[int, ...], mean: float, counts: Sequence[int]
) -> tuple[Branch, ...]:
    """Return the branches of a grid of this weight that has `inside` grids at each level below it."""
    level = len(inside) - 1
    shares = _spread(inside)
    wishes = []
    for share in shares:
        wanted, equal = mean * share[0], mean * counts[0] / counts[level]
        wishes.append(2 * wanted * equal / (wanted + equal) if wanted + equal > 0 else 0.0)
    scale = weight / sum(wishes) if sum(wishes) > 0 else 0.0
    goals = [wish * scale for wish in wishes]
    return tuple(
        Branch(round(goal), level, _branches(goal, share, mean, counts) if share else ())
        for goal, share in zip(goals, (share[:level] for share in shares), strict=True)
    )


def _spread(inside: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Share the grids of all levels evenly among those of the uppermost one."""
    parents = inside[-1]
    return [
        tuple(count // parents + (number < count % parents) for count in inside) for number in range(parents)
    ]


def _with_helpers(branches: tuple[Branch, ...]) -> tuple[Branch, ...]:
    """Put helpers above too many branches, each with about as many below as there are helpers."""
    if len(branches) <= _MOST_CHILDREN:
        return branches
    each = ceil(len(branches) / ceil(sqrt(len(branches))))
    groups = [branches[first : first + each] for first in range(0, len(branches), each)]
    return tuple(Branch(sum(branch.goal for branch in group), HELPER, group) for group in groups)
