# SPDX-License-Identifier: Apache-2.0
"""What the prices of a plan prove, worked out anew: if every point paid its price, how much could be won.

A point pays its price to whoever serves it. A site then earns at most what a knapsack of its room allows,
and no plan can be cheaper than all prices together less what the best sites earn.
"""

from __future__ import annotations

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning.siting.plan import Plan
from muster.planning.siting.problem import Problem, kept_open

# Up to this much room, whole points are packed exactly; above, the last one may count in part.
EXACT_ROOM = 4_096
EXACT_WORK = 1 << 22


def proved_by_prices(problem: Problem, plan: Plan) -> int | None:
    """Return the least that any plan can cost, in units of the problem; None when prices do not fit it."""
    if len(plan.prices) != problem.points.size:
        return None
    scale = plan.price_scale
    number_of = {name: number for number, name in enumerate(problem.points.names)}
    price = np.zeros(problem.points.size, np.int64)
    price[[number_of[name] for name in plan.points]] = plan.prices
    price[problem.cut_off] = 0
    if problem.unserved is not None:
        price = np.minimum(price, problem.unserved * scale)
    if np.abs(price).astype(np.float64).sum() > 1 << 62:
        return None
    earnings = [
        int(problem.candidates.open_cost[site]) * scale - earned
        for site, earned in enumerate(_earnings(problem, price, scale))
    ]
    kept = kept_open(problem)
    free = sorted(
        value for site, value in enumerate(earnings) if site not in kept and site not in problem.closed
    )
    least = sum(earnings[site] for site in kept)
    if problem.count is None:
        least += sum(value for value in free if value < 0)
    else:
        least += sum(free[: problem.count - len(kept)])
    return -(-(int(price.sum()) + least) // scale)


def _earnings(problem: Problem, price: Longs, scale: int) -> list[int]:
    """Return the most that each candidate can win from points, rounded up."""
    walks, sites = problem.walks, problem.candidates
    point = np.repeat(np.arange(problem.points.size), np.diff(walks.first))
    gain = price[point] - walks.cost * scale
    sent = np.full(problem.points.size, -1, np.int64)
    for number, site in problem.sent.items():
        sent[number] = site
    may = (sent[point] < 0) | (sent[point] == walks.candidate)
    people = problem.points.people[point]
    if not problem.may_split:
        may &= people <= sites.capacity[walks.candidate]
    wanted = np.flatnonzero((gain > 0) & may)
    wanted = wanted[np.argsort(walks.candidate[wanted], kind="stable")]
    starts = np.searchsorted(walks.candidate[wanted], np.arange(sites.size + 1))
    earned = []
    for site in range(sites.size):
        own = wanted[starts[site] : starts[site + 1]]
        room = int(sites.capacity[site])
        earned.append(_packed(gain[own], people[own], room, may_split=problem.may_split))
    return earned


def _packed(gain: Longs, people: Longs, room: int, *, may_split: bool) -> int:
    if people.sum() <= room:
        return int(gain.sum())
    if not may_split and room <= EXACT_ROOM and room * len(gain) <= EXACT_WORK:
        best = np.zeros(room + 1, np.int64)
        for value, size in zip(gain.tolist(), people.tolist(), strict=True):
            best[size:] = np.maximum(best[size:], best[: room + 1 - size] + value)
        return int(best[room])
    # For any price of room, nobody wins more than the room's worth and what points pay beyond their room.
    ratio = gain / np.maximum(people, 1e-9)
    order = np.argsort(-ratio, kind="stable")
    last = order[min(len(order) - 1, int(np.searchsorted(np.cumsum(people[order]), room, side="right")))]
    worth = int(gain[last]) // max(1, int(people[last]))
    return worth * room + int(np.maximum(gain - worth * people, 0).sum())
