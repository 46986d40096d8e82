# SPDX-License-Identifier: Apache-2.0
"""Where doors and gates touch the walking graph: a place has one or more accesses, each a node and a cost.

A place beside a street reaches both ends of its piece of street. A building inside a walled compound
reaches the streets only through the open gates of that compound. Two places beside the same piece of
street, or in the same yard, may also walk to each other directly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from muster.planning._kernel.arrays import Bools, Floats, Ints, Longs
from muster.planning._kernel.geodesy import FlatMap
from muster.planning.contract import BadProblem
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


def with_gates(
    graph: WalkGraph, lon: ArrayLike, lat: ArrayLike, *, limit_m: float = 500.0
) -> tuple[WalkGraph, Places]:
    """Return the graph with a corner where each gate meets its street, and the gates as places.

    Snap doors to the new graph: a door may lie between a gate and the next corner.
    """
    beside = snap(graph, lon, lat, limit_m=limit_m)
    at_gate = np.full(len(beside), -1, np.int64)
    corner_lon, corner_lat = list(graph.lon), list(graph.lat)
    tails, heads, lengths = [], [], []
    order = np.lexsort((beside.along_dm, beside.edge))
    cut = np.zeros(len(graph.edge_a), np.bool_)
    for edge in np.unique(beside.edge[beside.edge >= 0]):
        cut[edge] = True
        last, walked = int(graph.edge_a[edge]), 0
        whole = int(graph.edge_dm[edge])
        for gate in order[np.searchsorted(beside.edge[order], edge) :]:
            if beside.edge[gate] != edge:
                break
            along = int(beside.along_dm[gate])
            if walked < along < whole:
                share = along / whole
                a, b = graph.edge_a[edge], graph.edge_b[edge]
                corner_lon.append(graph.lon[a] + share * (graph.lon[b] - graph.lon[a]))
                corner_lat.append(graph.lat[a] + share * (graph.lat[b] - graph.lat[a]))
                tails.append(last)
                heads.append(len(corner_lon) - 1)
                lengths.append(along - walked)
                last, walked = len(corner_lon) - 1, along
            at_gate[gate] = int(graph.edge_b[edge]) if along == whole else last
        tails.append(last)
        heads.append(int(graph.edge_b[edge]))
        lengths.append(whole - walked)
    finer = WalkGraph.from_edges(
        len(corner_lon),
        np.concatenate([graph.edge_a[~cut], np.asarray(tails, np.int64)]).astype(np.int64),
        np.concatenate([graph.edge_b[~cut], np.asarray(heads, np.int64)]).astype(np.int64),
        np.concatenate([graph.edge_dm[~cut], np.asarray(lengths, np.int64)]).astype(np.int64),
        lon=np.asarray(corner_lon),
        lat=np.asarray(corner_lat),
    )
    return finer, _gate_places(beside, at_gate)


def _gate_places(beside: Places, at_gate: Longs) -> Places:
    on_street = at_gate >= 0
    rows = np.zeros(len(beside) + 1, np.int64)
    np.cumsum(on_street, out=rows[1:])
    nowhere = np.full(len(beside), -1, np.int32)
    return Places(
        rows,
        at_gate[on_street].astype(np.int32),
        beside.off_dm[on_street],
        nowhere,
        np.zeros(len(beside), np.int32),
        np.zeros(len(beside), np.int32),
        nowhere,
        beside.east_dm,
        beside.north_dm,
    )


def behind_gates(
    outside: Places, yard: ArrayLike, gates: Places, gate_yard: ArrayLike, *, gate_open: ArrayLike
) -> Places:
    """Return the places with those in a gated yard moved behind its open gates.

    `gates` and the graph of `outside` come from `with_gates`; `yard` is -1 for a place in no compound. A
    yard without any gate on the list counts as open ground. A yard whose gates are all shut is cut off:
    its places are unattached, and the caller says so.
    """
    of_place, of_gate = np.asarray(yard, np.int64), np.asarray(gate_yard, np.int64)
    is_open = np.asarray(gate_open, np.bool_)
    if len(of_place) != len(outside):
        raise BadProblem("yard", "", "planning.cure.same_length", fields="places, yard")
    if not len(of_gate) == len(gates) == len(is_open):
        raise BadProblem("gates", "", "planning.cure.same_length", fields="gates, yard, open")
    gated = np.isin(of_place, of_gate[of_gate >= 0]) & (of_place >= 0)
    through = _ways_through(outside, gates, of_place, of_gate, gated, is_open)
    own = np.repeat(~gated, np.diff(outside.rows))
    straight = np.repeat(np.arange(len(outside)), np.diff(outside.rows))[own]
    place = np.concatenate([straight, through[0]])
    order = np.argsort(place, kind="stable")
    rows = np.zeros(len(outside) + 1, np.int64)
    np.cumsum(np.bincount(place, minlength=len(outside)), out=rows[1:])
    return replace(
        outside,
        rows=rows,
        node=np.concatenate([outside.node[own], through[1]])[order],
        cost_dm=np.concatenate([outside.cost_dm[own], through[2]])[order],
        edge=np.where(gated, -1, outside.edge).astype(np.int32),
        yard=np.where(gated, of_place, -1).astype(np.int32),
    )


def _ways_through(
    outside: Places, gates: Places, of_place: Longs, of_gate: Longs, gated: Bools, is_open: Bools
) -> tuple[Longs, Ints, Ints]:
    """Return each gated place with each access of each open gate of its yard: place, node, cost."""
    gate = np.repeat(np.arange(len(gates)), np.diff(gates.rows))
    access = np.flatnonzero(is_open[gate])
    access = access[np.argsort(of_gate[gate[access]], kind="stable")]
    yards = of_gate[gate[access]]
    inside = np.flatnonzero(gated)
    first = np.searchsorted(yards, of_place[inside])
    counts = np.searchsorted(yards, of_place[inside], side="right") - first
    place = np.repeat(inside, counts)
    begin = np.cumsum(counts) - counts
    chosen = access[np.repeat(first - begin, counts) + np.arange(counts.sum())]
    east = (outside.east_dm[place] - gates.east_dm[gate[chosen]]).astype(np.float64)
    north = (outside.north_dm[place] - gates.north_dm[gate[chosen]]).astype(np.float64)
    across = np.rint(np.hypot(east, north) * YARD_DETOUR / 100.0).astype(np.int32)
    return place.astype(np.int64), gates.node[chosen], (gates.cost_dm[chosen] + across).astype(np.int32)


def flat_map(graph: WalkGraph) -> FlatMap:
    """Return the flat map on which places of this graph are compared; raises BadProblem without corners."""
    if len(graph.lon) == 0 or len(graph.edge_a) == 0:
        raise BadProblem("nodes", "", "planning.network.no_map")
    return FlatMap.around(graph.lon, graph.lat)


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
