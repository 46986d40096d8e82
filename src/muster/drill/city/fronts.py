# SPDX-License-Identifier: Apache-2.0
"""Fill a block as an old street: shop-houses along its edges, walk-ups inside. And open grounds."""

from __future__ import annotations

import math
from typing import Any

import shapely

from muster.drill.city.draws import Draws
from muster.drill.city.footprints import Filled, Footprint, Lane, anticlockwise, frame_angle, turn_back
from muster.drill.city.lattice import Block
from muster.drill.city.model import Point
from muster.drill.city.plane import turned
from muster.drill.city.rows import fill_rows
from muster.drill.city.scenario import BlockKind

SHOP_SETBACK = 1.0
YARD = 3.0  # between shop-houses and the yard behind


def fill_old_street(block: Block, kind: BlockKind, draws: Draws) -> Filled:
    """Shop-houses round the edge, an open yard of walk-ups within."""
    deep = kind.shop_depth_m + SHOP_SETBACK + YARD
    inner = shapely.Polygon(block.ring).buffer(-deep, join_style="mitre")
    filled = Filled(block, kind.name)
    if inner.geom_type == "Polygon" and inner.area > 1500:
        outline = shapely.set_precision(inner, 0.001).exterior.coords[:-1]
        yard = Block(anticlockwise([(float(x), float(y)) for x, y in outline]), block.fronts)
        filled = fill_rows(yard, kind, draws)
        filled.block, filled.gates = block, []
    lanes = [shapely.LineString(lane.points).buffer(3.0) for lane in filled.lanes]
    filled.footprints += _shops(block, kind, shapely.union_all(lanes), draws)
    if not filled.street and block.fronts:
        filled.street = block.fronts[0].street
    return filled


def _shops(block: Block, kind: BlockKind, lanes: Any, draws: Draws) -> list[Footprint]:
    """Boxes side by side along every long side of the block; corners and lanes stay free."""
    ring = _sides_of(block.ring)
    ground = shapely.Polygon(block.ring).buffer(0.01)
    shapely.prepare(ground)
    shapely.prepare(lanes)
    taken: list[Footprint] = []
    boxes: list[Any] = []
    for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
        for corners in _side_boxes(a, b, kind, draws):
            box = shapely.Polygon(corners)
            if (
                ground.contains(box)
                and not lanes.intersects(box)
                and not any(box.intersects(o) for o in boxes)
            ):
                boxes.append(box)
                taken.append(_shop(corners, block, kind, draws))
    return taken


def _side_boxes(a: Point, b: Point, kind: BlockKind, draws: Draws) -> list[list[Point]]:
    """The boxes along one side, inwards to the left of it: the ring runs anticlockwise."""
    length = math.dist(a, b)
    free = kind.shop_depth_m + SHOP_SETBACK + 2  # at each corner
    if length < 2 * kind.shop_depth_m + kind.shop_m:
        return []
    tx, ty = (b[0] - a[0]) / length, (b[1] - a[1]) / length
    boxes = []
    start = free
    while start + kind.shop_m < length - free:
        wide = kind.shop_m * draws.within(0.8, 1.5)
        deep = kind.shop_depth_m * draws.within(0.75, 1.0)
        if draws.chance(0.09):  # a gap
            start += wide
            continue
        low, high = SHOP_SETBACK, SHOP_SETBACK + deep
        places = ((start, low), (start + wide, low), (start + wide, high), (start, high))
        boxes.append([(a[0] + tx * s - ty * d, a[1] + ty * s + tx * d) for s, d in places])
        start += wide + 0.3
    return boxes


def _shop(corners: list[Point], block: Block, kind: BlockKind, draws: Draws) -> Footprint:
    x, y = (corners[0][0] + corners[1][0]) / 2, (corners[0][1] + corners[1][1]) / 2
    front = min(block.fronts, key=lambda f: (f.x - x) ** 2 + (f.y - y) ** 2)
    floors = draws.between(*kind.shop_floors)
    place = (front.x, front.y)
    return Footprint(corners, place, 1, "shop_house", floors, street=front.street, number=str(front.number))


def _sides_of(ring: tuple[Point, ...]) -> list[Point]:
    """The corners of a ring that bends gently: vertices between nearly straight edges are left out."""
    simple = shapely.Polygon(ring).simplify(1.0)
    return list(anticlockwise([(float(x), float(y)) for x, y in simple.exterior.coords[:-1]]))


def number_shops(filled: Filled, form: str, taken: set[tuple[str, int]]) -> None:
    """House numbers along each street: those of the nearest vertex, the next free one of its side."""
    for footprint in filled.footprints:
        if footprint.kind == "shop_house":
            footprint.number = form.format(next_free(footprint.street, int(footprint.number), taken))


def next_free(street: str, first: int, taken: set[tuple[str, int]]) -> int:
    """The first free number of a street from `first` on, on the same side."""
    number = first
    while (street, number) in taken:
        number += 2
    taken.add((street, number))
    return number


def fill_open(block: Block, kind: BlockKind, draws: Draws) -> Filled:
    """Open ground with its halls: a school with its wings and track, a market, a park with a pond."""
    filled = Filled(block, kind.name)
    angle = frame_angle(block.ring)
    ring = turned(block.ring, -angle)
    west, south = min(x for x, _ in ring), min(y for _, y in ring)
    wide, high = max(x for x, _ in ring) - west, max(y for _, y in ring) - south
    ground = shapely.Polygon(ring)
    shapely.prepare(ground)
    shift = draws.within(-0.06, 0.06)
    for x, y, length, depth in kind.halls:
        hall = _box(west + (x + shift) * wide, south + y * high, length, depth)
        if ground.contains(shapely.Polygon(hall)):
            filled.halls.append(hall)
    if kind.oval_share > 0:
        filled.open_rings.append((kind.oval, _oval(ring, kind.oval_share, draws)))
    turn_back(filled, angle)
    _open_to_street(filled, block, kind)
    return filled


def _box(x: float, y: float, length: float, depth: float) -> list[Point]:
    half, deep = length / 2, depth / 2
    return [(x - half, y - deep), (x + half, y - deep), (x + half, y + deep), (x - half, y + deep)]


def _oval(ring: list[Point], share: float, draws: Draws) -> list[Point]:
    """A pond or a running track in the southern half."""
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    x = (min(xs) + max(xs)) / 2 + draws.within(-0.05, 0.05) * (max(xs) - min(xs))
    y = min(ys) + (max(ys) - min(ys)) * 0.32
    a, b = (max(xs) - min(xs)) * share / 2, (max(ys) - min(ys)) * share / 3
    return [(x + a * math.cos(k * math.pi / 12), y + b * math.sin(k * math.pi / 12)) for k in range(24)]


def _open_to_street(filled: Filled, block: Block, kind: BlockKind) -> None:
    """A path from the first hall to the street, and the homes in it where it is lived in."""
    if not filled.halls or not block.fronts:
        return
    hall = filled.halls[0]
    door = ((hall[0][0] + hall[1][0]) / 2, (hall[0][1] + hall[1][1]) / 2)
    front = min(block.fronts, key=lambda f: math.dist((f.x, f.y), door))
    filled.street, filled.number = front.street, str(front.number)
    filled.lanes.append(Lane("footway", [(front.x, front.y), door]))
    if kind.building:
        filled.footprints.append(Footprint(hall, door, 1, kind.building, kind.floors[0], kind.flats))
