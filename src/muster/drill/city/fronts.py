# SPDX-License-Identifier: Apache-2.0
"""Fill a block as an old street (shop-houses along its edges, walk-ups inside) or as open ground."""

from __future__ import annotations

import math

import shapely

from muster.drill.city.draws import Draws
from muster.drill.city.footprints import Filled, Footprint, Lane, anticlockwise, frame_angle
from muster.drill.city.lattice import Block
from muster.drill.city.model import Point
from muster.drill.city.plane import turned
from muster.drill.city.rows import fill_rows
from muster.drill.city.scenario import BlockKind

SHOP_SETBACK = 1.0
YARD = 3.0  # between shop-houses and the yard behind


def fill_old_street(block: Block, kind: BlockKind, draws: Draws) -> Filled:
    """Shop-houses round the edge, an open yard of walk-ups within."""
    inner = shapely.Polygon(block.ring).buffer(-(kind.shop_depth_m + SHOP_SETBACK + YARD), join_style="mitre")
    filled = Filled(block, kind.name)
    if inner.geom_type == "Polygon" and inner.area > 1500:
        ring = tuple(
            (float(x), float(y)) for x, y in shapely.set_precision(inner, 0.001).exterior.coords[:-1]
        )
        filled = fill_rows(Block(anticlockwise(ring), block.fronts), kind, draws)
        filled.block, filled.gates = block, []
    lanes = [shapely.LineString(lane.points).buffer(3.0) for lane in filled.lanes]
    blocked = shapely.union_all(lanes) if lanes else None
    shops = _shops(block, kind, draws)
    if blocked is not None:
        shapely.prepare(blocked)
        shops = [s for s in shops if not blocked.intersects(shapely.Polygon(s.corners))]
    filled.footprints += shops
    if not filled.street and block.fronts:
        filled.street = block.fronts[0].street
    return filled


def _shops(block: Block, kind: BlockKind, draws: Draws) -> list[Footprint]:
    """Boxes side by side along every long side of the block; corners stay free."""
    ring = _sides_of(block.ring)
    ground = shapely.Polygon(block.ring).buffer(0.01)
    shapely.prepare(ground)
    taken: list[Footprint] = []
    boxes: list[shapely.Polygon] = []
    for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
        length = math.dist(a, b)
        if length < 2 * kind.shop_depth_m + kind.shop_m:
            continue
        tx, ty = (b[0] - a[0]) / length, (b[1] - a[1]) / length
        nx, ny = -ty, tx  # inwards: the ring runs anticlockwise
        start = kind.shop_depth_m + SHOP_SETBACK + 2
        while start + kind.shop_m < length - kind.shop_depth_m - SHOP_SETBACK - 2:
            wide = kind.shop_m * draws.within(0.8, 1.5)
            deep = kind.shop_depth_m * draws.within(0.75, 1.0)
            if draws.chance(0.09):
                start += wide
                continue
            corners = [
                (a[0] + tx * s + nx * d, a[1] + ty * s + ny * d)
                for s, d in (
                    (start, SHOP_SETBACK),
                    (start + wide, SHOP_SETBACK),
                    (start + wide, SHOP_SETBACK + deep),
                    (start, SHOP_SETBACK + deep),
                )
            ]
            start += wide + 0.3
            box = shapely.Polygon(corners)
            if not ground.contains(box) or any(box.intersects(other) for other in boxes):
                continue
            boxes.append(box)
            taken.append(_shop(corners, block, kind, draws))
    return taken


def _shop(corners: list[Point], block: Block, kind: BlockKind, draws: Draws) -> Footprint:
    door = ((corners[0][0] + corners[1][0]) / 2, (corners[0][1] + corners[1][1]) / 2)
    front = min(block.fronts, key=lambda f: (f.x - door[0]) ** 2 + (f.y - door[1]) ** 2)
    floors = draws.between(*kind.shop_floors)
    return Footprint(
        corners, (front.x, front.y), 1, "shop_house", floors, 1, street=front.street, number=str(front.number)
    )


def _sides_of(ring: tuple[Point, ...]) -> list[Point]:
    """The corners of a ring that bends gently: vertices between nearly straight edges are left out."""
    simple = shapely.Polygon(ring).simplify(1.0)
    return list(anticlockwise(tuple((float(x), float(y)) for x, y in simple.exterior.coords[:-1])))


def number_shops(filled: Filled, taken: dict[tuple[str, int], int]) -> None:
    """House numbers along each street: those of the nearest vertex, the next free one of its side."""
    for footprint in filled.footprints:
        if footprint.kind == "shop_house":
            first = int(footprint.number)
            count = taken.get((footprint.street, first), 0)
            taken[footprint.street, first] = count + 1
            footprint.number = f"{first + 2 * count}号"


def fill_open(block: Block, kind: BlockKind, draws: Draws) -> Filled:
    """Open ground with one hall on it: a school, a market, a park with its keeper's house."""
    filled = Filled(block, kind.name)
    angle = frame_angle(block.ring)
    ring = turned(block.ring, -angle)
    xs, ys = [p[0] for p in ring], [p[1] for p in ring]
    wide, deep = kind.hall_m
    x = (min(xs) + max(xs)) / 2 + draws.within(-0.12, 0.12) * (max(xs) - min(xs)) - wide / 2
    y = min(ys) + (max(ys) - min(ys)) * draws.within(0.55, 0.72) - deep / 2
    hall = turned([(x, y), (x + wide, y), (x + wide, y + deep), (x, y + deep)], angle)
    ground = shapely.Polygon(block.ring)
    if ground.contains(shapely.Polygon(hall)):
        filled.hall = hall
    if block.fronts:
        front = min(block.fronts, key=lambda f: math.dist((f.x, f.y), hall[0]))
        filled.street, filled.number = front.street, f"{front.number}号"
        filled.lanes.append(
            Lane(
                "footway",
                [(front.x, front.y), ((hall[0][0] + hall[1][0]) / 2, (hall[0][1] + hall[1][1]) / 2)],
            )
        )
    return filled
