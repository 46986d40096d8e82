# SPDX-License-Identifier: Apache-2.0
"""A districting problem: buildings with people and work, their neighbours, and how many grids are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from muster.planning._kernel.arrays import Floats, Ints, Longs
from muster.planning.contract import BadProblem
from muster.planning.districting.adjacency import HardLine, Links

# With `measure: both` people and work count the same: each is brought to about this total.
_BOTH_TOTAL = 1_000_000_000


class Measure(StrEnum):
    """What is to be equal among grids."""

    POPULATION = "population"
    WORKLOAD = "workload"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Level:
    """A level of grids: how many are wanted, or how much one should weigh (exactly one of the two).

    The grids of an `across` level may join communities; those above it may then too.
    """

    name: str
    count: int | None = None
    size: int | None = None
    across: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Previous:
    """The grids of a level as they are today: their names, and the grid of each building (-1: none)."""

    names: tuple[str, ...]
    grid_of: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """All arrays are by building, in the order of `names`; levels go from the smallest to the largest.

    `compound` and `community` hold numbers into their names (-1: no compound; every building is of some
    community). Positions may be missing (empty) when links are given. `previous` has today's grids of the
    smallest levels, as far as known. `pinned` holds for each building the number of a name in `pin_names`
    (-1: free): buildings pinned to one name share a smallest grid, which is today's of that name if there
    is one. Grids in `kept` stay exactly as they are. `tolerance_ppm` is the worst deviation wished for.
    `strength` says of each link how bad it is to cut it.
    """

    names: tuple[str, ...]
    population: Longs
    workload: Longs
    x_m: Floats
    y_m: Floats
    community: Ints
    community_names: tuple[str, ...]
    compound: Ints
    compound_names: tuple[str, ...]
    links: Links
    levels: tuple[Level, ...]
    measure: Measure = Measure.POPULATION
    hard_lines: Sequence[HardLine] = ()
    divide_large_compounds: bool = False
    tolerance_ppm: int = 30_000
    previous: tuple[Previous, ...] = ()
    pinned: Ints | None = None
    pin_names: tuple[str, ...] = ()
    kept: frozenset[str] = frozenset()
    form: str = ""
    strength: Longs | None = None

    @property
    def size(self) -> int:
        return len(self.names)

    def weights(self) -> Longs:
        """Return what is to be equal among grids, by building."""
        if self.measure is Measure.POPULATION:
            return self.population
        if self.measure is Measure.WORKLOAD:
            return self.workload
        people, work = max(1, int(self.population.sum())), max(1, int(self.workload.sum()))
        return self.population * (_BOTH_TOTAL // people) + self.workload * (_BOTH_TOTAL // work)


def pins(problem: Problem) -> dict[str, str]:
    """Return what a person fixed: building name -> grid name."""
    fixed: dict[str, str] = {}
    if problem.pinned is not None:
        for building in np.flatnonzero(problem.pinned >= 0):
            fixed[problem.names[building]] = problem.pin_names[problem.pinned[building]]
    if problem.previous:
        today = problem.previous[0]
        for building in np.flatnonzero(today.grid_of >= 0):
            name = today.names[today.grid_of[building]]
            if name in problem.kept:
                fixed[problem.names[building]] = name
    return fixed


def require_lawful(problem: Problem) -> None:
    """Raise BadProblem when the parts of the problem contradict each other."""
    if problem.size == 0:
        raise BadProblem("buildings", "", "planning.cure.not_empty")
    if not problem.levels:
        raise BadProblem("levels", "", "planning.cure.not_empty")
    for number, level in enumerate(problem.levels):
        if (level.count is None) == (level.size is None):
            raise BadProblem("count", f"levels[{number}]", "planning.districting.count_or_size")
    if len({level.name for level in problem.levels}) < len(problem.levels):
        raise BadProblem("levels", "", "planning.districting.level_twice")
    if problem.levels[0].across:
        raise BadProblem("across", problem.levels[0].name, "planning.districting.across_smallest")
    for lower, upper in zip(problem.levels, problem.levels[1:], strict=False):
        wrong_count = lower.count is not None and upper.count is not None and upper.count > lower.count
        wrong_size = lower.size is not None and upper.size is not None and upper.size < lower.size
        if wrong_count or wrong_size:
            raise BadProblem("levels", upper.name, "planning.districting.level_order")
    if len(problem.previous) > len(problem.levels):
        raise BadProblem("previous", "", "planning.districting.previous_levels")
    known = set(problem.previous[0].names) if problem.previous else set()
    for name in sorted(problem.kept - known):
        raise BadProblem("kept", "", "planning.cure.known", name=name)
