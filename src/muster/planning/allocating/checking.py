# SPDX-License-Identifier: Apache-2.0
"""Looking over an allocation with other means than those that made it: one function for each hard rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from muster.planning._kernel.arrays import Bools, Longs
from muster.planning.allocating.plan import Plan
from muster.planning.allocating.problem import Problem
from muster.planning.contract import Facts, Violation

_EXAMPLES = 20
_FINE = 1_000_000
# So many packs of needs are looked at together when the bound is proved.
_CHUNK = 1_000_000
_HUGE = 1 << 61


@dataclass(frozen=True, slots=True, eq=False)
class _Board:
    """The lines of a plan by number: rows of needs and of stock, -1 where the problem has none."""

    need: Longs
    stock: Longs
    packs: Longs


def check(problem: Problem, plan: Plan) -> list[Violation]:
    """Return what is wrong with the plan; an empty list means that it keeps every rule."""
    board = _board(problem, plan)
    found = [*lines_are_known(board, plan), *lines_stand_once(board, plan)]
    if found:
        return found
    return [
        *ways_are_open(problem, board, plan),
        *units_are_whole_packs(problem, board, plan),
        *stock_is_enough(problem, board),
        *limits_are_kept(problem, board),
        *nobody_gets_more_than_needed(problem, board),
        *pins_are_kept(problem, board),
        *guarantees_are_kept_or_named(problem, board, plan),
        *figures_add_up(problem, board, plan),
        *bound_is_proved(problem, plan),
    ]


def _board(problem: Problem, plan: Plan) -> _Board:
    needs, stock = problem.needs, problem.stock
    need_of = {
        (problem.areas[area], problem.items.names[item]): row
        for row, (area, item) in enumerate(zip(needs.area.tolist(), needs.item.tolist(), strict=True))
    }
    stock_of = {
        (problem.sources[source], problem.items.names[item]): row
        for row, (source, item) in enumerate(zip(stock.source.tolist(), stock.item.tolist(), strict=True))
    }
    lines = plan.lines
    need = [need_of.get(pair, -1) for pair in zip(lines.area, lines.item, strict=True)]
    held = [stock_of.get(pair, -1) for pair in zip(lines.source, lines.given, strict=True)]
    return _Board(np.asarray(need, np.int64), np.asarray(held, np.int64), lines.packs)


def _line(plan: Plan, row: int) -> str:
    lines = plan.lines
    return f"{lines.source[row]} -> {lines.area[row]}: {lines.item[row]}"


def lines_are_known(board: _Board, plan: Plan) -> list[Violation]:
    """Every line is of a need and a stock of the problem, and gives something."""
    wrong = (board.need < 0) | (board.stock < 0) | (board.packs <= 0)
    return [
        Violation("lines_are_known", _line(plan, row), {"packs": int(board.packs[row])})
        for row in np.flatnonzero(wrong)[:_EXAMPLES].tolist()
    ]


def lines_stand_once(board: _Board, plan: Plan) -> list[Violation]:
    """No two lines say the same thing."""
    times = Counter(zip(board.need.tolist(), board.stock.tolist(), strict=True))
    pairs = list(zip(board.need.tolist(), board.stock.tolist(), strict=True))
    twice = [row for row, pair in enumerate(pairs) if times[pair] > 1]
    return [Violation("lines_stand_once", _line(plan, row)) for row in twice[:_EXAMPLES]]


def ways_are_open(problem: Problem, board: _Board, plan: Plan) -> list[Violation]:
    """Goods come from where there is a way, as what was asked for or a stand-in; the metres are true."""
    found = []
    for row, (need, stock) in enumerate(zip(board.need.tolist(), board.stock.tolist(), strict=True)):
        asked, given = int(problem.needs.item[need]), int(problem.stock.item[stock])
        metres = int(problem.metres[problem.needs.area[need], problem.stock.source[stock]])
        extra = 0 if asked == given else problem.stands_in.get((asked, given))
        if metres < 0 or extra is None or metres + extra != plan.lines.metres[row]:
            facts: Facts = {"metres": int(plan.lines.metres[row]), "given": plan.lines.given[row]}
            found.append(Violation("ways_are_open", _line(plan, row), facts))
    return found[:_EXAMPLES]


def units_are_whole_packs(problem: Problem, board: _Board, plan: Plan) -> list[Violation]:
    """A line's units are its packs times what a pack holds."""
    whole = board.packs * problem.items.pack[problem.needs.item[board.need]]
    return [
        Violation("units_are_whole_packs", _line(plan, row), {"units": int(plan.lines.units[row])})
        for row in np.flatnonzero(whole != plan.lines.units)[:_EXAMPLES].tolist()
    ]


