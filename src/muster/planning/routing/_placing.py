# SPDX-License-Identifier: Apache-2.0
"""Where a stop, or a pick-up with its delivery, goes into tours at the least detour that all rules allow."""

from __future__ import annotations

import numpy as np
from numba import njit

from muster.planning.routing._ground import (
    AFTER,
    ALWAYS,
    BEFORE,
    BOARD,
    COUNT,
    DEMAND,
    FIRST,
    FROM,
    KIND,
    LATEST,
    LEG,
    LENGTH,
    LISTED,
    LOAD,
    MOST_LENGTH,
    MOST_SPAN,
    MOST_STOPS,
    NEED,
    NEVER,
    NONE,
    ONLY,
    OVERLOOK,
    PAIRS,
    PARTNER,
    PENALTY,
    ROLE,
    ROOM,
    SERVICE,
    SINGLE,
    SKILLS,
    TOUR,
    UNTIL,
    Ground,
    Tours,
    Whole,
    begin_after,
    leg_between,
    link,
    opening_cost,
    relabel,
    time_between,
)

# One position in a hundred is overlooked, so that the search does not always do the same.
_OVERLOOK = 100
# One unused vehicle in so many is overlooked where there are several kinds.
_SKIP_KIND = 10


@njit(cache=True, nogil=True)
def _overlooked(t: Tours) -> bool:
    t.totals[OVERLOOK] -= 1
    if t.totals[OVERLOOK] > 0:
        return False
    t.totals[OVERLOOK] = np.random.randint(1, 2 * _OVERLOOK)
    return True


@njit(cache=True, nogil=True)
def admits(g: Ground, t: Tours, stop: Whole, v: Whole, stops: Whole) -> bool:
    """Tell whether the vehicle may serve a stop at all, with so many stops more."""
    kind = g.vehicle[v, KIND]
    if g.node[stop, ONLY] != NONE and g.node[stop, ONLY] != kind:
        return False
    if g.node[stop, NEED] & ~g.kinds[kind, SKILLS]:
        return False
    return bool(t.vehicle[v, COUNT] + stops <= g.kinds[kind, MOST_STOPS])


@njit(cache=True, nogil=True)
def _span_with(g: Ground, t: Tours, v: Whole, stop: Whole, behind: Whole) -> Whole:
    """Return how long a tour lasts at least with a stop behind a node (it may leave later than it could)."""
    n = g.stops
    start, end = n + v, n + g.vehicles + v
    node = start
    slack = (
        g.node[start, UNTIL] - g.node[start, FROM] if not g.kinds[g.vehicle[v, KIND], ALWAYS] else np.int64(0)
    )
    clock, waited = g.node[start, FROM], np.int64(0)
    while node != end:
        onward = stop if node == behind else (t.node[behind, AFTER] if node == stop else t.node[node, AFTER])
        arrival = clock + g.node[node, SERVICE] + time_between(g, node, onward)
        clock = max(arrival, g.node[onward, FROM])
        # Waiting is avoided by leaving later, as far as no later window closes.
        saved = min(clock - arrival, slack)
        waited += saved
        slack = min(slack - saved, g.node[onward, UNTIL] - clock)
        node = onward
    return clock - g.node[start, FROM] - waited


@njit(cache=True, nogil=True)
def _fits(g: Ground, t: Tours, v: Whole, stop: Whole, behind: Whole, detour: Whole) -> bool:
    """Tell whether windows, length, span and the load under way allow a single stop there."""
    kind = g.vehicle[v, KIND]
    if t.vehicle[v, LENGTH] + detour > g.kinds[kind, MOST_LENGTH]:
        return False
    if g.timed:
        onward = t.node[behind, AFTER]
        begin = begin_after(g, t, behind, stop)
        if begin > g.node[stop, UNTIL]:
            return False
        if begin + g.node[stop, SERVICE] + time_between(g, stop, onward) > t.node[onward, LATEST]:
            return False
        if g.kinds[kind, MOST_SPAN] < NEVER and _span_with(g, t, v, stop, behind) > g.kinds[kind, MOST_SPAN]:
            return False
    if t.vehicle[v, PAIRS]:
        node = behind
        while True:
            if t.node[node, BOARD] + g.node[stop, DEMAND] > g.kinds[kind, ROOM]:
                return False
            if node >= g.stops:
                break
            node = t.node[node, BEFORE]
    return True


