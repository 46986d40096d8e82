# SPDX-License-Identifier: Apache-2.0
"""Stops, vehicles and tours as arrays for the search: linked stops, what each tour carries, when it arrives.

Nodes are the stops, then the start of each vehicle, then its end. A vehicle that has already driven starts
where it now is. Vehicles that are alike are of one kind.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from muster.planning._kernel.arrays import Floats, Longs

Whole: TypeAlias = int | np.signedinteger[Any]
Table: TypeAlias = NDArray[np.int32]
Rows: TypeAlias = NDArray[np.int64]
NONE = -1
NEVER = 1 << 60
# A leg where there is no way; a tour never has one.
NO_WAY = 1_000_000_000
FORBIDDEN = 1 << 56
# How long a leg is.
ROUNDED, TENTHS, LISTED = 0, 1, 2
SINGLE, PICKUP, DELIVERY = 0, 1, 2

# Columns of Ground.node. Service begins FROM to UNTIL; PENALTY is the cost of leaving a stop out; NEED has
# the bits of skills; ONLY is the kind of vehicle that a person fixed; FAR is the way from the nearest depot;
# PLACE is the row of the tables, NONE where a tour may end anywhere.
FROM, UNTIL, SERVICE, DEMAND, PENALTY, NEED, ONLY, PARTNER, ROLE, FAR, PLACE = range(11)
GROUND_NODE_COLUMNS = 12
# Columns of Ground.vehicle.
KIND = 0
GROUND_VEHICLE_COLUMNS = 1
# Columns of Ground.kinds; ALWAYS is 1 when the vehicle is under way already.
FIRST, ROOM, MOST_STOPS, MOST_LENGTH, MOST_SPAN, FIXED, SKILLS, ALWAYS = range(8)
KIND_COLUMNS = 8
# Columns of Tours.node. LEG is the way to the next; BEGIN the earliest begin of service, LATEST the last that
# keeps the rest on time; BOARD the load when leaving; OUT_AT the place in the list of those left out.
AFTER, BEFORE, TOUR, LEG, BEGIN, LATEST, BOARD, OUT_AT = range(8)
NODE_COLUMNS = 8
# Columns of Tours.vehicle.
LOAD, COUNT, LENGTH, PAIRS, SPARE_AT = range(5)
VEHICLE_COLUMNS = 8
# Places in Tours.totals: the cost, how many are left out, positions until one is overlooked.
COST, LEFT, OVERLOOK = range(3)


class Ground(NamedTuple):
    """What does not change during a search. One row of a table holds what belongs together."""

    xy: Floats
    node: Rows
    vehicle: Rows
    kinds: Rows
    near: Table
    near_leg: Rows  # the way from a stop to each of its near ones
    table: Table
    time_table: Table
    stops: int
    vehicles: int
    metric: int
    scale: float  # legs per unit of the plane
    pace_up: int  # time of a leg = length x pace_up / pace_down, upwards
    pace_down: int
    opens: int  # 1 when some tours end anywhere
    timed: int  # 1 when windows, shifts or spans bind
    paired: int
    must: int  # the penalty of stops that have to be served


class Tours(NamedTuple):
    """A set of tours that the search changes."""

    node: Rows
    vehicle: Rows
    out: Longs  # stops left out, in no order
    spare: Longs  # unused vehicles of each kind
    spare_count: Longs
    totals: Longs


@njit(cache=True, nogil=True)
def leg_between(g: Ground, a: Whole, b: Whole) -> Whole:
    """Return how long the way from one node to another is."""
    if g.opens and (g.node[a, PLACE] < 0 or g.node[b, PLACE] < 0):
        return np.int64(0)
    if g.metric == LISTED:
        length = np.int64(g.table[g.node[a, PLACE], g.node[b, PLACE]])
        return length if length < NO_WAY else np.int64(FORBIDDEN)
    dx = g.xy[a, 0] - g.xy[b, 0]
    dy = g.xy[a, 1] - g.xy[b, 1]
    far = np.sqrt(dx * dx + dy * dy)
    if g.metric == ROUNDED:
        return np.int64(far * g.scale + 0.5)
    return np.int64(far * g.scale)


@njit(cache=True, nogil=True)
def time_between(g: Ground, a: Whole, b: Whole) -> Whole:
    """Return how long the way takes."""
    if g.metric == LISTED:
        if g.node[a, PLACE] < 0 or g.node[b, PLACE] < 0:
            return np.int64(0)
        time = np.int64(g.time_table[g.node[a, PLACE], g.node[b, PLACE]])
        return time if time < NO_WAY else np.int64(FORBIDDEN)
    length = leg_between(g, a, b)
    if g.pace_up == g.pace_down:
        return length
    return (length * g.pace_up + g.pace_down - 1) // g.pace_down


@njit(cache=True, nogil=True)
def time_onward(g: Ground, t: Tours, a: Whole) -> Whole:
    """Return how long the way takes from a node to the next one in its tour."""
    if g.metric == LISTED:
        return time_between(g, a, t.node[a, AFTER])
    if g.pace_up == g.pace_down:
        return t.node[a, LEG]
    return (t.node[a, LEG] * g.pace_up + g.pace_down - 1) // g.pace_down


@njit(cache=True, nogil=True)
def begin_after(g: Ground, t: Tours, a: Whole, b: Whole) -> Whole:
    """Return the earliest begin at b right after a."""
    return max(g.node[b, FROM], t.node[a, BEGIN] + g.node[a, SERVICE] + time_between(g, a, b))


@njit(cache=True, nogil=True)
def opening_cost(g: Ground, vehicle: Whole) -> Whole:
    """Return what the first stop of a vehicle costs beyond its detour."""
    kind = g.vehicle[vehicle, KIND]
    if g.kinds[kind, ALWAYS]:
        return np.int64(0)
    first = g.stops + vehicle
    return g.kinds[kind, FIXED] + leg_between(g, first, first + g.vehicles)


@njit(cache=True, nogil=True)
def link(g: Ground, t: Tours, stop: Whole, behind: Whole) -> None:
    """Put a stop that is left out into a tour, behind a node."""
    v = t.node[behind, TOUR]
    onward = t.node[behind, AFTER]
    there, on = leg_between(g, behind, stop), leg_between(g, stop, onward)
    change = there + on - t.node[behind, LEG]
    t.vehicle[v, LENGTH] += change
    if t.vehicle[v, COUNT] == 0:
        change += opening_cost(g, v)
        _take_spare(g, t, v)
    t.totals[COST] += change - g.node[stop, PENALTY]
    t.node[behind, LEG], t.node[stop, LEG] = there, on
    t.node[behind, AFTER], t.node[stop, BEFORE] = stop, behind
    t.node[stop, AFTER], t.node[onward, BEFORE] = onward, stop
    t.node[stop, TOUR] = v
    t.vehicle[v, COUNT] += 1
    if g.node[stop, ROLE] == SINGLE:
        t.vehicle[v, LOAD] += g.node[stop, DEMAND]
    else:
        t.vehicle[v, PAIRS] += 1
    last = t.out[t.totals[LEFT] - 1]
    t.out[t.node[stop, OUT_AT]], t.node[last, OUT_AT] = last, t.node[stop, OUT_AT]
    t.node[stop, OUT_AT] = NONE
    t.totals[LEFT] -= 1


@njit(cache=True, nogil=True)
def unlink(g: Ground, t: Tours, stop: Whole) -> None:
    """Take a stop out of its tour."""
    v = t.node[stop, TOUR]
    behind, onward = t.node[stop, BEFORE], t.node[stop, AFTER]
    closing = leg_between(g, behind, onward)
    change = closing - t.node[behind, LEG] - t.node[stop, LEG]
    t.vehicle[v, LENGTH] += change
    t.vehicle[v, COUNT] -= 1
    if t.vehicle[v, COUNT] == 0:
        change -= opening_cost(g, v)
        _give_spare(g, t, v)
    t.totals[COST] += change + g.node[stop, PENALTY]
    t.node[behind, LEG] = closing
    t.node[behind, AFTER], t.node[onward, BEFORE] = onward, behind
    t.node[stop, TOUR] = NONE
    if g.node[stop, ROLE] == SINGLE:
        t.vehicle[v, LOAD] -= g.node[stop, DEMAND]
    else:
        t.vehicle[v, PAIRS] -= 1
    t.out[t.totals[LEFT]] = stop
    t.node[stop, OUT_AT] = t.totals[LEFT]
    t.totals[LEFT] += 1


@njit(cache=True, nogil=True)
def _take_spare(g: Ground, t: Tours, v: Whole) -> None:
    kind = g.vehicle[v, KIND]
    first = g.kinds[kind, FIRST]
    last = t.spare[first + t.spare_count[kind] - 1]
    t.spare[t.vehicle[v, SPARE_AT]], t.vehicle[last, SPARE_AT] = last, t.vehicle[v, SPARE_AT]
    t.spare_count[kind] -= 1


@njit(cache=True, nogil=True)
def _give_spare(g: Ground, t: Tours, v: Whole) -> None:
    kind = g.vehicle[v, KIND]
    at = g.kinds[kind, FIRST] + t.spare_count[kind]
    t.spare[at], t.vehicle[v, SPARE_AT] = v, at
    t.spare_count[kind] += 1


@njit(cache=True, nogil=True)
def relabel(g: Ground, t: Tours, v: Whole) -> None:
    """Work out times and loads along a tour anew."""
    n, vehicles = g.stops, g.vehicles
    start, end = n + v, n + vehicles + v
    t.node[start, BEGIN] = g.node[start, FROM]
    node = start
    carried = t.vehicle[v, LOAD]
    t.node[start, BOARD] = carried
    clock = g.node[start, FROM]
    while node != end:
        clock += g.node[node, SERVICE] + time_onward(g, t, node)
        node = t.node[node, AFTER]
        clock = max(clock, g.node[node, FROM])
        t.node[node, BEGIN] = clock
        if g.paired and node < n:
            role, size = g.node[node, ROLE], g.node[node, DEMAND]
            carried += size if role == PICKUP else -size
            t.node[node, BOARD] = carried
    if not g.timed:
        return
    clock = g.node[end, UNTIL]
    t.node[end, LATEST] = clock
    while node != start:
        node = t.node[node, BEFORE]
        clock = min(g.node[node, UNTIL], clock - time_onward(g, t, node) - g.node[node, SERVICE])
        t.node[node, LATEST] = clock


@njit(cache=True, nogil=True)
def lay_empty(g: Ground, t: Tours) -> None:
    """Begin with every stop left out and every vehicle unused."""
    n, vehicles = g.stops, g.vehicles
    t.totals[:] = 0
    t.spare_count[:] = 0
    t.node[:n, TOUR] = NONE

    for v in range(vehicles):
        start, end = n + v, n + vehicles + v
        t.node[start, AFTER], t.node[end, BEFORE] = end, start
        t.node[start, TOUR] = t.node[end, TOUR] = v
        t.node[start, LEG] = leg_between(g, start, end)
        t.vehicle[v, LENGTH] = t.node[start, LEG]
        if g.kinds[g.vehicle[v, KIND], ALWAYS]:
            t.totals[COST] += t.node[start, LEG]
        _give_spare(g, t, v)
        relabel(g, t, v)
    for stop in range(n):
        t.out[stop], t.node[stop, OUT_AT] = stop, stop
        t.totals[COST] += g.node[stop, PENALTY]
    t.totals[LEFT] = n


def new_tours(g: Ground) -> Tours:
    """Return room for tours on a ground, nothing laid out yet."""
    nodes = g.stops + 2 * g.vehicles
    return Tours(
        node=np.full((nodes, NODE_COLUMNS), NONE, np.int64),
        vehicle=np.zeros((g.vehicles, VEHICLE_COLUMNS), np.int64),
        out=np.full(g.stops, NONE, np.int64),
        spare=np.full(g.vehicles, NONE, np.int64),
        spare_count=np.zeros(len(g.kinds), np.int64),
        totals=np.zeros(4, np.int64),
    )
