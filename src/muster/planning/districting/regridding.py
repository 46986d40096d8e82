# SPDX-License-Identifier: Apache-2.0
"""Dividing again: today's grids stay, and as few households as possible change theirs.

Grids are split or dissolved only when their number changes; then atoms move over borders where a grid is
beyond the tolerance, and move back where that is not needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from muster.planning._kernel.arrays import Bools, Ints, Longs
from muster.planning.districting.balancing import loads
from muster.planning.districting.cutting import Effort, balanced, cut
from muster.planning.districting.mending import whole_parts
from muster.planning.districting.region import Region


@dataclass(frozen=True, slots=True, eq=False)
class Today:
    """The grid in which each atom begins, from 0 to `parts` - 1, and which atoms stay put.

    `home` is the grid that an atom does not like to leave (-1: none).
    """

    label: Ints
    home: Ints
    parts: int
    fixed: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Regrid:
    """A part for each atom, and for each part the number it has today (-1: a new one)."""

    label: Ints
    today: Longs


def regrid(
    region: Region, today: Today, count: int, *, tolerance: float, seed: int, effort: Effort
) -> Regrid:
    """Divide a connected region into `count` parts, near to how it is divided today."""
    parts = _right_number(region, today, count, tolerance=tolerance, seed=seed, effort=effort)
    goal = np.full(count, max(1, int(region.weight.sum()) // count), np.int64)
    number = np.full(today.parts + 1, -1, np.int32)
    kept = np.flatnonzero(parts.today >= 0)
    number[parts.today[kept]] = kept
    # atoms new on the ground, and those of dissolved grids, have no home
    home = number[np.where(today.home >= 0, today.home, today.parts)]
    label = balanced(
        region,
        parts.label,
        goal,
        tolerance=tolerance,
        seed=seed,
        effort=effort,
        home=home.astype(np.int32),
        movable=~today.fixed,
    )
    return Regrid(label, parts.today)


@numba.njit(cache=True, nogil=True)
def spread_labels(rows: Longs, heads: Ints, label: Ints) -> Ints:
    """Give each atom without a part that of the nearest atom with one, by steps."""
    size = len(label)
    label = label.copy()
    queue = np.empty(size, np.int64)
    end = 0
    for v in range(size):
        if label[v] >= 0:
            queue[end] = v
            end += 1
    at = 0
    while at < end:
        u = queue[at]
        at += 1
        for p in range(rows[u], rows[u + 1]):
            if label[heads[p]] < 0:
                label[heads[p]] = label[u]
                queue[end] = heads[p]
                end += 1
    return label


def _right_number(
    region: Region, today: Today, count: int, *, tolerance: float, seed: int, effort: Effort
) -> Regrid:
    """Split the heaviest parts or dissolve the lightest until there are `count`."""
    present, packed = np.unique(today.label, return_inverse=True)
    goal = np.full(len(present), max(1, int(region.weight.sum()) // len(present)), np.int64)
    label = whole_parts(region.rows, region.heads, region.weight, packed.reshape(-1).astype(np.int32), goal)
    parts = Regrid(label, present.astype(np.int64))
    while len(parts.today) > count:
        parts = _dissolve_lightest(region, parts, today)
    while len(parts.today) < count:
        parts = _split_heaviest(region, parts, today, tolerance=tolerance, seed=seed, effort=effort)
    return parts


def _dissolve_lightest(region: Region, parts: Regrid, today: Today) -> Regrid:
    """Share the atoms of the lightest part in which nobody is fixed among its neighbours."""
    count = len(parts.today)
    load = loads(region.weight, parts.label, count).astype(np.float64)
    load[np.unique(parts.label[today.fixed])] += float(load.sum()) + 1.0
    lightest = int(load.argmin())
    label = np.where(parts.label == lightest, -1, parts.label)
    label = np.where(label > lightest, label - 1, label).astype(np.int32)
    return Regrid(spread_labels(region.rows, region.heads, label), np.delete(parts.today, lightest))


def _split_heaviest(
    region: Region, parts: Regrid, today: Today, *, tolerance: float, seed: int, effort: Effort
) -> Regrid:
    """Halve the heaviest part of two atoms or more; the half with more fixed, or more people, stays."""
    count = len(parts.today)
    load = loads(region.weight, parts.label, count)
    load[np.bincount(parts.label, minlength=count) < 2] = -1
    heaviest = int(load.argmax())
    atoms = np.flatnonzero(parts.label == heaviest)
    half = np.full(2, max(1, int(load[heaviest]) // 2), np.int64)
    side = cut(region.part(atoms), half, tolerance=tolerance, seed=seed + count, effort=effort)
    staying = np.bincount(side, today.fixed[atoms], 2) * (float(load.sum()) + 1.0)
    staying += np.bincount(side, region.weight[atoms], 2)
    label = parts.label.copy()
    label[atoms[side != int(staying.argmax())]] = count
    return Regrid(label, np.append(parts.today, -1))
