# SPDX-License-Identifier: Apache-2.0
"""Short closed tours on a symmetric matrix (numba): nearest neighbour, 2-opt and Or-opt, kicks, a bound."""

from __future__ import annotations

import numba
import numpy as np

from muster.planning._kernel.arrays import Bools, Floats, Longs

# Never reached: no matrix of this engine holds so long a way.
_FAR = 1 << 60


@numba.njit(cache=True, nogil=True)
def nearest_neighbour(cost: Longs, start: int) -> Longs:
    """Return the tour that always goes on to the nearest city not yet seen."""
    size = len(cost)
    tour = np.empty(size, np.int64)
    seen = np.zeros(size, np.bool_)
    here = start
    for place in range(size):
        tour[place] = here
        seen[here] = True
        best, following = _FAR, -1
        for city in range(size):
            if not seen[city] and cost[here, city] < best:
                best, following = cost[here, city], city
        here = following
    return tour


@numba.njit(cache=True, nogil=True)
def nearest_of_each(cost: Longs, count: int) -> Longs:
    """Return for each city its `count` nearest others, nearest first."""
    size = len(cost)
    near = np.empty((size, count), np.int64)
    for city in range(size):
        k = 0
        for other in np.argsort(cost[city], kind="mergesort"):
            if other != city and k < count:
                near[city, k] = other
                k += 1
    return near


@numba.njit(cache=True, nogil=True)
def tour_length(cost: Longs, tour: Longs) -> int:
    total = cost[tour[-1], tour[0]]
    for place in range(len(tour) - 1):
        total += cost[tour[place], tour[place + 1]]
    return total


