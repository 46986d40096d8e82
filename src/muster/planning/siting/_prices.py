# SPDX-License-Identifier: Apache-2.0
"""Prices that points pay to whoever serves them, raised and lowered until they prove a high bound.

For any prices, no plan is cheaper than all prices together less what the best sites earn (a Lagrangian
bound; Beasley 1988, Holmberg, Rönnqvist and Yuan 1999). All amounts are whole units of 1 / `scale`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from muster.planning._kernel.arrays import Floats, Ints, Longs
from muster.planning.siting._swaps import Ground, Whole


class Room(NamedTuple):
    """What bounds the sites: people, capacities, which are packed exactly (1), how many open (-1: any)."""

    people: Longs
    capacity: Longs
    is_exact: Ints
    opening: Longs  # [0]
    scale: Longs  # [0]
    lowest: Longs  # point -> a price below this would prove less
    highest: Longs


class Worth(NamedTuple):
    """What prices come to: what opening a site changes, whether it would; how often points are served."""

    site: Longs
    chosen: Ints
    served: Floats


@njit(cache=True, nogil=True)
def _pack(gain: Longs, people: Longs, room: Whole, share: Floats) -> Whole:
    """Pack whole points into a room, exactly; fill in who is in; return what they bring."""
    count = len(gain)
    best = np.zeros(room + 1, np.int64)
    taken = np.zeros((count, room + 1), np.bool_)
    for k in range(count):
        size, value = people[k], gain[k]
        for left in range(room, size - 1, -1):
            if best[left - size] + value > best[left]:
                best[left] = best[left - size] + value
                taken[k, left] = True
    last = np.int64(room)
    for k in range(count - 1, -1, -1):
        share[k] = 0.0
        if taken[k, last]:
            share[k] = 1.0
            last -= people[k]
    return best[room]


@njit(cache=True, nogil=True)
def _fill(gain: Longs, people: Longs, room: Whole, share: Floats) -> Whole:
    """Fill a room with whoever pays most for each place, the last in part; return the most it can bring."""
    order = np.argsort(-(gain / np.maximum(people, 1e-9)), kind="mergesort")
    left = room
    share[:] = 0.0
    worth = np.int64(0)
    for k in order:
        size = people[k]
        if size <= left:
            share[k] = 1.0
            left -= size
        else:
            share[k] = left / size
            worth = gain[k] // size
            break
    total = worth * room
    for k in range(len(gain)):
        total += max(gain[k] - worth * people[k], 0)
    return total


@njit(cache=True, nogil=True)
def worth_of(ground: Ground, room: Room, price: Longs, worth: Worth) -> Whole:
    """Return the bound that prices prove, and fill in what they come to."""
    points, sites = len(price), len(ground.open_cost)
    scale = room.scale[0]
    load = np.zeros(sites, np.int64)
    number = np.zeros(sites + 1, np.int64)
    earned = np.zeros(sites, np.int64)
    for point in range(points):
        for entry in range(ground.first[point], ground.first[point + 1]):
            gain = price[point] - ground.cost[entry] * scale
            if gain <= 0:
                break
            site = ground.candidate[entry]
            earned[site] += gain
            load[site] += room.people[point]
            number[site + 1] += 1
    for site in range(sites):
        number[site + 1] = number[site] + (number[site + 1] if load[site] > room.capacity[site] else 0)
    crowd = number[sites]
    who, gains, sizes = np.empty(crowd, np.int64), np.empty(crowd, np.int64), np.empty(crowd, np.int64)
    share = np.empty(crowd, np.float64)
    if crowd:
        at = number.copy()
        for point in range(points):
            for entry in range(ground.first[point], ground.first[point + 1]):
                gain = price[point] - ground.cost[entry] * scale
                if gain <= 0:
                    break
                site = ground.candidate[entry]
                if load[site] > room.capacity[site]:
                    k = at[site]
                    who[k], gains[k], sizes[k] = point, gain, room.people[point]
                    at[site] = k + 1
        for site in range(sites):
            low, high = number[site], number[site + 1]
            if low == high:
                continue
            if room.is_exact[site] == 1:
                earned[site] = _pack(gains[low:high], sizes[low:high], room.capacity[site], share[low:high])
            else:
                earned[site] = _fill(gains[low:high], sizes[low:high], room.capacity[site], share[low:high])
    total = np.int64(0)
    for site in range(sites):
        worth.site[site] = ground.open_cost[site] * scale - earned[site]
    total += _choose(ground, room, worth)
    for point in range(points):
        total += price[point]
        served = 0.0
        for entry in range(ground.first[point], ground.first[point + 1]):
            if price[point] <= ground.cost[entry] * scale:
                break
            site = ground.candidate[entry]
            if worth.chosen[site] and load[site] <= room.capacity[site]:
                served += 1.0
        worth.served[point] = served
    for site in range(sites):
        if worth.chosen[site]:
            for k in range(number[site], number[site + 1]):
                worth.served[who[k]] += share[k]
    return total


@njit(cache=True, nogil=True)
def sort_rows(first: Longs, candidate: Ints, cost: Longs) -> None:
    """Put the walks of each point in order again, the cheapest first: they nearly are."""
    for point in range(len(first) - 1):
        for entry in range(first[point] + 1, first[point + 1]):
            moved, price = candidate[entry], cost[entry]
            at = entry
            while at > first[point] and cost[at - 1] > price:
                candidate[at], cost[at] = candidate[at - 1], cost[at - 1]
                at -= 1
            candidate[at], cost[at] = moved, price


@njit(cache=True, nogil=True)
def _choose(ground: Ground, room: Room, worth: Worth) -> Whole:
    """Choose the sites that are best open; return what they come to."""
    sites = len(ground.open_cost)
    total, left = np.int64(0), room.opening[0]
    for site in range(sites):
        worth.chosen[site] = 0
        if ground.fixed[site] == 1:
            worth.chosen[site] = 1
            total += worth.site[site]
            left -= 1
    if room.opening[0] < 0:
        for site in range(sites):
            if ground.fixed[site] == 0 and worth.site[site] < 0:
                worth.chosen[site] = 1
                total += worth.site[site]
        return total
    for site in np.argsort(worth.site, kind="mergesort"):
        if left <= 0:
            break
        if ground.fixed[site] == 0:
            worth.chosen[site] = 1
            total += worth.site[site]
            left -= 1
    return total


@njit(cache=True, nogil=True)
def ascend(
    ground: Ground, room: Room, best: Longs, start: Whole, upper: Whole, state: Floats, steps: Whole
) -> Whole:
    """Take steps from the best prices so far; `best` holds the best at the end; return what they prove.

    `state` is the length of steps and goes on from call to call. `start` is what `best` proved so far.
    """
    points, sites = len(best), len(ground.open_cost)
    worth = Worth(np.empty(sites, np.int64), np.empty(sites, np.int32), np.empty(points))
    price = best.copy()
    direction = np.zeros(points)
    proved = start
    idle = 0
    for _ in range(steps):
        value = worth_of(ground, room, price, worth)
        if value > proved:
            proved = value
            best[:] = price
            idle = 0
        else:
            idle += 1
            if idle >= 12:
                # Not back to the best: what the last steps had in common leads on from here.
                idle = 0
                state[0] *= 0.7
                if state[0] < 1e-4:
                    break
        if proved >= upper:
            break
        norm = 0.0
        for point in range(points):
            slope = 1.0 - worth.served[point]
            if (slope < 0 and price[point] <= room.lowest[point]) or (
                slope > 0 and price[point] >= room.highest[point]
            ):
                slope = 0.0
            direction[point] = slope + 0.8 * direction[point]
            norm += direction[point] ** 2
        if norm < 1e-12:
            break
        # Steps that aim a little above what is proved do not die out when a plan comes near the bound.
        length = state[0] * (max(upper, proved + proved // 256) - value) / norm
        for point in range(points):
            moved = price[point] + np.int64(np.rint(length * direction[point]))
            price[point] = min(max(moved, room.lowest[point]), room.highest[point])
    return proved
