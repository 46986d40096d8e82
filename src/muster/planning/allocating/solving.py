# SPDX-License-Identifier: Apache-2.0
"""Making an allocation: each group of items exactly; where limits are shared, at prices for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning._kernel.budget import Budget
from muster.planning._kernel.fanning import in_order
from muster.planning.allocating import bounding
from muster.planning.allocating.grouping import Group, groups
from muster.planning.allocating.plan import Lines, Plan, StockPrices, Unmet, no_longs
from muster.planning.allocating.problem import Problem, promised_use, require_lawful
from muster.planning.allocating.settling import settle_group
from muster.planning.contract import Progress, Step, report


@dataclass(frozen=True, slots=True)
class Effort:
    """How many ways are taken to even out each group, and how many prices of limits are tried."""

    most_ways: int = 1 << 50
    limit_rounds: int = 40


class Deliveries(NamedTuple):
    """Packs from rows of stock to rows of needs."""

    need: Longs
    stock: Longs
    packs: Longs


class Round(NamedTuple):
    """What came of one pass over all groups: deliveries, and the price of each row of stock in its group."""

    deliveries: Deliveries
    groups: tuple[Group, ...]
    prices: tuple[Longs, ...]


_DEFAULT_EFFORT = Effort()


def solve(
    problem: Problem,
    *,
    budget_s: float,
    seed: int,
    executor: Executor | None = None,
    progress: Progress | None = None,
    effort: Effort = _DEFAULT_EFFORT,
) -> Plan:
    """Give out the stock: guarantees first, then the most urgent packs, then on the shortest ways.

    Raises BadProblem, Cancelled.
    """
    require_lawful(problem)
    work = Work(problem, Budget(budget_s), executor, progress, effort)
    done = work.pass_over(None)
    if problem.limits.size and (use_of(problem, done.deliveries) > problem.limits.amount).any():
        from muster.planning.allocating.limiting import within_limits

        deliveries, prices, most = within_limits(work, done)
        return _plan(problem, done.groups, deliveries, prices, (most, None), seed)
    deliveries, prices, ceiling = _priced(problem, done)
    return _plan(problem, done.groups, deliveries, prices, ceiling, seed)


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """One problem, the time for it, and who helps; `pass_s` has the seconds of each pass."""

    problem: Problem
    budget: Budget
    executor: Executor | None
    progress: Progress | None
    effort: Effort
    pass_s: list[float] = field(default_factory=list)

    def pass_over(self, charge: Longs | None) -> Round:
        """Give out every group; `charge` (by stock) is in millionths of urgency."""
        before = self.budget.left_s()
        parts = list(groups(self.problem))
        report(self.progress, Step("give", 0, len(parts)))
        needs, stocks, packs, prices = [no_longs()], [no_longs()], [no_longs()], []
        answers = in_order(settle_group, self._jobs(parts, charge), executor=self.executor)
        for number, (part, given) in enumerate(zip(parts, answers, strict=True)):
            needs.append(part.rows[given.need])
            stocks.append(part.bins[given.bin])
            packs.append(given.packs)
            prices.append(given.price)
            report(self.progress, Step("give", number + 1, len(parts)))
        self.pass_s.append(before - self.budget.left_s())
        found = Deliveries(np.concatenate(needs), np.concatenate(stocks), np.concatenate(packs))
        return Round(found, tuple(parts), tuple(prices))

    def _jobs(self, parts: Sequence[Group], charge: Longs | None) -> Iterator[tuple[object, ...]]:
        for part in parts:
            yield (
                part.metres,
                part.capacity,
                part.first,
                part.urgency,
                part.scale,
                None if charge is None else _scaled(charge[part.bins], part.scale),
                self.effort.most_ways,
                self.budget.left_s(),
            )


def _scaled(charge: Longs, scale: int) -> Longs:
    """Return millionths of urgency in urgency times scale."""
    whole, rest = np.divmod(charge, bounding.FINE)
    return whole * scale + rest * scale // bounding.FINE


def use_of(problem: Problem, deliveries: Deliveries) -> Longs:
    """Return what deliveries and promises take of each limit."""
    taken = np.bincount(deliveries.stock, deliveries.packs, problem.stock.size).astype(np.int64)
    limits, use = problem.limits, promised_use(problem)
    np.add.at(use, limits.limit, limits.each * taken[limits.stock])
    return use


def _priced(problem: Problem, done: Round) -> tuple[Deliveries, StockPrices, tuple[int, int | None]]:
    """Return prices of all stock as pairs, and what they prove about deliveries: urgency, metres."""
    urgency, metres = np.zeros((2, problem.stock.size), np.int64)
    most, ways = 0, 0
    for part, price in zip(done.groups, done.prices, strict=True):
        pair = bounding.split(price, part.scale)
        urgency[part.bins], metres[part.bins] = pair
        some, way = bounding.most_delivered(part, pair)
        most, ways = most + some, ways + way
    return done.deliveries, stock_prices(problem, urgency, metres, None), (most, -ways)


def stock_prices(problem: Problem, urgency: Longs, metres: Longs, limit_price: Longs | None) -> StockPrices:
    names = [problem.stock_name(row) for row in range(problem.stock.size)]
    return StockPrices(
        source=tuple(source for source, _ in names),
        item=tuple(item for _, item in names),
        urgency=urgency,
        metres=metres,
        limit=() if limit_price is None else problem.limits.names,
        limit_price=no_longs() if limit_price is None else limit_price,
    )


def _plan(
    problem: Problem,
    parts: Sequence[Group],
    deliveries: Deliveries,
    prices: StockPrices,
    ceiling: tuple[int, int | None],
    seed: int,
) -> Plan:
    total = sum(int(part.urgency.sum()) for part in parts)
    delivered = sum(_urgency_of(part, deliveries, problem.needs.size) for part in parts)
    lines, promised_metres = _lines(problem, deliveries)
    metres = int((lines.packs * lines.metres).sum())
    objective, least = total - delivered, max(0, total - ceiling[0])
    proved = ceiling[1] is not None and objective == least
    return Plan(
        lines=lines,
        unmet=_unmet(problem, deliveries),
        prices=prices,
        objective=objective,
        bound=least,
        metres=metres,
        metres_bound=(ceiling[1] or 0) + promised_metres if proved else None,
        seed=seed,
    )


def _urgency_of(part: Group, deliveries: Deliveries, needs: int) -> int:
    """Return the urgency of the packs that a group's areas get: the most urgent ones of each row."""
    packs = np.bincount(deliveries.need, deliveries.packs, needs).astype(np.int64)[part.rows]
    so_far = np.concatenate(([0], np.cumsum(part.urgency)))
    return int((so_far[part.first[:-1] + packs] - so_far[part.first[:-1]]).sum())


