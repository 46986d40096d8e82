# SPDX-License-Identifier: Apache-2.0
"""Deliveries mended pack by pack: what goes beyond limits is taken back, what limits still allow is given."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning.allocating.bounding import FINE, MOST_CHARGE
from muster.planning.allocating.problem import NO_LANE, Problem, promised_use

if TYPE_CHECKING:
    from muster.planning.allocating.solving import Deliveries, Round

# A proposal: loss (the least first), need, stock, number of the pack, group.
_Proposal = tuple[float, int, int, int, int]


def mended(problem: Problem, done: Round, price: Longs) -> tuple[int, Deliveries]:
    """Return deliveries that keep the limits, made from some that may not, and what they are worth."""
    bench = _Bench(problem, done, price)
    for limit in np.flatnonzero(bench.left < 0).tolist():
        bench.take_back(limit)
    bench.fill_up()
    return bench.worth(), bench.deliveries()


def charges(problem: Problem, price: Longs) -> Longs:
    """Return what a pack of each row of stock pays for the limits, in millionths of urgency."""
    limits = problem.limits
    total = np.zeros(problem.stock.size, np.float64)
    np.add.at(total, limits.stock, limits.each.astype(np.float64) * price[limits.limit])
    return np.minimum(total, float(MOST_CHARGE)).astype(np.int64)


def free_amount(problem: Problem) -> Longs:
    """Return what promises leave of each limit."""
    return problem.limits.amount - promised_use(problem)


class _Bench:
    """Lines of need, stock and packs; how much each need has, and what is left of stock and limits."""

    def __init__(self, problem: Problem, done: Round, price: Longs) -> None:
        self.parts = done.groups
        self.charge = charges(problem, price)
        self.each = np.zeros((problem.limits.size, problem.stock.size), np.int64)
        limits = problem.limits
        np.add.at(self.each, (limits.limit, limits.stock), limits.each)
        self.takes = [
            [(limit, int(each[stock])) for limit, each in enumerate(self.each) if each[stock]]
            for stock in range(problem.stock.size)
        ]
        self.need, self.stock, self.packs = (column.copy() for column in done.deliveries)
        self.more: dict[tuple[int, int], int] = {}
        self.given = np.bincount(self.need, self.packs, problem.needs.size).astype(np.int64)
        taken = np.bincount(self.stock, self.packs, problem.stock.size).astype(np.int64)
        self.stock_left = problem.stock_left() - taken
        self.left = free_amount(problem) - self.each @ taken
        # Urgencies of all groups, one after another; where each row of needs begins and ends there.
        self.urgency = np.concatenate([part.urgency for part in self.parts])
        self.begin, self.end = np.zeros((2, problem.needs.size), np.int64)
        so_far = 0
        for part in self.parts:
            self.begin[part.rows], self.end[part.rows] = so_far + part.first[:-1], so_far + part.first[1:]
            so_far += len(part.urgency)

    def take_back(self, limit: int) -> None:
        """Take back packs that matter least for what they take of a limit, until it is kept."""
        if self.left[limit] >= 0:
            return
        lines = np.flatnonzero((self.each[limit][self.stock] > 0) & (self.packs > 0))
        lines = lines[np.argsort(self.need[lines], kind="stable")]
        need, packs = self.need[lines], self.packs[lines]
        # The packs of a line are the last of its row, before those of the row's later lines.
        ends = np.cumsum(packs)
        starts = np.flatnonzero(np.diff(need, prepend=-1))
        before = np.repeat((ends - packs)[starts], np.diff(np.append(starts, len(need))))
        line = np.repeat(np.arange(len(lines)), packs)
        number = np.arange(int(packs.sum())) - before[line]
        at = self.begin[need[line]] + self.given[need[line]] - 1 - number
        each = self.each[limit][self.stock[lines]]
        order = np.argsort(self.urgency[at] / each[line], kind="stable")
        freed = np.cumsum(each[line[order]])
        count = int(np.searchsorted(freed, -int(self.left[limit]))) + 1
        gone = np.bincount(line[order[:count]], minlength=len(lines)).astype(np.int64)
        self.packs[lines] -= gone
        np.subtract.at(self.given, need, gone)
        np.add.at(self.stock_left, self.stock[lines], gone)
        self.left += self.each[:, self.stock[lines]] @ gone

    def fill_up(self) -> None:
        """Give what stock and limits still allow: what is worth most beyond its charge first."""
        heap = [entry for number in range(len(self.parts)) for entry in self._first_proposals(number)]
        heapq.heapify(heap)
        # What does not fit will not fit later either: stock and limits only shrink.
        alive = [[int(stock) for stock in part.bins if self._fits(int(stock))] for part in self.parts]
        row_of = [{int(row): number for number, row in enumerate(part.rows)} for part in self.parts if heap]
        while heap:
            _, need, stock, pack, group = heapq.heappop(heap)
            if not alive[group]:
                continue
            if self._fits(stock):
                if pack == self.given[need]:
                    self._give(need, stock)
            else:
                alive[group] = [other for other in alive[group] if self._fits(other)]
            entry = self._proposal(group, row_of[group][need], need, alive[group])
            if entry is not None:
                heapq.heappush(heap, entry)

    def _fits(self, stock: int) -> bool:
        return bool(self.stock_left[stock] > 0) and all(
            self.left[limit] >= each for limit, each in self.takes[stock]
        )

    def _give(self, need: int, stock: int) -> None:
        self.more[need, stock] = self.more.get((need, stock), 0) + 1
        self.given[need] += 1
        self.stock_left[stock] -= 1
        for limit, each in self.takes[stock]:
            self.left[limit] -= each

    def _first_proposals(self, group: int) -> Iterator[_Proposal]:
        """Yield the next pack of each row of a group, from the nearest of the bins that charge least."""
        part = self.parts[group]
        fits = np.array([self._fits(int(stock)) for stock in part.bins], np.bool_)
        rows = np.flatnonzero(self.begin[part.rows] + self.given[part.rows] < self.end[part.rows])
        if not fits.any() or not len(rows):
            return
        bins = np.flatnonzero(fits)
        bins = bins[np.argsort(self.charge[part.bins[bins]], kind="stable")]
        ways = part.metres[np.ix_(bins, rows)].astype(np.float64)
        cost = ways + self.charge[part.bins[bins]][:, None] * 1e7
        cost[ways == NO_LANE] = np.inf
        best = np.argmin(cost, axis=0)
        able = np.isfinite(cost[best, np.arange(len(rows))])
        need, stock = part.rows[rows[able]], part.bins[bins[best[able]]]
        given = self.given[need]
        loss = self.charge[stock] / FINE - self.urgency[self.begin[need] + given]
        table = (loss.tolist(), need.tolist(), stock.tolist(), given.tolist())
        for entry in zip(*table, strict=True):
            yield (*entry, group)

    def _proposal(self, group: int, number: int, need: int, alive: list[int]) -> _Proposal | None:
        """Return the next pack of a row as above, or None when there is none to give."""
        part, given = self.parts[group], int(self.given[need])
        at = int(self.begin[need]) + given
        if at >= self.end[need]:
            return None
        able = [
            (int(self.charge[stock]), int(part.metres[bin_of, number]), stock)
            for bin_of, stock in enumerate(part.bins.tolist())
            if stock in alive and part.metres[bin_of, number] != NO_LANE
        ]
        if not able:
            return None
        charge, _, stock = min(able)
        return (charge / FINE - int(self.urgency[at]), need, stock, given, group)

    def worth(self) -> int:
        """Return the urgency of all that is delivered."""
        so_far = np.concatenate(([0], np.cumsum(self.urgency)))
        return int((so_far[self.begin + self.given] - so_far[self.begin]).sum())

    def deliveries(self) -> Deliveries:
        from muster.planning.allocating.solving import Deliveries

        pairs = np.array(sorted(self.more), np.int64).reshape(-1, 2)
        extra = np.array([self.more[int(need), int(stock)] for need, stock in pairs], np.int64)
        kept = self.packs > 0
        return Deliveries(
            np.concatenate((self.need[kept], pairs[:, 0])),
            np.concatenate((self.stock[kept], pairs[:, 1])),
            np.concatenate((self.packs[kept], extra)),
        )
