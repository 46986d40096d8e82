# SPDX-License-Identifier: Apache-2.0
"""From a problem to the work on its pieces: counts of grids, today's grids, pins, tolerances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning.contract import BadProblem
from muster.planning.districting.counts import PPM, Piece
from muster.planning.districting.cutting import Effort
from muster.planning.districting.dividing import seed_below
from muster.planning.districting.ground import Ground
from muster.planning.districting.nested_counts import piece_counts
from muster.planning.districting.piecework import PieceTask
from muster.planning.districting.pinning import Pinned
from muster.planning.districting.problem import Problem
from muster.planning.districting.wishes import free_count, targets

# Where a piece cannot be near the target at all, its grids are at least made nearly equal to each other.
_NEARLY_EQUAL = 0.005


def tasks_of(problem: Problem, ground: Ground, *, seed: int, effort: Effort) -> list[PieceTask]:
    """Return the work on each piece; raises BadProblem."""
    today = [_by_atom(problem, ground, number) for number in range(len(problem.previous))]
    pinned = _pins_by_atom(problem, ground)
    goals = targets(problem)
    ground = ground.capped(free_count(problem, 0), goals[0], problem.tolerance_ppm / PPM)
    facts = ground.facts()
    present = [_present(today[0], piece) if today else 0 for piece in ground.pieces]
    counts = piece_counts(problem, facts, present)
    tasks = []
    for number, atoms in enumerate(ground.pieces):
        local = [_localised(level, atoms) for level in today] if present[number] else []
        tasks.append(
            PieceTask(
                ground.region.part(atoms),
                counts[number],
                tuple(local),
                _pinned_groups(problem, pinned, today, atoms, counts[number][0], at_home=bool(local)),
                _tolerance(problem, facts[number], counts[number][0], goals[0]),
                seed_below(seed, number),
                replace(effort, enough=problem.tolerance_ppm / PPM),
            )
        )
    return tasks


def _tolerance(problem: Problem, piece: Piece, count: int, target: Fraction) -> float:
    """Return how uneven a piece's grids may be: what its own mean leaves of the tolerance."""
    off = abs(Fraction(piece.weight, count) / target - 1)
    return max(_NEARLY_EQUAL, problem.tolerance_ppm / PPM - float(off))


def _by_atom(problem: Problem, ground: Ground, number: int) -> Ints:
    """Return today's grid of each atom at a level: that of most of its people; -1: none."""
    today = problem.previous[number].grid_of.astype(np.int64)
    width = len(problem.previous[number].names)
    known = (today >= 0) & (ground.atom_of >= 0)
    found, at = np.unique(ground.atom_of[known] * max(width, 1) + today[known], return_inverse=True)
    people = np.bincount(at.reshape(-1), problem.weights()[known] + 1, len(found))
    atom, grid = found // max(width, 1), found % max(width, 1)
    order = np.lexsort((grid, -people, atom))
    first = np.unique(atom[order], return_index=True)[1]
    label = np.full(ground.region.size, -1, np.int32)
    label[atom[order][first]] = grid[order][first]
    return label


def _present(today: Ints, atoms: Longs) -> int:
    return len(np.unique(today[atoms][today[atoms] >= 0]))


def _localised(today: Ints, atoms: Longs) -> tuple[Ints, Longs]:
    """Return today's grids of a piece as numbers from 0 on, and which grids those are."""
    own = today[atoms]
    names = np.unique(own[own >= 0])
    return np.where(own >= 0, np.searchsorted(names, own), -1).astype(np.int32), names.astype(np.int64)


def _pins_by_atom(problem: Problem, ground: Ground) -> Ints:
    """Return the pin of each atom (-1: free); raises BadProblem when one atom has two."""
    pin = np.full(ground.region.size, -1, np.int32)
    if problem.pinned is None:
        return pin
    for building in np.flatnonzero((problem.pinned >= 0) & (ground.atom_of >= 0)):
        atom = ground.atom_of[building]
        if pin[atom] not in {-1, problem.pinned[building]}:
            name = problem.names[building]
            raise BadProblem("pins", name, "planning.districting.pin_divides_compound")
        pin[atom] = problem.pinned[building]
    _require_one_piece(problem, ground, pin)
    return pin


def _require_one_piece(problem: Problem, ground: Ground, pin: Ints) -> None:
    seen: dict[int, int] = {}
    for number, atoms in enumerate(ground.pieces):
        for name in np.unique(pin[atoms][pin[atoms] >= 0]):
            if seen.setdefault(int(name), number) != number:
                raise BadProblem("pins", problem.pin_names[name], "planning.districting.pin_across")


def _pinned_groups(
    problem: Problem, pin: Ints, today: Sequence[Ints], atoms: Longs, count: int, *, at_home: bool
) -> tuple[Pinned, ...]:
    """Return the groups of atoms of a piece that are pinned together; raises BadProblem."""
    groups: list[Pinned] = []
    for number in np.unique(pin[atoms][pin[atoms] >= 0]):
        name, part = problem.pin_names[number], -1
        if at_home:
            names = problem.previous[0].names
            present = np.unique(today[0][atoms][today[0][atoms] >= 0])
            if name not in names or names.index(name) not in present:
                raise BadProblem("pins", name, "planning.districting.pin_unknown")
            part = int(np.searchsorted(present, names.index(name)))
        if len(groups) == count:
            raise BadProblem("pins", name, "planning.districting.pin_count", grids=count)
        groups.append(Pinned(np.flatnonzero(pin[atoms] == number), part, name))
    return tuple(groups)
