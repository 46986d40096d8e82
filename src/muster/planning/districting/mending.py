# SPDX-License-Identifier: Apache-2.0
"""Mending a division (numba): parts that fell apart become whole, empty parts get atoms."""

from __future__ import annotations

import numba
import numpy as np

from muster.planning._kernel.arrays import Ints, Longs


@numba.njit(cache=True, nogil=True)
def fragments(rows: Longs, heads: Ints, label: Ints) -> tuple[Longs, int]:
    """Return for each atom the number of its fragment: a connected piece of one part."""
    size = len(label)
    fragment = np.full(size, -1, np.int64)
    queue = np.empty(size, np.int64)
    count = 0
    for start in range(size):
        if fragment[start] >= 0:
            continue
        fragment[start] = count
        queue[0] = start
        at, end = 0, 1
        while at < end:
            u = queue[at]
            at += 1
            for p in range(rows[u], rows[u + 1]):
                t = heads[p]
                if fragment[t] < 0 and label[t] == label[u]:
                    fragment[t] = count
                    queue[end] = t
                    end += 1
        count += 1
    return fragment, count


@numba.njit(cache=True, nogil=True)
def whole_parts(rows: Longs, heads: Ints, weight: Longs, label: Ints, goal: Longs) -> Ints:
    """Return a division of a connected region in which each part is one piece and none is empty.

    Of each part the heaviest fragment stays; the others go to the neighbouring part that is least full.
    An empty part takes the better half of the fullest part that can be halved.
    """
    size, parts = len(label), len(goal)
    label = label.copy()
    while True:
        fragment, count = fragments(rows, heads, label)
        heavy = np.zeros(count, np.int64)
        owner = np.zeros(count, np.int64)
        for v in range(size):
            heavy[fragment[v]] += weight[v] + 1
            owner[fragment[v]] = label[v]
        main = np.full(parts, -1, np.int64)
        load = np.zeros(parts, np.int64)
        for f in range(count):
            if main[owner[f]] < 0 or heavy[f] > heavy[main[owner[f]]]:
                main[owner[f]] = f
            load[owner[f]] += heavy[f]
        target = np.full(count, -1, np.int64)
        strays = 0
        for v in range(size):
            f = fragment[v]
            if main[label[v]] == f:
                continue
            strays += 1
            for p in range(rows[v], rows[v + 1]):
                b = label[heads[p]]
                # only to what stays: two strays given to each other's parts would change places for ever
                if b == label[v] or main[b] != fragment[heads[p]]:
                    continue
                if target[f] < 0 or load[b] / goal[b] < load[target[f]] / goal[target[f]]:
                    target[f] = b
        if strays == 0:
            break
        for v in range(size):
            if target[fragment[v]] >= 0:
                label[v] = target[fragment[v]]
    for empty in range(parts):
        if main[empty] < 0:
            _take_half(rows, heads, weight, label, goal, empty)
    return label


@numba.njit(cache=True, nogil=True)
def _take_half(rows: Longs, heads: Ints, weight: Longs, label: Ints, goal: Longs, empty: int) -> None:
    """Give the empty part about half of the fullest part of two atoms or more, cut along a tree."""
    size, parts = len(label), len(goal)
    load = np.zeros(parts, np.int64)
    atoms = np.zeros(parts, np.int64)
    for v in range(size):
        load[label[v]] += weight[v]
        atoms[label[v]] += 1
    donor = -1
    for part in range(parts):
        if atoms[part] >= 2 and (donor < 0 or load[part] / goal[part] > load[donor] / goal[donor]):
            donor = part
    order = np.empty(atoms[donor], np.int64)
    parent = np.full(size, -1, np.int64)
    below = weight.copy()
    end = 0
    for v in range(size):
        if label[v] == donor:
            order[0] = v
            parent[v] = v
            end = 1
            break
    at = 0
    while at < end:
        u = order[at]
        at += 1
        for p in range(rows[u], rows[u + 1]):
            t = heads[p]
            if label[t] == donor and parent[t] < 0:
                parent[t] = u
                order[end] = t
                end += 1
    best = order[end - 1]
    least = -1.0
    for i in range(end - 1, 0, -1):
        v = order[i]
        below[parent[v]] += below[v]
        uneven = abs(2.0 * below[v] - load[donor])
        if least < 0.0 or uneven < least:
            least, best = uneven, v
    label[best] = empty
    for i in range(1, end):
        if label[parent[order[i]]] == empty:
            label[order[i]] = empty
