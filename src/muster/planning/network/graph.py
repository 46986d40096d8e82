# SPDX-License-Identifier: Apache-2.0
"""The walking graph: street corners as nodes, pieces of street as edges with a length in decimetres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from muster.planning._kernel.arrays import Bools, Floats, Ints, Longs
from muster.planning.contract import BadProblem

# Distances are int32 decimetres. A place that cannot be reached is this far, and all streets together
# are shorter, so that no sum overflows.
UNREACHABLE = 1_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class WalkGraph:
    """An undirected graph in rows: the neighbours of node v are neighbours[rows[v]:rows[v + 1]].

    `edge_a < edge_b` and `edge_dm` list each edge once, in order; `lon` and `lat` may be empty for a graph
    that only has lengths.
    """

    lon: Floats
    lat: Floats
    edge_a: Ints
    edge_b: Ints
    edge_dm: Ints
    rows: Longs
    neighbours: Ints
    lengths: Ints

    @property
    def size(self) -> int:
        return len(self.rows) - 1

    @classmethod
    def from_edges(
        cls,
        size: int,
        a: ArrayLike,
        b: ArrayLike,
        dm: ArrayLike,
        *,
        lon: ArrayLike = (),
        lat: ArrayLike = (),
    ) -> WalkGraph:
        """Build the graph; loops vanish and of parallel edges the shortest stays. Raises BadProblem."""
        ends_a, ends_b = _node_numbers(a, size, "edges.a"), _node_numbers(b, size, "edges.b")
        length = _whole_numbers(dm, "edges.dm")
        _require_same_length(("edges.a", "edges.b", "edges.dm"), (ends_a, ends_b, length))
        _require_lengths(length)
        places = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
        if len(places[0]) not in {0, size} or len(places[0]) != len(places[1]):
            raise BadProblem("nodes", "", "planning.cure.same_length", fields="lon, lat")
        low, high, once = _distinct_edges(ends_a, ends_b, length)
        rows, neighbours, lengths = _in_rows(size, low, high, once)
        return cls(*places, low, high, once, rows, neighbours, lengths)

    def without_edges(self, closed: Bools) -> WalkGraph:
        """Return the same corners without the closed edges."""
        still = ~closed
        return WalkGraph.from_edges(
            self.size,
            self.edge_a[still],
            self.edge_b[still],
            self.edge_dm[still],
            lon=self.lon,
            lat=self.lat,
        )

    def pieces(self) -> Longs:
        """Return for each node the number of its connected piece."""
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import connected_components

        links = (np.ones(len(self.neighbours), np.int8), self.neighbours, self.rows)
        square = csr_matrix(links, shape=(self.size, self.size))
        return np.asarray(connected_components(square, directed=False)[1], np.int64)

    def part(self, kept: Bools) -> WalkGraph:
        """Return the graph of the kept nodes only, renumbered in the same order."""
        number = np.cumsum(kept) - 1
        both = kept[self.edge_a] & kept[self.edge_b]
        return WalkGraph.from_edges(
            int(kept.sum()),
            number[self.edge_a[both]],
            number[self.edge_b[both]],
            self.edge_dm[both],
            lon=self.lon[kept] if len(self.lon) else (),
            lat=self.lat[kept] if len(self.lat) else (),
        )

    def edge_of(self, a: Sequence[int] | Ints, b: Sequence[int] | Ints) -> Longs:
        """Return the number of the edge between each pair of nodes, -1 where there is none."""
        low, high = np.minimum(a, b).astype(np.int64), np.maximum(a, b).astype(np.int64)
        keys = self.edge_a.astype(np.int64) * self.size + self.edge_b
        wanted = low * self.size + high
        found = np.searchsorted(keys, wanted)
        hit = (found < len(keys)) & (keys[np.minimum(found, len(keys) - 1)] == wanted)
        return np.where(hit, found, -1)


def _whole_numbers(values: ArrayLike, name: str) -> Longs:
    array = np.asarray(values)
    if array.size == 0:
        return np.zeros(0, np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise BadProblem(name, "", "planning.cure.integer", lowest=0, highest=UNREACHABLE)
    return array.astype(np.int64)


def _node_numbers(values: ArrayLike, size: int, name: str) -> Longs:
    array = _whole_numbers(values, name)
    wrong = np.flatnonzero((array < 0) | (array >= size))
    if len(wrong):
        raise BadProblem(name, f"[{wrong[0]}]", "planning.cure.integer", lowest=0, highest=size - 1)
    return array


def _require_same_length(names: Sequence[str], arrays: Sequence[Longs]) -> None:
    if len({len(array) for array in arrays}) > 1:
        raise BadProblem(names[0], "", "planning.cure.same_length", fields=", ".join(names))


def _require_lengths(length: Longs) -> None:
    wrong = np.flatnonzero((length < 1) | (length >= UNREACHABLE))
    if len(wrong):
        raise BadProblem(
            "edges.dm", f"[{wrong[0]}]", "planning.cure.integer", lowest=1, highest=UNREACHABLE - 1
        )
    if length.sum() >= UNREACHABLE:
        raise BadProblem("edges.dm", "", "planning.network.too_long", limit_km=UNREACHABLE // 10_000)


def _distinct_edges(a: Longs, b: Longs, dm: Longs) -> tuple[Ints, Ints, Ints]:
    low, high = np.minimum(a, b), np.maximum(a, b)
    order = np.lexsort((dm, high, low))
    order = order[low[order] != high[order]]
    low, high, dm = low[order], high[order], dm[order]
    first = np.ones(len(low), np.bool_)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    return low[first].astype(np.int32), high[first].astype(np.int32), dm[first].astype(np.int32)


def _in_rows(size: int, low: Ints, high: Ints, dm: Ints) -> tuple[Longs, Ints, Ints]:
    tail = np.concatenate([low, high])
    head = np.concatenate([high, low])
    order = np.lexsort((head, tail))
    rows = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(tail, minlength=size), out=rows[1:])
    return rows, head[order], np.concatenate([dm, dm])[order]
