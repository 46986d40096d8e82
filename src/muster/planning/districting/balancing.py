# SPDX-License-Identifier: Apache-2.0
"""Improving a division (numba): atoms move between neighbouring parts, or two change places.

Energy is what a person would complain of: parts off their goal (steeply beyond the tolerance), cut
neighbourhoods, parts that are not compact, households that change their grid. Moves that raise it a
little are taken while the search is hot (threshold accepting); a part never falls apart.
"""

from __future__ import annotations

import numba
import numpy as np

from muster.planning._kernel.arrays import Bools, Floats, Ints, Longs

# A walk through a part that has not come round after so many atoms counts as cut off: it is never wrong
# to leave an atom where it is.
_WALK_LIMIT = 400


@numba.njit(cache=True, nogil=True)
def roll(dice: Longs) -> int:
    """Return the next of a row of scattered numbers from 0 to 2^31 - 1 (xorshift on 32 bits)."""
    state = dice[0]
    state ^= (state << 13) & 0xFFFFFFFF
    state ^= state >> 17
    state ^= (state << 5) & 0xFFFFFFFF
    dice[0] = state
    return state >> 1


@numba.njit(cache=True, nogil=True)
def stays_whole(v: int, rows: Longs, heads: Ints, label: Ints, seen: Longs, stamp: int, queue: Ints) -> bool:
    """Say whether the part of atom v stays in one piece, and not empty, without it."""
    part = label[v]
    mates = 0
    first = -1
    for p in range(rows[v], rows[v + 1]):
        if label[heads[p]] == part:
            mates += 1
            first = heads[p]
    if mates <= 1:
        return mates == 1
    seen[v] = stamp
    seen[first] = stamp
    queue[0] = first
    at, end, met = 0, 1, 0
    while at < end and end < _WALK_LIMIT:
        u = queue[at]
        at += 1
        for p in range(rows[u], rows[u + 1]):
            t = heads[p]
            if t == v:
                met += 1
            elif label[t] == part and seen[t] != stamp:
                seen[t] = stamp
                queue[end] = t
                end += 1
        if met == mates:
            return True
    return met == mates


@numba.njit(cache=True, nogil=True)
def _off(load: int, goal: int, tolerance: float, steep: float) -> float:
    """Return the energy of a part that carries this load instead of its goal."""
    off = load / goal - 1.0
    beyond = max(0.0, abs(off) - tolerance)
    return off * off + steep * beyond


@numba.njit(cache=True, nogil=True)
def _change(
    v: int,
    b: int,
    rows: Longs,
    heads: Ints,
    ties: Ints,
    weight: Longs,
    x: Floats,
    y: Floats,
    mass: Longs,
    home: Ints,
    label: Ints,
    goal: Longs,
    load: Longs,
    bulk: Longs,
    sum_x: Floats,
    sum_y: Floats,
    price: Floats,
) -> float:
    """Return by how much the energy changes when atom v goes to part b.

    `price` holds: where steepness begins, steepness, the cost of a cut tie, of a square metre of inertia, of
    a person moved, and the tolerance.
    """
    a = label[v]
    soft, steep = price[0], price[1]
    change = (
        _off(load[a] - weight[v], goal[a], soft, steep)
        + _off(load[b] + weight[v], goal[b], soft, steep)
        - _off(load[a], goal[a], soft, steep)
        - _off(load[b], goal[b], soft, steep)
    )
    cut = 0
    for p in range(rows[v], rows[v + 1]):
        if label[heads[p]] == a:
            cut += ties[p]
        elif label[heads[p]] == b:
            cut -= ties[p]
    change += price[2] * cut
    if price[3] > 0.0:
        m = float(mass[v])
        leaving = (x[v] - sum_x[a] / bulk[a]) ** 2 + (y[v] - sum_y[a] / bulk[a]) ** 2
        coming = (x[v] - sum_x[b] / bulk[b]) ** 2 + (y[v] - sum_y[b] / bulk[b]) ** 2
        left = float(bulk[a]) - m
        inertia = coming * m * bulk[b] / (bulk[b] + m)
        if left > 0.0:
            inertia -= leaving * m * bulk[a] / left
        change += price[3] * inertia
    if home[v] >= 0:
        if home[v] == a:
            change += price[4] * weight[v]
        elif home[v] == b:
            change -= price[4] * weight[v]
    return change


