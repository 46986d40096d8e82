# SPDX-License-Identifier: Apache-2.0
"""Tours laid out from lists of stops, read off again, and made anew by putting stops in one after another."""

from __future__ import annotations

import numpy as np
from numba import njit

from muster.planning._kernel.arrays import Longs
from muster.planning.routing._ground import (
    AFTER,
    DELIVERY,
    NONE,
    OVERLOOK,
    ROLE,
    TOUR,
    Ground,
    Tours,
    lay_empty,
    link,
    relabel,
)
from muster.planning.routing._placing import put_in


@njit(cache=True, nogil=True)
def lay_out(g: Ground, t: Tours, vehicle: Longs, first: Longs, stops: Longs) -> None:
    """Lay out tours: tour k of `vehicle[k]` has the stops `first[k]` to before `first[k + 1]`."""
    lay_empty(g, t)
    for k in range(len(vehicle)):
        behind = np.int64(g.stops + vehicle[k])
        for at in range(first[k], first[k + 1]):
            link(g, t, stops[at], behind)
            behind = stops[at]
        relabel(g, t, vehicle[k])


@njit(cache=True, nogil=True)
def read_off(after: Longs, stops: int, vehicles: int) -> tuple[Longs, Longs, Longs]:
    """Return vehicles with stops, where their stops begin, and the stops, from the links of tours."""
    vehicle, first, listed = (
        np.empty(vehicles, np.int64),
        np.zeros(vehicles + 1, np.int64),
        np.empty(stops, np.int64),
    )
    tours, count = 0, 0
    for v in range(vehicles):
        node = after[stops + v]
        if node >= stops:
            continue
        while node < stops:
            listed[count] = node
            count += 1
            node = after[node]
        vehicle[tours] = v
        tours += 1
        first[tours] = count
    return vehicle[:tours].copy(), first[: tours + 1].copy(), listed[:count].copy()


@njit(cache=True, nogil=True)
def put_all_in(g: Ground, t: Tours, order: Longs) -> None:
    """Put stops in one after another, each where it costs least; those without a place stay left out."""
    np.random.seed(0)
    t.totals[OVERLOOK] = 1 << 60
    # Looking everywhere takes long when hardly anything fits any more.
    patience = 2_000
    for stop in order:
        if t.node[stop, TOUR] != NONE or g.node[stop, ROLE] == DELIVERY:
            continue
        if not put_in(g, t, stop, np.int64(patience > 0)):
            patience -= 1


@njit(cache=True, nogil=True)
def links_of(t: Tours) -> Longs:
    """Return a copy of the links from each node to the next."""
    return t.node[:, AFTER].copy()
