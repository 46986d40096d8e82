# SPDX-License-Identifier: Apache-2.0
"""Fill a block as an urban village: split again and again by crooked alleys until only house plots are left.

Nouns: a cut (one alley, straight from side to side of what it divides), a quarter (ground between alleys, at
most two houses deep), a plot (the ground of one house).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import shapely

from muster.drill.city.draws import Draws
from muster.drill.city.footprints import Filled, Footprint, Lane, anticlockwise
from muster.drill.city.lattice import Block
from muster.drill.city.scenario import BlockKind

DEEP = 25.0  # a quarter is at most two houses deep
REACH = 3000.0  # long enough to cut through any block
HANDSHAKE = 0.4  # half the gap between neighbouring houses
GRID = 0.01  # metres
WIDE = 3.4  # metres from which an alley takes a small cart


@dataclass(slots=True)
class Cut:
    line: Any
    width: float
    parent: int | None
    name: str = ""


@dataclass(slots=True)
class _Split:
    """The state of splitting one village."""

    kind: BlockKind
    draws: Draws
    quarters: list[Any] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)

    def split(self, ground: Any, depth: int, parent: int | None) -> None:
        """Cut the ground across its longer side until it is a quarter; remember the cuts and their widths."""
        length, width, angle = sides_of(ground)
        if width < DEEP * 1.15 and length < DEEP * 2.2:
            self.quarters.append(ground)
            return
        draws = self.draws
        pieces, line = cut_across(ground, angle, draws.within(0.38, 0.62), draws.within(-0.16, 0.16))
        widths = self.kind.alley_m
        number = len(self.cuts)
        self.cuts.append(Cut(line, widths[max(0, len(widths) - 1 - depth // 2)], parent))
        for piece in pieces:
            self.split(piece, depth + 1, number)


def fill_village(block: Block, kind: BlockKind, wanted_m2: float, draws: Draws) -> Filled:
    """Split a block into alleys and houses; ground that is not wanted stays open at one end."""
    filled = Filled(block, kind.name)
    ground = shapely.Polygon(block.ring)
    share = wanted_m2 / ground.area
    if share < 0.85:
        ground, rest = _part(ground, max(0.12, share * 1.06), block, draws)
        filled.own_ring = list(ground.exterior.coords[:-1])
        filled.open_rings = [("field", list(p.exterior.coords[:-1])) for p in rest]
    split = _Split(kind, draws)
    split.split(ground, 0, None)
    cuts = [c for c in split.cuts if c.line.geom_type == "LineString" and c.line.length > 1]
    if not cuts:
        return filled
    _keep_parents(split.cuts, cuts)
    filled.lanes = _alleys(block, cuts)
    open_ground = shapely.union_all([c.line.buffer(c.width / 2, cap_style="flat") for c in cuts])
    tree = shapely.STRtree([c.line for c in cuts])
    owners: list[list[tuple[float, int, Footprint]]] = [[] for _ in cuts]
    for quarter in split.quarters:
        for plot in _plots(quarter.difference(open_ground), kind, draws):
            house = _house(plot, kind, draws)
            if house is not None:
                _face_alley(house, cuts, tree, owners)
                filled.footprints.append(house)
    filled.alley_houses = owners
    filled.alleys = cuts
    return filled


def _part(ground: Any, share: float, block: Block, draws: Draws) -> tuple[Any, list[Any]]:
    """The part of the ground that the village takes, and what is left."""
    _, _, angle = sides_of(ground)
    if draws.chance(0.5):
        angle += math.pi
    pieces, _ = cut_across(ground, angle, share, 0.0)
    if len(pieces) < 2:
        return ground, []
    target = share * ground.area
    pieces.sort(key=lambda p: abs(p.area - target))
    return pieces[0], [p.buffer(-3, join_style="mitre") for p in pieces[1:] if p.area > 400]


def _keep_parents(every: list[Cut], kept: list[Cut]) -> None:
    """Parents as places in the kept list; a dropped parent hands its children to its own parent."""
    place = {id(c): k for k, c in enumerate(kept)}
    for cut in kept:
        parent = cut.parent
        while parent is not None and id(every[parent]) not in place:
            parent = every[parent].parent
        cut.parent = None if parent is None else place[id(every[parent])]


def sides_of(ground: Any) -> tuple[float, float, float]:
    """Length, width and direction of the longer side of the ground's box."""
    box = shapely.get_coordinates(shapely.minimum_rotated_rectangle(ground))
    if len(box) < 4:
        return 0.0, 0.0, 0.0
    (x0, y0), (x1, y1), (x2, y2) = box[0], box[1], box[2]
    a, b = math.hypot(x1 - x0, y1 - y0), math.hypot(x2 - x1, y2 - y1)
    if a >= b:
        return a, b, math.atan2(y1 - y0, x1 - x0)
    return b, a, math.atan2(y2 - y1, x2 - x1)


def cut_across(ground: Any, angle: float, share: float, lean: float) -> tuple[list[Any], Any]:
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


