# SPDX-License-Identifier: Apache-2.0
"""A handful of atoms: every division into connected parts is tried, so a hamlet gets the best there is."""

from __future__ import annotations

import numba
import numpy as np

from muster.planning._kernel.arrays import Ints, Longs

MOST_ATOMS = 9


@numba.njit(cache=True, nogil=True)
def best_of_all(rows: Longs, heads: Ints, ties: Ints, weight: Longs, goal: Longs) -> Ints:
    """Return the division with the least worst deviation, then the least of all, then the fewest cut ties.

    The lightest part is measured against the lightest goal, and so on upwards; parts are numbered as their
    goals are. The region is connected and has at least as many atoms as there are parts.
    """
    size, parts = len(weight), len(goal)
    near = np.zeros(size, np.int64)
    tie = np.zeros((size, size), np.int64)
    for v in range(size):
        for p in range(rows[v], rows[v + 1]):
            near[v] |= 1 << heads[p]
            tie[v, heads[p]] = ties[p]
    by_goal = np.argsort(goal)
    label = np.zeros(size, np.int64)
    highest = np.zeros(size + 1, np.int64)
    best = np.zeros(size, np.int32)
    least = 1e300
    while True:
        if highest[size - 1] == parts - 1 and _all_connected(label, parts, near):
            load = np.zeros(parts, np.int64)
            cut = 0
            for v in range(size):
                load[label[v]] += weight[v]
                for u in range(v):
                    if label[u] != label[v]:
                        cut += tie[v, u]
            by_load = np.argsort(load)
            worst, uneven = 0.0, 0.0
            for k in range(parts):
                off = abs(load[by_load[k]] / goal[by_goal[k]] - 1.0)
                worst = max(worst, off)
                uneven += off * off
            # each step counts only where the one before it is equal
            energy = worst + 1e-4 * uneven + 1e-10 * cut
            if energy < least:
                least = energy
                for k in range(parts):
                    for v in range(size):
                        if label[v] == by_load[k]:
                            best[v] = by_goal[k]
        # the next way to number parts in the order in which they first appear
        v = size - 1
        while v > 0 and (label[v] > highest[v - 1] or label[v] == parts - 1):
            v -= 1
        if v == 0:
            return best
        label[v] += 1
        highest[v] = max(highest[v - 1], label[v])
        for u in range(v + 1, size):
            label[u] = 0
            highest[u] = highest[u - 1]


@numba.njit(cache=True, nogil=True)
def _all_connected(label: Longs, parts: int, near: Longs) -> bool:
    for part in range(parts):
        inside, first = 0, -1
        for v in range(len(label)):
            if label[v] == part:
                inside |= 1 << v
                first = v
        reached, before = 1 << first, 0
        while reached != before:
            before = reached
            for v in range(len(label)):
                if (reached >> v) & 1:
                    reached |= near[v] & inside
        if reached != inside:
            return False
    return True
