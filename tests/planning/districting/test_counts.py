# SPDX-License-Identifier: Apache-2.0
"""How many grids each piece gets, against every way of giving them, and the bounds that follow."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.planning.districting.counts import (
    PPM,
    Piece,
    least_deviation,
    nesting_deviation,
    share_out,
    target_of,
)

pieces_strategy = st.lists(st.integers(1, 60), min_size=1, max_size=4)


def worst(pieces, counts, target):
    """Return the worst deviation that the counts alone force, exactly."""
    found = Fraction(0)
    for piece, count in zip(pieces, counts, strict=True):
        mean = Fraction(piece.weight, count)
        found = max(found, max(mean, Fraction(piece.heaviest)) / target - 1, 1 - mean / target)
    return found


@settings(max_examples=60, deadline=None)
@given(weights=pieces_strategy, extra=st.integers(0, 8), heavy=st.integers(1, 30))
def test_counts_are_the_best_of_all(weights, extra, heavy):
    pieces = [Piece(weight, min(weight, heavy), weight) for weight in weights]
    count = min(len(pieces) + extra, sum(weights))
    target = target_of(sum(weights), count, None)

    counts = share_out(pieces, target, count)

    every = product(*(range(1, min(piece.atoms, count) + 1) for piece in pieces))
    best = (
        min(worst(pieces, option, target) for option in every if sum(option) == count) if count <= 6 else None
    )
    assert sum(counts) == count
    assert all(1 <= number <= piece.atoms for number, piece in zip(counts, pieces, strict=True))
    if best is not None:
        assert worst(pieces, counts, target) <= best + Fraction(1, PPM)
        assert least_deviation(pieces, target, count) == -(-best.numerator * PPM // best.denominator)


@settings(max_examples=100, deadline=None)
@given(weight=st.integers(1, 500), size=st.integers(1, 200))
def test_count_by_size_is_the_best_of_all(weight, size):
    piece = Piece(weight, 1, weight)

    (count,) = share_out([piece], Fraction(size), None)

    best = min(worst([piece], [option], Fraction(size)) for option in range(1, weight + 1))
    assert worst([piece], [count], Fraction(size)) <= best + Fraction(1, PPM)


@pytest.mark.parametrize("count", [1, 7])
def test_count_that_cannot_be_is_refused(count):
    with pytest.raises(ValueError, match=str(count)):
        share_out([Piece(10, 5, 3), Piece(10, 5, 3)], Fraction(1), count)


@pytest.mark.parametrize(
    ("parents", "children", "percent"),
    [(5, 20, 0), (4, 27, 100 * 3 / 51), (2, 3, 20.0), (3, 7, 12.5), (0, 5, 0)],
)
def test_uneven_nesting_costs_what_it_must(parents, children, percent):
    assert nesting_deviation(parents, children) / 10_000 == pytest.approx(percent, abs=0.001)


def test_nothing_to_divide_is_even():
    assert least_deviation([], Fraction(1), None) == 0
