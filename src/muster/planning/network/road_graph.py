# SPDX-License-Identifier: Apache-2.0
"""From lines of street to the walking graph: corners merged, loose ends joined, the largest piece kept."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from muster.planning._kernel.arrays import Bools, Floats, Longs
from muster.planning._kernel.geodesy import FlatMap, lengths_dm
from muster.planning.contract import BadProblem
from muster.planning.network.graph import WalkGraph
from muster.planning.network.road_files import Road, Roads

# Nobody is sent on foot along these.
NOT_WALKED = frozenset({"motorway", "motorway_link"})


@dataclass(frozen=True, slots=True)
class Streets:
    """The walking graph and what was left out of it, for the person who brought the file."""

    graph: WalkGraph
    lines: int
    lines_not_walked: int
    loose_ends_joined: int
    pieces_dropped: int
    dropped_km: float
    kept_km: float


def walk_graph(
    roads: Roads,
    *,
    merge_m: float = 0.5,
    join_m: float = 2.0,
    not_walked: Collection[str] = NOT_WALKED,
) -> Streets:
    """Build the walking graph of the streets.

    Points closer than `merge_m` become one corner. A loose end closer than `join_m` to another street is
    joined to it (hand-drawn maps rarely meet exactly). Only the largest connected piece stays.
    """
    walked = [line for line in roads.lines if line.kind not in not_walked]
    if not walked:
        raise BadProblem("roads", "", "planning.cure.not_empty")
    lon, lat, a, b = _corners(walked, merge_m)
    a, b, joined = _join_loose_ends(lon, lat, a, b, join_m)
    every = WalkGraph.from_edges(
        len(lon), a, b, lengths_dm(lon[a], lat[a], lon[b], lat[b]).astype(np.int64), lon=lon, lat=lat
    )
    kept = _largest_piece(every)
    graph = every.part(kept)
    kept_km, all_km = float(graph.edge_dm.sum()) / 10_000, float(every.edge_dm.sum()) / 10_000
    return Streets(
        graph,
        lines=len(roads.lines),
        lines_not_walked=len(roads.lines) - len(walked),
        loose_ends_joined=joined,
        pieces_dropped=len(np.unique(every.pieces())) - 1,
        dropped_km=round(all_km - kept_km, 3),
        kept_km=round(kept_km, 3),
    )


def _corners(lines: list[Road], merge_m: float) -> tuple[Floats, Floats, Longs, Longs]:
    """Return the corners and the edges between them, close points merged into the first of them."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    lon = np.concatenate([line.lon for line in lines])
    lat = np.concatenate([line.lat for line in lines])
    ends = np.cumsum([len(line.lon) for line in lines])
    points = np.stack(FlatMap.around(lon, lat).place(lon, lat), axis=1)
    close = cKDTree(points).query_pairs(merge_m, output_type="ndarray")
    links = csr_matrix((np.ones(len(close), np.int8), (close[:, 0], close[:, 1])), shape=(len(lon),) * 2)
    clump = connected_components(links, directed=False)[1]
    _, first, corner = np.unique(clump, return_index=True, return_inverse=True)
    inner = np.ones(len(lon), np.bool_)
    inner[ends - 1] = False
    starts = np.flatnonzero(inner)
    a, b = corner[starts].astype(np.int64), corner[starts + 1].astype(np.int64)
    return lon[first], lat[first], a[a != b], b[a != b]


def _join_loose_ends(lon: Floats, lat: Floats, a: Longs, b: Longs, join_m: float) -> tuple[Longs, Longs, int]:
    """Split each piece of street at the loose ends that lie close beside it."""
    import shapely

    loose = np.flatnonzero(np.bincount(np.concatenate([a, b]), minlength=len(lon)) == 1)
    x, y = FlatMap.around(lon, lat).place(lon, lat)
    pieces = shapely.linestrings(np.stack([np.stack([x[a], x[b]], 1), np.stack([y[a], y[b]], 1)], axis=2))
    end, piece = shapely.STRtree(pieces).query(
        shapely.points(x[loose], y[loose]), predicate="dwithin", distance=join_m
    )
    end = loose[end]
    other = (a[piece] != end) & (b[piece] != end)
    end, piece = end[other], piece[other]
    away = shapely.distance(shapely.points(x[end], y[end]), pieces[piece])
    order = np.lexsort((piece, away, end))
    _, nearest = np.unique(end[order], return_index=True)
    end, piece = end[order][nearest], piece[order][nearest]
    share = shapely.line_locate_point(pieces[piece], shapely.points(x[end], y[end]), normalized=True)
    by_piece = np.lexsort((end, share, piece))
    return _split(a, b, end[by_piece], piece[by_piece])


def _split(a: Longs, b: Longs, end: Longs, piece: Longs) -> tuple[Longs, Longs, int]:
    """Replace each split piece by the chain from its one end over its loose ends to its other end."""
    whole = np.ones(len(a), np.bool_)
    whole[piece] = False
    tails, heads = [a[whole]], [b[whole]]
    for number in np.unique(piece):
        chain = np.concatenate([a[[number]], end[piece == number], b[[number]]])
        tails.append(chain[:-1])
        heads.append(chain[1:])
    return np.concatenate(tails), np.concatenate(heads), len(end)


def _largest_piece(graph: WalkGraph) -> Bools:
    pieces = graph.pieces()
    return pieces == np.bincount(pieces).argmax()
