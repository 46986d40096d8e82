# SPDX-License-Identifier: Apache-2.0
"""Which buildings are neighbours: links of a triangulation that cross no hard line.

Rivers and railways are never crossed. A wall is crossed only at a gate of its compound; where all ways
lead through walls, the shortest of them holds the compound to its neighbours, because people do get in
and out somehow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from muster.planning._kernel.arrays import Bools, Floats, Ints, Longs
from muster.planning.districting.candidates import FREE, NEVER, THROUGH_WALL, Candidates, joining, pieces
from muster.planning.districting.crossing import crossed

# A link longer than this joins no neighbours, unless nothing shorter holds the ground together.
FAR_M = 250.0
WALL = "wall"

# Where the triangulation leaves buildings on one bank apart, so many nearest ones are tried.
_NEAREST = 12
# A gate is drawn on its wall, give or take: a link through it is looked at from this far away on.
_GATE_SHARE = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class HardLine:
    """A line that no grid crosses: `kind` is river, railway, road, … or wall; positions in metres."""

    kind: str
    x_m: Floats
    y_m: Floats


@dataclass(frozen=True, slots=True)
class Gate:
    """A way through the wall of a compound."""

    x_m: float
    y_m: float
    compound: int


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Where buildings stand, and what divides them."""

    x_m: Floats
    y_m: Floats
    community: Ints
    compound: Ints
    hard_lines: Sequence[HardLine] = ()
    gates: Sequence[Gate] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """Pairs of neighbouring buildings, each once with a < b, in order; `through_wall` as by a gate."""

    a: Ints
    b: Ints
    through_wall: Bools


def build_links(ground: Ground) -> Links:
    """Return the links between neighbouring buildings.

    What is not divided by a hard line hangs together within each community; between communities there are
    only the links of buildings that are close.
    """
    count = len(ground.x_m)
    every = _triangulated(ground)
    same = ground.community[every.a] == ground.community[every.b]
    outward = every.where(~same & (every.crosses == FREE) & (every.length <= FAR_M))
    found = every.where(same)
    kept = (found.crosses == FREE) & (found.length <= FAR_M)
    kept |= joining(count, found, kept, found.crosses == FREE)
    apart = _smaller_pieces(ground, found, kept)
    if len(apart):
        found = found.and_(_nearest(ground, apart))
        kept = np.concatenate([kept, np.zeros(len(found.a) - len(kept), np.bool_)])
        kept |= joining(count, found, kept, found.crosses == FREE)
    kept |= joining(count, found, kept, found.crosses != NEVER)
    inside = _inside_compounds(ground, found.where(kept))
    for more in (outward, inside):
        found, kept = found.and_(more), np.concatenate([kept, np.ones(len(more.a), np.bool_)])
    return _distinct(found.a[kept], found.b[kept], (found.by_gate | (found.crosses == THROUGH_WALL))[kept])


def lawful_links(ground: Ground, a: Longs, b: Longs) -> Links:
    """Return the given links without those that cross a hard line."""
    if len(ground.x_m) and ground.hard_lines:
        x, y = ground.x_m, ground.y_m
        no_gate = np.zeros(len(a), np.bool_)
        crosses = _crossings(ground, x[a], y[a], x[b], y[b], no_gate, no_gate)
        free = _within_compound(ground, a, b, crosses) == FREE
        a, b = a[free], b[free]
    apart = a != b
    return _distinct(a[apart], b[apart], np.zeros(int(apart.sum()), np.bool_))


def _triangulated(ground: Ground) -> Candidates:
    """Return the links of a triangulation over buildings and gates, gates standing for a building inside."""
    count = len(ground.x_m)
    x = np.concatenate([ground.x_m, [gate.x_m for gate in ground.gates]])
    y = np.concatenate([ground.y_m, [gate.y_m for gate in ground.gates]])
    building = np.concatenate([np.arange(count), _buildings_inside(ground)]).astype(np.int64)
    a, b = _triangles(x, y)
    own = (a >= count) | (b >= count)
    own &= ground.compound[building[a]] == ground.compound[building[b]]
    used = ~own & (building[a] != building[b])
    a, b = a[used], b[used]
    crosses = _crossings(ground, x[a], y[a], x[b], y[b], a >= count, b >= count)
    crosses = _within_compound(ground, building[a], building[b], crosses)
    by_gate = (a >= count) | (b >= count)
    # a gate opens a wall, not a river: from house to house nothing else may lie between
    straight = _between(ground, building[a[by_gate]], building[b[by_gate]])
    crosses[by_gate] = np.where(straight.crosses == NEVER, NEVER, crosses[by_gate])
    length = np.hypot(x[a] - x[b], y[a] - y[b])
    return Candidates(building[a], building[b], length, crosses, by_gate)


def _buildings_inside(ground: Ground) -> Longs:
    """Return for each gate the nearest building of its compound (or any, for a compound without)."""
    inside = np.zeros(len(ground.gates), np.int64)
    for number, gate in enumerate(ground.gates):
        away = np.hypot(ground.x_m - gate.x_m, ground.y_m - gate.y_m)
        away = np.where(ground.compound == gate.compound, away, away + 1e9)
        inside[number] = int(away.argmin())
    return inside


