# SPDX-License-Identifier: Apache-2.0
"""Where doors and gates touch the walking graph: a place has one or more accesses, each a node and a cost.

A place beside a street reaches both ends of its piece of street. A building inside a walled compound
reaches the streets only through the open gates of that compound. Two places beside the same piece of
street, or in the same yard, may also walk to each other directly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from muster.planning._kernel.arrays import Bools, Floats, Ints, Longs
from muster.planning.contract import BadProblem
from muster.planning.network.geodesy import FlatMap
from muster.planning.network.graph import WalkGraph

# Inside a yard people walk around lawns and houses: this much longer than the straight line, in percent.
YARD_DETOUR = 130


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Places by number; the accesses of place i are rows[i]:rows[i + 1]. All costs in decimetres.

    `edge` is the piece of street beside which a place lies (-1: none), `along_dm` how far along it from its
    lower end, `off_dm` how far beside it. `yard` is the compound of a place (-1: none). `east_dm` and
    `north_dm` say where it is on the flat map: two places on one spot are no walk apart.
    """

    rows: Longs
    node: Ints
    cost_dm: Ints
    edge: Ints
    along_dm: Ints
    off_dm: Ints
    yard: Ints
    east_dm: Longs
    north_dm: Longs

    def __len__(self) -> int:
        return len(self.rows) - 1

    @property
    def attached(self) -> Bools:
        """Say of each place whether it touches the graph at all."""
        return np.diff(self.rows) > 0

    def take(self, which: ArrayLike) -> Places:
        """Return some of the places, in the order asked for."""
        chosen = np.asarray(which, np.int64)
        counts = np.diff(self.rows)[chosen]
        rows = np.zeros(len(chosen) + 1, np.int64)
        np.cumsum(counts, out=rows[1:])
        source = np.repeat(self.rows[:-1][chosen] - rows[:-1], counts) + np.arange(rows[-1])
        return Places(
            rows,
            self.node[source],
            self.cost_dm[source],
            self.edge[chosen],
            self.along_dm[chosen],
            self.off_dm[chosen],
            self.yard[chosen],
            self.east_dm[chosen],
            self.north_dm[chosen],
        )


def at_nodes(nodes: ArrayLike) -> Places:
    """Return places that stand exactly on nodes of the graph."""
    node = np.asarray(nodes, np.int64).astype(np.int32)
    nothing = np.zeros(len(node), np.int32)
    nowhere = np.full(len(node), -1, np.int32)
    spot = np.zeros(len(node), np.int64)
    rows = np.arange(len(node) + 1).astype(np.int64)
    return Places(rows, node, nothing, nowhere, nothing, nothing, nowhere, spot, spot)


def snap(graph: WalkGraph, lon: ArrayLike, lat: ArrayLike, *, limit_m: float = 500.0) -> Places:
    """Return each point as a place beside its nearest piece of street.

    A point farther than `limit_m` from every street stays unattached: no walk leads there. Of several
    pieces equally near, the first by number is taken.
    """
    lon_, lat_ = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    flat = flat_map(graph)
    east, north = flat.place(lon_, lat_)
    edge, share, off_m = _nearest_piece(graph, flat, east, north)
    near = off_m <= limit_m
    piece = np.where(near, edge, -1).astype(np.int32)
    whole = graph.edge_dm[edge]
    along = np.where(near, np.rint(share * whole), 0).astype(np.int32)
    off = np.where(near, np.rint(off_m * 10.0), 0).astype(np.int32)
    rows = np.zeros(len(lon_) + 1, np.int64)
    np.cumsum(2 * near, out=rows[1:])
    ends = np.stack([graph.edge_a[piece[near]], graph.edge_b[piece[near]]], axis=1)
    costs = np.stack([off[near] + along[near], off[near] + whole[near] - along[near]], axis=1)
    return Places(
        rows,
        ends.ravel().astype(np.int32),
        costs.ravel().astype(np.int32),
        piece,
        along,
        off,
        np.full(len(lon_), -1, np.int32),
        np.rint(east * 10.0).astype(np.int64),
        np.rint(north * 10.0).astype(np.int64),
    )


