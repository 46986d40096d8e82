# SPDX-License-Identifier: Apache-2.0
"""Made-up streets: a bent lattice of streets with a river and a railway, endless and the same for every size.

Nouns: a line (a street right through the city), a cell (the ground of one community between four lines),
a strip (the ground of a river or railway between two lines), a front (a vertex of a street, where a gate may
open).
The cell of a community is a function of its index alone, along a Hilbert curve, so that a larger city
contains the smaller one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from muster.drill.city.draws import Draws
from muster.drill.city.model import Point
from muster.drill.city.plane import hilbert_cell
from muster.drill.city.scenario import LatticeStyle, Scenario

ORDER = 7  # 128 x 128 cells
STEPS = 16  # vertices per side of a cell
PER_FRONT = 12  # house numbers from one vertex of a street to the next
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
    """A vertex of a street: the street's name and half width, and the first of its house numbers."""

    x: float
    y: float
    street: str
    half_width: float
    number: int


@dataclass(frozen=True, slots=True)
class Block:
    """Ground between streets that can be built on; the ring stops at the pavement.

    `blocked` is ground inside that must stay free all the same (a real lane, for instance).
    """

    ring: tuple[Point, ...]
    fronts: tuple[Front, ...]
    blocked: Any = None


@dataclass(frozen=True, slots=True)
class Street:
    name: str
    klass: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class CellGround:
    """What a community gets to stand on."""

    blocks: tuple[Block, ...]
    streets: tuple[Street, ...]
    outlines: tuple[tuple[Point, ...], ...]
    rivers: tuple[tuple[Point, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class _Strip:
    """Where the strips of one kind lie: after which column or row first, and then every how many."""

    kind: str
    after: int
    every: int
    wide: float

    def comes_after(self, number: int) -> bool:
        return self.wide > 0 and number >= self.after and (number - self.after) % self.every == 0

    def before(self, number: int) -> int:
        """How many strips lie before the number-th column or row."""
        if self.wide <= 0 or number <= self.after:
            return 0
        return 1 + (number - 1 - self.after) // self.every


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
        return self._lines("column", s.column_m, _Strip("river", s.river_after, s.river_every, s.river_m))

    @cached_property
    def _rows(self) -> tuple[list[float], list[str]]:
        s = self.style
        return self._lines("row", s.row_m, _Strip("rail", s.rail_after, s.rail_every, s.rail_m))

    def _lines(self, axis: str, sizes: tuple[float, float], strip: _Strip) -> tuple[list[float], list[str]]:
        """Positions of the lines, and what lies between each line and the next: a cell or a strip."""
        draws = Draws(self.seed, "lattice", axis)
        positions, gaps = [0.0], []
        for number in range(1 << ORDER):
            positions.append(positions[-1] + draws.within(*sizes))
            gaps.append("cell")
            if strip.comes_after(number):
                positions.append(positions[-1] + strip.wide)
                gaps.append(strip.kind)
        return positions, gaps

    @cached_property
    def _waves(self) -> tuple[tuple[float, float, float], ...]:
        """Four slow waves that bend the lattice: amplitude, frequency, phase."""
        draws = Draws(self.seed, "lattice", "waves")
        turn = 2 * math.pi
        return tuple(
            (self.style.bend * length / turn * draws.within(0.6, 1.0), turn / length, draws.within(0, turn))
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
        """The line on the west side of a column: the strips before it count."""
        s = self.style
        return column + _Strip("river", s.river_after, s.river_every, s.river_m).before(column)

    def _line_south(self, row: int) -> int:
        s = self.style
        return row + _Strip("rail", s.rail_after, s.rail_every, s.rail_m).before(row)

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
        cell = _Cell(self, i, j)
        names, klass = self.scenario.street_names, self.style.inner_class
        cuts_u = self._cuts(draws, draws.between(*self.style.cuts_across))
        cuts_v = self._cuts(draws, draws.between(*self.style.cuts_up))
        ups = [
            _Way(self.column_name(i), self.column_class(i), 0, 200 * (j % 10)),
            *(_Way(names.inner(index, k), klass, cut, 0) for k, cut in enumerate(cuts_u)),
            _Way(self.column_name(i + 1), self.column_class(i + 1), STEPS, 200 * (j % 10)),
        ]
        across = [
            _Way(self.row_name(j), self.row_class(j), 0, 200 * (i % 10)),
            *(_Way(names.inner(index, 5 + k), klass, cut, 0) for k, cut in enumerate(cuts_v)),
            _Way(self.row_name(j + 1), self.row_class(j + 1), STEPS, 200 * (i % 10)),
        ]
        fields = _merged(len(ups) - 1, len(across) - 1, self.style.merge_share, draws)
        blocks = tuple(
            cell.block((ups[a], ups[b], across[c], across[d]), self.style.pavement_m) for a, b, c, d in fields
        )
        streets = [
            Street(way.name, way.klass, tuple(cell.at(way.at, m) for m in range(first, last + 1)))
            for a, way in enumerate(ups[1:-1], 1)
            for first, last in _open_runs(across, [(c, d) for w, e, c, d in fields if w < a < e])
        ]
        streets += [
            Street(way.name, way.klass, tuple(cell.at(k, way.at) for k in range(first, last + 1)))
            for c, way in enumerate(across[1:-1], 1)
            for first, last in _open_runs(ups, [(a, b) for a, b, s, n in fields if s < c < n])
        ]
        outline = (
            *(cell.at(k, 0) for k in range(STEPS)),
            *(cell.at(STEPS, k) for k in range(STEPS)),
            *(cell.at(k, STEPS) for k in range(STEPS, 0, -1)),
            *(cell.at(0, k) for k in range(STEPS, 0, -1)),
        )
        return CellGround(blocks, tuple(streets), (outline,), tuple(self.rivers_near(index)))

    @staticmethod
    def _cuts(draws: Draws, count: int) -> list[int]:
        """Where inner streets leave a side: near even spacing, never two alike."""
        pace = STEPS / (count + 1)
        return [round(pace * (k + 1)) + draws.between(-1, 1) for k in range(count)]

    def strips(self, axis: str) -> list[int]:
        """The gaps of an axis that hold no cells."""
        gaps = (self._columns if axis == "column" else self._rows)[1]
        return [number for number, kind in enumerate(gaps) if kind != "cell"]

    def bank(self, gap: int, first: int, last: int, side: int, *, wide: bool) -> list[Point]:
        """One bank of the river in a strip: -1 west, 1 east; it wanders within the strip.

        `wide` gives the edge of the strip's green instead of the water's.
        """
        columns, rows = self._columns[0], self._rows[0]
        middle, half = (columns[gap] + columns[gap + 1]) / 2, (columns[gap + 1] - columns[gap]) / 2
        low, high = rows[first] - 40, rows[last] + 40
        steps = max(2, round((high - low) / 25))
        points = []
        for k in range(steps + 1):
            v = low + (high - low) * k / steps
            wander = 0.60 + 0.10 * math.sin(v / 170 + side) + 0.05 * math.sin(v / 61 + 2 * side)
            points.append(self.bent(middle + side * half * (0.97 if wide else wander), v))
        return points

    def rivers_near(self, index: int) -> list[tuple[Point, ...]]:
        """The river beside a community's cell, a little beyond its ends."""
        column, row = self.cell(index)
        i, j = self._line_west(column), self._line_south(row)
        first, last = max(0, j - 2), j + 3
        return [
            self.strip_line("river", first, last, gap) for gap in self.strips("column") if abs(gap - i) <= 3
        ]

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

    def block(self, ways: tuple[_Way, _Way, _Way, _Way], pavement: float) -> Block:
        """The ground between four ways: west, east, south, north."""
        columns, rows = self.lattice._columns[0], self.lattice._rows[0]
        step_u = (columns[self.i + 1] - columns[self.i]) / STEPS
        step_v = (rows[self.j + 1] - rows[self.j]) / STEPS
        west, east, south, north = ways
        low_u = west.at + (HALF_WIDTH[west.klass] + pavement) / step_u
        high_u = east.at - (HALF_WIDTH[east.klass] + pavement) / step_u
        low_v = south.at + (HALF_WIDTH[south.klass] + pavement) / step_v
        high_v = north.at - (HALF_WIDTH[north.klass] + pavement) / step_v
        us = [low_u + (high_u - low_u) * t / 6 for t in range(7)]
        vs = [low_v + (high_v - low_v) * t / 6 for t in range(7)]
        ring = (
            *(self.at(u, low_v) for u in us[:-1]),
            *(self.at(high_u, v) for v in vs[:-1]),
            *(self.at(u, high_v) for u in us[:0:-1]),
            *(self.at(low_u, v) for v in vs[:0:-1]),
        )
        fronts = []
        for k in range(west.at + 1, east.at):
            fronts.append(self._front(k, south.at, south, k, odd=True))
            fronts.append(self._front(k, north.at, north, k, odd=False))
        for m in range(south.at + 1, north.at):
            fronts.append(self._front(west.at, m, west, m, odd=True))
            fronts.append(self._front(east.at, m, east, m, odd=False))
        return Block(ring, tuple(fronts))

    def _front(self, k: int, m: int, way: _Way, along: int, *, odd: bool) -> Front:
        x, y = self.at(k, m)
        return Front(
            x, y, way.name, HALF_WIDTH[way.klass], way.first_number + PER_FRONT * along + (1 if odd else 2)
        )


@dataclass(frozen=True, slots=True)
class _Way:
    """A street along one side of blocks: where in the cell it runs, and its first house number there."""

    name: str
    klass: str
    at: int
    first_number: int


def _merged(across: int, up: int, share: float, draws: Draws) -> list[tuple[int, int, int, int]]:
    """The fields between the ways as (west, east, south, north); now and then two become one."""
    fields = [(a, a + 1, b, b + 1) for a in range(across) for b in range(up)]
    if len(fields) < 3 or not draws.chance(share):
        return fields
    first = draws.pick(fields)
    a, b, c, d = first
    sideways = draws.chance(0.5)
    for second in (
        ((a + 1, b + 1, c, d), (a - 1, b - 1, c, d))
        if sideways
        else ((a, b, c + 1, d + 1), (a, b, c - 1, d - 1))
    ):
        if second in fields:
            joined = (min(a, second[0]), max(b, second[1]), min(c, second[2]), max(d, second[3]))
            return sorted([f for f in fields if f not in {first, second}] + [joined])
    return fields


def _open_runs(ways: Sequence[_Way], closed: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The stretches of an inner street, in vertices, that no joined block has closed."""
    runs: list[tuple[int, int]] = []
    for k in range(len(ways) - 1):
        if any(low <= k < high for low, high in closed):
            continue
        first, last = ways[k].at, ways[k + 1].at
        if runs and runs[-1][1] == first:
            runs[-1] = (runs[-1][0], last)
        else:
            runs.append((first, last))
    return runs
