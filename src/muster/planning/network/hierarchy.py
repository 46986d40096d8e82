# SPDX-License-Identifier: Apache-2.0
"""A customizable contraction hierarchy: nodes in nested-dissection order, shortcuts only where needed.

The order comes from METIS and depends on the streets only; the shortcut lengths are filled in by two
passes over triangles ("customization", J. Dibbelt, B. Strasser, D. Wagner: Customizable Contraction
Hierarchies, ACM Journal of Experimental Algorithmics 21, 2016). Every shortest walk then climbs to more
important nodes and descends again, so a query never looks at the rest of the city.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from muster.planning._kernel.arrays import Bools, Ints, Longs
from muster.planning.contract import Progress, Step, report
from muster.planning.network.graph import UNREACHABLE, WalkGraph


@dataclass(frozen=True, slots=True, eq=False)
class Hierarchy:
    """Upward arcs by rank. Rank 0 is the most important node; arcs lead to smaller ranks only.

    The arcs of rank r are up_to[rows[r]:rows[r + 1]] with lengths `up_dm`; `rank_of[node]` is a node's rank.
    """

    rank_of: Ints
    rows: Longs
    up_to: Ints
    up_dm: Ints

    @property
    def size(self) -> int:
        return len(self.rank_of)


def prepare(graph: WalkGraph, *, progress: Progress | None = None) -> Hierarchy:
    """Build the hierarchy of a graph: about a second for 100,000 nodes."""
    report(progress, Step("order", 0, 3))
    climb = nested_dissection(graph)
    rows, heads, lengths = _renumbered(graph, climb)
    report(progress, Step("fill", 1, 3))
    up_rows, up_to = _fill(rows, heads)
    report(progress, Step("customize", 2, 3))
    up_dm, kept = _customize(rows, heads, lengths, up_rows, up_to)
    report(progress, Step("customize", 3, 3))
    return _by_rank(climb, up_rows, up_to, up_dm, kept)


def nested_dissection(graph: WalkGraph) -> Longs:
    """Return the nodes from least to most important."""
    if graph.size < 3 or len(graph.edge_a) == 0:
        return np.arange(graph.size)
    import pymetis

    adjacency = pymetis.CSRAdjacency(graph.rows.astype(np.int32), graph.neighbours)
    order, _ = pymetis.nested_dissection(adjacency, options=pymetis.Options(seed=1))
    return np.asarray(order, np.int64)


def _renumbered(graph: WalkGraph, climb: Longs) -> tuple[Longs, Ints, Ints]:
    """Return the graph's rows with each node named by its place in the climb."""
    place = np.empty(graph.size, np.int64)
    place[climb] = np.arange(graph.size)
    counts = np.diff(graph.rows)[climb]
    rows = np.zeros(graph.size + 1, np.int64)
    np.cumsum(counts, out=rows[1:])
    source = np.repeat(graph.rows[:-1][climb] - rows[:-1], counts) + np.arange(rows[-1])
    return rows, place[graph.neighbours[source]].astype(np.int32), graph.lengths[source]


@numba.njit(cache=True, nogil=True)
def _grown(array: Ints, size: int) -> Ints:
    longer = np.empty(size, np.int32)
    longer[: len(array)] = array
    return longer


@numba.njit(cache=True, nogil=True)
def _fill(rows: Longs, heads: Ints) -> tuple[Longs, Ints]:
    """Return every possible upward arc: contracting a node joins all its higher neighbours.

    A node's arcs are its own and those of its children in the elimination tree; the child hands them
    to its lowest higher neighbour, which is enough (symbolic Cholesky factorisation).
    """
    size = len(rows) - 1
    up_rows = np.zeros(size + 1, np.int64)
    up_to = np.empty(2 * len(heads) + 16, np.int32)
    first_child = np.full(size, -1, np.int32)
    next_child = np.full(size, -1, np.int32)
    seen_by = np.full(size, -1, np.int32)
    count = 0
    for v in range(size):
        start = count
        seen_by[v] = v
        needed = count + rows[v + 1] - rows[v]
        child = first_child[v]
        while child >= 0:
            needed += up_rows[child + 1] - up_rows[child]
            child = next_child[child]
        if needed > len(up_to):
            up_to = _grown(up_to, 2 * needed)
        for p in range(rows[v], rows[v + 1]):
            u = heads[p]
            if u > v and seen_by[u] != v:
                seen_by[u] = v
                up_to[count] = u
                count += 1
        child = first_child[v]
        while child >= 0:
            for p in range(up_rows[child], up_rows[child + 1]):
                u = up_to[p]
                if seen_by[u] != v:
                    seen_by[u] = v
                    up_to[count] = u
                    count += 1
            child = next_child[child]
        up_rows[v + 1] = count
        if count > start:
            up_to[start:count].sort()
            parent = up_to[start]
            next_child[v] = first_child[parent]
            first_child[parent] = v
    return up_rows, up_to[:count].copy()