def behind_gates(
    outside: Places, yard: ArrayLike, gates: Places, gate_yard: ArrayLike, *, gate_open: ArrayLike
) -> Places:
    """Return the places with those in a gated yard moved behind its open gates.

    `outside` and `gates` come from `snap` on the same graph; `yard` is -1 for a place in no compound. A
    yard without any gate on the list counts as open ground. A yard whose gates are all shut is cut off:
    its places are unattached, and the caller says so.
    """
    of_place, of_gate = np.asarray(yard, np.int64), np.asarray(gate_yard, np.int64)
    open_ = np.asarray(gate_open, np.bool_)
    if not len(of_place) == len(outside):
        raise BadProblem("yard", "", "planning.cure.same_length", fields="places, yard")
    if not len(of_gate) == len(gates) == len(open_):
        raise BadProblem("gates", "", "planning.cure.same_length", fields="gates, yard, open")
    gated = np.isin(of_place, of_gate[of_gate >= 0]) & (of_place >= 0)
    nodes: list[Ints] = []
    costs: list[Ints] = []
    counts = np.zeros(len(outside), np.int64)
    gates_of = {int(g): np.flatnonzero((of_gate == g) & open_) for g in np.unique(of_gate[of_gate >= 0])}
    for place in range(len(outside)):
        if gated[place]:
            node, cost = _through_gates(outside, place, gates, gates_of[int(of_place[place])])
        else:
            span = slice(outside.rows[place], outside.rows[place + 1])
            node, cost = outside.node[span], outside.cost_dm[span]
        nodes.append(node)
        costs.append(cost)
        counts[place] = len(node)
    rows = np.zeros(len(outside) + 1, np.int64)
    np.cumsum(counts, out=rows[1:])
    none = np.zeros(0, np.int32)
    return Places(
        rows,
        np.concatenate([*nodes, none]).astype(np.int32),
        np.concatenate([*costs, none]).astype(np.int32),
        np.where(gated, -1, outside.edge).astype(np.int32),
        outside.along_dm,
        outside.off_dm,
        np.where(gated, of_place, -1).astype(np.int32),
        outside.east_dm,
        outside.north_dm,
    )


def flat_map(graph: WalkGraph) -> FlatMap:
    """Return the flat map on which places of this graph are compared; raises BadProblem without corners."""
    if len(graph.lon) == 0 or len(graph.edge_a) == 0:
        raise BadProblem("nodes", "", "planning.network.no_map")
    return FlatMap.around(graph.lon, graph.lat)


def _through_gates(outside: Places, place: int, gates: Places, which: Longs) -> tuple[Ints, Ints]:
    through = gates.take(which)
    across = np.hypot(
        (through.east_dm - outside.east_dm[place]).astype(np.float64),
        (through.north_dm - outside.north_dm[place]).astype(np.float64),
    )
    inside = np.rint(across * YARD_DETOUR / 100.0).astype(np.int32)
    return through.node, through.cost_dm + np.repeat(inside, np.diff(through.rows))


def _nearest_piece(
    graph: WalkGraph, flat: FlatMap, east: Floats, north: Floats
) -> tuple[Longs, Floats, Floats]:
    """Return for each point its nearest piece, the share of the way along it, and the metres beside it."""
    import shapely

    x, y = flat.place(graph.lon, graph.lat)
    ends = np.stack([graph.edge_a, graph.edge_b], axis=1)
    pieces = shapely.linestrings(np.stack([x[ends], y[ends]], axis=2))
    tree = shapely.STRtree(pieces)
    point, piece = tree.query_nearest(shapely.points(east, north))
    first = np.full(len(east), len(pieces), np.int64)
    np.minimum.at(first, point, piece)
    ax, ay = x[graph.edge_a[first]], y[graph.edge_a[first]]
    bx, by = x[graph.edge_b[first]], y[graph.edge_b[first]]
    square = (bx - ax) ** 2 + (by - ay) ** 2
    dot = (east - ax) * (bx - ax) + (north - ay) * (by - ay)
    share = np.clip(np.divide(dot, square, out=np.zeros_like(dot), where=square > 0), 0.0, 1.0)
    beside = np.hypot(ax + share * (bx - ax) - east, ay + share * (by - ay) - north)
    return first, share, beside