@numba.njit(cache=True, nogil=True)
def _reverse(tour: Longs, place: Longs, first: int, last: int) -> None:
    """Reverse the stretch from place `first` on to place `last`, or the rest of the tour if shorter."""
    size = len(tour)
    length = (last - first) % size + 1
    if 2 * length > size:
        first, last = (last + 1) % size, (first - 1) % size
        length = size - length
    for _ in range(length // 2):
        a, b = tour[first], tour[last]
        tour[first], tour[last] = b, a
        place[a], place[b] = last, first
        first = first + 1 if first + 1 < size else 0
        last = last - 1 if last > 0 else size - 1


@numba.njit(cache=True, nogil=True)
def _move_stretch(tour: Longs, place: Longs, first: int, length: int, u: int, turned: int) -> None:
    """Take out the stretch of `length` from place `first` on and put it behind city `u`."""
    size = len(tour)
    stretch = np.empty(length, np.int64)
    for i in range(length):
        stretch[i] = tour[(first + i) % size]
    passed = (place[u] - first - length) % size + 1
    for i in range(passed):
        city = tour[(first + length + i) % size]
        tour[(first + i) % size] = city
        place[city] = (first + i) % size
    for i in range(length):
        city = stretch[length - 1 - i] if turned == 1 else stretch[i]
        tour[(first + passed + i) % size] = city
        place[city] = (first + passed + i) % size


@numba.njit(cache=True, nogil=True)
def _two_opt(cost: Longs, near: Longs, tour: Longs, place: Longs, city: int, touched: Longs) -> int:
    """Replace two edges, one of them at the city, if that is shorter; returns how many cities it touched."""
    size = len(tour)
    after, before = tour[(place[city] + 1) % size], tour[(place[city] - 1) % size]
    for k in range(near.shape[1]):
        other = near[city, k]
        step = cost[city, other]
        if step >= cost[city, after] and step >= cost[city, before]:
            break
        if other in (after, before):
            continue
        beyond, ahead = tour[(place[other] + 1) % size], tour[(place[other] - 1) % size]
        if step + cost[after, beyond] < cost[city, after] + cost[other, beyond]:
            _reverse(tour, place, place[after], place[other])
            touched[0], touched[1], touched[2], touched[3] = city, after, other, beyond
            return 4
        if step + cost[before, ahead] < cost[city, before] + cost[other, ahead]:
            _reverse(tour, place, place[city], place[ahead])
            touched[0], touched[1], touched[2], touched[3] = city, before, other, ahead
            return 4
    return 0


@numba.njit(cache=True, nogil=True)
def _or_opt(cost: Longs, near: Longs, tour: Longs, place: Longs, city: int, touched: Longs) -> int:
    """Move a stretch of one to three cities that ends at the city beside one of its near cities."""
    size = len(tour)
    for length in range(1, 4):
        if length + 3 > size:
            break
        for runs_on in range(2):
            first = place[city] if runs_on == 1 else (place[city] - length + 1) % size
            head, tail = tour[first], tour[(first + length - 1) % size]
            before, after = tour[(first - 1) % size], tour[(first + length) % size]
            freed = cost[before, head] + cost[tail, after] - cost[before, after]
            far_end = tail if city == head else head
            for k in range(near.shape[1]):
                other = near[city, k]
                if cost[city, other] >= freed:
                    break
                if (place[other] - first) % size < length:
                    continue
                for side in range(2):
                    shift = 1 if side == 0 else -1
                    mate = tour[(place[other] + shift) % size]
                    u = other if side == 0 else mate
                    if (place[mate] - first) % size < length:
                        continue
                    if cost[city, other] + cost[far_end, mate] - cost[other, mate] >= freed:
                        continue
                    beside_u = city if u == other else far_end
                    _move_stretch(tour, place, first, length, u, 0 if beside_u == head else 1)
                    touched[0], touched[1], touched[2] = head, tail, before
                    touched[3], touched[4], touched[5] = after, other, mate
                    return 6
    return 0


@numba.njit(cache=True, nogil=True)
def settle(
    cost: Longs, near: Longs, tour: Longs, place: Longs, waiting: Longs, is_waiting: Bools, count: int
) -> None:
    """Improve the tour around the waiting cities until no 2-opt or Or-opt move helps."""
    size = len(tour)
    touched = np.empty(6, np.int64)
    first = 0
    while count > 0:
        city = waiting[first]
        first = (first + 1) % size
        count -= 1
        is_waiting[city] = False
        changed = _two_opt(cost, near, tour, place, city, touched)
        if changed == 0:
            changed = _or_opt(cost, near, tour, place, city, touched)
        for k in range(changed):
            if not is_waiting[touched[k]]:
                is_waiting[touched[k]] = True
                waiting[(first + count) % size] = touched[k]
                count += 1


@numba.njit(cache=True, nogil=True)
def improve(cost: Longs, near: Longs, tour: Longs, dice: Longs) -> int:
    """Settle the tour, then kick and settle once per row of `dice`, keeping what is no longer.

    A kick swaps two neighbouring short stretches (a local double bridge). Returns the length.
    """
    size = len(tour)
    place = np.empty(size, np.int64)
    waiting = tour.copy()
    is_waiting = np.ones(size, np.bool_)
    for i in range(size):
        place[tour[i]] = i
    settle(cost, near, tour, place, waiting, is_waiting, size)
    best = tour.copy()
    length = tour_length(cost, tour)
    if size < 8:
        return length
    longest = min(50, (size - 2) // 2)
    for roll in range(len(dice)):
        first = dice[roll, 0] % size
        a = 1 + dice[roll, 1] % longest
        b = 1 + dice[roll, 2] % longest
        _swap_stretches(tour, place, first, a, b)
        count = 0
        for offset in (-1, 0, b - 1, b, a + b - 1, a + b):
            city = tour[(first + offset) % size]
            if not is_waiting[city]:
                is_waiting[city] = True
                waiting[count] = city
                count += 1
        settle(cost, near, tour, place, waiting, is_waiting, count)
        now = tour_length(cost, tour)
        if now <= length:
            length = now
            best[:] = tour
        else:
            tour[:] = best
            for i in range(size):
                place[tour[i]] = i
    return length


@numba.njit(cache=True, nogil=True)
def _swap_stretches(tour: Longs, place: Longs, first: int, a: int, b: int) -> None:
    size = len(tour)
    held = np.empty(a, np.int64)
    for i in range(a):
        held[i] = tour[(first + i) % size]
    for i in range(b):
        tour[(first + i) % size] = tour[(first + a + i) % size]
    for i in range(a):
        tour[(first + b + i) % size] = held[i]
    for i in range(a + b):
        place[tour[(first + i) % size]] = (first + i) % size


@numba.njit(cache=True, nogil=True)
def one_tree_bound(cost: Longs, upper: int, rounds: int) -> float:
    """Return a lower bound on any tour: the best minimum 1-tree over node prices (Held and Karp, 1971).

    City 0 is the one outside the tree. `upper` is the length of some tour; it sets the step of the prices.
    """
    size = len(cost)
    price = np.zeros(size, np.float64)
    degree = np.empty(size, np.int64)
    best = -1e300
    eagerness = 2.0
    stale = 0
    for _ in range(rounds):
        value = _one_tree(cost, price, degree)
        stale += 1
        if value > best + 1e-9:
            best, stale = value, 0
        elif stale >= 5:
            eagerness, stale = eagerness / 2.0, 0
        square = 0
        for city in range(size):
            square += (degree[city] - 2) ** 2
        if square == 0 or eagerness < 1e-3:
            break
        step = eagerness * max(1.0, upper - value) / square
        for city in range(size):
            price[city] += step * (degree[city] - 2)
    return best


@numba.njit(cache=True, nogil=True)
def _one_tree(cost: Longs, price: Floats, degree: Longs) -> float:
    """Return the value of the cheapest 1-tree at these prices and fill in the degrees."""
    size = len(cost)
    degree[:] = 0
    nearest = np.full(size, 1e300)
    parent = np.full(size, -1, np.int64)
    done = np.zeros(size, np.bool_)
    done[0] = True
    value = 0.0
    here = 1
    done[1] = True
    for _ in range(size - 2):
        best, following = 1e300, -1
        for city in range(1, size):
            if done[city]:
                continue
            way = cost[here, city] + price[here] + price[city]
            if way < nearest[city]:
                nearest[city], parent[city] = way, here
            if nearest[city] < best:
                best, following = nearest[city], city
        value += best
        degree[following] += 1
        degree[parent[following]] += 1
        done[following] = True
        here = following
    first, second = 1, -1
    least, next_least = 1e300, 1e300
    for city in range(1, size):
        way = cost[0, city] + price[0] + price[city]
        if way < least:
            next_least, second = least, first
            least, first = way, city
        elif way < next_least:
            next_least, second = way, city
    degree[0] = 2
    degree[first] += 1
    degree[second] += 1
    total = value + least + next_least
    for city in range(size):
        total -= 2.0 * price[city]
    return total
