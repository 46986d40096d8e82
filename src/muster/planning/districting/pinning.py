# SPDX-License-Identifier: Apache-2.0
"""Pins: atoms that a person put into a grid, brought into it by the shortest strip of ground that holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np

from muster.planning._kernel.arrays import Bools, Ints, Longs
from muster.planning.districting.region import Region


@dataclass(frozen=True, slots=True, eq=False)
class Pinned:
    """Atoms pinned to the grid of a name; `part` is its number where that is known (-1: any, but its own)."""

    atoms: Longs
    part: int
    name: str


def settle_pins(
    region: Region, label: Ints, parts: int, groups: Sequence[Pinned]
) -> tuple[Ints, Bools, tuple[int, ...]]:
    """Return a division in which each group is in its part, who may no longer move, and the groups' parts.

    A group without a part takes the one in which most of its weight is, if no other group has that one.
    """
    label = label.copy()
    fixed = np.zeros(region.size, np.bool_)
    for group in groups:
        fixed[group.atoms] = True
    taken = {group.part for group in groups if group.part >= 0}
    chosen: list[int] = []
    for group in groups:
        part = group.part if group.part >= 0 else _free_part(region, label, parts, group.atoms, taken)
        taken.add(part)
        chosen.append(part)
        _bring_in(region, label, fixed, group.atoms, part)
    return label, fixed, tuple(chosen)


def _free_part(region: Region, label: Ints, parts: int, atoms: Longs, taken: set[int]) -> int:
    """Return the part nearest to the group that no other group has taken."""
    inside = np.bincount(label[atoms], region.weight[atoms] + 1, parts)
    for part in np.argsort(-inside, kind="stable"):
        if inside[part] > 0 and int(part) not in taken:
            return int(part)
    steps = steps_from(region.rows, region.heads, atoms, np.zeros(region.size, np.bool_))
    order = np.argsort(np.where(steps >= 0, steps, region.size), kind="stable")
    for atom in order:
        if int(label[atom]) not in taken:
            return int(label[atom])
    return int(label[atoms[0]])


def _bring_in(region: Region, label: Ints, fixed: Bools, atoms: Longs, part: int) -> None:
    """Label the group and a shortest strip from each of its atoms to the body of the part."""
    body = np.flatnonzero((label == part) & ~np.isin(np.arange(region.size), atoms))
    others = fixed.copy()
    others[atoms] = False
    joined = [int(atoms[0])] if len(body) == 0 else []
    for atom in atoms:
        goals = np.concatenate([body, np.asarray(joined, np.int64)])
        steps = steps_from(region.rows, region.heads, goals, others)
        at = int(atom)
        label[at] = part
        joined.append(at)
        while steps[at] > 0:
            around = region.heads[region.rows[at] : region.rows[at + 1]]
            at = int(around[np.flatnonzero(steps[around] == steps[at] - 1)[0]])
            label[at] = part
            joined.append(at)


@numba.njit(cache=True, nogil=True)
def steps_from(rows: Longs, heads: Ints, start: Longs, barred: Bools) -> Longs:
    """Return how many steps each atom is from the nearest start without a barred atom between; -1: none."""
    size = len(barred)
    steps = np.full(size, -1, np.int64)
    queue = np.empty(size, np.int64)
    end = 0
    for v in start:
        if steps[v] < 0:
            steps[v] = 0
            queue[end] = v
            end += 1
    at = 0
    while at < end:
        u = queue[at]
        at += 1
        for p in range(rows[u], rows[u + 1]):
            t = heads[p]
            if steps[t] < 0 and not barred[t]:
                steps[t] = steps[u] + 1
                queue[end] = t
                end += 1
    return steps
