# SPDX-License-Identifier: Apache-2.0
"""The streets between communities, the bridges, and the river and railway in their strips."""

from __future__ import annotations

import math

import shapely

from muster.drill.city.lattice import Lattice
from muster.drill.city.model import Ground, HardLine, Line, Road

CROSSING = {"primary", "trunk"}
STUB_M = 90.0


def used_extent(lattice: Lattice, count: int) -> tuple[int, int, int, int]:
    """The lattice lines around the first `count` communities: west, east, south, north."""
    sides = [side for index in range(count) for side in lattice.sides_of(index)]
    columns = [line for axis, line, _ in sides if axis == "column"]
    rows = [line for axis, line, _ in sides if axis == "row"]
    return min(columns), max(columns), min(rows), max(rows)


def streets_and_strips(lattice: Lattice, count: int) -> tuple[tuple[Road, ...], tuple[HardLine, ...]]:
    plane = lattice.scenario.plane
    sides = {side for index in range(count) for side in lattice.sides_of(index)}
    sides |= _crossings(lattice, sides)
    roads = []
    for side in sorted(sides):
        street = lattice.side(*side)
        roads.append(Road(street.name, street.klass, plane.line(street.points)))
    roads += _stubs(lattice, sides)
    west, east, south, north = used_extent(lattice, count)
    lines = []
    for kind, gaps, low, high, reach in (
        ("river", lattice.strips("column"), west, east, (south, north)),
        ("rail", lattice.strips("row"), south, north, (west, east)),
    ):
        lines += [
            HardLine(kind, plane.line(lattice.strip_line(kind, *reach, gap)))
            for gap in gaps
            if low <= gap <= high
        ]
    return tuple(roads), tuple(lines)


def _stubs(lattice: Lattice, sides: set[tuple[str, int, int]]) -> list[Road]:
    """Main streets go on a little beyond the last community."""
    plane = lattice.scenario.plane
    stubs = []
    for axis, line, gap in sorted(sides):
        klass = lattice.column_class(line) if axis == "column" else lattice.row_class(line)
        if klass not in CROSSING:
            continue
        street = lattice.side(axis, line, gap)
        for beyond, last, before in ((gap + 1, -1, -2), (gap - 1, 0, 1)):
            if (axis, line, beyond) not in sides:
                (x0, y0), (x1, y1) = street.points[before], street.points[last]
                far = STUB_M / math.dist((x0, y0), (x1, y1))
                end = (x1 + (x1 - x0) * far, y1 + (y1 - y0) * far)
                stubs.append(Road(street.name, klass, plane.line([(x1, y1), end])))
    return stubs


def _crossings(lattice: Lattice, sides: set[tuple[str, int, int]]) -> set[tuple[str, int, int]]:
    """Bridges and underpasses: a main street goes on over a strip when it runs on both sides of it."""
    found = set()
    for gap in lattice.strips("column"):
        rows = {line for axis, line, g in sides if axis == "row" and g == gap - 1}
        rows &= {line for axis, line, g in sides if axis == "row" and g == gap + 1}
        found |= {("row", line, gap) for line in rows if lattice.row_class(line) in CROSSING}
    for gap in lattice.strips("row"):
        columns = {line for axis, line, g in sides if axis == "column" and g == gap - 1}
        columns &= {line for axis, line, g in sides if axis == "column" and g == gap + 1}
        found |= {("column", line, gap) for line in columns if lattice.column_class(line) in CROSSING}
    return found


def strip_grounds(lattice: Lattice, count: int) -> tuple[Ground, ...]:
    """The zones along the river, the green between its banks and the streets, and the water."""
    west, east, south, north = used_extent(lattice, count)
    plane = lattice.scenario.plane
    gaps = [gap for gap in lattice.strips("column") if west - 3 <= gap <= east + 2]
    zones: dict[str, float] = lattice.scenario.table.get("zones", {})
    grounds = []
    for zone, reach in reversed(zones.items()):
        lines = [shapely.LineString(lattice.strip_line("river", south, north, gap)) for gap in gaps]
        if lines:
            around = shapely.union_all([line.buffer(reach, cap_style="flat") for line in lines]).simplify(2.0)
            grounds += [
                Ground(zone, "", plane.line(part.exterior.coords)) for part in shapely.get_parts(around)
            ]
    inside = [gap for gap in gaps if west <= gap <= east]
    grounds += [Ground("green", "", _band(lattice, gap, south, north, wide=True)) for gap in inside]
    grounds += [Ground("water", "", _band(lattice, gap, south, north, wide=False)) for gap in inside]
    return tuple(grounds)


def _band(lattice: Lattice, gap: int, south: int, north: int, *, wide: bool) -> Line:
    sides = [lattice.bank(gap, south, north, side, wide=wide) for side in (-1, 1)]
    ring = [*sides[0], *reversed(sides[1])]
    return lattice.scenario.plane.line([*ring, ring[0]])
