# SPDX-License-Identifier: Apache-2.0
"""Fill a block as an urban village: split again and again by crooked alleys until only house plots are left.

Nouns: a quarter (ground between alleys, at most two houses deep), a plot (the ground of one house).
"""

from __future__ import annotations

import math
from typing import Any

import shapely

from muster.drill.city.draws import Draws
from muster.drill.city.footprints import Filled, Footprint, Lane
from muster.drill.city.lattice import Block
from muster.drill.city.model import Point
from muster.drill.city.scenario import BlockKind

DEEP = 25.0  # a quarter is at most two houses deep
REACH = 3000.0  # long enough to cut through any block
HANDSHAKE = 0.45  # half the gap between neighbouring houses


def fill_village(block: Block, kind: BlockKind, draws: Draws) -> Filled:
    """Split a block into alleys, quarters and houses."""
    filled = Filled(block, kind.name)
    ground = shapely.Polygon(block.ring)
    quarters: list[Any] = []
    cuts: list[tuple[Any, float]] = []
    _split(ground, kind, draws, 0, quarters, cuts)
    alleys = _alleys(block, cuts)
    filled.lanes = alleys
    if not alleys:
        return filled
    ways = shapely.STRtree([shapely.LineString(a.points) for a in alleys])
    open_ground = shapely.union_all([line.buffer(width / 2, cap_style="flat") for line, width in cuts])
    for quarter in quarters:
        for plot in _plots(quarter.difference(open_ground), kind, draws):
            footprint = _house(plot, kind, draws, alleys, ways)
            if footprint is not None:
                filled.footprints.append(footprint)
    return filled


