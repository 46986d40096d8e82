# SPDX-License-Identifier: Apache-2.0
"""Why an allocation is as it is: for the whole, and for what one area gets of one item."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning.allocating.grouping import families
from muster.planning.allocating.plan import Plan
from muster.planning.allocating.problem import NO_LANE, Problem
from muster.planning.allocating.urgency import USUAL_WEIGHT, urgencies
from muster.planning.contract import Facts, Reason

_EXAMPLES = 5


def explain(problem: Problem, plan: Plan) -> list[Reason]:
    """Return the reasons as message codes with facts, the most important first."""
    given, needed = packs_given(problem, plan), problem.packs_needed()
    missing = np.maximum(0, needed - given)
    packs = int(plan.lines.packs.sum())
    facts: Facts = {
        "areas": len(set(problem.needs.area.tolist())),
        "items": len(set(problem.needs.item.tolist())),
        "needed": int(needed.sum()),
        "packs": packs,
        "missing": int(missing.sum()),
        "metres": round(plan.metres / packs) if packs else 0,
    }
    reasons = [Reason("planning.allocating.summary", facts), _how_good(plan)]
    unmet = plan.unmet
    for row in np.argsort(-unmet.units, kind="stable")[:_EXAMPLES].tolist():
        lacking: Facts = {
            "area": unmet.area[row],
            "item": unmet.item[row],
            "units": int(unmet.units[row]),
            "count": len(unmet.units),
        }
        reasons.append(Reason("planning.allocating.unmet", lacking))
    reasons += _scarce(problem, given, missing)
    reasons += _cut_off(problem, missing)
    for name, used, amount in _limits_used(problem, plan):
        reasons.append(
            Reason("planning.allocating.limit_used", {"name": name, "used": used, "amount": amount})
        )
    if len(problem.promises.packs):
        lines: Facts = {"lines": len(problem.promises.packs), "packs": int(problem.promises.packs.sum())}
        reasons.append(Reason("planning.allocating.pinned", lines))
    return reasons


def _how_good(plan: Plan) -> Reason:
    if plan.objective > plan.bound:
        percent = round(100 * (plan.objective - plan.bound) / max(1, plan.objective), 3)
        return Reason("planning.allocating.within", {"percent": percent})
    whole = plan.metres_bound is not None and plan.metres <= plan.metres_bound
    return Reason(f"planning.allocating.{'proved' if whole else 'proved_fair'}")


def packs_given(problem: Problem, plan: Plan) -> Longs:
    """Return the packs that each row of needs gets."""
    needs, items = problem.needs, problem.items.size
    row_of = np.zeros(len(problem.areas) * items, np.int64)
    row_of[needs.area.astype(np.int64) * items + needs.item] = np.arange(needs.size)
    at = _numbers(plan.lines.area, problem.areas) * items + _numbers(plan.lines.item, problem.items.names)
    return np.bincount(row_of[at], plan.lines.packs, needs.size).astype(np.int64)


def _numbers(names: Sequence[str], known: Sequence[str]) -> Longs:
    number_of = {name: number for number, name in enumerate(known)}
    return np.fromiter((number_of[name] for name in names), np.int64, len(names))


def _percent(problem: Problem, row: int, given: Longs) -> float:
    """Return the share of a need that is covered, in percent."""
    units = int(problem.needs.units[row])
    has = int(given[row]) * int(problem.items.pack[problem.needs.item[row]])
    return min(100.0, round(100 * has / units, 1)) if units else 100.0


def _scarce(problem: Problem, given: Longs, missing: Longs) -> list[Reason]:
    """Return which items lack most packs, and who has least of them."""
    by_item = np.bincount(problem.needs.item, missing, problem.items.size)
    reasons = []
    for item in np.argsort(-by_item, kind="stable")[:_EXAMPLES].tolist():
        rows = np.flatnonzero((problem.needs.item == item) & (missing > 0))
        if len(rows):
            worst = min(rows.tolist(), key=lambda row: (_percent(problem, row, given), row))
            facts: Facts = {
                "item": problem.items.names[item],
                "areas": len(rows),
                "missing": int(by_item[item]),
                "area": problem.need_name(worst)[0],
                "percent": _percent(problem, worst, given),
            }
            reasons.append(Reason("planning.allocating.scarce", facts))
    return reasons


def _cut_off(problem: Problem, missing: Longs) -> list[Reason]:
    """Return areas that no source of an item reaches."""
    reasons = []
    for item in sorted(set(problem.needs.item[missing > 0].tolist())):
        rows = np.flatnonzero((problem.needs.item == item) & (missing > 0))
        reached = np.zeros(len(rows), np.bool_)
        for stock in _sources_of(problem, item):
            reached |= problem.metres[problem.needs.area[rows], problem.stock.source[stock]] != NO_LANE
        for row in rows[~reached].tolist():
            area, name = problem.need_name(row)
            reasons.append(Reason("planning.allocating.cut_off", {"area": area, "item": name}))
            if len(reasons) == _EXAMPLES:
                return reasons
    return reasons


def _sources_of(problem: Problem, item: int) -> list[int]:
    """Return the rows of stock that can give an item, itself or as a stand-in."""
    able = [item, *(other for asked, other in problem.stands_in if asked == item)]
    return np.flatnonzero(np.isin(problem.stock.item, able)).tolist()


def _taken(problem: Problem, plan: Plan) -> Longs:
    """Return the packs that leave each row of stock."""
    stock, items = problem.stock, problem.items.size
    row_of = np.zeros(len(problem.sources) * items, np.int64)
    row_of[stock.source.astype(np.int64) * items + stock.item] = np.arange(stock.size)
    at = _numbers(plan.lines.source, problem.sources) * items
    at += _numbers(plan.lines.given, problem.items.names)
    return np.bincount(row_of[at], plan.lines.packs, stock.size).astype(np.int64)


def _limits_used(problem: Problem, plan: Plan) -> list[tuple[str, int, int]]:
    """Return each limit by name, how much of it is used, and how much there is."""
    limits = problem.limits
    used = np.zeros(limits.size, np.int64)
    np.add.at(used, limits.limit, limits.each * _taken(problem, plan)[limits.stock])
    return list(zip(limits.names, used.tolist(), limits.amount.tolist(), strict=True))


def explain_line(problem: Problem, plan: Plan, area: str, item: str) -> list[Reason]:
    """Return why an area gets what it gets of an item, and from where. Raises KeyError for unknown names."""
    row = _row(problem, area, item)
    given = packs_given(problem, plan)
    needed, has = int(problem.packs_needed()[row]), int(given[row])
    pack = int(problem.items.pack[problem.needs.item[row]])
    facts: Facts = {
        "area": area,
        "item": item,
        "units": has * pack,
        "needed": int(problem.needs.units[row]),
        "percent": _percent(problem, row, given),
    }
    code = "gets_all" if has >= needed else "gets_part" if has else "gets_nothing"
    reasons = [Reason(f"planning.allocating.{code}", facts)]
    if has < needed:
        reasons += _why_short(problem, plan, row, given)
    if problem.needs.least[row]:
        reasons.append(Reason("planning.allocating.guaranteed", {"least": int(problem.needs.least[row])}))
    if problem.needs.weight[row] != USUAL_WEIGHT:
        percent = round(100 * int(problem.needs.weight[row]) / USUAL_WEIGHT, 1)
        reasons.append(Reason("planning.allocating.weighed", {"percent": percent}))
    promised = int(problem.packs_promised()[row])
    if promised:
        reasons.append(Reason("planning.allocating.promised", {"packs": promised}))
    return reasons + _whence(problem, plan, row)


def _row(problem: Problem, area: str, item: str) -> int:
    needs = problem.needs
    if area in problem.areas and item in problem.items.names:
        own = (needs.area == problem.areas.index(area)) & (needs.item == problem.items.names.index(item))
        if own.any():
            return int(np.flatnonzero(own)[0])
    raise KeyError(area, item)


def _why_short(problem: Problem, plan: Plan, row: int, given: Longs) -> list[Reason]:
    """Return what keeps a need from being met in full: no way, no stock, a limit, others who lack more."""
    area, item = problem.need_name(row)
    able = [
        stock for stock in _sources_of(problem, int(problem.needs.item[row])) if _reaches(problem, row, stock)
    ]
    if not able:
        return [Reason("planning.allocating.cut_off", {"area": area, "item": item})]
    rivals = _rivals(problem, row, able)
    stock = int(problem.stock.packs[able].sum())
    wanted = int(problem.packs_needed()[rivals].sum())
    reasons = (
        [Reason("planning.allocating.stock_short", {"stock": stock, "needed": wanted})]
        if wanted > stock
        else []
    )
    over = problem.stock.packs - _taken(problem, plan)
    remaining = [stock for stock in able if over[stock] > 0]
    for name, used, amount in _limits_used(problem, plan):
        least = _least_use(problem, name, remaining)
        if least and amount - used < least:
            facts: Facts = {"name": name, "used": used, "amount": amount}
            reasons.append(Reason("planning.allocating.limit_short", facts))
    short = rivals[given[rivals] < problem.packs_needed()[rivals]]
    others = short[short != row]
    if not len(others):
        return reasons
    following = _next_urgency(problem, short, given)
    first = int(short[np.argmax(following)])
    if first != row:
        facts = {"area": problem.need_name(first)[0], "percent": _percent(problem, first, given)}
        reasons.append(Reason("planning.allocating.next_in_turn", facts))
    shares = [_percent(problem, other, given) for other in others.tolist()]
    reasons.append(Reason("planning.allocating.share_alike", {"lowest": min(shares), "highest": max(shares)}))
    return reasons


def _reaches(problem: Problem, row: int, stock: int) -> bool:
    return problem.way(row, stock) != NO_LANE


def _rivals(problem: Problem, row: int, able: list[int]) -> Longs:
    """Return the rows of needs that the same rows of stock could serve, this one among them."""
    own = int(problem.needs.item[row])
    family = next(items for items in families(problem) if own in items)
    rows = np.flatnonzero(np.isin(problem.needs.item, family))
    reached = np.zeros(len(rows), np.bool_)
    for stock in able:
        asked = [
            a
            for a in family
            if a == problem.stock.item[stock] or (a, int(problem.stock.item[stock])) in problem.stands_in
        ]
        open_way = problem.metres[problem.needs.area[rows], problem.stock.source[stock]] != NO_LANE
        reached |= open_way & np.isin(problem.needs.item[rows], asked)
    return rows[reached]


def _next_urgency(problem: Problem, rows: Longs, given: Longs) -> Longs:
    """Return how urgent the next pack of each of these rows is."""
    first, urgency = urgencies(problem, rows, given[rows])
    return urgency[first[:-1]]


def _least_use(problem: Problem, limit: str, remaining: list[int]) -> int:
    """Return the least that a pack of any of these rows of stock takes of a limit; 0 if one takes nothing."""
    limits = problem.limits
    number = limits.names.index(limit)
    use = {
        int(stock): int(each)
        for of, stock, each in zip(limits.limit, limits.stock, limits.each, strict=True)
        if of == number
    }
    return min((use.get(stock, 0) for stock in remaining), default=0)


def _whence(problem: Problem, plan: Plan, row: int) -> list[Reason]:
    """Return from where the packs come, and why not from a nearer place."""
    area, item = problem.need_name(row)
    lines, reasons = plan.lines, []
    own = [n for n in range(lines.size) if lines.area[n] == area and lines.item[n] == item]
    for number in own:
        facts: Facts = {
            "packs": int(lines.packs[number]),
            "given": lines.given[number],
            "source": lines.source[number],
            "metres": int(lines.metres[number]),
        }
        reasons.append(Reason("planning.allocating.comes_from", facts))
    if not own:
        return reasons
    farthest = max(int(lines.metres[number]) for number in own)
    used = {(lines.source[number], lines.given[number]) for number in own}
    able = [s for s in _sources_of(problem, int(problem.needs.item[row])) if _reaches(problem, row, s)]
    nearer = sorted(
        (problem.way(row, stock), stock) for stock in able if problem.stock_name(stock) not in used
    )
    if nearer and nearer[0][0] < farthest and problem.stock.packs[nearer[0][1]]:
        less: Facts = {"source": problem.stock_name(nearer[0][1])[0], "metres": nearer[0][0]}
        reasons.append(Reason("planning.allocating.nearer_empty", less))
    return reasons