def _taken(problem: Problem, board: _Board) -> Longs:
    taken = np.zeros(problem.stock.size, np.int64)
    np.add.at(taken, board.stock, board.packs)
    return taken


def _given(problem: Problem, board: _Board) -> Longs:
    given = np.zeros(problem.needs.size, np.int64)
    np.add.at(given, board.need, board.packs)
    return given


def stock_is_enough(problem: Problem, board: _Board) -> list[Violation]:
    """No source gives more of an item than it has."""
    taken = _taken(problem, board)
    return [
        Violation(
            "stock_is_enough",
            ": ".join(problem.stock_name(row)),
            {"packs": int(taken[row]), "stock": int(problem.stock.packs[row])},
        )
        for row in np.flatnonzero(taken > problem.stock.packs)[:_EXAMPLES].tolist()
    ]


def limits_are_kept(problem: Problem, board: _Board) -> list[Violation]:
    """No more money or room is used than there is."""
    taken, limits = _taken(problem, board), problem.limits
    use = [0] * limits.size
    for limit, stock, each in zip(limits.limit, limits.stock, limits.each, strict=True):
        use[limit] += int(each) * int(taken[stock])
    return [
        Violation("limits_are_kept", limits.names[n], {"used": used, "amount": int(limits.amount[n])})
        for n, used in enumerate(use)
        if used > limits.amount[n]
    ]


def nobody_gets_more_than_needed(problem: Problem, board: _Board) -> list[Violation]:
    """No area gets a pack beyond its need, unless a person promised it."""
    promised = np.zeros(problem.needs.size, np.int64)
    np.add.at(promised, problem.promises.need, problem.promises.packs)
    pack = problem.items.pack[problem.needs.item]
    over = (_given(problem, board) - 1) * pack >= np.maximum(problem.needs.units, promised * pack)
    over &= _given(problem, board) > 0
    return [
        Violation("nobody_gets_more_than_needed", ": ".join(problem.need_name(row)))
        for row in np.flatnonzero(over)[:_EXAMPLES].tolist()
    ]


def pins_are_kept(problem: Problem, board: _Board) -> list[Violation]:
    """What a person promised is delivered, from where it was promised."""
    packs = {
        (need, stock): count
        for need, stock, count in zip(
            board.need.tolist(), board.stock.tolist(), board.packs.tolist(), strict=True
        )
    }
    found = []
    promises = problem.promises
    for need, stock, wanted in zip(promises.need, promises.stock, promises.packs, strict=True):
        if packs.get((int(need), int(stock)), 0) < wanted:
            facts: Facts = {"source": problem.stock_name(int(stock))[0], "packs": int(wanted)}
            found.append(Violation("pins_are_kept", ": ".join(problem.need_name(int(need))), facts))
    return found[:_EXAMPLES]


def guarantees_are_kept_or_named(problem: Problem, board: _Board, plan: Plan) -> list[Violation]:
    """Who gets less than what is guaranteed is named, with the units that are lacking, and nobody else."""
    units = _given(problem, board) * problem.items.pack[problem.needs.item]
    lacking = {
        problem.need_name(row): int(problem.needs.least[row] - units[row])
        for row in np.flatnonzero(units < problem.needs.least).tolist()
    }
    unmet = plan.unmet
    named = dict(zip(zip(unmet.area, unmet.item, strict=True), unmet.units.tolist(), strict=True))
    wrong = [pair for pair in sorted(lacking.keys() | named.keys()) if lacking.get(pair) != named.get(pair)]
    return [
        Violation(
            "guarantees_are_kept_or_named",
            ": ".join(pair),
            {"lacking": lacking.get(pair, 0), "named": named.get(pair, 0)},
        )
        for pair in wrong[:_EXAMPLES]
    ]


