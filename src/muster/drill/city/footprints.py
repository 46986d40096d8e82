# SPDX-License-Identifier: Apache-2.0
"""What a filled block consists of, still in metres: footprints, lanes, walls, gates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import shapely

from muster.drill.city.lattice import Block, Front
from muster.drill.city.model import Point
from muster.drill.city.plane import turned


@dataclass(slots=True)
class Lane:
    klass: str
    points: list[Point]
    cut: Any = None  # the alley of a village that it is part of
    name: str = ""


@dataclass(slots=True)
class Footprint:
    """The ground of one building; `number` is its name as people say it."""

    corners: list[Point]
    access: Point
    units: int
    kind: str
    floors: int = 1
    per_floor: int = 1  # homes per unit and floor
    whole: bool = False  # a unit is one home over all its floors
    street: str = ""
    number: str = ""
    lane: Lane | None = None
    owner_lives_in: bool = False

    @property
    def doors(self) -> int:
        if self.whole:
            return self.units
        living = self.floors - 1 if self.kind == "shop_house" else self.floors
        return self.units * self.per_floor * living


@dataclass(slots=True)
class GateDraft:
    kind: str
    point: Point
    street: str


@dataclass(slots=True)
class Filled:
    """One block with what stands on it."""

    block: Block
    kind: str
    footprints: list[Footprint] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)
    walls: list[list[Point]] = field(default_factory=list)
    gates: list[GateDraft] = field(default_factory=list)
    own_ring: list[Point] | None = None  # the ground of the compound where that is not the whole block
    open_rings: list[tuple[str, list[Point]]] = field(default_factory=list)  # ground left open, by kind
    halls: list[list[Point]] = field(default_factory=list)  # the buildings of an open ground
    alleys: list[Any] = field(default_factory=list)
    alley_houses: list[list[tuple[float, int, Footprint]]] = field(default_factory=list)
    name: str = ""
    street: str = ""
    number: str = ""

    def keep(self, wanted: Sequence[bool]) -> None:
        """Leave out the footprints that are not wanted."""
        kept = {id(f) for f, keep in zip(self.footprints, wanted, strict=True) if keep}
        self.footprints = [f for f in self.footprints if id(f) in kept]
        self.alley_houses = [[h for h in houses if id(h[2]) in kept] for houses in self.alley_houses]


def frame_angle(ring: Sequence[Point]) -> float:
    """The direction of the block's own east-west axis, within 45 degrees of east."""
    box = shapely.get_coordinates(shapely.minimum_rotated_rectangle(shapely.Polygon(ring)))
    (x0, y0), (x1, y1) = box[0], box[1]
    angle = math.atan2(y1 - y0, x1 - x0)
    while angle > math.pi / 4:
        angle -= math.pi / 2
    while angle < -math.pi / 4:
        angle += math.pi / 2
    return angle


def turned_front(front: Front, angle: float) -> Front:
    (point,) = turned([(front.x, front.y)], angle)
    return Front(point[0], point[1], front.street, front.half_width, front.number)


def turn_back(filled: Filled, angle: float) -> None:
    """From the block's own frame back to the plane."""
    for footprint in filled.footprints:
        footprint.corners = turned(footprint.corners, angle)
        (footprint.access,) = turned([footprint.access], angle)
    for lane in filled.lanes:
        lane.points = turned(lane.points, angle)
    for gate in filled.gates:
        (gate.point,) = turned([gate.point], angle)
    filled.halls = [turned(hall, angle) for hall in filled.halls]
    filled.open_rings = [(kind, turned(ring, angle)) for kind, ring in filled.open_rings]


def anticlockwise(ring: Sequence[Point]) -> tuple[Point, ...]:
    ring = tuple(ring)
    area = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(ring, ring[1:] + ring[:1], strict=True))
    return ring if area > 0 else ring[::-1]


def middle(corners: Sequence[Point]) -> Point:
    return sum(x for x, _ in corners) / len(corners), sum(y for _, y in corners) / len(corners)


def wall_lines(block: Block, openings: Sequence[Point], width: float) -> list[list[Point]]:
    """The ring of a block without the openings of its gates, and without ways that go through it."""
    line: Any = shapely.LineString([*block.ring, block.ring[0]])
    holes = [shapely.Point(p).buffer(width / 2, quad_segs=2) for p in openings]
    if block.blocked is not None:
        holes.append(block.blocked)
    if holes:
        line = shapely.difference(line, shapely.union_all(holes))
        if line.geom_type == "MultiLineString":
            line = shapely.line_merge(line)
    parts = [p for p in shapely.get_parts(line) if p.geom_type == "LineString" and p.length > 1]
    return [[(float(x), float(y)) for x, y in p.coords] for p in parts]
