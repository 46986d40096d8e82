# SPDX-License-Identifier: Apache-2.0
"""A batching problem: units of people (stairwells, houses), sites with lanes, slots, who may go where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from muster.planning._kernel.arrays import Floats, Ints, Longs
from muster.planning.contract import BadProblem

MOST_METRES = 10_000_000
MOST_PEOPLE = 100_000
MOST_ARCS = 50_000_000


@dataclass(frozen=True, slots=True)
class Slots:
    """Time slots by name; `start_min` counts minutes from midnight of the first day."""

    names: tuple[str, ...]
    start_min: Longs
    minutes: Longs

    @property
    def size(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """Sites by name and place; `lanes` is by site and slot, 0 where the site is closed."""

    names: tuple[str, ...]
    x_m: Floats
    y_m: Floats
    lanes: Ints

    @property
    def size(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """People who go together: `building` is a label for the reader, -1 for none."""

    names: tuple[str, ...]
    x_m: Floats
    y_m: Floats
    people: Longs
    building: Ints
    buildings: tuple[str, ...]

    @property
    def size(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """Where each unit may go: entries `first[u]` to before `first[u + 1]` are its cells, nearest site first.

    A cell is a site and a slot: its number is `site * slots + slot`.
    """

    first: Longs
    cell: Ints
    walk_m: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """`pins` holds units to whom a person gave a site and a slot: they stay.

    Sites that begin a slot do so spread over `stagger_min` minutes, so that no whole city starts at once.
    """

    units: Units
    sites: Sites
    slots: Slots
    choices: Choices
    stagger_min: int = 10
    pins: Mapping[int, int] = field(default_factory=dict)

    def lanes_of_cells(self) -> Longs:
        return self.sites.lanes.astype(np.int64).ravel()

    def cell_name(self, cell: int) -> tuple[str, str]:
        site, slot = divmod(cell, self.slots.size)
        return self.sites.names[site], self.slots.names[slot]


def pins(problem: Problem) -> dict[str, tuple[str, str]]:
    """Return what a person fixed: unit -> site and slot."""
    return {problem.units.names[unit]: problem.cell_name(cell) for unit, cell in sorted(problem.pins.items())}


def peak_permille(loads: Longs, lanes: Longs) -> int:
    """Return the most people at a lane in any cell, in thousandths, rounded up."""
    busy = loads > 0
    if not busy.any():
        return 0
    return int((-(-1000 * loads[busy] // lanes[busy])).max())


def require_lawful(problem: Problem) -> None:
    """Raise BadProblem when the parts of the problem contradict each other."""
    lanes = problem.lanes_of_cells()
    for unit, cell in sorted(problem.pins.items()):
        if lanes[cell] == 0:
            site, slot = problem.cell_name(cell)
            where = f"pins.{problem.units.names[unit]}"
            raise BadProblem("slot", where, "planning.batching.pin_closed", site=site, slot=slot)
    empty = np.flatnonzero(np.diff(problem.choices.first) == 0)
    for unit in empty.tolist():
        if unit not in problem.pins:
            raise BadProblem("slots", problem.units.names[unit], "planning.batching.nowhere_to_go")
