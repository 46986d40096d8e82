# SPDX-License-Identifier: Apache-2.0
"""Ground between real streets: faces of the street network, cut into blocks, dealt out to communities.

Nouns: a face (what streets enclose), a field (a face, or a part of it between new inner streets), a run (the
fields of one community, next to each other along a Hilbert curve).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import shapely

from muster.base.errors import Refusal
from muster.drill.city.draws import Draws
from muster.drill.city.footprints import anticlockwise
from muster.drill.city.lattice import HALF_WIDTH, PER_FRONT, Block, CellGround, Front, Street
from muster.drill.city.model import Point, Road
from muster.drill.city.plane import METRES_PER_DEGREE, Plane, hilbert_distance
from muster.drill.city.roads import RoadNetwork
from muster.drill.city.scenario import StreetNames
from muster.drill.city.village import cut_across, sides_of

BOUNDING = {  # streets that bound blocks; lanes and paths only keep buildings off
    "motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "living_street",
    "pedestrian", "motorway_link", "trunk_link", "primary_link", "secondary_link", "tertiary_link",
}  # fmt: skip
PAVEMENT = 3.0
VERTEX_EVERY = 25.0
LARGEST_FIELD = 42_000.0  # square metres; larger ones get inner streets
SMALLEST_FIELD, SMALLEST_BLOCK = 1_800.0, 1_100.0
USUAL, MOST = 0.032, 0.06  # people per square metre of free ground
DENSE_M = 500.0  # how far around a field streets count when the densest place is sought
INNER_CLASS = "residential"
HILBERT_ORDER = 10


def half_width(klass: str) -> float:
    return HALF_WIDTH.get(klass.removesuffix("_link"), 2.0)


@dataclass(slots=True)
class _Way:
    name: str
    klass: str
    line: Any


@dataclass(slots=True)
class _Field:
    """Ground of one block: its shape up to the street lines, and the new streets that were cut for it."""

    shape: Any
    cuts: list[_Way] = field(default_factory=list)


@dataclass(frozen=True)
class RealGrounds:
    """The ground between real streets, for as many communities as `sizes` tells."""

    network: RoadNetwork
    names: StreetNames
    seed: int
    sizes: Sequence[int]
    _made: dict[int, tuple[Block, ...]] = field(default_factory=dict, repr=False)

    @cached_property
    def plane(self) -> Plane:
        points = np.array([p for road in self.network.roads for p in road.points])
        low, high = points.min(axis=0), points.max(axis=0)
        lon, lat = (low + high) / 2
        return Plane(round(float(lon), 6), round(float(lat), 6))

    @cached_property
    def _ways(self) -> list[_Way]:
        """The streets in metres, with a vertex every few metres, main component first checked."""
        lat = math.cos(math.radians(self.plane.lat)) * METRES_PER_DEGREE
        ways = []
        for number, road in enumerate(self.network.roads):
            name = road.name
            if not name and road.klass in BOUNDING:  # people live there: the street needs a name
                name = self.names.inner(number // 10, number % 10)
            xy = (np.array(road.points) - (self.plane.lon, self.plane.lat)) * (lat, METRES_PER_DEGREE)
            line = shapely.segmentize(shapely.LineString(np.round(xy, 3)), VERTEX_EVERY)
            ways.append(_Way(name, road.klass, line))
        return ways

    @cached_property
    def _main(self) -> list[_Way]:
        """The block-bounding streets of the largest connected part."""
        bounding = [w for w in self._ways if w.klass in BOUNDING]
        tree = shapely.STRtree([w.line for w in bounding])
        first, second = tree.query([w.line for w in bounding], predicate="intersects")
        parent = list(range(len(bounding)))

        def root(k: int) -> int:
            while parent[k] != k:
                parent[k] = parent[parent[k]]
                k = parent[k]
            return k

        for a, b in zip(first.tolist(), second.tolist(), strict=True):
            parent[max(root(a), root(b))] = min(root(a), root(b))
        lengths: dict[int, float] = {}
        for k, way in enumerate(bounding):
            lengths[root(k)] = lengths.get(root(k), 0.0) + way.line.length
        largest = max(sorted(lengths), key=lambda r: lengths[r], default=-1)
        return [w for k, w in enumerate(bounding) if root(k) == largest]

    @cached_property
    def _way_tree(self) -> Any:
        return shapely.STRtree([w.line for w in self._ways])

    @cached_property
    def _vertices(self) -> tuple[Any, list[Front]]:
        """Every vertex of a bounding street, as a front, with a tree to find them."""
        fronts = []
        for way in self._main:
            for place, (x, y) in enumerate(way.line.coords):
                fronts.append(
                    Front(float(x), float(y), way.name, half_width(way.klass), PER_FRONT * place % 960 + 1)
                )
        return shapely.STRtree([shapely.Point(f.x, f.y) for f in fronts]), fronts

    @cached_property
    def _fields(self) -> list[_Field]:
        """All fields, in the order in which communities take them."""
        noded = shapely.union_all([w.line for w in self._main], grid_size=0.01)
        faces = shapely.get_parts(shapely.polygonize(list(shapely.get_parts(noded))))
        fields: list[_Field] = []
        for number, face in enumerate(sorted(faces, key=_corner)):
            if face.buffer(-14).area < SMALLEST_FIELD:
                continue
            fields += self._cut(face, Draws(self.seed, "face", number))
        if not fields:
            raise Refusal("drill.roads_too_few", people=sum(self.sizes), room=0)
        return self._in_order(fields)

    def _in_order(self, fields: list[_Field]) -> list[_Field]:
        """Along a Hilbert curve, beginning where the streets are densest."""
        centres = [f.shape.centroid for f in fields]
        low_x, low_y = min(c.x for c in centres), min(c.y for c in centres)
        wide = max(max(c.x for c in centres) - low_x, max(c.y for c in centres) - low_y) + 1
        cells = (1 << HILBERT_ORDER) - 1

        def place(k: int) -> tuple[int, float, float]:
            x, y = centres[k].x, centres[k].y
            cell = int((x - low_x) / wide * cells), int((y - low_y) / wide * cells)
            return hilbert_distance(*cell, HILBERT_ORDER), x, y

        order = sorted(range(len(fields)), key=place)
        tree, _ = self._vertices
        around = shapely.buffer([centres[k] for k in order], DENSE_M, quad_segs=3)
        found = np.bincount(tree.query(around, predicate="intersects")[0], minlength=len(order))
        start = int(found.argmax())
        return [fields[k] for k in order[start:] + order[:start]]

    def _cut(self, face: Any, draws: Draws) -> list[_Field]:
        """Cut a large face by new inner streets until each part is a block."""
        waiting, fields = [_Field(face)], []
        cuts: list[_Way] = []
        while waiting:
            ground = waiting.pop()
            length, width, angle = sides_of(ground.shape)
            if ground.shape.area <= LARGEST_FIELD or width < 70:
                fields.append(ground)
                continue
            pieces, line = cut_across(ground.shape, angle, draws.within(0.4, 0.6), draws.within(-0.04, 0.04))
            if len(pieces) < 2 or line.geom_type != "LineString" or length < 90:
                fields.append(ground)
                continue
            name = self.names.inner(draws.below(400), draws.below(10))
            cuts.append(_Way(name, INNER_CLASS, self._joined(line, cuts)))
            waiting += [_Field(piece) for piece in pieces]
        for ground in fields:
            reach = ground.shape.buffer(1.0)
            ground.cuts = [c for c in cuts if c.line.intersects(reach)]
        return sorted(fields, key=lambda f: _corner(f.shape))

    def _joined(self, line: Any, cuts: Sequence[_Way]) -> Any:
        """The cut with its ends led to vertices of the streets that it meets, so that the way goes on."""
        tree, fronts = self._vertices
        middle = shapely.segmentize(line, VERTEX_EVERY)
        points = [(float(x), float(y)) for x, y in middle.coords]
        for end in (0, -1):
            spot = shapely.Point(points[end])
            best = fronts[int(tree.nearest(spot))]
            near = [(best.x, best.y)]
            near += [(float(x), float(y)) for c in cuts for x, y in c.line.coords]
            goal = min(near, key=lambda p: math.dist(p, points[end]))
            if goal != points[end]:
                points.insert(0, goal) if end == 0 else points.append(goal)
        return shapely.LineString(points)

    @cached_property
    def _runs(self) -> list[list[int]]:
        """Which fields each community takes: in order, until their free ground is enough for its people."""
        runs = self._deal(USUAL)
        if runs is None:
            # The usual density does not do: find out how much ground there is, and build closer.
            people, room = sum(self.sizes), sum(self._free_ground(k) for k in range(len(self._fields)))
            density = people / (room * 0.96)
            runs = self._deal(density) if density <= MOST else None
            if runs is None:
                raise Refusal("drill.roads_too_few", people=people, room=int(room * MOST))
        return runs

    def _deal(self, density: float) -> list[list[int]] | None:
        runs: list[list[int]] = []
        k = 0
        for size in self.sizes:
            run: list[int] = []
            held = 0.0
            while held < size:
                if k == len(self._fields):
                    if held < 0.9 * size:
                        return None
                    break
                held += self._free_ground(k) * density
                run.append(k)
                k += 1
            runs.append(run)
        return runs

    def _free_ground(self, k: int) -> float:
        return float(sum(shapely.Polygon(b.ring).area for b in self._blocks(k)))

    def ground(self, index: int) -> CellGround:
        """The blocks of one community and the new streets between them."""
        run = self._runs[index]
        chosen = [self._fields[k] for k in run]
        blocks = tuple(block for k in run for block in self._blocks(k))
        ways = {id(c): c for f in chosen for c in f.cuts}
        streets = tuple(Street(w.name, w.klass, _points(w.line)) for w in ways.values())
        outline = shapely.union_all([f.shape for f in chosen])
        rings = tuple(_points(p.exterior)[:-1] for p in shapely.get_parts(outline))
        return CellGround(blocks, streets, rings)

    def _blocks(self, k: int) -> tuple[Block, ...]:
        """What can be built on in one field: the ground off the bounding streets; small ways stay blocked."""
        if k not in self._made:
            self._made[k] = self._make_blocks(self._fields[k])
        return self._made[k]

    def _make_blocks(self, ground: _Field) -> tuple[Block, ...]:
        near = [self._ways[int(n)] for n in sorted(self._way_tree.query(ground.shape.buffer(40)).tolist())]
        bounding = [*(w for w in near if w.klass in BOUNDING), *ground.cuts]
        small = [w.line.buffer(half_width(w.klass) + 1.0) for w in near if w.klass not in BOUNDING]
        streets = shapely.union_all([w.line.buffer(half_width(w.klass) + PAVEMENT) for w in bounding])
        blocked = shapely.union_all([streets, *small])
        free = ground.shape.difference(streets).buffer(-2.5).buffer(2.5)
        parts = [p for p in shapely.get_parts(free) if p.geom_type == "Polygon" and p.area > SMALLEST_BLOCK]
        fronts = self._fronts(ground) if parts else ()
        blocks = []
        for part in sorted(parts, key=_corner):
            ring = shapely.Polygon(part.simplify(0.7).exterior.coords).exterior
            blocks.append(Block(anticlockwise(_points(ring)[:-1]), fronts, blocked))
        return tuple(blocks)

    def _fronts(self, ground: _Field) -> tuple[Front, ...]:
        tree, fronts = self._vertices
        near = tree.query(ground.shape.buffer(2.0), predicate="intersects")
        outline = ground.shape.exterior.buffer(3.0)
        found = [fronts[int(k)] for k in sorted(near.tolist())]
        found = [f for f in found if outline.contains(shapely.Point(f.x, f.y))]
        for cut in ground.cuts:
            for place, (x, y) in enumerate(cut.line.coords):
                found.append(
                    Front(float(x), float(y), cut.name, half_width(cut.klass), PER_FRONT * place + 1)
                )
        return tuple(found)

    def roads(self) -> tuple[Road, ...]:
        """The real streets in and around the communities, with the vertices that gates open on."""
        used = shapely.union_all([self._fields[k].shape.envelope for run in self._runs for k in run]).envelope
        reach = used.buffer(60)
        kept = {id(w) for w in self._main}
        chosen = [
            w for w in self._ways if w.line.intersects(reach) and (id(w) in kept or w.klass not in BOUNDING)
        ]
        return tuple(Road(w.name, w.klass, self.plane.line(w.line.coords)) for w in chosen)


def _corner(shape: Any) -> tuple[float, float]:
    west, south, _, _ = shape.bounds
    return west, south


def _points(line: Any) -> tuple[Point, ...]:
    return tuple((float(x), float(y)) for x, y in line.coords)
