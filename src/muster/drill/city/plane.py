# SPDX-License-Identifier: Apache-2.0
"""Metres on a plane around an origin, and the few polygon questions that the layout asks.

Nouns: `Plane` (metres to degrees and back), spans (where a level line lies inside a ring).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from muster.drill.city.model import Line, Point

METRES_PER_DEGREE = 111_319.49  # of longitude on the equator, WGS-84


@dataclass(frozen=True, slots=True)
class Plane:
    """A flat map around (lon, lat): good to a few per mille over a city."""

    lon: float
    lat: float

    @property
    def _per_lon(self) -> float:
        return METRES_PER_DEGREE * math.cos(math.radians(self.lat))

    def degrees(self, x: float, y: float) -> Point:
        return round(self.lon + x / self._per_lon, 7), round(self.lat + y / METRES_PER_DEGREE, 7)

    def line(self, points: Iterable[Sequence[float]]) -> Line:
        per_lon = self._per_lon
        return tuple(
            (round(self.lon + x / per_lon, 7), round(self.lat + y / METRES_PER_DEGREE, 7)) for x, y in points
        )

    def metres(self, lon: float, lat: float) -> Point:
        return (lon - self.lon) * self._per_lon, (lat - self.lat) * METRES_PER_DEGREE


def turned(points: Iterable[Sequence[float]], angle: float) -> list[Point]:
    c, s = math.cos(angle), math.sin(angle)
    return [(x * c - y * s, x * s + y * c) for x, y in points]


def spans_at(ring: Sequence[Point], y: float) -> list[tuple[float, float]]:
    """Where the level line at `y` lies inside the ring, from left to right."""
    crossings = []
    x0, y0 = ring[-1]
    for x1, y1 in ring:
        if (y0 <= y) != (y1 <= y):
            crossings.append(x0 + (y - y0) * (x1 - x0) / (y1 - y0))
        x0, y0 = x1, y1
    crossings.sort()
    return list(zip(crossings[::2], crossings[1::2], strict=False))


def spans_between(
    ring: Sequence[Point], low: float, high: float, steps: int = 3
) -> list[tuple[float, float]]:
    """Where a strip from `low` to `high` lies inside the ring, judged at `steps` + 1 levels."""
    common = spans_at(ring, low)
    for step in range(1, steps + 1):
        level = spans_at(ring, low + (high - low) * step / steps)
        common = [(max(a, c), min(b, d)) for a, b in common for c, d in level if min(b, d) - max(a, c) > 1.0]
    return common


def hilbert_cell(distance: int, order: int) -> tuple[int, int]:
    """The cell that a Hilbert curve of 2**order by 2**order reaches after `distance` steps."""
    x = y = 0
    side = 1
    while side < 1 << order:
        right = 1 & (distance // 2)
        up = 1 & (distance ^ right)
        if up == 0:
            if right == 1:
                x, y = side - 1 - x, side - 1 - y
            x, y = y, x
        x += side * right
        y += side * up
        distance //= 4
        side *= 2
    return x, y


def hilbert_distance(x: int, y: int, order: int) -> int:
    """How far along the curve a cell lies."""
    distance = 0
    side = 1 << (order - 1)
    while side > 0:
        right = int((x & side) > 0)
        up = int((y & side) > 0)
        distance += side * side * ((3 * right) ^ up)
        if up == 0:
            if right == 1:
                x, y = side - 1 - x, side - 1 - y
            x, y = y, x
        side //= 2
    return distance
