# SPDX-License-Identifier: Apache-2.0
"""Links that might be: what they cross, and which of them hold pieces of ground together (Kruskal)."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from muster.planning._kernel.arrays import Bools, Floats, Ints, Longs

FREE, THROUGH_WALL, NEVER = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Buildings, length, what is crossed (FREE, THROUGH_WALL or NEVER), and whether a gate is one end."""

    a: Longs
    b: Longs
    length: Floats
    crosses: Ints
    by_gate: Bools

    def where(self, chosen: Bools) -> Candidates:
        return Candidates(
            self.a[chosen], self.b[chosen], self.length[chosen], self.crosses[chosen], self.by_gate[chosen]
        )

    def and_(self, other: Candidates) -> Candidates:
        return Candidates(
            np.concatenate([self.a, other.a]),
            np.concatenate([self.b, other.b]),
            np.concatenate([self.length, other.length]),
            np.concatenate([self.crosses, other.crosses]),
            np.concatenate([self.by_gate, other.by_gate]),
        )


def pieces(count: int, a: Longs, b: Longs) -> Longs:
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    links = csr_matrix((np.ones(len(a), np.int8), (a, b)), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)


def joining(count: int, found: Candidates, kept: Bools, allowed: Bools) -> Bools:
    """Choose the shortest allowed links that join pieces which the kept ones leave apart (Kruskal)."""
    piece = pieces(count, found.a[kept], found.b[kept])
    offered = np.flatnonzero(allowed & ~kept & (piece[found.a] != piece[found.b]))
    order = offered[np.lexsort((found.b[offered], found.a[offered], found.length[offered]))]
    chosen = np.zeros(len(kept), np.bool_)
    joins = _spanning(int(piece.max(initial=-1)) + 1, piece[found.a[order]], piece[found.b[order]])
    chosen[order[joins]] = True
    return chosen


@numba.njit(cache=True, nogil=True)
def _spanning(count: int, a: Longs, b: Longs) -> Bools:
    """Say of each link, taken in order, whether it joins two pieces."""
    root = np.arange(count)
    joins = np.zeros(len(a), np.bool_)
    for link in range(len(a)):
        one, other = a[link], b[link]
        while root[one] != one:
            root[one] = root[root[one]]
            one = root[one]
        while root[other] != other:
            root[other] = root[root[other]]
            other = root[other]
        if one != other:
            root[one] = other
            joins[link] = True
    return joins
