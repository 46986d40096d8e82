# SPDX-License-Identifier: Apache-2.0
"""Names of grids: one that stays keeps its own, a pinned one has the pin's, a new one the next number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning.districting.plan import GridLevel


@dataclass(frozen=True, slots=True)
class Claim:
    """A grid that would like a name: how many people of that name's grid of today it has."""

    weight: int
    grid: int
    name: str


def named_level(
    level: str,
    grid_of: Longs,
    *,
    claims: list[Claim],
    given: Mapping[int, str],
    taken: frozenset[str],
) -> GridLevel:
    """Return the level with a name for each grid; grids are numbered by their first building.

    `given` names come first, then claims from the weightiest down, then new names that are not `taken`.
    """
    names = dict(given)
    used = set(given.values())
    for claim in sorted(claims, key=lambda claim: (-claim.weight, claim.grid, claim.name)):
        if claim.grid not in names and claim.name not in used:
            names[claim.grid] = claim.name
            used.add(claim.name)
    _, first, packed = np.unique(grid_of, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    number = np.empty(len(first), np.int32)
    number[order] = np.arange(len(first), dtype=np.int32)
    fresh = _new_names(level, used | taken)
    ordered = [int(grid_of[first[place]]) for place in order]
    grids = tuple(names[grid] if grid in names else next(fresh) for grid in ordered)
    return GridLevel(level, grids, number[packed.reshape(-1)])


def _new_names(level: str, taken: set[str] | frozenset[str]) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        name = f"{level}-{number}"
        if name not in taken:
            yield name


def claims_of(grid_of: Longs, today: Ints, names: tuple[str, ...], people: Longs) -> list[Claim]:
    """Return for each grid and each grid of today how many people they share."""
    known = today >= 0
    width = len(names)
    keys = grid_of[known] * width + today[known]
    found, at = np.unique(keys, return_inverse=True)
    shared = np.bincount(at.reshape(-1), people[known], len(found)).astype(np.int64)
    return [
        Claim(int(weight), int(key // width), names[int(key % width)])
        for key, weight in zip(found, shared, strict=True)
    ]
