# SPDX-License-Identifier: Apache-2.0
"""From a problem to the work on its pieces: counts of grids, today's grids, pins, tolerances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from muster.planning._kernel.arrays import Bools, Ints, Longs
from muster.planning.contract import BadProblem
from muster.planning.districting.counts import Piece, least_deviation, share_out, target_of
from muster.planning.districting.cutting import Effort
from muster.planning.districting.dividing import branch_out, seed_below
from muster.planning.districting.ground import Ground
from muster.planning.districting.piecework import PieceTask
from muster.planning.districting.pinning import Pinned
from muster.planning.districting.plan import PPM
from muster.planning.districting.problem import Level, Problem

# Today's number of grids of a piece stays as long as none is farther from its target than this.
_KEEP_NUMBER_PPM = 100_000
# Where a piece cannot be near the target at all, its grids are at least made nearly equal to each other.
_NEARLY_EQUAL = 0.005


def kept_buildings(problem: Problem) -> Bools:
    """Say of each building whether its grid stays exactly as it is."""
    kept = np.zeros(problem.size, np.bool_)
    if problem.kept and problem.previous:
        today = problem.previous[0]
        numbers = [number for number, name in enumerate(today.names) if name in problem.kept]
        kept = np.isin(today.grid_of, numbers)
    return kept


def targets(problem: Problem) -> list[Fraction]:
    """Return what a grid of each level should weigh; kept grids take no part in the smallest level."""
    weight = problem.weights()
    total = int(weight.sum())
    found = [target_of(total, level.count, level.size) for level in problem.levels]
    if problem.kept:
        rest = total - int(weight[kept_buildings(problem)].sum())
        found[0] = target_of(rest, free_count(problem, 0), problem.levels[0].size)
    return found


def free_count(problem: Problem, number: int) -> int | None:
    """Return how many grids of a level are still to be made, None where their size is given."""
    count = problem.levels[number].count
    if count is None or number > 0:
        return count
    return max(1, count - len(problem.kept))


def own_levels(problem: Problem) -> tuple[Level, ...]:
    """Return the levels that are made piece by piece; those above are made of the grids below them.

    Those are levels that may join communities, and all but the smallest when some grids are kept: kept
    grids take no part in the pieces, but belong to an upper grid.
    """
    if problem.kept:
        return problem.levels[:1]
    across = [number for number, level in enumerate(problem.levels) if level.across]
    return problem.levels[: across[0]] if across else problem.levels


def piece_counts(problem: Problem, facts: Sequence[Piece], present: Sequence[int]) -> list[tuple[int, ...]]:
    """Return for each piece how many grids it gets at each of its levels.

    `present` says how many smallest grids each piece has today (0: none known). Raises BadProblem.
    """
    goals = targets(problem)
    if all(level.size is not None for level in own_levels(problem)):
        return [_counts_by_size(piece, goals, now) for piece, now in zip(facts, present, strict=True)]
    by_level: list[list[int]] = []
    below = list(facts)
    for number in range(len(own_levels(problem))):
        wanted = free_count(problem, number)
        try:
            counts = share_out(below, goals[number], wanted)
        except ValueError as error:
            fewest, most = len(facts), sum(piece.atoms for piece in below)
            where = f"levels[{number}]"
            raise BadProblem(
                "count", where, "planning.districting.count_range", fewest=fewest, most=most
            ) from error
        if number == 0:
            counts = _as_today(below, goals[0], wanted, counts, present)
        by_level.append(counts)
        below = [Piece(piece.weight, 0, count) for piece, count in zip(below, counts, strict=True)]
    return list(zip(*by_level, strict=True))


def _counts_by_size(piece: Piece, goals: Sequence[Fraction], now: int) -> tuple[int, ...]:
    """Return the counts of a piece whose grids, nested in each other, are nearest to their sizes.

    Thirteen small grids in three medium ones can be even for one level only; twelve may be better for both.
    """
    wished = [int(Fraction(piece.weight) / goal) for goal in goals]
    lowest = range(max(1, wished[0] - 1), min(piece.atoms, wished[0] + 2) + 1) or range(
        piece.atoms, piece.atoms + 1
    )
    keep = now and abs(Fraction(piece.weight, now) / goals[0] - 1) * PPM <= _KEEP_NUMBER_PPM
    options: list[tuple[int, ...]] = [(now,)] if keep else [(count,) for count in lowest]
    for wish in wished[1:]:
        near = range(max(1, wish - 1), wish + 3)
        options = [(*option, count) for option in options for count in near if count <= option[-1]] or [
            (*option, option[-1]) for option in options
        ]
    return min(options, key=lambda counts: (_uneven(piece.weight, counts, goals), counts))


def _uneven(weight: int, counts: tuple[int, ...], goals: Sequence[Fraction]) -> float:
    """Return how far the grids of a piece would be from their sizes if all came out as planned.

    The worst of each level counts, squared: a level that cannot be right does not hide the others.
    """
    total, branches = 0.0, branch_out(weight, counts)
    while branches:
        size = float(goals[branches[0].level])
        total += max(abs(branch.goal / size - 1) for branch in branches) ** 2
        branches = tuple(below for branch in branches for below in branch.below)
    return total


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
                _pinned_groups(problem, pinned, today, atoms, at_home=bool(local)),
                _tolerance(problem, facts[number], counts[number][0], goals[0]),
                seed_below(seed, number),
                replace(effort, enough=problem.tolerance_ppm / PPM),
            )
        )
    return tasks


def _as_today(
    pieces: Sequence[Piece],
    target: Fraction,
    wanted: int | None,
    best: list[int],
    present: Sequence[int],
) -> list[int]:
    """Keep today's numbers of grids where they are still good enough: splitting moves many households."""
    if not any(present) or (wanted is not None and sum(present) != wanted):
        return best
    kept = [now or new for now, new in zip(present, best, strict=True)]
    off = [
        abs(Fraction(piece.weight, count) / target - 1) * PPM
        for piece, count in zip(pieces, kept, strict=True)
    ]
    least = least_deviation(pieces, target, wanted)
    if wanted is not None:
        return kept if all(present) and max(off) <= max(_KEEP_NUMBER_PPM, least) else best
    return [
        now if now and far <= _KEEP_NUMBER_PPM else new
        for now, far, new in zip(present, off, best, strict=True)
    ]


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
    problem: Problem, pin: Ints, today: Sequence[Ints], atoms: Longs, *, at_home: bool
) -> tuple[Pinned, ...]:
    """Return the groups of atoms of a piece that are pinned together; raises BadProblem."""
    groups = []
    for number in np.unique(pin[atoms][pin[atoms] >= 0]):
        name, part = problem.pin_names[number], -1
        if at_home:
            names = problem.previous[0].names
            present = np.unique(today[0][atoms][today[0][atoms] >= 0])
            if name not in names or names.index(name) not in present:
                raise BadProblem("pins", name, "planning.districting.pin_unknown")
            part = int(np.searchsorted(present, names.index(name)))
        groups.append(Pinned(np.flatnonzero(pin[atoms] == number), part, name))
    return tuple(groups)
