# SPDX-License-Identifier: Apache-2.0
"""Least trees over all stops, with a price at each stop that pushes it towards two neighbours."""

from __future__ import annotations

import numpy as np
from numba import njit

from muster.planning._kernel.arrays import Floats, Ints, Longs
from muster.planning.routing._ground import Table


@njit(cache=True, nogil=True)
def least_tree(xy: Floats, table: Table, price: Floats, scale: float, rounding: float) -> tuple[Floats, Ints]:
    """Return for each stop but the first the priced length of its edge to the tree, and the other end.

    With a table, its entries are the lengths; else they are straight, rounded down after adding `rounding`.
    """
    n = len(price)
    listed = table.shape[0] > 1
    least, other = np.full(n, np.inf), np.zeros(n, np.int32)
    waiting = np.arange(n)
    left, at = n - 1, 0
    waiting[0] = waiting[n - 1]
    while left > 0:
        best, where = np.inf, 0
        ax, ay, pa = xy[at, 0], xy[at, 1], price[at]
        for k in range(left):
            b = waiting[k]
            if listed:
                length = float(table[at, b])
            else:
                dx, dy = ax - xy[b, 0], ay - xy[b, 1]
                length = np.floor(np.sqrt(dx * dx + dy * dy) * scale + rounding)
            length += pa + price[b]
            if length < least[b]:
                least[b], other[b] = length, at
            if least[b] < best:
                best, where = least[b], k
        at = waiting[where]
        left -= 1
        waiting[where] = waiting[left]
    return least, other


@njit(cache=True, nogil=True)
def forest_bound(
    least: Floats, other: Ints, out: Floats, home: Floats, extra: Floats, low: int, high: int
) -> tuple[float, int, Longs]:
    """Return the least cost of `low` to `high` tours that are chains of a forest, their number, the degrees.

    `out` and `home` are priced ways from and to a depot; `extra` is by number of tours what is due besides.
    """
    n = len(least)
    edges = np.argsort(-least[1:]) + 1  # longest first: they go when there are more tours
    first, last = np.argsort(out), np.argsort(home)
    forest = 0.0
    for b in range(1, n):
        forest += least[b]
    best, number = np.inf, low
    cost = forest
    for k in range(1, high + 1):
        if k > 1:
            cost -= least[edges[k - 2]]
        cost += out[first[k - 1]] + home[last[k - 1]]
        if k >= low and cost + extra[k] < best:
            best, number = cost + extra[k], k
    degree = np.zeros(n, np.int64)
    for b in range(1, n):
        degree[b] += 1
        degree[other[b]] += 1
    for k in range(number - 1):
        degree[edges[k]] -= 1
        degree[other[edges[k]]] -= 1
    for k in range(number):
        degree[first[k]] += 1
        degree[last[k]] += 1
    return best, number, degree
