# SPDX-License-Identifier: Apache-2.0
"""A siting problem: points where people are, candidates for sites, who could walk where, costs of opening."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from muster.planning._kernel.arrays import Bools, Ints, Longs
from muster.planning.contract import BadProblem

MOST_METRES = 10_000_000
MOST_PEOPLE = 100_000_000
MOST_COST = 1 << 46
MOST_POINTS = 200_000
MOST_CANDIDATES = 20_000
MOST_WALKS = 40_000_000
# No site has less room than this; sums of people stay far below it.
UNLIMITED = 1 << 50
# Sums of all costs stay below this, so that nothing leaves 64 bits.
MOST_TOTAL = 1 << 56


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Where people are, and how many."""

    names: tuple[str, ...]
    people: Longs

    @property
    def size(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Where a site could be: how many people it can take in all its hours, what opening it costs."""

    names: tuple[str, ...]
    capacity: Longs
    open_cost: Longs

    @property
    def size(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Walks:
    """Who could walk where: entries `first[p]` to before `first[p + 1]` are point p's, the cheapest first.

    `cost` is what the whole point costs at the candidate: people times weight times metres, or as the file
    gives it.
    """

    first: Longs
    candidate: Ints
    cost: Longs


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Open exactly `count` sites, or as many as pay when it is None.

    A point that could walk somewhere but is sent nowhere costs `unserved`; None means that all have to be
    served. `opened`, `closed` and `sent` (point -> candidate) are what a person fixed. `closed_hours` holds
    points that could walk somewhere, but never when it is open. Costs of a file with decimals are held in
    units of 1 / `scale`.
    """

    points: Points
    candidates: Candidates
    walks: Walks
    count: int | None = None
    may_split: bool = False
    unserved: Longs | None = None
    opened: frozenset[int] = frozenset()
    closed: frozenset[int] = frozenset()
    sent: Mapping[int, int] = field(default_factory=dict)
    closed_hours: frozenset[int] = frozenset()
    scale: int = 1

    @property
    def has_limits(self) -> bool:
        """Tell whether any site could be too small for all who could walk there."""
        first, candidate = self.walks.first, self.walks.candidate
        people = np.repeat(self.points.people, np.diff(first))
        wanted = np.bincount(candidate, people, self.candidates.size)
        return bool((wanted > self.candidates.capacity).any())

    @property
    def cut_off(self) -> Bools:
        """Tell which points no candidate is there for."""
        return np.diff(self.walks.first) == 0


def pins(problem: Problem) -> dict[str, str | bool]:
    """Return what a person fixed: candidate -> open or not, point -> candidate."""
    sites, points = problem.candidates.names, problem.points.names
    fixed: dict[str, str | bool] = {f"candidate {sites[number]}": True for number in sorted(problem.opened)}
    fixed |= {f"candidate {sites[number]}": False for number in sorted(problem.closed)}
    return fixed | {f"point {points[point]}": sites[number] for point, number in sorted(problem.sent.items())}


def kept_open(problem: Problem) -> frozenset[int]:
    """Return the candidates that have to be open: pinned themselves, or by a point that is sent there."""
    return problem.opened | frozenset(problem.sent.values())


def require_lawful(problem: Problem) -> None:
    """Raise BadProblem when the parts of the problem contradict each other."""
    both = kept_open(problem) & problem.closed
    if both:
        name = problem.candidates.names[min(both)]
        raise BadProblem("closed", "pins", "planning.siting.pin_both", name=name)
    for point, site in sorted(problem.sent.items()):
        own = slice(int(problem.walks.first[point]), int(problem.walks.first[point + 1]))
        if site not in problem.walks.candidate[own]:
            raise BadProblem(
                problem.points.names[point],
                "pins.points",
                "planning.siting.pin_too_far",
                name=problem.candidates.names[site],
            )
    if problem.count is None:
        return
    fewest, most = len(kept_open(problem)), problem.candidates.size - len(problem.closed)
    if not fewest <= problem.count <= most:
        raise BadProblem("count", "", "planning.cure.integer", lowest=fewest, highest=most)


def require_size(points: int, candidates: int, walks: int) -> None:
    """Raise BadProblem with the figure when a problem is larger than the engine can hold."""
    for what, number, limit in (
        ("points", points, MOST_POINTS),
        ("candidates", candidates, MOST_CANDIDATES),
        ("walks", walks, MOST_WALKS),
    ):
        if number > limit:
            raise BadProblem(what, "", "planning.siting.too_large", number=number, limit=limit)


def by_candidate(walks: Walks, candidates: int) -> tuple[Longs, Ints, Longs]:
    """Return the walks the other way round: first entry of each candidate, its points, their costs."""
    point = np.repeat(np.arange(len(walks.first) - 1, dtype=np.int32), np.diff(walks.first))
    order = np.argsort(walks.candidate, kind="stable")
    first = np.zeros(candidates + 1, np.int64)
    np.cumsum(np.bincount(walks.candidate, minlength=candidates), out=first[1:])
    return first, point[order], walks.cost[order]
