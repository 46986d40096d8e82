# SPDX-License-Identifier: Apache-2.0
"""Fill a block with houses in rows that face streets: those around it and new lanes across it.

A band is a level strip of lots; its houses face a lane or a bounding street below or above it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import shapely

from muster.drill.city.draws import Draws
from muster.drill.city.footprints import Filled, Footprint, Lane, frame_angle, turn_back, turned_front
from muster.drill.city.fronts import next_free
from muster.drill.city.lattice import Block
from muster.drill.city.model import Point
from muster.drill.city.plane import spans_between, turned
from muster.drill.city.scenario import BlockKind

LANE_M = 9.0  # carriageway and pavements of a new lane
EDGE = 3.0  # kept free at the ends of a row
JOINT = 0.06  # party walls do not touch on the map


@dataclass(frozen=True, slots=True, kw_only=True)
class _Band:
    """A row of houses between two levels; `lane` is the new lane they face, None for the bounding street."""

    low: float
    high: float
    lane: int | None
    faces_low: bool


def fill_houses(block: Block, kind: BlockKind, draws: Draws) -> Filled:
    """Lay rows of houses and the lanes between them."""
    angle = frame_angle(block.ring)
    rows = _Rows(block, kind, angle, draws)
    rows.lay()
    filled = rows.filled
    ground = shapely.Polygon(rows.ring).buffer(0.05)
    shapely.prepare(ground)
    filled.keep([bool(ground.contains(shapely.Polygon(f.corners))) for f in filled.footprints])
    turn_back(filled, angle)
    return filled


class _Rows:
    """The rows of one block, in the block's own frame."""

    def __init__(self, block: Block, kind: BlockKind, angle: float, draws: Draws) -> None:
        self.ring = turned(block.ring, -angle)
        self.filled = Filled(block, kind.name)
        self._kind = kind
        self._draws = draws
        self._fronts = [turned_front(f, -angle) for f in block.fronts]
        if self._fronts:
            self.filled.street = self._fronts[0].street

    def lay(self) -> None:
        bands, levels = self._bands()
        lanes = [self._lane(level) for level in levels]
        self.filled.lanes = [lane for lane in lanes if lane is not None]
        for band in bands:
            lane = lanes[band.lane] if band.lane is not None else None
            if band.lane is None or lane is not None:
                self._row(band, lane)

    def _bands(self) -> tuple[list[_Band], list[float]]:
        """How many new lanes fit across the block, and the rows that face them."""
        kind = self._kind
        low, high = min(y for _, y in self.ring), max(y for _, y in self.ring)
        deep = kind.setback_m + kind.depth_m
        outer = [
            _Band(low=low + kind.setback_m, high=low + deep, lane=None, faces_low=True),
            _Band(low=high - deep, high=high - kind.setback_m, lane=None, faces_low=False),
        ]
        if high - low < deep * 2 + 8:
            return outer[:1], []
        lanes = max(0, int((high - low - 2 * kind.lot_m) / (2 * kind.lot_m + LANE_M)))
        levels = [low + (high - low) / (lanes + 1) * (k + 1) for k in range(lanes)]
        inner = []
        for k, level in enumerate(levels):
            above, below = level + LANE_M / 2 + kind.setback_m, level - LANE_M / 2 - kind.setback_m
            inner.append(_Band(low=above, high=above + kind.depth_m, lane=k, faces_low=True))
            inner.append(_Band(low=below - kind.depth_m, high=below, lane=k, faces_low=False))
        return outer + inner, levels

    def _lane(self, level: float) -> Lane | None:
        """A lane across the block, joined to a street at one or both ends."""
        spans = spans_between(self.ring, level - LANE_M / 2, level + LANE_M / 2, 2)
        if not spans:
            return None
        west, east = max(spans, key=lambda s: s[1] - s[0])
        points = [(west + (east - west) * k / 8, level) for k in range(9)]
        joins = [self._street_at((at, level)) for at in (west, east)]
        if joins[0] is not None:
            points.insert(0, joins[0])
        if joins[1] is not None:
            points.append(joins[1])
        return Lane("residential", points) if any(joins) else None

    def _street_at(self, spot: Point) -> Point | None:
        front = min(self._fronts, key=lambda f: math.dist((f.x, f.y), spot), default=None)
        if front is None or math.dist((front.x, front.y), spot) > 45:
            return None
        return front.x, front.y

    def _row(self, band: _Band, lane: Lane | None) -> None:
        kind = self._kind
        for west, east in spans_between(self.ring, band.low, band.high, 2):
            start = west + EDGE
            while start + kind.units[0] * kind.unit_m <= east - EDGE:
                most = min(kind.units[1], int((east - EDGE - start) / kind.unit_m))
                for _ in range(self._draws.between(kind.units[0], most)):
                    self._house(start, band, lane)
                    start += kind.unit_m
                start += kind.side_m * self._draws.within(0.8, 1.4)

    def _house(self, start: float, band: _Band, lane: Lane | None) -> None:
        """A house with its street; its number is set when all are known."""
        end = start + self._kind.unit_m - JOINT
        corners = [(start, band.low), (end, band.low), (end, band.high), (start, band.high)]
        x, y = (start + end) / 2, band.low if band.faces_low else band.high
        house = Footprint(corners, (x, y), 1, self._kind.building, whole=True)
        if lane is not None:
            house.access = (x, lane.points[len(lane.points) // 2][1])
            house.lane, house.number = lane, "1" if band.faces_low else "2"
        elif self._fronts:
            front = min(self._fronts, key=lambda f: (f.x - x) ** 2 + (f.y - y) ** 2)
            house.access, house.street, house.number = (front.x, front.y), front.street, str(front.number)
        self.filled.footprints.append(house)


def number_houses(filled: Filled, lane_names: Sequence[str], taken: set[tuple[str, int]]) -> None:
    """Names for the new lanes; odd numbers on one side, even on the other."""
    for lane, name in zip(filled.lanes, lane_names, strict=True):
        lane.name = name
    for house in filled.footprints:
        if house.lane is not None:
            house.street = house.lane.name
        house.number = str(next_free(house.street, int(house.number or 1), taken))
