# SPDX-License-Identifier: Apache-2.0
"""An allocating problem: stock at sources, needs of areas, ways between them, and what is already promised.

Everything that is given out is counted in whole packs of an item.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from muster.planning._kernel.arrays import Bools, Ints, Longs
from muster.planning.contract import BadProblem

MOST_METRES = 1_000_000
MOST_UNITS = 1_000_000_000
MOST_PACK = 1_000_000
MOST_WEIGHT = 1_000
MOST_NEEDS = 2_000_000
MOST_PACKS = 20_000_000
MOST_LANES = 10_000_000
MOST_GROUP_CELLS = 20_000_000
MOST_BINS = 1_000
MOST_LIMITS = 200
NO_LANE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """Goods by name; `pack` is how many units go together."""

    names: tuple[str, ...]
    pack: Longs

    @property
    def size(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Stock:
    """Rows of source and item: how many whole packs there are. Units beside them stay where they are."""

    source: Ints
    item: Ints
    packs: Longs

    @property
    def size(self) -> int:
        return len(self.packs)


@dataclass(frozen=True, slots=True, eq=False)
class Needs:
    """Rows of area and item: units that are missing, units that are guaranteed, and how much they weigh.

    `weight` has four digits after the point: 10,000 is usual, 20,000 counts twice.
    """

    area: Ints
    item: Ints
    units: Longs
    least: Longs
    weight: Longs

    @property
    def size(self) -> int:
        return len(self.units)


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """What all rows of stock share: money, room in vehicles. `limit`, `stock`, `each`: what a pack takes."""

    names: tuple[str, ...]
    amount: Longs
    limit: Ints
    stock: Ints
    each: Longs

    @property
    def size(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Promises:
    """Packs that a person has promised: from a row of stock to a row of needs."""

    need: Longs
    stock: Longs
    packs: Longs


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """`metres` is by area and source, NO_LANE where nothing can be brought.

    `stands_in` says which item (second) may be given for which (first), and the metres that this counts like.
    """

    items: Items
    sources: tuple[str, ...]
    areas: tuple[str, ...]
    metres: Ints
    stock: Stock
    needs: Needs
    limits: Limits
    promises: Promises
    stands_in: Mapping[tuple[int, int], int] = field(default_factory=dict)

    def packs_needed(self) -> Longs:
        """Return the packs of each row of needs that leave nothing missing."""
        return -(-self.needs.units // self.items.pack[self.needs.item])

    def packs_promised(self) -> Longs:
        return np.bincount(self.promises.need, self.promises.packs, self.needs.size).astype(np.int64)

    def stock_left(self) -> Longs:
        """Return the packs of each row of stock that nobody was promised."""
        taken = np.bincount(self.promises.stock, self.promises.packs, self.stock.size).astype(np.int64)
        return self.stock.packs - taken

    def need_name(self, row: int) -> tuple[str, str]:
        return self.areas[self.needs.area[row]], self.items.names[self.needs.item[row]]

    def stock_name(self, row: int) -> tuple[str, str]:
        return self.sources[self.stock.source[row]], self.items.names[self.stock.item[row]]

    def way(self, need: int, stock: int) -> int:
        """Return the metres from a row of stock to a row of needs, or NO_LANE."""
        asked, given = int(self.needs.item[need]), int(self.stock.item[stock])
        metres = int(self.metres[self.needs.area[need], self.stock.source[stock]])
        if asked == given or metres == NO_LANE:
            return metres
        return metres + self.stands_in[asked, given] if (asked, given) in self.stands_in else NO_LANE


def pins(problem: Problem) -> list[tuple[str, str, str, str, int]]:
    """Return what a person promised: area, item, source, item given, packs."""
    promises = problem.promises
    return [
        (*problem.need_name(int(need)), *problem.stock_name(int(stock)), int(packs))
        for need, stock, packs in zip(promises.need, promises.stock, promises.packs, strict=True)
    ]


def require_lawful(problem: Problem) -> None:
    """Raise BadProblem when the promises go beyond the stock, the ways or the limits, or all is too large."""
    packs = int(problem.packs_needed().sum())
    if problem.needs.size > MOST_NEEDS:
        _refuse("needs", "", "too_many_needs", given=problem.needs.size, limit=MOST_NEEDS)
    if packs > MOST_PACKS:
        _refuse("needs", "", "too_many_packs", given=packs, limit=MOST_PACKS)
    if problem.metres.size > MOST_LANES:
        _refuse("lanes", "", "too_many_lanes", given=problem.metres.size, limit=MOST_LANES)
    if problem.limits.size > MOST_LIMITS:
        _refuse("limits", "", "too_many_limits", given=problem.limits.size, limit=MOST_LIMITS)
    for row in np.flatnonzero(problem.stock_left() < 0).tolist():
        source, item = problem.stock_name(row)
        promised = int(problem.stock.packs[row] - problem.stock_left()[row])
        facts = {"source": source, "item": item, "promised": promised, "packs": int(problem.stock.packs[row])}
        _refuse("packs", "pins", "promised_beyond_stock", **facts)
    for need, stock in zip(problem.promises.need.tolist(), problem.promises.stock.tolist(), strict=True):
        if problem.way(need, stock) == NO_LANE:
            (area, item), (source, _) = problem.need_name(need), problem.stock_name(stock)
            _refuse("source", "pins", "promised_without_way", area=area, item=item, source=source)
    over = promised_use(problem) > problem.limits.amount
    for limit in np.flatnonzero(over).tolist():
        facts = {"name": problem.limits.names[limit], "amount": int(problem.limits.amount[limit])}
        _refuse("amount", "limits", "promised_beyond_limit", used=int(promised_use(problem)[limit]), **facts)


def promised_use(problem: Problem) -> Longs:
    """Return what the promises take of each limit."""
    promised = problem.stock.packs - problem.stock_left()
    limits = problem.limits
    use = np.zeros(limits.size, np.int64)
    np.add.at(use, limits.limit, limits.each * promised[limits.stock])
    return use


def _refuse(field_name: str, where: str, code: str, /, **facts: Any) -> None:
    raise BadProblem(field_name, where, f"planning.allocating.{code}", **facts)


def is_wanted(problem: Problem) -> Bools:
    """Tell which rows of needs still miss packs that nobody was promised."""
    return problem.packs_needed() > problem.packs_promised()
