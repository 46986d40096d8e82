# SPDX-License-Identifier: Apache-2.0
"""Small made-up street graphs, and the slow truth about them: scipy's Dijkstra on the graph as it is."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from muster.planning.network import UNREACHABLE, WalkGraph


def grid_city(side: int, *, seed: int, missing: float = 0.3) -> WalkGraph:
    """Return streets on a jittered square grid of 100 m blocks, some local streets missing."""
    rng = np.random.default_rng(seed)
    number = np.arange(side * side).reshape(side, side)
    a = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    b = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    kept = rng.random(len(a)) > missing
    dm = rng.integers(600, 1400, len(a))
    east, north = np.meshgrid(np.arange(side), np.arange(side))
    lon = 108.9 + (east.ravel() + rng.normal(0, 0.2, side * side)) * 0.001
    lat = 34.2 + (north.ravel() + rng.normal(0, 0.2, side * side)) * 0.001
    return WalkGraph.from_edges(side * side, a[kept], b[kept], dm[kept], lon=lon, lat=lat)


def random_graph(size: int, edges: int, *, seed: int) -> WalkGraph:
    """Return any graph: loops and parallel streets given, pieces apart, lengths with many ties."""
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, size, (2, edges))
    return WalkGraph.from_edges(size, ends[0], ends[1], rng.integers(1, 12, edges))


def true_distances(graph: WalkGraph) -> np.ndarray:
    """Return all distances between nodes by scipy."""
    arcs = coo_matrix((graph.edge_dm, (graph.edge_a, graph.edge_b)), shape=(graph.size, graph.size)).tocsr()
    found = dijkstra(arcs, directed=False)
    return np.where(np.isinf(found), UNREACHABLE, found).astype(np.int64)