def _split(
    ground: Any, kind: BlockKind, draws: Draws, depth: int, quarters: list[Any], cuts: list[tuple[Any, float]]
) -> None:
    """Cut the ground across its longer side until it is a quarter; remember the cuts and their widths."""
    length, width, angle = _sides(ground)
    if width < DEEP * 1.15 and length < DEEP * 2.2:
        quarters.append(ground)
        return
    share = draws.within(0.38, 0.62)
    lean = draws.within(-0.16, 0.16)
    pieces, line = _cut(ground, angle, share, lean)
    widths = kind.alley_m
    cuts.append((line, widths[max(0, len(widths) - 1 - depth // 2)]))
    for piece in pieces:
        _split(piece, kind, draws, depth + 1, quarters, cuts)


def _sides(ground: Any) -> tuple[float, float, float]:
    """Length, width and direction of the longer side of the ground's box."""
    box = shapely.get_coordinates(shapely.minimum_rotated_rectangle(ground))
    if len(box) < 4:
        return 0.0, 0.0, 0.0
    (x0, y0), (x1, y1), (x2, y2) = box[0], box[1], box[2]
    a, b = math.hypot(x1 - x0, y1 - y0), math.hypot(x2 - x1, y2 - y1)
    if a >= b:
        return a, b, math.atan2(y1 - y0, x1 - x0)
    return b, a, math.atan2(y2 - y1, x2 - x1)


def _cut(ground: Any, angle: float, share: float, lean: float) -> tuple[list[Any], Any]:
    """Cut across direction `angle` at a share of the length; `lean` turns the cut off the square."""
    box = shapely.get_coordinates(shapely.minimum_rotated_rectangle(ground))[:4]
    along = [x * math.cos(angle) + y * math.sin(angle) for x, y in box]
    across = [-x * math.sin(angle) + y * math.cos(angle) for x, y in box]
    place = min(along) + (max(along) - min(along)) * share
    centre = (min(across) + max(across)) / 2
    cx = place * math.cos(angle) - centre * math.sin(angle)
    cy = place * math.sin(angle) + centre * math.cos(angle)
    dx, dy = math.cos(angle + math.pi / 2 + lean), math.sin(angle + math.pi / 2 + lean)
    a, b = (cx - dx * REACH, cy - dy * REACH), (cx + dx * REACH, cy + dy * REACH)
    side = shapely.Polygon(
        [a, b, (b[0] + dy * REACH, b[1] - dx * REACH), (a[0] + dy * REACH, a[1] - dx * REACH)]
    )
    pieces = [
        part
        for piece in (ground.intersection(side), ground.difference(side))
        for part in shapely.get_parts(piece)
        if part.geom_type == "Polygon" and part.area > 30
    ]
    return pieces, ground.intersection(shapely.LineString([a, b]))


def _alleys(block: Block, cuts: list[tuple[Any, float]]) -> list[Lane]:
    """The cuts as connected ways, joined to the streets around."""
    if not cuts:
        return []
    lines = [line for line, _ in cuts if line.geom_type == "LineString"]
    wide = shapely.union_all([line.buffer(1.0) for line, width in cuts if width >= 4 and line.length > 0])
    links = []
    outline = shapely.LinearRing(block.ring)
    for line, width in cuts[:12]:
        if line.geom_type != "LineString":
            continue
        for end in (line.coords[0], line.coords[-1]):
            if outline.distance(shapely.Point(end)) < 0.5 and width > 2 and block.fronts:
                front = min(block.fronts, key=lambda f: (f.x - end[0]) ** 2 + (f.y - end[1]) ** 2)
                if math.hypot(front.x - end[0], front.y - end[1]) < 60:
                    links.append(shapely.LineString([end, (front.x, front.y)]))
    noded = shapely.union_all([*lines, *links], grid_size=0.01)
    merged = shapely.line_merge(noded)
    ways = []
    for part in shapely.get_parts(merged):
        if part.length < 0.5:
            continue
        main = not wide.is_empty and wide.intersection(part).length > 0.5 * part.length
        points = [(float(x), float(y)) for x, y in part.coords]
        ways.append(Lane("", "living_street" if main else "alley", points))
    return ways


def _plots(quarter: Any, kind: BlockKind, draws: Draws) -> list[Any]:
    plots = []
    waiting = [p for p in shapely.get_parts(quarter) if p.geom_type == "Polygon"]
    while waiting:
        ground = waiting.pop()
        most = draws.within(*kind.house_m2) * 1.25
        if ground.area <= most:
            plots.append(ground)
            continue
        length, width, angle = _sides(ground)
        if width < 1 or length < 1:
            continue
        pieces, _ = _cut(ground, angle, draws.within(0.44, 0.56), draws.within(-0.05, 0.05))
        waiting += pieces
    return plots


def _house(plot: Any, kind: BlockKind, draws: Draws, alleys: list[Lane], ways: Any) -> Footprint | None:
    """A house on its plot, or None where the plot is too small or too thin."""
    ground = plot.buffer(-HANDSHAKE, join_style="mitre").simplify(0.4)
    if ground.geom_type != "Polygon" or ground.area < 38:
        return None
    length, width, _ = _sides(ground)
    if width < 4.5 or ground.area < 0.62 * length * width:
        return None
    corners = [(float(x), float(y)) for x, y in ground.exterior.coords[:-1]]
    centre = ground.centroid
    nearest = int(ways.nearest(centre))
    line = ways.geometries[nearest]
    spot = line.interpolate(line.project(centre))
    floors = draws.between(*kind.floors)
    rooms = draws.between(*kind.rooms) if ground.area > 70 else kind.rooms[0]
    return Footprint(corners, (spot.x, spot.y), 1, "self_built", floors, rooms, street=str(nearest))


def alley_numbers(filled: Filled, names: list[str]) -> None:
    """Name the alleys and number the houses along each: odd on one side, even on the other."""
    lengths = sorted(range(len(filled.lanes)), key=lambda k: -_length(filled.lanes[k].points))
    for rank, k in enumerate(lengths):
        turn, place = divmod(rank, len(names))
        lane = filled.lanes[k]
        lane.name = names[place] if turn == 0 else f"{names[place]}{turn + 1}支"
    by_alley: dict[str, list[tuple[float, int, Footprint]]] = {}
    for footprint in filled.footprints:
        lane = filled.lanes[int(footprint.street)]
        along, side = _along(lane.points, footprint)
        footprint.street = lane.name
        by_alley.setdefault(lane.name, []).append((along, side, footprint))
    for houses in by_alley.values():
        counts = {0: 0, 1: 0}
        for _, side, footprint in sorted(houses, key=lambda h: h[0]):
            counts[side] += 1
            footprint.number = f"{2 * counts[side] - (1 - side)}号"


def _length(points: list[Point]) -> float:
    return sum(math.dist(a, b) for a, b in zip(points, points[1:], strict=False))


def _along(points: list[Point], footprint: Footprint) -> tuple[float, int]:
    """How far along the alley a house stands, and on which side."""
    line = shapely.LineString(points)
    x, y = footprint.corners[0]
    spot = line.project(shapely.Point(footprint.access))
    near = line.interpolate(min(spot + 0.5, line.length))
    back = line.interpolate(max(spot - 0.5, 0))
    cross = (near.x - back.x) * (y - back.y) - (near.y - back.y) * (x - back.x)
    return spot, 1 if cross > 0 else 0
