# SPDX-License-Identifier: Apache-2.0
"""Sites to begin with where room is limited: exchanges that reckon with the price of a place at each site."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning._kernel.budget import Budget
from muster.planning.contract import Progress, Step, report
from muster.planning.siting.answer import Answer, Proof
from muster.planning.siting.flowing import largest_shares, spread
from muster.planning.siting.opening import open_sites

if TYPE_CHECKING:
    from muster.planning.siting._swaps import Ground

# So many candidates can all be open at first: closing the worst is quick.
_FEW_SITES = 120
# With fewer entries than these the seats themselves are searched at once.
_FEW_ENTRIES = 40_000
_STEPS = 100
_TURNS = 4
_KICKS = 50
_PRICINGS = 10
# Filling sites by a cheapest flow, or a hundred steps of prices, take about so many seconds for each entry.
_PACE_S = 0.5e-6
# Prices climb, then sites follow them, for these parts of the budget that is left.
_CLIMB_PART, _PRICE_PART = 0.2, 0.5


def first_sites(
    ground: Ground,
    proof: Proof,
    *,
    count: int | None,
    may_leave_out: bool,
    is_brief: bool,
    budget: Budget,
    seed: int,
    progress: Progress | None,
) -> tuple[Ints, Longs | None]:
    """Return sites to begin with, and where points would go then if that is known. Raises Cancelled."""
    is_small = len(ground.cost) <= _FEW_ENTRIES
    if count is None and is_small and len(ground.open_cost) <= _FEW_SITES:
        return (ground.fixed >= 0).astype(np.int32), None
    people, capacity = proof.room.people, proof.room.capacity
    free = Proof.begin(proof.room._replace(capacity=np.full_like(capacity, 1 << 60)), 0)
    best = open_sites(ground, free, count=count, kicks=0, budget=budget, seed=seed, progress=progress)
    if count is None:
        is_open = best.is_open.astype(np.int32)
        _add_room(ground, is_open, capacity, int(people.sum()))
        best = Answer(is_open.astype(np.bool_), best.at, best.cost)
    if is_small or budget.left_s() < 2 * _PACE_S * len(ground.cost):
        return best.is_open.astype(np.int32), None
    wish, cost = _send(ground, people, capacity, best, may_leave_out=may_leave_out)
    if is_brief or budget.left_s() < _PACE_S * len(ground.cost):
        return best.is_open.astype(np.int32), wish
    climbing = Budget(_CLIMB_PART * budget.left_s())
    for turn in range(_TURNS):
        report(progress, Step("price", turn, _TURNS, cost, proof.bound))
        proof.climb(ground, cost, _STEPS)
        if climbing.spent():
            break
    if budget.left_s() < _PACE_S * len(ground.cost):
        return best.is_open.astype(np.int32), wish
    wish, cost, best = _follow_prices(
        ground, proof, (wish, cost, best), count, budget, seed, progress, may_leave_out=may_leave_out
    )
    return best.is_open.astype(np.int32), wish


def _follow_prices(
    ground: Ground,
    proof: Proof,
    start: tuple[Longs, int, Answer],
    count: int | None,
    budget: Budget,
    seed: int,
    progress: Progress | None,
    *,
    may_leave_out: bool,
) -> tuple[Longs, int, Answer]:
    """Choose sites by prices of places again and again; where too many would come, places get dearer.

    Return where points go, the cost and the sites of the cheapest choice.
    """
    people, capacity = proof.room.people, proof.room.capacity
    wish, cost, best = start
    turning = Budget(_PRICE_PART * budget.left_s())
    place = prices_of_places(ground, proof)
    found = best
    for turn in range(_PRICINGS):
        report(progress, Step("price", turn, _PRICINGS, cost, proof.bound))
        priced = with_prices(ground, people, capacity, place)
        free = proof.room._replace(
            capacity=np.full_like(capacity, 1 << 60), lowest=_cheapest(priced) * int(proof.room.scale[0])
        )
        with proof.climbing(ground, cost, _STEPS):
            found = open_sites(
                priced,
                Proof.begin(free, 0 if turn else 3 * _STEPS),
                count=count,
                kicks=_KICKS,
                budget=Budget(0.5 * turning.left_s()),
                seed=seed + turn,
                progress=progress,
                begin_with=found.is_open.astype(np.int32) if turn else None,
            )
            now_wish, now_cost = _send(ground, people, capacity, found, may_leave_out=may_leave_out)
        if now_cost < cost:
            wish, cost, best = now_wish, now_cost, found
        if turning.spent():
            break
        served = found.at >= 0
        load = np.bincount(priced.candidate[found.at[served]], people[served], len(capacity))
        room = np.maximum(1, np.minimum(capacity, int(people.sum())))
        step = 0.4 * cost / max(1, int(people.sum()))
        change = np.where(found.is_open, step * (load - room) / room, 0.0)
        place = np.maximum(0, place + np.rint(np.minimum(change, 10 * step)).astype(np.int64))
    return wish, cost, best


def _cheapest(ground: Ground) -> Longs:
    has = np.diff(ground.first) > 0
    cheapest = np.zeros(len(has), np.int64)
    cheapest[has] = ground.cost[ground.first[:-1][has]]
    return cheapest


def _send(
    ground: Ground, people: Longs, capacity: Longs, answer: Answer, *, may_leave_out: bool
) -> tuple[Longs, int]:
    """Return where most of each point goes when the open sites are filled cheapest, and the cost."""
    amount = spread(ground, people, capacity, answer.is_open, may_leave_out=may_leave_out)
    owner = np.repeat(np.arange(len(people)), np.diff(ground.first))
    part = amount / np.maximum(1, people[owner])
    left = 1.0 - np.minimum(1.0, np.bincount(owner, part, len(people)))
    cost = float((part * ground.cost).sum() + (left * ground.unserved)[people > 0].sum())
    return largest_shares(ground, amount), int(cost) + int(ground.open_cost[answer.is_open].sum())


def _add_room(ground: Ground, is_open: Ints, capacity: Longs, people: int) -> None:
    """Open more sites, those with the cheapest places first, until there is some room to spare."""
    room = int(np.minimum(capacity, people)[is_open == 1].sum())
    for site in np.argsort(ground.open_cost / np.maximum(1, capacity), kind="stable").tolist():
        if room * 10 > people * 11:
            return
        if not is_open[site] and ground.fixed[site] == 0:
            is_open[site] = 1
            room += int(capacity[site])


def with_prices(ground: Ground, people: Longs, capacity: Longs, place: Longs) -> Ground:
    """Return the ground where a place costs its price, and a site earns the prices of its room.

    Without limits, the best sites of that ground are near the best of the limited one (a Lagrangian
    relaxation of the limits).
    """
    from muster.planning.siting._prices import sort_rows

    owner = np.repeat(np.arange(len(people)), np.diff(ground.first))
    cost = ground.cost + place[ground.candidate] * people[owner]
    candidate = ground.candidate.copy()
    sort_rows(ground.first, candidate, cost)
    site = np.repeat(np.arange(len(capacity)), np.diff(ground.of_first))
    return ground._replace(
        candidate=candidate,
        cost=cost,
        point_cost=ground.point_cost + place[site] * people[ground.point],
        open_cost=ground.open_cost - place * np.minimum(capacity, int(people.sum())),
    )


def prices_of_places(ground: Ground, proof: Proof) -> Longs:
    """Return by site what the last one who gets in pays for a place; nothing where there is room for all."""
    people, capacity = proof.room.people, proof.room.capacity
    scale = int(proof.room.scale[0])
    gain = proof.price[ground.point] - ground.point_cost * scale
    place = np.zeros(len(capacity), np.int64)
    for site in range(len(capacity)):
        own = slice(int(ground.of_first[site]), int(ground.of_first[site + 1]))
        pays = gain[own] > 0
        size = people[ground.point[own]][pays]
        if int(size.sum()) <= capacity[site]:
            continue
        ratio = gain[own][pays] / np.maximum(size, 1e-9)
        order = np.argsort(-ratio, kind="stable")
        last = int(np.searchsorted(np.cumsum(size[order]), capacity[site], side="right"))
        place[site] = int(ratio[order[min(last, len(order) - 1)]]) // scale
    return place
