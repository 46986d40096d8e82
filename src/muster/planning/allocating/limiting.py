# SPDX-License-Identifier: Apache-2.0
"""Limits that rows of stock share (money, room in vehicles): prices for them, then mending by hand.

At a price for each limit the groups fall apart again and each is solved exactly; cutting planes find the
prices that prove most. Whole packs rarely use up a limit exactly, so a small gap may stay; it is stated.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from muster.planning._kernel.arrays import Floats, Longs
from muster.planning.allocating import bounding
from muster.planning.allocating.grouping import Group
from muster.planning.allocating.plan import StockPrices
from muster.planning.allocating.problem import NO_LANE, Problem, promised_use
from muster.planning.allocating.urgency import GUARANTEE
from muster.planning.contract import Step, report

if TYPE_CHECKING:
    from muster.planning.allocating.solving import Deliveries, Round, Work

# No pack is worth more; a higher charge changes nothing.
_MOST_CHARGE = 2 * GUARANTEE * bounding.FINE
# How far the next prices go from the best so far towards those that the cuts propose.
_STRIDE = 0.6


def within_limits(work: Work, free: Round) -> tuple[Deliveries, StockPrices, int]:
    """Return deliveries that keep the limits, the prices that prove how good they are, and that proof.

    `free` is what would be given out without limits. Raises Cancelled.
    """
    from muster.planning.allocating.solving import stock_prices

    problem = work.problem
    search = _Search(problem, _free_amount(problem))
    search.learn(np.zeros(problem.limits.size, np.int64), free)
    for turn in range(work.effort.limit_rounds):
        if work.budget.spent() or search.is_settled():
            break
        report(work.progress, Step("limits", turn, work.effort.limit_rounds))
        price = search.next_price()
        if price is None:
            break
        search.learn(price, work.pass_over(charges(problem, price)))
    best = search.best
    found = [_mended(problem, part.done, search.price) for part in (search.best, search.lawful) if part]
    deliveries = max(found, key=lambda one: one[0])[1]
    urgency = np.zeros(problem.stock.size, np.int64)
    for part, price in zip(best.done.groups, best.done.prices, strict=True):
        urgency[part.bins] = _fine(price, part.scale)
    prices = stock_prices(problem, urgency, np.zeros_like(urgency), best.price)
    return deliveries, prices, best.most


def charges(problem: Problem, price: Longs) -> Longs:
    """Return what a pack of each row of stock pays for the limits, in millionths of urgency."""
    limits = problem.limits
    total = np.zeros(problem.stock.size, np.float64)
    np.add.at(total, limits.stock, limits.each.astype(np.float64) * price[limits.limit])
    return np.minimum(total, float(_MOST_CHARGE)).astype(np.int64)


def _free_amount(problem: Problem) -> Longs:
    return problem.limits.amount - promised_use(problem)


def _fine(price: Longs, scale: int) -> Longs:
    """Return prices in urgency times scale as millionths of urgency."""
    whole, rest = np.divmod(price, scale)
    return whole * bounding.FINE + rest * bounding.FINE // scale


@dataclass(frozen=True, slots=True, eq=False)
class _Try:
    """One price for each limit: what came of it, what it uses, and how much urgency it proves to be most."""

    price: Longs
    done: Round
    use: Longs
    most: int


class _Search:
    """Cutting planes over the prices of limits: each try tells how the proof changes with the prices."""

    def __init__(self, problem: Problem, amount: Longs) -> None:
        self.problem = problem
        self.amount = amount
        self.tries: list[_Try] = []

    def learn(self, price: Longs, done: Round) -> None:
        limits = self.problem.limits
        taken = np.bincount(done.deliveries.stock, done.deliveries.packs, self.problem.stock.size)
        use = np.zeros(limits.size, np.int64)
        np.add.at(use, limits.limit, limits.each * taken.astype(np.int64)[limits.stock])
        self.tries.append(_Try(price, done, use, self._most(price, done)))

    def _most(self, price: Longs, done: Round) -> int:
        """Return the urgency that no deliveries within the limits exceed, as these prices prove it."""
        whole = rest = 0
        for part, bin_price in zip(done.groups, done.prices, strict=True):
            takes = _takes(self.problem, part, price)
            some, more = bounding.most_delivered_within(part, _fine(bin_price, part.scale), takes)
            whole, rest = whole + some, rest + more
        for amount, one in zip(self.amount.tolist(), price.tolist(), strict=True):
            whole, rest = whole + amount * one // bounding.FINE, rest + amount * one % bounding.FINE
        return whole + rest // bounding.FINE

    @property
    def best(self) -> _Try:
        """Return the try that proves most."""
        return min(self.tries, key=lambda one: one.most)

    @property
    def price(self) -> Longs:
        return self.best.price

    @property
    def lawful(self) -> _Try | None:
        """Return the last try that keeps all limits, if any does."""
        good = [one for one in self.tries if (one.use <= self.amount).all()]
        return min(good, key=lambda one: one.most) if good else None

    def is_settled(self) -> bool:
        """Tell whether nothing is left to gain: limits with a price are used up, none is exceeded."""
        best = self.best
        return bool(((best.use == self.amount) | ((best.price == 0) & (best.use <= self.amount))).all())

    def next_price(self) -> Longs | None:
        """Return prices at which the cuts so far allow the most progress, or None when they allow none."""
        from scipy.optimize import linprog

        size = self.problem.limits.size
        unit = float(bounding.FINE)
        highest = self._highest()
        slope = np.array([(self.amount - one.use) for one in self.tries], np.float64)
        height = np.array([one.most for one in self.tries], np.float64)
        start = np.array([one.price for one in self.tries], np.float64) / unit
        scale = np.maximum(1.0, np.abs(slope).max(axis=0))
        # most >= height + slope (price - start), with prices scaled so that slopes are near one.
        rows = np.hstack((slope / scale, -np.ones((len(slope), 1))))
        right = (slope * start).sum(axis=1) - height
        done: Any = linprog(
            np.concatenate((np.zeros(size), [1.0])),
            A_ub=rows,
            b_ub=right,
            bounds=[(0, high * s) for high, s in zip(highest, scale, strict=True)] + [(None, None)],
        )
        if done.status != 0 or done.fun >= self.best.most - 0.5:
            return None
        proposed = done.x[:size] / scale * unit
        nearer = self.best.price + _STRIDE * (proposed - self.best.price) if size > 1 else proposed
        price = np.maximum(0, np.rint(nearer)).astype(np.int64)
        known = {one.price.tobytes() for one in self.tries}
        if price.tobytes() in known:
            price = np.maximum(0, np.rint(proposed)).astype(np.int64)
        return None if price.tobytes() in known else price

    def _highest(self) -> Floats:
        """Return prices above which nothing that takes of the limit is given out."""
        limits = self.problem.limits
        least = np.full(limits.size, np.inf)
        used = limits.each > 0
        np.minimum.at(least, limits.limit[used], limits.each[used])
        return np.minimum(2.0 * GUARANTEE, 2.0 * GUARANTEE / least)


def _takes(problem: Problem, part: Group, price: Longs) -> list[tuple[Longs, int]]:
    """Return what a pack of each bin takes of each limit that has a price, and that price."""
    limits = problem.limits
    found = []
    for limit in np.flatnonzero(price).tolist():
        each = np.zeros(problem.stock.size, np.int64)
        own = limits.limit == limit
        np.add.at(each, limits.stock[own], limits.each[own])
        found.append((each[part.bins], int(price[limit])))
    return found


class _Bench:
    """Deliveries that are mended pack by pack: what goes beyond limits is taken back, what is left given."""

    def __init__(self, problem: Problem, done: Round, price: Longs) -> None:
        self.problem = problem
        self.left = _free_amount(problem)
        self.takes: list[list[tuple[int, int]]] = [[] for _ in range(problem.stock.size)]
        limits = problem.limits
        for limit, stock, each in zip(limits.limit, limits.stock, limits.each, strict=True):
            if each:
                self.takes[stock].append((int(limit), int(each)))
        self.charge = charges(problem, price)
        self.stock = problem.stock_left()
        self.packs: dict[tuple[int, int], int] = {}
        self.given: dict[int, int] = {}
        self.home: dict[int, tuple[Group, int]] = {}
        for part in done.groups:
            for number, row in enumerate(part.rows.tolist()):
                self.home[row] = (part, number)
        for need, stock, packs in zip(*(column.tolist() for column in done.deliveries), strict=True):
            self._put(need, stock, packs)

    def _put(self, need: int, stock: int, packs: int) -> None:
        self.packs[need, stock] = self.packs.get((need, stock), 0) + packs
        self.given[need] = self.given.get(need, 0) + packs
        self.stock[stock] -= packs
        for limit, each in self.takes[stock]:
            self.left[limit] -= each * packs

    def _urgency(self, need: int, pack: int) -> int:
        """Return the urgency of a pack of a row (from 0), or 0 when the row has so many already."""
        part, number = self.home[need]
        at = int(part.first[number]) + pack
        return int(part.urgency[at]) if at < int(part.first[number + 1]) else 0

    def take_back(self) -> None:
        """Take packs back from where they matter least for what they take, until all limits are kept."""
        for limit in range(self.problem.limits.size):
            heap: list[tuple[float, int, int, int]] = []
            for (need, stock), packs in sorted(self.packs.items()):
                each = dict(self.takes[stock]).get(limit, 0)
                if packs and each:
                    heap.append((self._urgency(need, self.given[need] - 1) / each, need, stock, each))
            heapq.heapify(heap)
            while self.left[limit] < 0 and heap:
                worth, need, stock, each = heapq.heappop(heap)
                if not self.packs[need, stock]:
                    continue
                now = self._urgency(need, self.given[need] - 1) / each
                if now > worth:
                    heapq.heappush(heap, (now, need, stock, each))
                    continue
                self._put(need, stock, -1)
                if self.packs[need, stock]:
                    again = self._urgency(need, self.given[need] - 1) / each
                    heapq.heappush(heap, (again, need, stock, each))

    def fill_up(self) -> None:
        """Give what stock and limits still allow: what is worth most beyond its charge first."""
        heap: list[tuple[float, int, int, int]] = []
        spare = {id(part): self._spare(part) for part, _ in self.home.values()}
        for need, (part, number) in sorted(self.home.items()):
            if spare[id(part)]:
                self._propose(heap, need, part, number)
        heapq.heapify(heap)
        while heap:
            _, need, stock, pack = heapq.heappop(heap)
            part, number = self.home[need]
            if pack == self.given.get(need, 0) and self._fits(stock):
                self._put(need, stock, 1)
            entry = self._proposal(need, part, number)
            if entry is not None:
                heapq.heappush(heap, entry)

    def _spare(self, part: Group) -> bool:
        return any(self._fits(stock) for stock in part.bins.tolist())

    def _fits(self, stock: int) -> bool:
        return self.stock[stock] > 0 and all(self.left[limit] >= each for limit, each in self.takes[stock])

    def _propose(self, heap: list[tuple[float, int, int, int]], need: int, part: Group, number: int) -> None:
        entry = self._proposal(need, part, number)
        if entry is not None:
            heap.append(entry)

    def _proposal(self, need: int, part: Group, number: int) -> tuple[float, int, int, int] | None:
        """Return the next pack of a row from the bin that charges least, the nearest of those."""
        pack = self.given.get(need, 0)
        urgency = self._urgency(need, pack)
        if not urgency:
            return None
        ways = part.metres[:, number].tolist()
        able = [
            (int(self.charge[stock]), way, stock)
            for stock, way in zip(part.bins.tolist(), ways, strict=True)
            if way != NO_LANE and self._fits(stock)
        ]
        if not able:
            return None
        charge, _, stock = min(able)
        return (charge / bounding.FINE - urgency, need, stock, pack)

    def deliveries(self) -> Deliveries:
        from muster.planning.allocating.solving import Deliveries

        rows = sorted((need, stock, packs) for (need, stock), packs in self.packs.items() if packs)
        table = np.asarray(rows, np.int64).reshape(-1, 3)
        return Deliveries(table[:, 0], table[:, 1], table[:, 2])

    def worth(self) -> int:
        """Return the urgency of all that is delivered."""
        total = 0
        for need, packs in self.given.items():
            part, number = self.home[need]
            begin = int(part.first[number])
            total += int(part.urgency[begin : begin + packs].sum())
        return total


def _mended(problem: Problem, done: Round, price: Longs) -> tuple[int, Deliveries]:
    """Return deliveries that keep the limits, made from some that may not, and what they are worth."""
    bench = _Bench(problem, done, price)
    bench.take_back()
    bench.fill_up()
    return bench.worth(), bench.deliveries()
