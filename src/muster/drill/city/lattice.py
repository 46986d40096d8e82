# SPDX-License-Identifier: Apache-2.0
"""Made-up streets: a bent lattice of streets with a river and a railway, endless and the same for every size.

Nouns: a line (a street right through the city), a cell (the ground of one community between four lines), a
strip (the ground of a river or railway between two lines), a front (a vertex of a street, where a gate may open).
The cell of a community is a function of its index alone, along a Hilbert curve, so that a larger city contains
the smaller one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from muster.drill.city.draws import Draws
from muster.drill.city.model import Point
from muster.drill.city.plane import hilbert_cell
from muster.drill.city.scenario import LatticeStyle, Scenario

ORDER = 7  # 128 x 128 cells
STEPS = 16  # vertices per side of a cell
HALF_WIDTH = {
    "motorway": 18.0,
    "trunk": 18.0,
    "primary": 17.0,
    "secondary": 11.0,
    "tertiary": 8.0,
    "residential": 5.0,
    "unclassified": 5.0,
    "living_street": 3.5,
    "service": 3.0,
    "alley": 1.2,
    "footway": 1.5,
    "path": 1.5,
    "steps": 1.5,
}


@dataclass(frozen=True, slots=True)
class Front:
    """A vertex of a street, with the street's name and half width."""

    x: float
    y: float
    street: str
    half_width: float


@dataclass(frozen=True, slots=True)
class Block:
    """Ground between streets that can be built on; the ring stops at the pavement."""

    ring: tuple[Point, ...]
    fronts: tuple[Front, ...]


@dataclass(frozen=True, slots=True)
class Street:
    name: str
    klass: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class CellGround:
    """What a community gets from the lattice."""

    blocks: tuple[Block, ...]
    streets: tuple[Street, ...]
    outlines: tuple[tuple[Point, ...], ...]