def _alleys(block: Block, cuts: Sequence[Cut]) -> list[Lane]:
    """The cuts as connected ways with shared vertices, joined to the streets around."""
    lines = [c.line for c in cuts]
    links = _links(block, cuts)
    noded = shapely.line_merge(shapely.union_all([*lines, *links], grid_size=GRID))
    streets = {_on_grid(*link.coords[-1]): link.coords[-1] for link in links}
    tree = shapely.STRtree(lines)
    ways = []
    for part in shapely.get_parts(noded):
        if part.length < 0.3:
            continue
        spot = part.interpolate(0.5, normalized=True)
        cut = cuts[int(tree.nearest(spot))]
        klass = "living_street" if cut.width >= WIDE else "alley"
        # Noding moved every vertex to the grid; those of streets go back, so that both share the vertex.
        points = [streets.get(_on_grid(x, y), (x, y)) for x, y in part.coords]
        ways.append(Lane(klass, [(float(x), float(y)) for x, y in points], cut))
    return ways


def _on_grid(x: float, y: float) -> tuple[int, int]:
    return round(x / GRID), round(y / GRID)


def _links(block: Block, cuts: Sequence[Cut]) -> list[Any]:
    """From the ends of the wider alleys at the edge of the block to the street."""
    outline = shapely.LinearRing(block.ring)
    links = []
    for cut in cuts:
        for end in (cut.line.coords[0], cut.line.coords[-1]):
            if cut.width < 2.2 or not block.fronts or outline.distance(shapely.Point(end)) > 0.5:
                continue
            front = min(block.fronts, key=lambda f: (f.x - end[0]) ** 2 + (f.y - end[1]) ** 2)
            if math.hypot(front.x - end[0], front.y - end[1]) < 60:
                links.append(shapely.LineString([end, (front.x, front.y)]))
    return links


def _plots(quarter: Any, kind: BlockKind, draws: Draws) -> list[Any]:
    plots = []
    waiting = [p for p in shapely.get_parts(quarter) if p.geom_type == "Polygon"]
    while waiting:
        ground = waiting.pop()
        most = draws.within(*kind.house_m2) * 1.25
        if ground.area <= most:
            plots.append(ground)
            continue
        length, width, angle = sides_of(ground)
        if width < 1 or length < 1:
            continue
        pieces, _ = cut_across(ground, angle, draws.within(0.44, 0.56), draws.within(-0.05, 0.05))
        waiting += pieces
    return plots


def _house(plot: Any, kind: BlockKind, draws: Draws) -> Footprint | None:
    """A house on its plot, or None where the plot is too small or too thin."""
    ground = plot.buffer(-HANDSHAKE, join_style="mitre").simplify(0.4)
    if ground.geom_type != "Polygon" or ground.area < 38:
        return None
    length, width, _ = sides_of(ground)
    if width < 4.5 or ground.area < 0.62 * length * width:
        return None
    corners = [(float(x), float(y)) for x, y in ground.exterior.coords[:-1]]
    floors = draws.between(*kind.floors)
    rooms = draws.between(*kind.rooms) if ground.area > 70 else kind.rooms[0]
    return Footprint(list(anticlockwise(corners)), (0.0, 0.0), 1, "self_built", floors, rooms)


def _face_alley(
    house: Footprint, cuts: Sequence[Cut], tree: Any, owners: list[list[tuple[float, int, Footprint]]]
) -> None:
    """Which alley the house stands on, where along it, and on which side."""
    ground = shapely.Polygon(house.corners)
    number = int(tree.nearest(ground))
    line = cuts[number].line
    centre = ground.centroid
    along = line.project(centre)
    spot = line.interpolate(along)
    house.access = (spot.x, spot.y)
    (x0, y0), (x1, y1) = line.coords[0], line.coords[-1]
    cross = (x1 - x0) * (centre.y - y0) - (y1 - y0) * (centre.x - x0)
    owners[number].append((along, int(cross > 0), house))


def name_alleys(filled: Filled, names: Sequence[str]) -> None:
    """Name the alleys, side alleys after their parent; number the houses, odd and even sides."""
    cuts: list[Cut] = filled.alleys
    free = iter(names)
    children: dict[str, int] = {}
    for cut in cuts:  # parents come before their children
        parent = cuts[cut.parent].name if cut.parent is not None else ""
        fresh = next(free, "") if cut.width >= WIDE or not parent else ""
        stem = parent.split("支巷")[0].rstrip("0123456789") or names[0]
        children[stem] = children.get(stem, 0) + (0 if fresh else 1)
        cut.name = fresh or f"{stem}{children[stem]}支巷"
    for cut, houses in zip(cuts, filled.alley_houses, strict=True):
        counts = [0, 0]
        for _, side, house in sorted(houses, key=lambda h: h[:2]):
            counts[side] += 1
            house.street, house.number = cut.name, f"{2 * counts[side] - side}号"
    for lane in filled.lanes:
        if lane.cut is not None:
            lane.name = lane.cut.name
