# SPDX-License-Identifier: Apache-2.0
"""Shortest ways between all vertices of a small graph."""

from __future__ import annotations

import numpy as np
from numba import njit

from muster.planning._kernel.arrays import Ints


@njit(cache=True, nogil=True)
def over_all(length: Ints) -> None:
    """Shorten every way over every vertex between (Floyd 1962, Warshall 1962)."""
    count = len(length)
    for middle in range(count):
        onward = length[middle].copy()
        for start in range(count):
            row = length[start]
            there = row[middle]
            for end in range(count):
                # Kept to 32 bits, so that many are done at once.
                way = np.int32(there + onward[end])
                row[end] = min(way, row[end])
