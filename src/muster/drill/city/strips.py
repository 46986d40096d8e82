# SPDX-License-Identifier: Apache-2.0
"""The streets between communities, the bridges, and the river and railway in their strips."""

from __future__ import annotations

from muster.drill.city.lattice import Lattice
from muster.drill.city.model import Ground, HardLine, Line, Road

CROSSING = {"primary", "trunk"}


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
    """The water of the river, with banks that wander a little."""
    west, east, south, north = used_extent(lattice, count)
    grounds = []
    for gap in lattice.strips("column"):
        if west <= gap <= east:
            grounds.append(Ground("water", "", _band(lattice, gap, south, north)))
    return tuple(grounds)


def _band(lattice: Lattice, gap: int, south: int, north: int) -> Line:
    ring = [*lattice.bank(gap, south, north, -1), *reversed(lattice.bank(gap, south, north, 1))]
    return lattice.scenario.plane.line([*ring, ring[0]])