@numba.njit(cache=True, nogil=True)
def _customize(rows: Longs, heads: Ints, lengths: Ints, up_rows: Longs, up_to: Ints) -> tuple[Ints, Bools]:
    """Return the length of each upward arc and whether a shortest walk needs it."""
    up_dm = _street_lengths(rows, heads, lengths, up_rows, up_to)
    _lower_triangles(up_rows, up_to, up_dm)
    return up_dm, _upper_triangles(up_rows, up_to, up_dm)


@numba.njit(cache=True, nogil=True)
def _street_lengths(rows: Longs, heads: Ints, lengths: Ints, up_rows: Longs, up_to: Ints) -> Ints:
    up_dm = np.full(len(up_to), UNREACHABLE, np.int32)
    arc_to = np.zeros(len(rows), np.int64)
    for v in range(len(rows) - 1):
        for p in range(up_rows[v], up_rows[v + 1]):
            arc_to[up_to[p]] = p
        for p in range(rows[v], rows[v + 1]):
            if heads[p] > v:
                up_dm[arc_to[heads[p]]] = lengths[p]
    return up_dm


@numba.njit(cache=True, nogil=True)
def _lower_triangles(up_rows: Longs, up_to: Ints, up_dm: Ints) -> None:
    """Make each arc no longer than the way over any less important node."""
    size = len(up_rows) - 1
    seen_by = np.full(size, -1, np.int32)
    reach = np.zeros(size, np.int32)
    for v in range(size):
        for p in range(up_rows[v], up_rows[v + 1]):
            seen_by[up_to[p]] = v
            reach[up_to[p]] = up_dm[p]
        for p in range(up_rows[v], up_rows[v + 1] - 1):
            u = up_to[p]
            for q in range(up_rows[u], up_rows[u + 1]):
                t = up_to[q]
                if seen_by[t] == v:
                    up_dm[q] = min(up_dm[q], up_dm[p] + reach[t])


@numba.njit(cache=True, nogil=True)
def _upper_triangles(up_rows: Longs, up_to: Ints, up_dm: Ints) -> Bools:
    """Drop each arc for which a way over a more important node is as short.

    Lengths are positive, so two arcs never drop each other.
    """
    size = len(up_rows) - 1
    kept = up_dm < UNREACHABLE
    seen_by = np.full(size, -1, np.int32)
    arc_to = np.zeros(size, np.int64)
    for v in range(size - 1, -1, -1):
        for p in range(up_rows[v], up_rows[v + 1]):
            seen_by[up_to[p]] = v
            arc_to[up_to[p]] = p
        for p in range(up_rows[v], up_rows[v + 1] - 1):
            u = up_to[p]
            for q in range(up_rows[u], up_rows[u + 1]):
                if seen_by[up_to[q]] != v:
                    continue
                r = arc_to[up_to[q]]
                if up_dm[r] + up_dm[q] <= up_dm[p]:
                    up_dm[p] = up_dm[r] + up_dm[q]
                    kept[p] = False
                if up_dm[p] + up_dm[q] <= up_dm[r]:
                    up_dm[r] = up_dm[p] + up_dm[q]
                    kept[r] = False
    return kept


def _by_rank(climb: Longs, up_rows: Longs, up_to: Ints, up_dm: Ints, kept: Bools) -> Hierarchy:
    """Turn places in the climb into ranks (0 on top) and pack the kept arcs."""
    size = len(climb)
    tail = (size - 1 - np.repeat(np.arange(size), np.diff(up_rows)))[kept]
    head = (size - 1 - up_to)[kept]
    order = np.lexsort((head, tail))
    rows = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(tail, minlength=size), out=rows[1:])
    rank_of = np.empty(size, np.int32)
    rank_of[climb] = np.arange(size - 1, -1, -1, dtype=np.int32)
    return Hierarchy(rank_of, rows, head[order].astype(np.int32), up_dm[kept][order])
