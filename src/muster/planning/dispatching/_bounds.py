# SPDX-License-Identifier: Apache-2.0
"""The least that each request can cost at given prices of people's time."""

from __future__ import annotations

import numpy as np
from numba import njit

from muster.planning._kernel.arrays import Longs
from muster.planning.dispatching._pyramid import OWN_GRID_M, Index, nearest, walk

# Columns of the priced people.
X, Y, TRAITS, GRID = range(4)


@njit(cache=True)
def least_costs(
    index: Index,
    requests: Longs,
    unserved: Longs,
    declined_first: Longs,
    declined: Longs,
    row_of: Longs,
    priced: Longs,
    priced_people: Longs,
    cheapest: Longs,
) -> Longs:
    """Return for each request the least of: staying unserved, the best unpriced person, any priced one."""
    least = unserved.copy()
    found = np.empty((1, 2), np.int64)
    shape = index.shape
    for request in range(len(requests)):
        x, y, needs, avoids, grid = requests[request]
        away = declined[declined_first[request] : declined_first[request + 1]]
        rows = row_of[away]
        if nearest(index.people, index.head, index.traits, shape, x, y, needs, avoids, grid, rows, found):
            least[request] = min(least[request], found[0, 0])
        for k in range(len(priced)):
            person = priced_people[k]
            if person[TRAITS] & needs != needs or person[TRAITS] & avoids != 0:
                continue
            key = walk(shape, person[X] - x, person[Y] - y) + cheapest[k]
            if grid >= 0 and person[GRID] == grid:
                key -= shape[OWN_GRID_M]
            if key < least[request]:
                is_declined = False
                for who in away:
                    is_declined |= who == priced[k]
                if not is_declined:
                    least[request] = key
    return least
