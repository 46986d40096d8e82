# SPDX-License-Identifier: Apache-2.0
"""Which sites and slots each unit may choose from: near, open, and when the people can come."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from muster.planning._kernel.arrays import Bools, Longs
from muster.planning.batching.problem import MOST_ARCS, Choices, Sites, Slots, Units
from muster.planning.contract import BadProblem


def choices_of(
    units: Units,
    sites: Sites,
    slots: Slots,
    *,
    slots_of: Sequence[Sequence[str]] | None,
    sites_of: Sequence[Sequence[str]] | None,
    walk_m: Sequence[ArrayLike] | None,
    reach_m: int,
    site_choices: int,
    walk_permille: int,
) -> Choices:
    """Return the cells of each unit. Raises BadProblem."""
    if sites_of is None:
        unit, site, walk = _nearest(units, sites, reach_m, site_choices, walk_permille)
    else:
        unit, site, walk = _listed(units, sites, sites_of, walk_m, walk_permille)
    if len(unit) * slots.size > MOST_ARCS:
        raise BadProblem("site_choices", "", "planning.batching.too_many_choices", limit=MOST_ARCS)
    may_come = _may_come(units, slots, slots_of)
    is_open = (sites.lanes[site] > 0) & may_come[unit]
    entry, slot = np.nonzero(is_open)
    first = np.zeros(units.size + 1, np.int64)
    np.cumsum(np.bincount(unit[entry], minlength=units.size), out=first[1:])
    cell = site[entry] * slots.size + slot
    return Choices(first, cell.astype(np.int32), walk[entry].astype(np.int32))


def _nearest(
    units: Units, sites: Sites, reach_m: int, site_choices: int, walk_permille: int
) -> tuple[Longs, Longs, Longs]:
    """Return unit, site and walk: the nearest sites within reach, or the nearest of all."""
    from scipy.spatial import cKDTree

    count = min(site_choices, sites.size)
    if not units.size:
        nothing = np.zeros(0, np.int64)
        return nothing, nothing, nothing
    tree = cKDTree(np.stack((sites.x_m, sites.y_m), axis=1))
    far, site = tree.query(np.stack((units.x_m, units.y_m), axis=1), k=np.arange(1, count + 1))
    walk = np.floor(far * (walk_permille / 1000.0) + 0.5).astype(np.int64)
    within = walk <= np.maximum(reach_m, walk[:, :1])
    unit, rank = np.nonzero(within)
    return unit, np.asarray(site, np.int64)[unit, rank], walk[unit, rank]


def _listed(
    units: Units,
    sites: Sites,
    sites_of: Sequence[Sequence[str]],
    walk_m: Sequence[ArrayLike] | None,
    walk_permille: int,
) -> tuple[Longs, Longs, Longs]:
    """Return unit, site and walk as they are given, nearest first."""
    number_of = {name: number for number, name in enumerate(sites.names)}
    rows: list[tuple[int, int, int]] = []
    for unit, names in enumerate(sites_of):
        walks = None if walk_m is None else np.asarray(walk_m[unit], np.int64)
        if walks is not None and len(walks) != len(names):
            raise BadProblem(f"walk_m[{unit}]", "units", "planning.cure.same_length", fields="sites, walk_m")
        own = []
        for entry, name in enumerate(names):
            if name not in number_of:
                raise BadProblem(f"sites[{unit}]", "units", "planning.cure.known", name=name)
            site = number_of[name]
            straight = float(np.hypot(units.x_m[unit] - sites.x_m[site], units.y_m[unit] - sites.y_m[site]))
            walk = int(straight * walk_permille / 1000 + 0.5) if walks is None else int(walks[entry])
            own.append((walk, site))
        rows += [(unit, site, walk) for walk, site in sorted(set(own))]
    table = np.asarray(rows, np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def _may_come(units: Units, slots: Slots, slots_of: Sequence[Sequence[str]] | None) -> Bools:
    if slots_of is None:
        return np.ones((units.size, slots.size), np.bool_)
    number_of = {name: number for number, name in enumerate(slots.names)}
    may_come = np.zeros((units.size, slots.size), np.bool_)
    for unit, names in enumerate(slots_of):
        for name in names:
            if name not in number_of:
                raise BadProblem(f"slots[{unit}]", "units", "planning.cure.known", name=name)
            may_come[unit, number_of[name]] = True
    return may_come
