# SPDX-License-Identifier: Apache-2.0
"""How many grids each piece gets at all its levels at once: best for one level may be bad for the next."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from muster.planning.contract import BadProblem
from muster.planning.districting.counts import PPM, Piece, least_deviation, share_out
from muster.planning.districting.dividing import branch_out
from muster.planning.districting.problem import Problem
from muster.planning.districting.wishes import free_count, own_levels, targets

# Today's number of grids of a piece stays as long as none is farther from its target than this.
_KEEP_NUMBER_PPM = 100_000


def piece_counts(problem: Problem, facts: Sequence[Piece], present: Sequence[int]) -> list[tuple[int, ...]]:
    """Return for each piece how many grids it gets at each of its levels.

    `present` says how many smallest grids each piece has today (0: none known). Raises BadProblem.
    """
    goals = targets(problem)[: len(own_levels(problem))]
    if all(level.size is not None for level in own_levels(problem)):
        return [_by_size(piece, goals, now) for piece, now in zip(facts, present, strict=True)]
    shared = _shared_out(problem, facts, goals, present)
    if any(present):
        return shared
    options = [shared]
    options += [
        [(*(ratio * counts[upper] for ratio in ratios), *counts[upper:]) for counts in shared]
        for upper in range(1, len(goals))
        if (ratios := _ratios(problem, upper))
    ]
    lawful = [
        option
        for option in options
        if all(counts[0] <= piece.atoms for counts, piece in zip(option, facts, strict=True))
    ]
    return min(lawful, key=lambda option: _unevenness(facts, option, goals))


def _shared_out(
    problem: Problem, facts: Sequence[Piece], goals: Sequence[Fraction], present: Sequence[int]
) -> list[tuple[int, ...]]:
    """Share the grids of each level out among the pieces, for each level as if it were the only one."""
    by_level: list[list[int]] = []
    below = list(facts)
    for number, goal in enumerate(goals):
        wanted = free_count(problem, number)
        try:
            counts = share_out(below, goal, wanted)
        except ValueError as error:
            kept = len(problem.kept) if number == 0 else 0
            fewest, most = kept + len(facts), kept + sum(piece.atoms for piece in below)
            where = f"levels[{number}]"
            raise BadProblem(
                "count", where, "planning.districting.count_range", fewest=fewest, most=most
            ) from error
        if number == 0:
            counts = _as_today(below, goal, wanted, counts, present)
        by_level.append(counts)
        below = [Piece(piece.weight, 0, count) for piece, count in zip(below, counts, strict=True)]
    return list(zip(*by_level, strict=True))


def _ratios(problem: Problem, upper: int) -> list[int]:
    """Return how many grids of each lower level an upper grid has, if all can have the same number."""
    counts = [free_count(problem, number) for number in range(upper + 1)]
    top = counts[upper]
    ratios = [count // top for count in counts[:upper] if count is not None and top and count % top == 0]
    return ratios if len(ratios) == upper else []


def _by_size(piece: Piece, goals: Sequence[Fraction], now: int) -> tuple[int, ...]:
    """Return the counts of a piece whose grids, nested in each other, are nearest to their sizes.

    Thirteen small grids in three medium ones can be even for one level only; twelve may be better for both.
    """
    wished = [int(Fraction(piece.weight) / goal) for goal in goals]
    lowest = [count for count in range(max(1, wished[0] - 1), wished[0] + 3) if count <= piece.atoms]
    keep = now and abs(Fraction(piece.weight, now) / goals[0] - 1) * PPM <= _KEEP_NUMBER_PPM
    options: list[tuple[int, ...]] = [(now,)] if keep else [(count,) for count in lowest or [piece.atoms]]
    for wish in wished[1:]:
        near = range(max(1, wish - 1), wish + 3)
        options = [(*option, count) for option in options for count in near if count <= option[-1]] or [
            (*option, option[-1]) for option in options
        ]
    return min(options, key=lambda counts: (_unevenness([piece], [counts], goals), counts))


def _unevenness(
    pieces: Sequence[Piece], option: Sequence[tuple[int, ...]], goals: Sequence[Fraction]
) -> float:
    """Return how far the grids would be from what they should weigh if all came out as planned.

    The worst of each level counts, squared: a level that cannot be right does not hide the others.
    """
    worst = [0.0] * len(goals)
    for piece, counts in zip(pieces, option, strict=True):
        branches = branch_out(piece.weight, counts)
        while branches:
            level = branches[0].level
            size = float(goals[level])
            worst[level] = max(worst[level], *(abs(branch.goal / size - 1) for branch in branches))
            branches = tuple(below for branch in branches for below in branch.below)
    return sum(off * off for off in worst)


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
