# SPDX-License-Identifier: Apache-2.0
"""How many grids each piece of ground gets, and how far from equal that must leave them at best.

A piece (the buildings of one community on one side of every hard line) cannot share a grid with another,
so the counts of the pieces decide most of what balance is possible.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class Piece:
    """One connected piece of ground: its weight, its heaviest atom, and how many atoms it has."""

    weight: int
    heaviest: int
    atoms: int


def target_of(total: int, count: int | None, size: int | None) -> Fraction:
    """Return what one grid should weigh: the given size, or the given count's equal share."""
    return Fraction(max(1, total), max(1, count)) if count is not None else Fraction(size or 1)


def share_out(pieces: Sequence[Piece], target: Fraction, count: int | None) -> list[int]:
    """Return how many grids each piece gets so that the worst deviation from the target is least.

    With a count the numbers add up to it. Raises ValueError when it is below the number of pieces or
    above the number of atoms.
    """
    if count is None:
        return [_best_alone(piece, target) for piece in pieces]
    _require_possible(pieces, count)
    worst = _least_worst(pieces, target, count)
    ranges = [_range(piece, target, worst) for piece in pieces]
    counts = [low for low, _ in ranges]
    # those that are fullest get one more, as long as theirs is within the worst deviation
    heap = [
        (-Fraction(piece.weight, low), number)
        for number, (piece, (low, high)) in enumerate(zip(pieces, ranges, strict=True))
        if low < high
    ]
    heapq.heapify(heap)
    for _ in range(count - sum(counts)):
        _, number = heapq.heappop(heap)
        counts[number] += 1
        if counts[number] < ranges[number][1]:
            heapq.heappush(heap, (-Fraction(pieces[number].weight, counts[number]), number))
    return counts


def least_deviation(pieces: Sequence[Piece], target: Fraction, count: int | None) -> int:
    """Return a lower bound on the worst deviation of any division, in millionths.

    Of a piece with k grids one weighs at least the mean and at least the heaviest atom, and one at most
    the mean; that holds for every way of giving counts to pieces. Raises ValueError as `share_out` does.
    """
    if not pieces:
        return 0
    if count is not None:
        _require_possible(pieces, count)
    if count is None:
        return max(_deviation(piece, _best_alone(piece, target), target) for piece in pieces)
    return _least_worst(pieces, target, count)


def _require_possible(pieces: Sequence[Piece], count: int) -> None:
    if not len(pieces) <= count <= sum(piece.atoms for piece in pieces):
        raise ValueError(count)


def nesting_deviation(parents: int, children: int) -> int:
    """Return the deviation, in millionths, that uneven nesting forces upon one of two levels.

    If the parents cannot all have the same number of children, one has fewer and one has more than the
    mean; its own weight can be right for only one of the two levels.
    """
    if parents == 0 or children % parents == 0:
        return 0
    mean = Fraction(children, parents)
    below = Fraction(children // parents)
    forced = []
    for number in (below, below + 1):
        ratio = number / mean
        forced.append(abs(ratio - 1) / (ratio + 1))
    return _ppm(max(forced))


def _best_alone(piece: Piece, target: Fraction) -> int:
    whole = int(piece.weight / target)
    options = range(max(1, whole), max(1, whole + 1) + 1)
    lawful = [number for number in options if number <= piece.atoms] or [max(1, piece.atoms)]
    return min(lawful, key=lambda number: (_deviation(piece, number, target), number))


def _deviation(piece: Piece, count: int, target: Fraction) -> int:
    """Return the least worst deviation of a piece in so many grids, in millionths."""
    mean = Fraction(piece.weight, count)
    over = max(mean, Fraction(piece.heaviest)) / target - 1
    under = 1 - mean / target
    return _ppm(max(over, under, Fraction(0)))


def _ppm(ratio: Fraction) -> int:
    """Return millionths, rounded up as the deviations of plans are."""
    return -(-ratio.numerator * PPM // ratio.denominator)


def _range(piece: Piece, target: Fraction, worst: int) -> tuple[int, int]:
    """Return the fewest and most grids with which a piece stays within the worst deviation."""
    allowed = Fraction(worst, PPM)
    low = max(1, -int(-piece.weight // (target * (1 + allowed))))
    high = piece.atoms if allowed >= 1 else min(piece.atoms, int(piece.weight // (target * (1 - allowed))))
    return low, high


def _feasible(pieces: Sequence[Piece], target: Fraction, count: int, worst: int) -> bool:
    fewest = most = 0
    for piece in pieces:
        if Fraction(piece.heaviest) > target * (1 + Fraction(worst, PPM)):
            return False
        low, high = _range(piece, target, worst)
        if low > high:
            return False
        fewest += low
        most += high
    return fewest <= count <= most


def _least_worst(pieces: Sequence[Piece], target: Fraction, count: int) -> int:
    """Return the least worst deviation for which counts exist that add up, by halving."""
    low, high = 0, PPM
    while not _feasible(pieces, target, count, high):
        high *= 2
    while low < high:
        middle = (low + high) // 2
        if _feasible(pieces, target, count, middle):
            high = middle
        else:
            low = middle + 1
    return low
