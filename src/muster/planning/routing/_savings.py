# SPDX-License-Identifier: Apache-2.0
"""The first tours where vehicles are alike: savings (Clarke and Wright 1964) over near pairs."""

from __future__ import annotations

import numpy as np
from numba import njit

from muster.planning._kernel.arrays import Ints
from muster.planning.routing._ground import (
    DEMAND,
    FIRST,
    MOST_LENGTH,
    MOST_STOPS,
    NONE,
    ROOM,
    TOUR,
    Ground,
    Tours,
    Whole,
    leg_between,
    link,
)


@njit(cache=True, nogil=True)
def join_by_savings(g: Ground, t: Tours) -> None:
    """Lay tours out by joining ends of tours where that saves most; tours over the fleet stay left out."""
    n = g.stops
    most = g.kinds[0, MOST_STOPS]
    count = np.int64(0)
    total = n * g.near.shape[1]
    one, other, gain = np.empty(total, np.int32), np.empty(total, np.int32), np.empty(total, np.int64)
    home = np.empty(n, np.int64)
    for stop in range(n):
        home[stop] = leg_between(g, n, stop)
    for stop in range(n):
        for near in g.near[stop]:
            if near < 0:
                break
            # A pair that stands in both lists is taken once.
            if near < stop and _lists(g, near, stop):
                continue
            saved = home[stop] + home[near] - leg_between(g, stop, near)
            if saved > 0:
                one[count], other[count], gain[count] = stop, near, -saved
                count += 1
    root = np.arange(n)
    load = g.node[: g.stops, DEMAND].copy()
    size = np.ones(n, np.int64)
    length = 2 * home
    left, right = np.full(n, NONE, np.int32), np.full(n, NONE, np.int32)
    for k in np.argsort(gain[:count], kind="mergesort"):
        a, b = one[k], other[k]
        if (left[a] >= 0 and right[a] >= 0) or (left[b] >= 0 and right[b] >= 0):
            continue
        ra, rb = _root(root, a), _root(root, b)
        joined = length[ra] + length[rb] + gain[k]
        if ra == rb or load[ra] + load[rb] > g.kinds[0, ROOM] or size[ra] + size[rb] > most:
            continue
        if joined > g.kinds[0, MOST_LENGTH]:
            continue
        root[rb] = ra
        load[ra] += load[rb]
        size[ra] += size[rb]
        length[ra] = joined
        if left[a] < 0:
            left[a] = b
        else:
            right[a] = b
        if left[b] < 0:
            left[b] = a
        else:
            right[b] = a
    _lay_out(g, t, left, right, load, length)


@njit(cache=True, nogil=True)
def _lists(g: Ground, stop: Whole, wanted: Whole) -> bool:
    return bool(np.any(g.near[stop] == wanted))


@njit(cache=True, nogil=True)
def _root(root: np.ndarray, stop: Whole) -> Whole:
    while root[stop] != stop:
        root[stop] = root[root[stop]]
        stop = root[stop]
    return stop


@njit(cache=True, nogil=True)
def _lay_out(g: Ground, t: Tours, left: Ints, right: Ints, load: np.ndarray, length: np.ndarray) -> None:
    """Put the chains into vehicles while there are any; a chain too heavy or too long stays out."""
    n = g.stops
    for stop in range(n):
        if t.node[stop, TOUR] >= 0 or (left[stop] >= 0 and right[stop] >= 0) or t.spare_count[0] == 0:
            continue
        v = t.spare[g.kinds[0, FIRST] + t.spare_count[0] - 1]
        behind: Whole = np.int64(n + v)
        node: Whole = np.int64(stop)
        while node != NONE:
            onward: Whole = np.int64(NONE)
            if left[node] >= 0 and t.node[left[node], TOUR] < 0:
                onward = np.int64(left[node])
            elif right[node] >= 0 and t.node[right[node], TOUR] < 0:
                onward = np.int64(right[node])
            too_long = (
                leg_between(g, n, node) + leg_between(g, node, n + g.vehicles) > g.kinds[0, MOST_LENGTH]
            )
            if g.node[node, DEMAND] <= g.kinds[0, ROOM] and not too_long:
                link(g, t, node, behind)
                behind = node
            node = onward
