# SPDX-License-Identifier: Apache-2.0
"""Opening sites with limits and seating whole points there, in turn with prices that prove a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from muster.planning._kernel.arrays import Bools, Ints, Longs
from muster.planning._kernel.budget import Budget
from muster.planning.contract import Progress, Step, report
from muster.planning.siting.answer import NOWHERE, Answer, Proof

if TYPE_CHECKING:
    from muster.planning.siting._loads import Seats
    from muster.planning.siting._swaps import Ground

_STEPS = 40
_SWEEPS = 12
# Entries that are looked at in a turn, about: between two looks at the clock.
_WORK = 400_000
_CYCLE = 20
_TRIES = 2
_RELIEFS = 120
# With more points than these, seating everybody anew takes too long to be done at each turn.
_FEW_POINTS = 4_000
# Beyond the budget, relieving (a second of work for a city) and then searching may take so many seconds until
# there is a first plan that serves everybody.
_RELIEF_S, _GRACE_S = 5.0, 1.0


def seat_points(
    ground: Ground,
    people: Longs,
    proof: Proof,
    whole: Ground,
    *,
    count: int | None,
    rounds: int,
    budget: Budget,
    seed: int,
    progress: Progress | None,
    begin_with: Ints,
    wish: Longs | None,
    may_fit: bool = True,
) -> Answer:
    """Return the best seats found without overload; `proof` holds what is proved. Raises Cancelled.

    Where it is not known that not everybody fits (`may_fit`), a little more than the budget may be used until
    everybody has a seat.

    `whole` is the ground of the proof: another one where large points are seated in pieces. `wish` holds the
    entries where points would go by themselves, if that is known.
    """
    from muster.planning.siting import _loads

    seats, best = (_empty(ground, people, proof.room.capacity) for _ in range(2))
    seats.is_open[:] = begin_with
    seats.cost[_loads.FEE] = best.cost[_loads.FEE] = _first_fee(ground, people, proof.room.capacity)
    order = np.argsort(-people, kind="stable").astype(np.int64)
    relief = Budget(budget.left_s() + _RELIEF_S * may_fit)
    is_large = len(people) > _FEW_POINTS
    if is_large and wish is not None:
        _seat_by_wish(ground, seats, order, wish)
        _relieve(ground, seats, relief)
    else:
        _seat_all(ground, seats, order)
        if is_large and budget.spent():
            _relieve(ground, seats, relief)
    _loads.copy_seats(seats, ground, best)
    turn_rounds = min(rounds, max(4, min(100, _WORK // max(1, len(ground.cost)))))
    done = turn = 0
    grace = Budget(budget.left_s() + _GRACE_S * may_fit)
    while not budget.spent() or (best.cost[_loads.OVER] > 0 and not grace.spent()):
        upper = int(best.cost[_loads.COST])
        report(progress, Step("seat", done, rounds, upper, proof.bound))
        if best.cost[_loads.OVER] == 0 and proof.bound >= upper:
            break
        if not proof.is_stuck and not budget.spent():
            proof.climb(whole, upper, _STEPS)
            if not is_large:
                seats.is_open[:] = proof.worth(whole).chosen
                _seat_all(ground, seats, order)
                _keep_better(ground, seats, best)
        elif done >= rounds:
            break
        if done < rounds:
            if turn % _CYCLE == 0 and best.cost[_loads.OVER] == 0:
                _loads.copy_seats(best, ground, seats)
            _loads.search_on(ground, seats, best, int(count is None), turn_rounds, _TRIES, seed + 7919 * turn)
            done += turn_rounds
        turn += 1
    return _clean(ground, best)


def _seat_all(ground: Ground, seats: Seats, order: Longs) -> None:
    """Seat everybody anew at what is open, the largest first, and let them move."""
    from muster.planning.siting import _loads

    fee = seats.cost[_loads.FEE]
    _loads.begin(ground, seats, order, np.full(len(order), NOWHERE, np.int64))
    seats.cost[_loads.FEE] = fee
    if len(order) <= _FEW_POINTS:
        _loads.descend(ground, seats, np.arange(len(order)), _SWEEPS)


def _seat_by_wish(ground: Ground, seats: Seats, order: Longs, wish: Longs) -> None:
    """Seat everybody where they wish, whatever the room: it is short by little, and is made next."""
    from muster.planning.siting import _loads

    wide = seats._replace(capacity=np.full_like(seats.capacity, 1 << 60))
    _loads.begin(ground, wide, order, wish)
    seats.cost[_loads.OVER] = np.maximum(seats.load - seats.capacity, 0).sum()


def _relieve(ground: Ground, seats: Seats, budget: Budget) -> None:
    """Send points on from sites that are too full, at a fee that rises until nobody is too many."""
    from muster.planning.siting import _loads

    usual = int(seats.cost[_loads.FEE])
    seats.cost[_loads.FEE] = max(1, usual // 200)
    for _ in range(_RELIEFS):
        crowded = seats.load > seats.capacity
        if not crowded.any() or budget.spent():
            break
        inside = np.flatnonzero((seats.at >= 0) & crowded[ground.candidate[seats.at]])
        seats.log_size[0] = 0
        _loads.descend(ground, seats, inside, 2)
        seats.cost[_loads.FEE] += seats.cost[_loads.FEE] // 5 + 1
    seats.log_size[0] = 0
    seats.cost[_loads.FEE] = max(usual, int(seats.cost[_loads.FEE]) // 4)


def _keep_better(ground: Ground, seats: Seats, best: Seats) -> None:
    from muster.planning.siting import _loads

    if (seats.cost[_loads.OVER], seats.cost[_loads.COST]) < (best.cost[_loads.OVER], best.cost[_loads.COST]):
        _loads.copy_seats(seats, ground, best)


def _first_fee(ground: Ground, people: Longs, capacity: Longs) -> int:
    """Return what a person too many costs at first: about what a walk and a place at a new site cost."""
    total = max(1, int(people.sum()))
    typical = int(ground.cost.sum()) // max(1, len(ground.cost)) * len(people) // total
    place = ground.open_cost // np.maximum(1, np.minimum(capacity, total))
    return max(1, typical + int(np.median(place)))


def _empty(ground: Ground, people: Longs, capacity: Longs) -> Seats:
    from muster.planning.siting._loads import Seats

    points, sites = len(ground.unserved), len(ground.open_cost)

    def zeros(size: int) -> Longs:
        return np.zeros(size, np.int64)

    log = 16 * points + 20_000
    return Seats(
        people=people,
        capacity=capacity,
        is_open=np.zeros(sites, np.int32),
        at=np.full(points, NOWHERE, np.int64),
        load=zeros(sites),
        head=np.full(sites, NOWHERE, np.int64),
        after=np.full(points, NOWHERE, np.int64),
        before=np.full(points, NOWHERE, np.int64),
        cost=zeros(4),
        log_what=zeros(log),
        log_old=zeros(log),
        log_size=zeros(1),
        scratch=zeros(points),
        key=zeros(points),
    )


def _clean(ground: Ground, best: Seats) -> Answer:
    """Return the seats; where a site is still too full, its smallest points are left out."""
    at, load = best.at.copy(), best.load.copy()
    for site in np.flatnonzero(load > best.capacity).tolist():
        own = np.flatnonzero((at >= 0) & (ground.candidate[at] == site))
        for point in own[np.argsort(best.people[own], kind="stable")].tolist():
            if load[site] <= best.capacity[site]:
                break
            if best.people[point]:
                at[point] = NOWHERE
                load[site] -= best.people[point]
    return Answer(best.is_open.astype(np.bool_), at, cost_of(ground, best.is_open == 1, at))


def cost_of(ground: Ground, is_open: Bools, at: Longs) -> int:
    """Return what open sites and these walks cost."""
    served = at >= 0
    cost = int(ground.cost[at[served]].sum()) + int(ground.unserved[~served].sum())
    return cost + int(ground.open_cost[is_open].sum())
