# SPDX-License-Identifier: Apache-2.0
"""Which sites to open when each has room for all: exchanges of one for another, openings, closings.

Each candidate is tried against all open sites at once, as in FasterPAM (Schubert and Rousseeuw 2021), but
over sparse lists of who could walk there, with weights and costs of opening. Kicks and a queue of
candidates around what changed lead on from one best answer to the next.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit

from muster.planning._kernel.arrays import Ints, Longs

Whole: TypeAlias = int | np.signedinteger[Any]
# Typed, like all that is handed to kernels: another type would be compiled as another kernel.
NONE = np.int64(-1)
FAR = np.int64(1 << 60)
_MANY = np.int64(1 << 40)


class Ground(NamedTuple):
    """What never changes. `fixed` is 1 for candidates that stay open, -1 for those that stay closed."""

    first: Longs
    candidate: Ints
    cost: Longs
    unserved: Longs
    of_first: Longs  # candidate -> first entry in `point`
    point: Ints
    point_cost: Longs
    open_cost: Longs
    fixed: Ints


class Choice(NamedTuple):
    """Which sites are open, and for each point its nearest and second open site."""

    is_open: Ints
    near: Longs
    near_cost: Longs
    second: Longs
    second_cost: Longs
    loss: Longs  # open site -> what its points would lose without it
    change: Longs  # working space, zero between uses
    touched: Longs
    waiting: Ints  # 1 for candidates in the queue
    queue: Longs


@njit(cache=True, nogil=True)
def _find_two(ground: Ground, choice: Choice, point: Whole) -> None:
    """Find the two nearest open sites of a point."""
    near, second = NONE, NONE
    near_cost = second_cost = ground.unserved[point]
    for entry in range(ground.first[point], ground.first[point + 1]):
        site = np.int64(ground.candidate[entry])
        if choice.is_open[site] == 0:
            continue
        cost = ground.cost[entry]
        if cost >= ground.unserved[point]:
            break
        if near == NONE:
            near, near_cost = site, cost
        else:
            second, second_cost = site, cost
            break
    choice.near[point], choice.near_cost[point] = near, near_cost
    choice.second[point], choice.second_cost[point] = second, second_cost
    if near != NONE:
        choice.loss[near] += second_cost - near_cost


@njit(cache=True, nogil=True)
def settle(ground: Ground, choice: Choice) -> Whole:
    """Bring all points up to date with what is open; return what it costs in all."""
    choice.loss[:] = 0
    total = np.int64(0)
    for point in range(len(ground.unserved)):
        _find_two(ground, choice, point)
        total += choice.near_cost[point]
    for site in range(len(ground.open_cost)):
        if choice.is_open[site]:
            total += ground.open_cost[site]
    return total


@njit(cache=True, nogil=True)
def _try(ground: Ground, choice: Choice, site: Whole) -> tuple[Whole, Whole, Whole]:
    """Return what opening a site changes by itself, and with which closing (and change) it is best."""
    gain = ground.open_cost[site]
    touched = 0
    for entry in range(ground.of_first[site], ground.of_first[site + 1]):
        point = np.int64(ground.point[entry])
        cost = ground.point_cost[entry]
        if cost >= choice.second_cost[point]:
            continue
        near = choice.near[point]
        if near != NONE and choice.change[near] == 0:
            choice.touched[touched] = near
            touched += 1
        if cost < choice.near_cost[point]:
            gain += cost - choice.near_cost[point]
            if near != NONE:
                choice.change[near] += choice.near_cost[point] - choice.second_cost[point]
        else:
            choice.change[near] += cost - choice.second_cost[point]
    best, best_change = np.int64(NONE), FAR
    for other in range(len(choice.is_open)):
        if choice.is_open[other] and ground.fixed[other] != 1:
            change = choice.loss[other] + choice.change[other] - ground.open_cost[other]
            if change < best_change:
                best, best_change = np.int64(other), change
    for k in range(touched):
        choice.change[choice.touched[k]] = 0
    return gain, best, best_change


@njit(cache=True, nogil=True)
def _open(ground: Ground, choice: Choice, site: Whole) -> None:
    choice.is_open[site] = 1
    choice.loss[site] = 0
    for entry in range(ground.of_first[site], ground.of_first[site + 1]):
        point = np.int64(ground.point[entry])
        cost = ground.point_cost[entry]
        if cost >= choice.second_cost[point]:
            continue
        near = choice.near[point]
        if near != NONE:
            choice.loss[near] -= choice.second_cost[point] - choice.near_cost[point]
        if cost < choice.near_cost[point]:
            choice.second[point], choice.second_cost[point] = near, choice.near_cost[point]
            choice.near[point], choice.near_cost[point] = site, cost
        else:
            choice.second[point], choice.second_cost[point] = site, cost
        choice.loss[choice.near[point]] += choice.second_cost[point] - choice.near_cost[point]


@njit(cache=True, nogil=True)
def _close(ground: Ground, choice: Choice, site: Whole) -> None:
    choice.is_open[site] = 0
    for entry in range(ground.of_first[site], ground.of_first[site + 1]):
        point = np.int64(ground.point[entry])
        if choice.near[point] == site or choice.second[point] == site:
            near = choice.near[point]
            choice.loss[near] -= choice.second_cost[point] - choice.near_cost[point]
            _find_two(ground, choice, point)
    choice.loss[site] = 0


@njit(cache=True, nogil=True)
def _wake(ground: Ground, choice: Choice, site: Whole, count: Whole) -> Whole:
    """Queue the candidates that share points with a site; return how many wait."""
    for entry in range(ground.of_first[site], ground.of_first[site + 1]):
        point = np.int64(ground.point[entry])
        for other_entry in range(ground.first[point], ground.first[point + 1]):
            if ground.cost[other_entry] >= choice.second_cost[point]:
                break
            other = np.int64(ground.candidate[other_entry])
            if choice.waiting[other] == 0 and choice.is_open[other] == 0 and ground.fixed[other] == 0:
                choice.waiting[other] = 1
                choice.queue[count] = other
                count += 1
    return count


@njit(cache=True, nogil=True)
def improve(ground: Ground, choice: Choice, count: Whole, is_free: Whole, most: Whole) -> Whole:
    """Work off the queue of `count` candidates; return by how much the cost fell.

    With `is_free` (1) sites may also be opened and closed alone, otherwise only exchanged.
    """
    fallen = np.int64(0)
    taken = 0
    room = len(choice.queue)
    steps = 0
    while taken < count and steps < most:
        steps += 1
        site = choice.queue[taken]
        taken += 1
        choice.waiting[site] = 0
        if choice.is_open[site] or ground.fixed[site] == -1:
            continue
        gain, other, change = _try(ground, choice, site)
        exchange = gain + change if other != NONE else FAR
        if is_free and gain < 0 and gain <= exchange:
            _open(ground, choice, site)
            fallen -= gain
        elif exchange < 0:
            _close(ground, choice, other)
            _open(ground, choice, site)
            fallen -= exchange
        else:
            continue
        # Make room in the queue: what is done goes out.
        for k in range(taken, count):
            choice.queue[k - taken] = choice.queue[k]
        count -= taken
        taken = 0
        count = _wake(ground, choice, site, count)
        if exchange < 0 and other != NONE and choice.is_open[other] == 0:
            count = _wake(ground, choice, other, count)
            if choice.waiting[other] == 0 and count < room:
                choice.waiting[other] = 1
                choice.queue[count] = other
                count += 1
        if is_free:
            fallen += _close_idle(ground, choice)
    for k in range(taken, count):
        choice.waiting[choice.queue[k]] = 0
    return fallen


@njit(cache=True, nogil=True)
def _close_idle(ground: Ground, choice: Choice) -> Whole:
    """Close sites that cost more than their points would lose; return what that saves."""
    saved = np.int64(0)
    for site in range(len(choice.is_open)):
        if choice.is_open[site] and ground.fixed[site] == 0 and choice.loss[site] < ground.open_cost[site]:
            saved += ground.open_cost[site] - choice.loss[site]
            _close(ground, choice, site)
    return saved


@njit(cache=True, nogil=True)
def queue_all(ground: Ground, choice: Choice, order: Longs) -> Whole:
    """Queue all candidates in an order; return how many wait."""
    count = 0
    for site in order:
        if choice.is_open[site] == 0 and ground.fixed[site] == 0:
            choice.waiting[site] = 1
            choice.queue[count] = site
            count += 1
    return count


@njit(cache=True, nogil=True)
def kick(ground: Ground, choice: Choice, times: Whole, is_free: Whole) -> tuple[Whole, Whole]:
    """Exchange some sites for others near them, whatever it costs; return how many wait, and the cost."""
    sites = len(choice.is_open)
    count: Whole = np.int64(0)
    fallen = np.int64(0)
    start = np.random.randint(sites)
    for _ in range(times):
        out = np.int64(NONE)
        for _ in range(8 * sites):
            out = np.int64(np.random.randint(sites))
            if choice.is_open[out] and ground.fixed[out] == 0:
                break
        if not choice.is_open[out] or ground.fixed[out] != 0:
            return count, fallen
        site = _neighbour(ground, choice, out, start)
        if site == NONE:
            continue
        before = ground.open_cost[site] - ground.open_cost[out]
        gain, _, _ = _try(ground, choice, site)
        _open(ground, choice, site)
        lost = choice.loss[out]
        _close(ground, choice, out)
        fallen -= gain - ground.open_cost[site] + lost + before
        count = _wake(ground, choice, site, count)
        count = _wake(ground, choice, out, count)
        if choice.waiting[out] == 0:
            choice.waiting[out] = 1
            choice.queue[count] = out
            count += 1
    return count, fallen


@njit(cache=True, nogil=True)
def _neighbour(ground: Ground, choice: Choice, site: Whole, start: Whole) -> Whole:
    """Return a random closed candidate that shares a point with a site, or any closed one."""
    width = ground.of_first[site + 1] - ground.of_first[site]
    for _ in range(16):
        if width == 0:
            break
        point = np.int64(ground.point[ground.of_first[site] + np.random.randint(width)])
        choices = ground.first[point + 1] - ground.first[point]
        other = np.int64(ground.candidate[ground.first[point] + np.random.randint(choices)])
        if choice.is_open[other] == 0 and ground.fixed[other] == 0:
            return np.int64(other)
    sites = len(choice.is_open)
    for k in range(sites):
        other = np.int64((start + k) % sites)
        if choice.is_open[other] == 0 and ground.fixed[other] == 0:
            return other
    return NONE


@njit(cache=True, nogil=True)
def copy_choice(source: Choice, target: Choice) -> None:
    """Make `target` what `source` is."""
    target.is_open[:] = source.is_open
    target.near[:] = source.near
    target.near_cost[:] = source.near_cost
    target.second[:] = source.second
    target.second_cost[:] = source.second_cost
    target.loss[:] = source.loss


@njit(cache=True, nogil=True)
def search_on(
    ground: Ground, choice: Choice, best: Choice, best_cost: Whole, is_free: Whole, rounds: Whole, seed: Whole
) -> Whole:
    """Kick and improve so many times, keeping what is better; `choice` and `best` are then the best."""
    np.random.seed(seed)
    for _ in range(rounds):
        open_count = choice.is_open.sum()
        times = 1 + np.random.randint(max(1, min(open_count, 6)))
        count, fallen = kick(ground, choice, times, is_free)
        fallen += improve(ground, choice, count, is_free, _MANY)
        if fallen >= 0:
            best_cost -= fallen
            copy_choice(choice, best)
        else:
            copy_choice(best, choice)
    return best_cost
