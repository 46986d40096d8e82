# SPDX-License-Identifier: Apache-2.0
"""The least that each request can cost, when people's time has its price."""

from __future__ import annotations

import numpy as np
from numba import njit

from muster.planning._kernel.arrays import Longs
from muster.planning.dispatching._pyramid import Index, nearest


@njit(cache=True)
def least_costs(
    index: Index, requests: Longs, unserved: Longs, declined_first: Longs, declined: Longs
) -> Longs:
    """Return for each request the least of staying unserved and the best person."""
    least = unserved.copy()
    found = np.empty((1, 2), np.int64)
    for request in range(len(requests)):
        x, y, needs, avoids, grid = requests[request]
        away = declined[declined_first[request] : declined_first[request + 1]]
        people, head, traits, shape = index.people, index.head, index.traits, index.shape
        if nearest(people, head, traits, shape, x, y, needs, avoids, grid, away, found):
            least[request] = min(least[request], found[0, 0])
    return least
