# SPDX-License-Identifier: Apache-2.0
"""Ruin and recreate: strings of neighbouring tours are taken out and put back, under a falling temperature.

Christiaens and Vanden Berghe (2020), Slack induction by string removals, Transportation Science 54(2); here
positions are looked for beside near stops only, and a step that is not kept is taken back step by step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from muster.planning._kernel.arrays import Longs
from muster.planning.routing._ground import (
    AFTER,
    BEFORE,
    COST,
    COUNT,
    DELIVERY,
    DEMAND,
    FAR,
    FROM,
    LEFT,
    NONE,
    OUT_AT,
    OVERLOOK,
    PARTNER,
    PENALTY,
    ROLE,
    SINGLE,
    TOUR,
    UNTIL,
    Ground,
    Rows,
    Tours,
    Whole,
    link,
    relabel,
    unlink,
)
from muster.planning.routing._placing import put_in

# So many stops are taken out on average, in strings of at most so many.
_MEAN_OUT = 10
_LONGEST = 10
# Of many stops left out, so many are tried again in one step.
_TRIED = 12
# How often a stop that may be left out is left out without looking.
_SKIPPED = 0.1


class Journal(NamedTuple):
    """What one step changed, so that it can be taken back."""

    entry: Rows  # (stop, the node before it, 1 when it was put in and 0 when it was taken out)
    touched: Rows  # (a vehicle that was changed, and by vehicle the number of the step that last changed it)
    size: Longs  # [entries, vehicles, step]


def new_journal(g: Ground) -> Journal:
    """Return an empty journal for a ground."""
    return Journal(
        np.zeros((2 * g.stops + 16, 3), np.int64),
        np.zeros((g.vehicles + 1, 2), np.int64),
        np.zeros(3, np.int64),
    )


@njit(cache=True, nogil=True)
def _touch(j: Journal, v: Whole) -> None:
    if j.touched[v, 1] != j.size[2]:
        j.touched[v, 1] = j.size[2]
        j.touched[j.size[1], 0] = v
        j.size[1] += 1


@njit(cache=True, nogil=True)
def _write(j: Journal, t: Tours, stop: Whole, put: Whole) -> None:
    at = j.size[0]
    j.entry[at, 0], j.entry[at, 1], j.entry[at, 2] = stop, t.node[stop, BEFORE], put
    j.size[0] += 1
    _touch(j, t.node[stop, TOUR])


@njit(cache=True, nogil=True)
def _take(g: Ground, t: Tours, j: Journal, stop: Whole) -> None:
    """Take a stop out, and its partner."""
    _write(j, t, stop, 0)
    unlink(g, t, stop)
    if g.node[stop, ROLE] != SINGLE and t.node[g.node[stop, PARTNER], TOUR] != NONE:
        _write(j, t, g.node[stop, PARTNER], 0)
        unlink(g, t, g.node[stop, PARTNER])


@njit(cache=True, nogil=True)
def _take_string(g: Ground, t: Tours, j: Journal, stop: Whole, length: Whole, kept: Whole) -> None:
    """Take `length` stops out of a tour around a stop, leaving `kept` in their midst."""
    n = g.stops
    v = t.node[stop, TOUR]
    span = length + kept
    back = np.random.randint(span)
    node: Whole = np.int64(stop)
    while back > 0 and t.node[node, BEFORE] < n:
        node = np.int64(t.node[node, BEFORE])
        back -= 1
    # Near the end of the tour the string begins earlier, so that it is as long as wanted.
    ahead, probe = 1, np.int64(node)
    while ahead < span and t.node[probe, AFTER] < n:
        probe = np.int64(t.node[probe, AFTER])
        ahead += 1
    while ahead < span and t.node[node, BEFORE] < n:
        node = np.int64(t.node[node, BEFORE])
        ahead += 1
    skip_from = np.random.randint(1, length) if kept > 0 and length > 1 else span
    place = 0
    while place < span and node < n and t.node[node, TOUR] == v:
        onward = np.int64(t.node[node, AFTER])
        if g.node[node, ROLE] != SINGLE and onward == g.node[node, PARTNER]:
            onward = np.int64(t.node[onward, AFTER])
        if not skip_from <= place < skip_from + kept:
            _take(g, t, j, node)
        place += 1
        node = onward


@njit(cache=True, nogil=True)
def _ruin(g: Ground, t: Tours, j: Journal) -> None:
    n = g.stops
    served = n - t.totals[LEFT]
    if served == 0:
        return
    if t.totals[LEFT] and np.random.random() < 0.5:
        seed = np.int64(t.out[np.random.randint(t.totals[LEFT])])
    else:
        seed = np.int64(np.random.randint(n))
    used = g.vehicles - np.sum(t.spare_count)
    longest = min(_LONGEST, max(1.0, served / max(1, used)))
    most = 4.0 * _MEAN_OUT / (1.0 + longest) - 1.0
    strings = np.int64(np.random.random() * most + 1.0)
    # The seed itself, then its neighbours.
    for k in range(-1, g.near.shape[1]):
        stop = seed if k < 0 else np.int64(g.near[seed, k])
        if stop < 0 or strings == 0:
            break
        v = t.node[stop, TOUR]
        if v < 0 or j.touched[v, 1] == j.size[2]:
            continue
        # A string covers at most the whole tour.
        length = np.int64(np.random.random() * min(longest, t.vehicle[v, COUNT]) + 1.0)
        length = min(length, t.vehicle[v, COUNT])
        kept = np.int64(0)
        if 1 < length < t.vehicle[v, COUNT] and np.random.random() < 0.5:
            kept = np.int64(1)
        _take_string(g, t, j, stop, length, kept)
        strings -= 1


@njit(cache=True, nogil=True)
def _in_random_order(g: Ground, t: Tours, j: Journal, chosen: Longs) -> Whole:
    """List the stops to put back, in one of several orders; return how many.

    Those just taken out stand last among those left out; of many others only some are tried again.
    """
    left, fresh = t.totals[LEFT], j.size[0]
    older = left - fresh
    count = np.int64(0)
    for k in range(older - 1, -1, -1):
        if older - k > _TRIED:
            break
        other = np.random.randint(k + 1)
        one, two = t.out[k], t.out[other]
        t.out[k], t.out[other] = two, one
        t.node[two, OUT_AT], t.node[one, OUT_AT] = k, other
        if g.node[two, ROLE] != DELIVERY:
            chosen[count] = two
            count += 1
    for k in range(older, left):
        if g.node[t.out[k], ROLE] != DELIVERY:
            chosen[count] = t.out[k]
            count += 1
    key = np.empty(count)
    draw = np.random.random() * (17.0 if g.timed else 11.0)
    for k in range(count):
        stop = chosen[k]
        if draw < 4.0:
            key[k] = np.random.random()
        elif draw < 8.0:
            key[k] = -g.node[stop, DEMAND]
        elif draw < 10.0:
            key[k] = -g.node[stop, FAR]
        elif draw < 11.0:
            key[k] = g.node[stop, FAR]
        elif draw < 13.0:
            key[k] = g.node[stop, UNTIL] - g.node[stop, FROM]
        elif draw < 15.0:
            key[k] = g.node[stop, FROM]
        else:
            key[k] = -g.node[stop, UNTIL]
    for k in range(1, count):
        stop, value = chosen[k], key[k]
        at = k
        while at > 0 and key[at - 1] > value:
            chosen[at], key[at] = chosen[at - 1], key[at - 1]
            at -= 1
        chosen[at], key[at] = stop, value
    return count


@njit(cache=True, nogil=True)
def _take_back(g: Ground, t: Tours, j: Journal) -> None:
    for k in range(j.size[0] - 1, -1, -1):
        if j.entry[k, 2]:
            unlink(g, t, j.entry[k, 0])
        else:
            link(g, t, j.entry[k, 0], j.entry[k, 1])
    if g.timed or g.paired:
        for k in range(j.size[1]):
            relabel(g, t, j.touched[k, 0])


@njit(cache=True, nogil=True)
def anneal(
    g: Ground,
    t: Tours,
    j: Journal,
    best: Longs,
    best_cost: Whole,
    hot: float,
    cold: float,
    steps: Whole,
    seed: Whole,
) -> Whole:
    """Take so many steps from the tours as they are; `best` gets the links of the best tours seen.

    Returns their cost. The temperature falls from hot to cold.
    """
    np.random.seed(seed)
    t.totals[OVERLOOK] = np.random.randint(1, 200)
    chosen = np.empty(g.stops + 1, np.int64)
    cooling = (cold / hot) ** (1.0 / max(1, steps))
    heat = hot
    for _ in range(steps):
        j.size[0] = j.size[1] = 0
        j.size[2] += 1
        was = t.totals[COST]
        _ruin(g, t, j)
        if g.timed or g.paired:
            for k in range(j.size[1]):
                relabel(g, t, j.touched[k, 0])
        thorough = np.int64(np.random.random() < 0.05)
        for k in range(_in_random_order(g, t, j, chosen)):
            stop = chosen[k]
            if g.node[stop, PENALTY] < g.must and np.random.random() < _SKIPPED:
                continue
            if put_in(g, t, stop, thorough):
                _write(j, t, stop, 1)
                if g.node[stop, ROLE] != SINGLE:
                    _write(j, t, g.node[stop, PARTNER], 1)
        now = t.totals[COST]
        if now < best_cost:
            best_cost = now
            best[:] = t.node[:, AFTER]
        elif now >= was - heat * np.log(max(1e-300, np.random.random())):
            _take_back(g, t, j)
        heat *= cooling
    return best_cost