@numba.njit(cache=True, nogil=True)
def _put(
    v: int,
    b: int,
    weight: Longs,
    x: Floats,
    y: Floats,
    mass: Longs,
    label: Ints,
    load: Longs,
    bulk: Longs,
    sum_x: Floats,
    sum_y: Floats,
) -> None:
    a = label[v]
    label[v] = b
    load[a] -= weight[v]
    load[b] += weight[v]
    bulk[a] -= mass[v]
    bulk[b] += mass[v]
    sum_x[a] -= mass[v] * x[v]
    sum_x[b] += mass[v] * x[v]
    sum_y[a] -= mass[v] * y[v]
    sum_y[b] += mass[v] * y[v]


@numba.njit(cache=True, nogil=True)
def worst_off(load: Longs, goal: Longs) -> float:
    """Return the largest relative deviation of a part from its goal."""
    worst = 0.0
    for part in range(len(goal)):
        worst = max(worst, abs(load[part] / goal[part] - 1.0))
    return worst


@numba.njit(cache=True, nogil=True)
def improve(
    rows: Longs,
    heads: Ints,
    ties: Ints,
    weight: Longs,
    x: Floats,
    y: Floats,
    mass: Longs,
    movable: Bools,
    home: Ints,
    label: Ints,
    goal: Longs,
    price: Floats,
    hot: float,
    cold: float,
    steps: int,
    seed: int,
) -> float:
    """Improve `label` in place over so many trials, cooling from hot to cold; returns the worst deviation.

    The best division met is kept: the least beyond the tolerance, then the last one met.
    """
    size, parts = len(weight), len(goal)
    load = np.zeros(parts, np.int64)
    bulk = np.zeros(parts, np.int64)
    sum_x = np.zeros(parts, np.float64)
    sum_y = np.zeros(parts, np.float64)
    for v in range(size):
        part = label[v]
        load[part] += weight[v]
        bulk[part] += mass[v]
        sum_x[part] += mass[v] * x[v]
        sum_y[part] += mass[v] * y[v]
    seen = np.zeros(size, np.int64)
    queue = np.empty(size + 1, np.int32)
    dice = np.empty(1, np.int64)
    dice[0] = (seed * 2654435761 + 88675123) % 4294967296
    if dice[0] == 0:
        dice[0] = 1
    stamp = 0
    best = label.copy()
    best_worst = max(price[5], worst_off(load, goal))
    rate = 1.0 if hot <= 0.0 or cold <= 0.0 else (cold / hot) ** (1.0 / max(1, steps // size))
    heat = hot
    for step in range(steps):
        if step % size == size - 1:
            heat *= rate
            worst = max(price[5], worst_off(load, goal))
            if worst <= best_worst:
                best_worst = worst
                best[:] = label
        v = roll(dice) % size
        degree = rows[v + 1] - rows[v]
        if degree == 0 or not movable[v]:
            continue
        t = heads[rows[v] + roll(dice) % degree]
        a, b = label[v], label[t]
        if a == b:
            continue
        limit = heat * (roll(dice) / 2147483648.0)
        change = _change(
            v, b, rows, heads, ties, weight, x, y, mass, home, label, goal, load, bulk, sum_x, sum_y, price
        )
        if change <= limit:
            stamp += 1
            if stays_whole(v, rows, heads, label, seen, stamp, queue):
                _put(v, b, weight, x, y, mass, label, load, bulk, sum_x, sum_y)
            continue
        # too dear alone: let an atom of the other part come over in exchange
        degree = rows[t + 1] - rows[t]
        u = heads[rows[t] + roll(dice) % degree]
        if u == v or label[u] != b or not movable[u]:
            u = t
        if not movable[u]:
            continue
        stamp += 1
        if not stays_whole(v, rows, heads, label, seen, stamp, queue):
            continue
        _put(v, b, weight, x, y, mass, label, load, bulk, sum_x, sum_y)
        touches = False
        for p in range(rows[u], rows[u + 1]):
            if label[heads[p]] == a:
                touches = True
        back = 1e300
        if touches:
            back = _change(
                u,
                a,
                rows,
                heads,
                ties,
                weight,
                x,
                y,
                mass,
                home,
                label,
                goal,
                load,
                bulk,
                sum_x,
                sum_y,
                price,
            )
        stamp += 1
        if change + back <= limit and stays_whole(u, rows, heads, label, seen, stamp, queue):
            _put(u, a, weight, x, y, mass, label, load, bulk, sum_x, sum_y)
        else:
            _put(v, a, weight, x, y, mass, label, load, bulk, sum_x, sum_y)
    worst = max(price[5], worst_off(load, goal))
    if worst <= best_worst:
        best[:] = label
    label[:] = best
    return worst_off(loads(weight, label, parts), goal)


@numba.njit(cache=True, nogil=True)
def loads(weight: Longs, label: Ints, parts: int) -> Longs:
    load = np.zeros(parts, np.int64)
    for v in range(len(weight)):
        load[label[v]] += weight[v]
    return load