@dataclass(frozen=True)
class Lattice:
    scenario: Scenario
    seed: int

    @property
    def style(self) -> LatticeStyle:
        return self.scenario.lattice

    @cached_property
    def _columns(self) -> tuple[list[float], list[str]]:
        s = self.style
        return self._lines("column", s.column_m, s.river_after, s.river_every, s.river_m, "river")

    @cached_property
    def _rows(self) -> tuple[list[float], list[str]]:
        s = self.style
        return self._lines("row", s.row_m, s.rail_after, s.rail_every, s.rail_m, "rail")

    def _lines(
        self, axis: str, sizes: tuple[float, float], after: int, every: int, strip: float, kind: str
    ) -> tuple[list[float], list[str]]:
        """Positions of the lines, and what lies between each line and the next: "cell" or the strip's kind."""
        draws = Draws(self.seed, "lattice", axis)
        positions, gaps = [0.0], []
        for number in range(1 << ORDER):
            positions.append(positions[-1] + draws.within(*sizes))
            gaps.append("cell")
            if strip > 0 and number % every == after:
                positions.append(positions[-1] + strip)
                gaps.append(kind)
        return positions, gaps

    @cached_property
    def _waves(self) -> tuple[tuple[float, float, float], ...]:
        draws = Draws(self.seed, "lattice", "waves")
        spread = self.style.bend
        return tuple(
            (
                spread * length / (2 * math.pi) * draws.within(0.6, 1.0),
                2 * math.pi / length,
                draws.within(0, 6.28),
            )
            for length in (2900.0, 1130.0, 3700.0, 1370.0)
        )

    def bent(self, u: float, v: float) -> Point:
        """Where a point of the straight lattice lies on the ground."""
        (a0, f0, p0), (a1, f1, p1), (a2, f2, p2), (a3, f3, p3) = self._waves
        x = u + a0 * math.sin(f0 * v + p0) + a1 * math.sin(f1 * v + p1)
        y = v + a2 * math.sin(f2 * u + p2) + a3 * math.sin(f3 * u + p3)
        c, s = math.cos(self.style.turn), math.sin(self.style.turn)
        return x * c - y * s, x * s + y * c

    def cell(self, index: int) -> tuple[int, int]:
        return hilbert_cell(index, ORDER)

    def _line_west(self, column: int) -> int:
        return _line_of(column, self.style.river_after, self.style.river_every, self.style.river_m)

    def _line_south(self, row: int) -> int:
        return _line_of(row, self.style.rail_after, self.style.rail_every, self.style.rail_m)

    def column_class(self, line: int) -> str:
        return self.style.classes[(line + 1) % len(self.style.classes)]

    def row_class(self, line: int) -> str:
        return self.style.classes[line % len(self.style.classes)]

    def column_name(self, line: int) -> str:
        return self.scenario.street_names.column(line, self.column_class(line))

    def row_name(self, line: int) -> str:
        return self.scenario.street_names.row(line, self.row_class(line))

    def side(self, axis: str, line: int, gap: int) -> Street:
        """The stretch of a line along one gap of the other axis."""
        columns, rows = self._columns[0], self._rows[0]
        if axis == "column":
            low, high = rows[gap], rows[gap + 1]
            points = [self.bent(columns[line], low + (high - low) * k / STEPS) for k in range(STEPS + 1)]
            return Street(self.column_name(line), self.column_class(line), tuple(points))
        low, high = columns[gap], columns[gap + 1]
        points = [self.bent(low + (high - low) * k / STEPS, rows[line]) for k in range(STEPS + 1)]
        return Street(self.row_name(line), self.row_class(line), tuple(points))

    def sides_of(self, index: int) -> list[tuple[str, int, int]]:
        """The four sides of a community's cell, as (axis, line, gap)."""
        column, row = self.cell(index)
        i, j = self._line_west(column), self._line_south(row)
        return [("column", i, j), ("column", i + 1, j), ("row", j, i), ("row", j + 1, i)]

    def ground(self, index: int) -> CellGround:
        """The blocks and inner streets of one community."""
        draws = Draws(self.seed, "ground", index)
        column, row = self.cell(index)
        i, j = self._line_west(column), self._line_south(row)
        cuts_u = self._cuts(draws, self.style.cuts_across)
        cuts_v = self._cuts(draws, self.style.cuts_up)
        inner = self.scenario.street_names
        cell = _Cell(self, i, j)
        up_names = [
            self.column_name(i),
            *(inner.inner(index, k) for k in range(len(cuts_u))),
            self.column_name(i + 1),
        ]
        across = [
            self.row_name(j),
            *(inner.inner(index, 5 + k) for k in range(len(cuts_v))),
            self.row_name(j + 1),
        ]
        klass = self.style.inner_class
        up_klass = [self.column_class(i), *([klass] * len(cuts_u)), self.column_class(i + 1)]
        across_klass = [self.row_class(j), *([klass] * len(cuts_v)), self.row_class(j + 1)]
        stops_u, stops_v = [0, *cuts_u, STEPS], [0, *cuts_v, STEPS]
        streets = [
            Street(name, klass, tuple(cell.at(k, m) for m in range(STEPS + 1)))
            for k, name in zip(cuts_u, up_names[1:-1], strict=True)
        ]
        streets += [
            Street(name, klass, tuple(cell.at(k, m) for k in range(STEPS + 1)))
            for m, name in zip(cuts_v, across[1:-1], strict=True)
        ]
        blocks = []
        for a in range(len(stops_u) - 1):
            for b in range(len(stops_v) - 1):
                bounds = (stops_u[a], stops_u[a + 1], stops_v[b], stops_v[b + 1])
                names = (up_names[a], up_names[a + 1], across[b], across[b + 1])
                klasses = (up_klass[a], up_klass[a + 1], across_klass[b], across_klass[b + 1])
                blocks.append(cell.block(bounds, names, klasses, self.style.pavement_m))
        outline = (
            *(cell.at(k, 0) for k in range(STEPS)),
            *(cell.at(STEPS, k) for k in range(STEPS)),
            *(cell.at(k, STEPS) for k in range(STEPS, 0, -1)),
            *(cell.at(0, k) for k in range(STEPS, 0, -1)),
        )
        return CellGround(tuple(blocks), tuple(streets), (outline,))

    @staticmethod
    def _cuts(draws: Draws, count: int) -> list[int]:
        """Where inner streets leave a side: near even spacing, never two alike."""
        pace = STEPS / (count + 1)
        return [round(pace * (k + 1)) + draws.between(-1, 1) for k in range(count)]

    def strips(self, axis: str) -> list[int]:
        """The gaps of an axis that hold no cells."""
        gaps = (self._columns if axis == "column" else self._rows)[1]
        return [number for number, kind in enumerate(gaps) if kind != "cell"]

    def bank(self, gap: int, first: int, last: int, side: int) -> list[Point]:
        """One bank of the river in a strip: -1 west, 1 east; it wanders within the strip."""
        columns, rows = self._columns[0], self._rows[0]
        middle, half = (columns[gap] + columns[gap + 1]) / 2, (columns[gap + 1] - columns[gap]) / 2
        low, high = rows[first] - 40, rows[last] + 40
        steps = max(2, round((high - low) / 25))
        points = []
        for k in range(steps + 1):
            v = low + (high - low) * k / steps
            wide = half * (0.60 + 0.10 * math.sin(v / 170 + side) + 0.05 * math.sin(v / 61 + 2 * side))
            points.append(self.bent(middle + side * wide, v))
        return points

    def strip_line(self, kind: str, first: int, last: int, strip: int) -> tuple[Point, ...]:
        """The middle of a river or railway strip from cell line `first` to `last`."""
        lines, others = (
            (self._columns[0], self._rows[0]) if kind == "river" else (self._rows[0], self._columns[0])
        )
        middle = (lines[strip] + lines[strip + 1]) / 2
        low, high = others[first], others[last]
        steps = max(2, round((high - low) / 40))
        along = [low + (high - low) * k / steps for k in range(steps + 1)]
        return tuple(self.bent(middle, a) if kind == "river" else self.bent(a, middle) for a in along)