def figures_add_up(problem: Problem, board: _Board, plan: Plan) -> list[Violation]:
    """The shortage is the urgency of all packs that nobody gets; the metres are those of all packs."""
    given = _given(problem, board)
    shortage = sum(int(urgency[pack >= given[row]].sum()) for row, pack, urgency in _packs(problem))
    metres = sum(int(a) * int(b) for a, b in zip(plan.lines.packs, plan.lines.metres, strict=True))
    found = []
    if shortage != plan.objective:
        found.append(Violation("figures_add_up", "objective", {"stated": plan.objective, "found": shortage}))
    if metres != plan.metres:
        found.append(Violation("figures_add_up", "metres", {"stated": plan.metres, "found": metres}))
    return found


def _packs(problem: Problem) -> Iterator[tuple[Longs, Longs, Longs]]:
    """Yield, in chunks, each pack that is needed and not promised: its row, its number, how urgent it is."""
    needs = problem.needs
    pack_size = problem.items.pack[needs.item]
    promised = np.zeros(needs.size, np.int64)
    np.add.at(promised, problem.promises.need, problem.promises.packs)
    counts = np.maximum(0, (needs.units + pack_size - 1) // pack_size - promised)
    ends = np.cumsum(counts)
    begin = 0
    while begin < needs.size:
        so_far = int(ends[begin - 1]) if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, so_far + _CHUNK, "right")))
        rows = np.arange(begin, end)
        row = np.repeat(rows, counts[begin:end])
        offset = np.repeat(ends[begin:end] - counts[begin:end] - so_far, counts[begin:end])
        number = np.arange(len(row)) - offset + promised[row]
        yield row, number, _urgency(problem, row, number)
        begin = end