def _lines(problem: Problem, deliveries: Deliveries) -> tuple[Lines, int]:
    """Return the lines in order of needs and stock, and how many metres of them were promised."""
    promises = problem.promises
    width = problem.stock.size
    keys = np.concatenate((deliveries.need, promises.need)) * width
    keys += np.concatenate((deliveries.stock, promises.stock))
    key, back = np.unique(keys, return_inverse=True)
    packs = np.bincount(back, np.concatenate((deliveries.packs, promises.packs)), len(key)).astype(np.int64)
    key, packs = key[packs > 0], packs[packs > 0]
    need, stock = np.divmod(key, max(1, width))
    needs, rows, items = problem.needs, problem.stock, problem.items
    metres = _ways(problem, need, stock)
    promised = int((promises.packs * _ways(problem, promises.need, promises.stock)).sum())
    lines = Lines(
        area=_named(problem.areas, needs.area[need]),
        item=_named(items.names, needs.item[need]),
        source=_named(problem.sources, rows.source[stock]),
        given=_named(items.names, rows.item[stock]),
        packs=packs,
        units=packs * items.pack[needs.item[need]],
        metres=metres,
    )
    return lines, promised


def _named(names: Sequence[str], numbers: np.ndarray) -> tuple[str, ...]:
    return tuple(names[number] for number in numbers.tolist())


def _ways(problem: Problem, need: Longs, stock: Longs) -> Longs:
    needs, rows = problem.needs, problem.stock
    metres = problem.metres[needs.area[need], rows.source[stock]].astype(np.int64)
    for at in np.flatnonzero(needs.item[need] != rows.item[stock]).tolist():
        metres[at] = problem.way(int(need[at]), int(stock[at]))
    return metres


def _unmet(problem: Problem, deliveries: Deliveries) -> Unmet:
    packs = np.bincount(deliveries.need, deliveries.packs, problem.needs.size).astype(np.int64)
    units = (packs + problem.packs_promised()) * problem.items.pack[problem.needs.item]
    lacking = np.maximum(0, problem.needs.least - units)
    rows = np.flatnonzero(lacking)
    names = [problem.need_name(int(row)) for row in rows]
    return Unmet(tuple(area for area, _ in names), tuple(item for _, item in names), lacking[rows])
