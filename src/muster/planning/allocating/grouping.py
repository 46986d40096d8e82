# SPDX-License-Identifier: Apache-2.0
"""Items that can stand in for each other are planned together; all others each alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning.allocating.problem import (
    MOST_BINS,
    MOST_GROUP_CELLS,
    NO_LANE,
    Problem,
    is_wanted,
)
from muster.planning.allocating.urgency import urgencies
from muster.planning.contract import BadProblem


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Rows of needs and rows of stock that belong together, promises already taken out.

    `metres` is by stock and need, NO_LANE where there is no way; `first` and `urgency` are by need.
    """

    rows: Longs
    bins: Longs
    metres: Ints
    capacity: Longs
    first: Longs
    urgency: Longs

    @property
    def scale(self) -> int:
        """Return so many metres that no detour of any exchange is as long."""
        longest = int(self.metres.max(initial=0))
        return 2 * (len(self.bins) + 2) * longest + 1


def families(problem: Problem) -> list[list[int]]:
    """Return the items that belong together, each family in order of its first item."""
    head = list(range(problem.items.size))

    def root(item: int) -> int:
        while head[item] != item:
            item = head[item]
        return item

    for pair in sorted(problem.stands_in):
        low, high = sorted((root(pair[0]), root(pair[1])))
        head[high] = low
    found: dict[int, list[int]] = {}
    for item in range(problem.items.size):
        found.setdefault(root(item), []).append(item)
    return list(found.values())


def groups(problem: Problem) -> Iterator[Group]:
    """Yield the groups in which something is missing, one after another."""
    left, promised, wanted = problem.stock_left(), problem.packs_promised(), is_wanted(problem)
    needed_of = _by_item(problem.needs.item, np.flatnonzero(wanted), problem.items.size)
    stock_of = _by_item(problem.stock.item, np.flatnonzero(left > 0), problem.items.size)
    for family in families(problem):
        rows = np.sort(np.concatenate([needed_of[item] for item in family]))
        bins = np.sort(np.concatenate([stock_of[item] for item in family]))
        if not len(rows):
            continue
        _require_size(problem, family, rows, bins)
        first, urgency = urgencies(problem, rows, promised[rows])
        yield Group(rows, bins, _metres(problem, rows, bins), left[bins], first, urgency)


def _by_item(item: Ints, rows: Longs, items: int) -> list[Longs]:
    order = rows[np.argsort(item[rows], kind="stable")]
    ends = np.cumsum(np.bincount(item[rows], minlength=items))
    return np.split(order, ends[:-1])


def _require_size(problem: Problem, family: list[int], rows: Longs, bins: Longs) -> None:
    name = problem.items.names[family[0]]
    if len(bins) > MOST_BINS:
        facts = {"given": len(bins), "limit": MOST_BINS}
        raise BadProblem("stock", name, "planning.allocating.too_many_sources", **facts)
    if len(bins) * len(rows) > MOST_GROUP_CELLS:
        facts = {"given": len(bins) * len(rows), "limit": MOST_GROUP_CELLS}
        raise BadProblem("stock", name, "planning.allocating.too_many_lanes", **facts)


def _metres(problem: Problem, rows: Longs, bins: Longs) -> Ints:
    needs, stock = problem.needs, problem.stock
    metres = problem.metres.T[np.ix_(stock.source[bins], needs.area[rows])]
    asked, given = needs.item[rows], stock.item[bins]
    if len(np.unique(np.concatenate((asked, given)))) > 1:
        size = problem.items.size
        more = np.full((size, size), NO_LANE, np.int64)
        np.fill_diagonal(more, 0)
        for (item, other), extra in problem.stands_in.items():
            more[other, item] = extra
        extra_m = more[np.ix_(given, asked)]
        metres = np.where((metres == NO_LANE) | (extra_m == NO_LANE), NO_LANE, metres + extra_m)
    return np.ascontiguousarray(metres, np.int32)
