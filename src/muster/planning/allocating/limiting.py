# SPDX-License-Identifier: Apache-2.0
"""Limits that rows of stock share (money, room in vehicles): prices for them, then mending by hand.

At a price for each limit the groups fall apart again and each is solved exactly; cutting planes find the
prices that prove most. Whole packs rarely use up a limit exactly, so a small gap may stay; it is stated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from muster.planning._kernel.arrays import Floats, Longs
from muster.planning.allocating import bounding
from muster.planning.allocating.grouping import Group
from muster.planning.allocating.mending import charges, free_amount, mended
from muster.planning.allocating.plan import StockPrices
from muster.planning.allocating.problem import Problem
from muster.planning.allocating.urgency import GUARANTEE
from muster.planning.contract import Step, report

if TYPE_CHECKING:
    from muster.planning.allocating.solving import Deliveries, Round, Work

# Prices are good enough when better ones could prove only this part of the shortage more.
_ENOUGH = 1e-6
# Up to so many rows of needs, the last lawful try is mended too, and the better one taken.
_FEW = 50_000
# How far the next prices go from the best so far towards those that the cuts propose.
_STRIDE = 0.6


def within_limits(work: Work, free: Round) -> tuple[Deliveries, StockPrices, int]:
    """Return deliveries that keep the limits, the prices that prove how good they are, and that proof.

    `free` is what would be given out without limits. Raises Cancelled.
    """
    from muster.planning.allocating.solving import stock_prices

    problem = work.problem
    search = _Search(problem, free_amount(problem))
    search.learn(np.zeros(problem.limits.size, np.int64), free)
    for turn in range(work.effort.limit_rounds):
        # A pass that is cut short proves nothing: the next one begins only if the last would fit again.
        if work.budget.left_s() <= work.pass_s[-1] or search.is_settled():
            break
        report(work.progress, Step("limits", turn, work.effort.limit_rounds))
        price = search.next_price()
        if price is None:
            break
        search.learn(price, work.pass_over(charges(problem, price)))
    best = search.best
    tries = [search.best, search.lawful] if problem.needs.size <= _FEW else [search.best]
    found = [mended(problem, part.done, search.price) for part in tries if part]
    deliveries = max(found, key=lambda one: one[0])[1]
    urgency = np.zeros(problem.stock.size, np.int64)
    for part, price in zip(best.done.groups, best.done.prices, strict=True):
        urgency[part.bins] = _fine(price, part.scale)
    prices = stock_prices(problem, urgency, np.zeros_like(urgency), best.price)
    return deliveries, prices, best.most


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
        self.total = 0

    def learn(self, price: Longs, done: Round) -> None:
        limits = self.problem.limits
        taken = np.bincount(done.deliveries.stock, done.deliveries.packs, self.problem.stock.size)
        use = np.zeros(limits.size, np.int64)
        np.add.at(use, limits.limit, limits.each * taken.astype(np.int64)[limits.stock])
        self.total = sum(int(part.urgency.sum()) for part in done.groups)
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
        enough = max(0.5, _ENOUGH * (self.total - self.best.most))
        if done.status != 0 or done.fun >= self.best.most - enough:
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