def _urgency(problem: Problem, row: Longs, number: Longs) -> Longs:
    """Return the urgency of packs by the rule in the documents: share missing, weight, guarantee."""
    needs = problem.needs
    size, units = problem.items.pack[needs.item[row]], needs.units[row]
    already = number * size
    rest = units - already
    portion = np.where(rest < size, rest, size)
    millionths = ((1_000_000 * portion) // size * (rest + rest - portion)) // (units + units)
    urgency = millionths * needs.weight[row] // 10_000 + 1
    return np.where(already < needs.least[row], urgency + 100_000_002, urgency)


def bound_is_proved(problem: Problem, plan: Plan) -> list[Violation]:
    """The prices of stock prove that no plan has less shortage, and with as little no fewer metres."""
    prices = plan.prices
    known = {(problem.stock_name(row)): row for row in range(problem.stock.size)}
    rows = [known.get(pair, -1) for pair in zip(prices.source, prices.item, strict=True)]
    if sorted(rows) != list(range(problem.stock.size)) or prices.limit not in ((), problem.limits.names):
        return [Violation("bound_is_proved", "prices", {"reason": "not those of the stock"})]
    urgency, metres = np.zeros((2, problem.stock.size), np.int64)
    urgency[rows], metres[rows] = prices.urgency, prices.metres
    below_nothing = (urgency < 0) | ((urgency == 0) & (metres < 0))
    if below_nothing.any() or (prices.limit_price < 0).any() or int(urgency.max(initial=0)) > _HUGE // 4:
        return [Violation("bound_is_proved", "prices", {"reason": "below nothing"})]
    if prices.limit:
        shortage, least_metres = _proved_fine(problem, urgency, prices.limit_price), None
    else:
        shortage, least_metres = _proved_pairs(problem, urgency, metres)
    found = []
    if plan.bound > max(0, shortage) or plan.objective < plan.bound:
        found.append(Violation("bound_is_proved", "bound", {"stated": plan.bound, "proved": shortage}))
    if plan.metres_bound is not None and (
        least_metres is None or plan.metres_bound > least_metres or plan.objective != shortage
    ):
        found.append(
            Violation(
                "bound_is_proved", "metres_bound", {"stated": plan.metres_bound, "proved": least_metres}
            )
        )
    return found


def _open(problem: Problem, row: int) -> Iterator[tuple[int, Bools, Longs]]:
    """Yield for a row of stock: its item's number among those asked for, which areas it reaches, metres."""
    source, given = int(problem.stock.source[row]), int(problem.stock.item[row])
    way = problem.metres[:, source].astype(np.int64)
    for asked in range(problem.items.size):
        extra = 0 if asked == given else problem.stands_in.get((asked, given))
        if extra is not None:
            yield asked, way >= 0, way + extra


def _cheapest(problem: Problem, urgency: Longs, metres: Longs) -> tuple[Longs, Longs]:
    """Return for each row of needs the least price of a pack there: urgency, then metres with the way."""
    areas = len(problem.areas)
    least = np.full((problem.items.size, areas), _HUGE, np.int64)
    far = np.full((problem.items.size, areas), _HUGE, np.int64)
    left = problem.stock.packs.copy()
    np.subtract.at(left, problem.promises.stock, problem.promises.packs)
    for row in np.flatnonzero(left > 0).tolist():
        for asked, reached, way in _open(problem, row):
            own = way + metres[row]
            better = (urgency[row] < least[asked]) | ((urgency[row] == least[asked]) & (own < far[asked]))
            better &= reached
            least[asked][better] = urgency[row]
            far[asked][better] = own[better]
    needs = problem.needs
    return least[needs.item, needs.area], far[needs.item, needs.area]


def _left(problem: Problem) -> list[int]:
    left = problem.stock.packs.copy()
    np.subtract.at(left, problem.promises.stock, problem.promises.packs)
    return [int(count) for count in left]


def _proved_pairs(problem: Problem, urgency: Longs, metres: Longs) -> tuple[int, int]:
    """Return the least shortage and, with it, the least metres that prices as pairs prove."""
    least, far = _cheapest(problem, urgency, metres)
    left = _left(problem)
    shortage = -sum(n * int(p) for n, p in zip(left, urgency, strict=True))
    ways = -sum(n * int(p) for n, p in zip(left, metres, strict=True))
    for row, _, worth in _packs(problem):
        gain = worth - least[row]
        taken = (gain > 0) | ((gain == 0) & (far[row] < 0))
        shortage += int(worth.sum()) - int(gain[taken].sum())
        ways += int(far[row][taken].sum())
    promises = problem.promises
    for need, stock, packs in zip(promises.need, promises.stock, promises.packs, strict=True):
        ways += int(packs) * problem.way(int(need), int(stock))
    return shortage, ways


def _proved_fine(problem: Problem, urgency: Longs, limit_price: Longs) -> int:
    """Return the least shortage that prices in millionths prove, of stock and of limits."""
    price = urgency.copy()
    limits = problem.limits
    amount = [int(value) for value in limits.amount]
    for limit, stock, each in zip(limits.limit, limits.stock, limits.each, strict=True):
        charge = int(each) * int(limit_price[limit])
        price[stock] = min(int(price[stock]) + charge, _HUGE // 2)
    taken = problem.stock.packs - np.asarray(_left(problem), np.int64)
    for limit, stock, each in zip(limits.limit, limits.stock, limits.each, strict=True):
        amount[limit] -= int(each) * int(taken[stock])
    least, _ = _cheapest(problem, price, np.zeros_like(price))
    most = sum(n * int(p) for n, p in zip(_left(problem), urgency, strict=True))
    most += sum(n * int(p) for n, p in zip(amount, limit_price, strict=True))
    total = 0
    for row, _, worth in _packs(problem):
        gain = np.maximum(0, worth * _FINE - least[row])
        whole, rest = np.divmod(gain, _FINE)
        most += int(whole.sum()) * _FINE + int(rest.sum())
        total += int(worth.sum())
    return total - most // _FINE