@njit(cache=True, nogil=True)
def place_single(g: Ground, t: Tours, stop: Whole, thorough: Whole) -> tuple[Whole, Whole]:
    """Return the least detour for a stop, and the node behind which it goes (NONE when nowhere)."""
    n = g.stops
    best: Whole = np.int64(NEVER)
    where: Whole = np.int64(NONE)
    size = g.node[stop, DEMAND]
    for k in range(g.near.shape[1]):
        neighbour = np.int64(g.near[stop, k])
        if neighbour < 0:
            break
        v = t.node[neighbour, TOUR]
        if v < 0 or t.vehicle[v, LOAD] + size > g.kinds[g.vehicle[v, KIND], ROOM] or _overlooked(t):
            continue
        behind = t.node[neighbour, BEFORE]
        apart = g.near_leg[stop, k]
        detour = leg_between(g, behind, stop) + apart - t.node[behind, LEG]
        if detour < best and admits(g, t, stop, v, 1) and _fits(g, t, v, stop, behind, detour):
            best, where = detour, behind
        if g.metric == LISTED:
            apart = leg_between(g, neighbour, stop)
        detour = apart + leg_between(g, stop, t.node[neighbour, AFTER]) - t.node[neighbour, LEG]
        if detour < best and admits(g, t, stop, v, 1) and _fits(g, t, v, stop, neighbour, detour):
            best, where = detour, neighbour
    for kind in range(len(g.kinds)):
        if t.spare_count[kind] == 0 or (
            not thorough and len(g.kinds) > 1 and np.random.randint(_SKIP_KIND) == 0
        ):
            continue
        v = t.spare[g.kinds[kind, FIRST] + t.spare_count[kind] - 1]
        if t.vehicle[v, LOAD] + size > g.kinds[kind, ROOM] or not admits(g, t, stop, v, 1):
            continue
        start = n + v
        detour = leg_between(g, start, stop) + leg_between(g, stop, t.node[start, AFTER]) - t.node[start, LEG]
        cost = detour + opening_cost(g, v)
        if cost < best and _fits(g, t, v, stop, start, detour):
            best, where = cost, np.int64(start)
    if where == NONE and thorough:
        for v in range(g.vehicles):
            if (
                t.vehicle[v, COUNT] == 0
                or t.vehicle[v, LOAD] + size > g.kinds[g.vehicle[v, KIND], ROOM]
                or not admits(g, t, stop, v, 1)
            ):
                continue
            node: Whole = np.int64(n + v)
            while node < n + g.vehicles:
                detour = (
                    leg_between(g, node, stop) + leg_between(g, stop, t.node[node, AFTER]) - t.node[node, LEG]
                )
                if detour < best and _fits(g, t, v, stop, node, detour):
                    best, where = detour, np.int64(node)
                node = np.int64(t.node[node, AFTER])
    return best, where


@njit(cache=True, nogil=True)
def place_pair(g: Ground, t: Tours, pickup: Whole, thorough: Whole) -> tuple[Whole, Whole, Whole]:
    """Return the least detour for a pick-up and its delivery, and the nodes behind which they go.

    When the delivery follows its pick-up at once, the second node is the pick-up itself.
    """
    vehicles = g.vehicles
    delivery = g.node[pickup, PARTNER]
    best: Whole = np.int64(NEVER)
    first: Whole = np.int64(NONE)
    second: Whole = np.int64(NONE)
    tried = np.zeros(vehicles, np.bool_)
    for end in (pickup, delivery):
        for k in range(g.near.shape[1]):
            neighbour = np.int64(g.near[end, k])
            if neighbour < 0:
                break
            v = t.node[neighbour, TOUR]
            if v < 0 or tried[v] or _overlooked(t):
                continue
            tried[v] = True
            cost, a, b = _pair_in(g, t, pickup, v, best)
            if cost < best:
                best, first, second = cost, a, b
    for kind in range(len(g.kinds)):
        if t.spare_count[kind] > 0 and (thorough or len(g.kinds) == 1 or np.random.randint(_SKIP_KIND)):
            v = t.spare[g.kinds[kind, FIRST] + t.spare_count[kind] - 1]
            cost, a, b = _pair_in(g, t, pickup, v, best)
            if cost < best:
                best, first, second = cost, a, b
    if first == NONE and thorough:
        for v in range(vehicles):
            if t.vehicle[v, COUNT] and not tried[v]:
                cost, a, b = _pair_in(g, t, pickup, v, best)
                if cost < best:
                    best, first, second = cost, a, b
    return best, first, second