@dataclass(frozen=True, slots=True)
class _Cell:
    """One cell with its 17 x 17 vertices."""

    lattice: Lattice
    i: int
    j: int

    def at(self, k: float, m: float) -> Point:
        columns, rows = self.lattice._columns[0], self.lattice._rows[0]
        west, east = columns[self.i], columns[self.i + 1]
        south, north = rows[self.j], rows[self.j + 1]
        return self.lattice.bent(west + (east - west) * k / STEPS, south + (north - south) * m / STEPS)

    def block(
        self,
        bounds: tuple[int, int, int, int],
        names: tuple[str, str, str, str],
        klasses: tuple[str, str, str, str],
        pavement: float,
    ) -> Block:
        columns, rows = self.lattice._columns[0], self.lattice._rows[0]
        step_u = (columns[self.i + 1] - columns[self.i]) / STEPS
        step_v = (rows[self.j + 1] - rows[self.j]) / STEPS
        west, east, south, north = bounds
        inset = [HALF_WIDTH[k] + pavement for k in klasses]
        low_u, high_u = west + inset[0] / step_u, east - inset[1] / step_u
        low_v, high_v = south + inset[2] / step_v, north - inset[3] / step_v
        us = [low_u + (high_u - low_u) * t / 6 for t in range(7)]
        vs = [low_v + (high_v - low_v) * t / 6 for t in range(7)]
        ring = (
            *(self.at(u, low_v) for u in us[:-1]),
            *(self.at(high_u, v) for v in vs[:-1]),
            *(self.at(u, high_v) for u in us[:0:-1]),
            *(self.at(low_u, v) for v in vs[:0:-1]),
        )
        fronts = []
        for k in range(west + 1, east):
            fronts.append(self._front(k, south, names[2], klasses[2]))
            fronts.append(self._front(k, north, names[3], klasses[3]))
        for m in range(south + 1, north):
            fronts.append(self._front(west, m, names[0], klasses[0]))
            fronts.append(self._front(east, m, names[1], klasses[1]))
        return Block(ring, tuple(fronts))

    def _front(self, k: int, m: int, name: str, klass: str) -> Front:
        x, y = self.at(k, m)
        return Front(x, y, name, HALF_WIDTH[klass])


def _line_of(number: int, after: int, every: int, strip: float) -> int:
    """The line on the low side of a column or row: strips before it count."""
    if strip <= 0 or number <= after:
        return number
    return number + 1 + (number - 1 - after) // every