def _triangles(x: Floats, y: Floats) -> tuple[Longs, Longs]:
    """Return the sides of a Delaunay triangulation; points on one spot are chained to each other."""
    from scipy.spatial import Delaunay, QhullError

    by_spot = np.lexsort((np.arange(len(x)), y, x))
    on_one = (np.diff(x[by_spot]) == 0) & (np.diff(y[by_spot]) == 0)
    chain = by_spot[:-1][on_one], by_spot[1:][on_one]
    first = by_spot[np.concatenate([[True], ~on_one])] if len(x) else by_spot
    spots = np.stack([x[first], y[first]], axis=1)
    try:
        corners = Delaunay(spots).simplices
        sides = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]])
    except (QhullError, ValueError):
        # fewer than three spots, or all on one line: each is next to the following one
        sides = np.stack([np.arange(len(spots) - 1), np.arange(1, len(spots))], axis=1)
    low, high = sides.min(axis=1).astype(np.int64), sides.max(axis=1).astype(np.int64)
    keys = np.unique(low * len(spots) + high)
    a, b = first[keys // len(spots)], first[keys % len(spots)]
    return np.concatenate([a, chain[0]]), np.concatenate([b, chain[1]])


def _crossings(
    ground: Ground, ax: Floats, ay: Floats, bx: Floats, by: Floats, a_is_gate: Bools, b_is_gate: Bools
) -> Ints:
    """Say of each link what it crosses."""
    at_a, at_b = _GATE_SHARE * a_is_gate, _GATE_SHARE * b_is_gate
    segments = [
        np.stack([line.x_m[:-1], line.y_m[:-1], line.x_m[1:], line.y_m[1:]], axis=1)
        for line in ground.hard_lines
    ]
    weights = [
        np.full(len(line.x_m) - 1, THROUGH_WALL if line.kind == WALL else NEVER, np.int32)
        for line in ground.hard_lines
    ]
    return crossed(
        ax + at_a * (bx - ax),
        ay + at_a * (by - ay),
        bx - at_b * (bx - ax),
        by - at_b * (by - ay),
        np.concatenate([np.zeros((0, 4)), *segments]),
        np.concatenate([np.zeros(0, np.int32), *weights]),
    )


def _within_compound(ground: Ground, a: Longs, b: Longs, crosses: Ints) -> Ints:
    """Let buildings of one compound be neighbours across walls: those are their own."""
    same = (ground.compound[a] == ground.compound[b]) & (ground.compound[a] >= 0)
    return np.where(same & (crosses == THROUGH_WALL), FREE, crosses).astype(np.int32)


def _smaller_pieces(ground: Ground, found: Candidates, kept: Bools) -> Longs:
    """Return the edge of each piece but the largest of its community: buildings with a link out of it."""
    piece = pieces(len(ground.x_m), found.a[kept], found.b[kept])
    sizes = np.bincount(piece)
    community = ground.community[np.unique(piece, return_index=True)[1]]
    order = np.lexsort((-sizes, community))
    largest = np.zeros(len(sizes), np.bool_)
    largest[order[np.unique(community[order], return_index=True)[1]]] = True
    outward = piece[found.a] != piece[found.b]
    edge = np.unique(np.concatenate([found.a[outward], found.b[outward]]))
    return edge[~largest[piece[edge]]]


def _nearest(ground: Ground, apart: Longs) -> Candidates:
    """Return links from the buildings to the nearest ones of their community."""
    from scipy.spatial import cKDTree

    tails: list[Longs] = []
    heads: list[Longs] = []
    for community in np.unique(ground.community[apart]):
        mates = np.flatnonzero(ground.community == community)
        asking = apart[ground.community[apart] == community]
        tree = cKDTree(np.stack([ground.x_m[mates], ground.y_m[mates]], axis=1))
        many = min(_NEAREST + 1, len(mates))
        points = np.stack([ground.x_m[asking], ground.y_m[asking]], axis=1)
        near = tree.query(points, k=range(1, many + 1))[1]
        tails.append(np.repeat(asking, many))
        heads.append(mates[near.ravel()])
    a, b = np.concatenate(tails), np.concatenate(heads)
    return _between(ground, a[a != b], b[a != b])


def _between(ground: Ground, a: Longs, b: Longs) -> Candidates:
    """Return the straight links between buildings."""
    x, y = ground.x_m, ground.y_m
    no_gate = np.zeros(len(a), np.bool_)
    crosses = _crossings(ground, x[a], y[a], x[b], y[b], no_gate, no_gate)
    crosses = _within_compound(ground, a, b, crosses)
    return Candidates(a, b, np.hypot(x[a] - x[b], y[a] - y[b]), crosses, no_gate)


def _inside_compounds(ground: Ground, found: Candidates) -> Candidates:
    """Return the shortest links that hold together compounds whose buildings are no neighbours yet.

    What a river or a community border divides stays divided.
    """
    count = len(ground.x_m)
    own = found.where(
        (ground.compound[found.a] == ground.compound[found.b]) & (ground.compound[found.a] >= 0)
    )
    piece = pieces(count, own.a, own.b)
    member = np.flatnonzero(ground.compound >= 0)
    keys = np.unique(np.stack([ground.compound[member], piece[member]], axis=1), axis=0)[:, 0]
    compounds, parts = np.unique(keys, return_counts=True)
    tails, heads = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for compound in compounds[parts > 1]:
        mates = np.flatnonzero(ground.compound == compound)
        a, b = (side.ravel() for side in np.meshgrid(mates, mates, indexing="ij"))
        apart = (a < b) & (piece[a] != piece[b]) & (ground.community[a] == ground.community[b])
        tails.append(a[apart])
        heads.append(b[apart])
    offered = _between(ground, np.concatenate(tails), np.concatenate(heads))
    every = own.and_(offered)
    kept = np.arange(len(every.a)) < len(own.a)
    return every.where(joining(count, every, kept, every.crosses == FREE))


def _distinct(a: Longs, b: Longs, through_wall: Bools) -> Links:
    low, high = np.minimum(a, b), np.maximum(a, b)
    order = np.lexsort((through_wall, high, low))
    low, high, through_wall = low[order], high[order], through_wall[order]
    first = np.ones(len(low), np.bool_)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    return Links(low[first].astype(np.int32), high[first].astype(np.int32), through_wall[first])