@njit(cache=True, nogil=True)
def _pair_in(g: Ground, t: Tours, pickup: Whole, v: Whole, limit: Whole) -> tuple[Whole, Whole, Whole]:
    """Return the best two positions in one tour that cost less than the limit."""
    n = g.stops
    delivery = g.node[pickup, PARTNER]
    best: Whole = np.int64(limit)
    first: Whole = np.int64(NONE)
    second: Whole = np.int64(NONE)
    if not admits(g, t, pickup, v, 2) or not admits(g, t, delivery, v, 2):
        return best, first, second
    kind = g.vehicle[v, KIND]
    end = n + g.vehicles + v
    size = g.node[pickup, DEMAND]
    opening = opening_cost(g, v) if t.vehicle[v, COUNT] == 0 else np.int64(0)
    a: Whole = np.int64(n + v)
    while a != end:
        onward = np.int64(t.node[a, AFTER])
        to_pickup = leg_between(g, a, pickup)
        begin = begin_after(g, t, a, pickup)
        if begin > g.node[pickup, UNTIL] or t.node[a, BOARD] + size > g.kinds[kind, ROOM]:
            a = onward
            continue
        # `node` is the last node before the delivery, `clock` when service there begins.
        node, clock, gone = np.int64(pickup), begin, to_pickup
        following = onward
        while True:
            here = leg_between(g, node, delivery) + leg_between(g, delivery, following)
            if node == pickup:
                detour = to_pickup + here - t.node[a, LEG]
            else:
                detour = gone + here - t.node[node, LEG] - t.node[a, LEG]
            if opening + detour < best and t.vehicle[v, LENGTH] + detour <= g.kinds[kind, MOST_LENGTH]:
                at_delivery = max(
                    g.node[delivery, FROM], clock + g.node[node, SERVICE] + time_between(g, node, delivery)
                )
                on_time = at_delivery <= g.node[delivery, UNTIL] and (
                    at_delivery + g.node[delivery, SERVICE] + time_between(g, delivery, following)
                    <= t.node[following, LATEST]
                )
                if on_time and _pair_span_fits(g, t, v, pickup, a, node):
                    best, first, second = opening + detour, a, node
            if following == end:
                break
            # Drive on with the load on board.
            if node == pickup:
                gone = to_pickup + leg_between(g, pickup, following)
            clock = max(
                g.node[following, FROM], clock + g.node[node, SERVICE] + time_between(g, node, following)
            )
            node = following
            if clock > t.node[node, LATEST] or t.node[node, BOARD] + size > g.kinds[kind, ROOM]:
                break
            following = np.int64(t.node[node, AFTER])
        a = onward
    return best, first, second


@njit(cache=True, nogil=True)
def _pair_span_fits(g: Ground, t: Tours, v: Whole, pickup: Whole, a: Whole, b: Whole) -> bool:
    """Tell whether the tour stays within its longest span; a is before the pick-up, b before the delivery."""
    kind = g.vehicle[v, KIND]
    if g.kinds[kind, MOST_SPAN] >= NEVER:
        return True
    n = g.stops
    start, end = n + v, n + g.vehicles + v
    delivery = g.node[pickup, PARTNER]
    slack = g.node[start, UNTIL] - g.node[start, FROM] if not g.kinds[kind, ALWAYS] else np.int64(0)
    clock, waited = g.node[start, FROM], np.int64(0)
    node: Whole = np.int64(start)
    onward: Whole = np.int64(start)
    plain: Whole = np.int64(t.node[start, AFTER])  # the next node of the tour as it is
    while node != end:
        if node == b:
            onward = delivery
        elif node == a:
            onward = pickup
        else:
            onward = plain
        if onward == plain:
            plain = np.int64(t.node[plain, AFTER]) if plain != end else plain
        arrival = clock + g.node[node, SERVICE] + time_between(g, node, onward)
        clock = max(arrival, g.node[onward, FROM])
        saved = min(clock - arrival, slack)
        waited += saved
        slack = min(slack - saved, g.node[onward, UNTIL] - clock)
        node = onward
    return bool(clock - g.node[start, FROM] - waited <= g.kinds[kind, MOST_SPAN])


@njit(cache=True, nogil=True)
def put_in(g: Ground, t: Tours, stop: Whole, thorough: Whole) -> bool:
    """Put a stop (with its partner) in at the least detour; tell whether there was a place worth it."""
    if g.node[stop, ROLE] == SINGLE:
        cost, behind = place_single(g, t, stop, thorough)
        if behind == NONE or cost > g.node[stop, PENALTY]:
            return False
        link(g, t, stop, behind)
    else:
        cost, behind, second = place_pair(g, t, stop, thorough)
        partner = g.node[stop, PARTNER]
        if behind == NONE or cost > g.node[stop, PENALTY] + g.node[partner, PENALTY]:
            return False
        link(g, t, stop, behind)
        link(g, t, partner, second)
    if g.timed or g.paired:
        relabel(g, t, t.node[stop, TOUR])
    return True
