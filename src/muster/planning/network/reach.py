# SPDX-License-Identifier: Apache-2.0
"""How far a walk gets: for each corner the nearest of some places and the way to it, up to a limit."""

from __future__ import annotations

import numpy as np

from muster.planning._kernel.arrays import Ints
from muster.planning.network.graph import UNREACHABLE, WalkGraph
from muster.planning.network.places import Places


def reach(graph: WalkGraph, places: Places, *, limit_dm: int) -> tuple[Ints, Ints]:
    """Return for each node the way to its nearest place and that place's number.

    Beyond the limit the way is UNREACHABLE and the place -1.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    size, count = graph.size, len(places)
    none = np.full(size, UNREACHABLE, np.int32), np.full(size, -1, np.int32)
    if count == 0 or size == 0:
        return none
    # each place is one more node with one-way arcs to its accesses; a tenth keeps arcs of no length
    rows = np.concatenate([graph.rows, graph.rows[-1] + places.rows[1:]])
    heads = np.concatenate([graph.neighbours, places.node])
    costs = np.concatenate([graph.lengths.astype(np.float64), places.cost_dm + 0.1])
    arcs = csr_matrix((costs, heads, rows), shape=(size + count, size + count))
    found, _, nearest = dijkstra(
        arcs,
        indices=np.arange(size, size + count),
        limit=limit_dm + 0.1,
        min_only=True,
        return_predecessors=True,
    )
    near = np.isfinite(found[:size])
    way = np.where(near, np.floor(np.where(near, found[:size], 0.0)), UNREACHABLE)
    return way.astype(np.int32), np.where(near, nearest[:size] - size, -1).astype(np.int32)
