# SPDX-License-Identifier: Apache-2.0
"""Walking orders against every order tried, the bound against both, and what a person fixed."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.planning.contract import BadProblem, Cancelled
from muster.planning.network import UNREACHABLE, walk_length, walk_order


def flat_matrix(count, *, seed, side=1000):
    points = np.random.default_rng(seed).integers(0, side, (count, 2))
    return np.abs(points[:, None] - points[None]).sum(axis=2).astype(np.int32)


def shortest_by_trying(matrix, *, first=(), finish=None, returns=False):
    """Return the length of the shortest lawful walk: the slow truth."""
    lawful = (
        order
        for order in permutations(range(len(matrix)))
        if order[: len(first)] == tuple(first) and (finish is None or order[-1] == finish)
    )
    return min(walk_length(matrix, order, returns=returns) for order in lawful)


wishes = st.sampled_from(
    [
        {},
        {"start": 1},
        {"finish": 2},
        {"start": 1, "finish": 0},
        {"returns": True},
        {"start": 2, "returns": True},
        {"fixed_first": [2, 0]},
        {"fixed_first": [2, 0], "returns": True},
        {"start": 1, "fixed_first": [2], "finish": 0},
    ]
)


@settings(max_examples=60, deadline=None)
@given(count=st.integers(4, 8), seed=st.integers(0, 10_000), wish=wishes)
def test_walk_of_few_stops_is_the_shortest(count, seed, wish):
    matrix = flat_matrix(count, seed=seed)
    first = [*([wish["start"]] if "start" in wish else []), *wish.get("fixed_first", [])]

    walk = walk_order(matrix, **wish)

    truth = shortest_by_trying(
        matrix, first=first, finish=wish.get("finish"), returns=wish.get("returns", False)
    )
    assert walk.length_dm == truth
    assert walk.bound_dm <= truth
    assert list(walk.order[: len(first)]) == first
    assert "finish" not in wish or walk.order[-1] == wish["finish"]
    assert walk.length_dm == walk_length(matrix, walk.order, returns=wish.get("returns", False))


@pytest.mark.parametrize("wish", [{}, {"start": 0}, {"returns": True}, {"start": 3, "finish": 9}])
def test_walk_of_many_stops_is_near_its_bound(wish):
    matrix = flat_matrix(120, seed=5)

    walk = walk_order(matrix, kicks=4_000, budget_s=60, **wish)

    assert sorted(walk.order) == list(range(120))
    assert walk.bound_dm <= walk.length_dm <= 1.04 * walk.bound_dm


def test_walk_is_the_same_for_the_same_seed_and_may_differ_for_another():
    matrix = flat_matrix(150, seed=6)

    walks = [walk_order(matrix, seed=seed, kicks=50, budget_s=60) for seed in (1, 1, 2, 3)]

    assert walks[0] == walks[1]
    assert len({walk.order for walk in walks}) > 1


def test_walk_leaves_out_stops_that_cannot_be_reached():
    matrix = flat_matrix(6, seed=7)
    matrix[4, :] = matrix[:, 4] = UNREACHABLE
    matrix[4, 4] = 0

    walk = walk_order(matrix, start=1)

    assert sorted(walk.order) == [0, 1, 2, 3, 5]
    assert walk.cut_off == (4,)


def test_walk_without_start_serves_the_larger_group():
    matrix = np.full((5, 5), UNREACHABLE, np.int32)
    matrix[:3, :3] = flat_matrix(3, seed=8)
    matrix[3:, 3:] = [[0, 4], [4, 0]]

    assert walk_order(matrix).cut_off == (3, 4)


def test_walk_of_nothing_and_of_one_stop():
    assert walk_order(np.zeros((0, 0), np.int32)).order == ()
    assert walk_order(np.zeros((1, 1), np.int32), returns=True).order == (0,)


def test_doors_on_one_spot_follow_each_other_by_number():
    matrix = flat_matrix(40, seed=9)
    where = np.repeat(np.arange(40), 3)
    shuffled = np.random.default_rng(9).permutation(120)
    doors = matrix[np.ix_(where[shuffled], where[shuffled])]

    walk = walk_order(doors, kicks=500)

    houses = where[shuffled][list(walk.order)]
    for first in range(0, 120, 3):
        assert len(set(houses[first : first + 3])) == 1
        assert list(walk.order[first : first + 3]) == sorted(walk.order[first : first + 3])


@pytest.mark.parametrize(
    "wish",
    [
        {"start": 9},
        {"finish": -1},
        {"fixed_first": [1, 1]},
        {"fixed_first": [1], "finish": 1},
        {"returns": True, "finish": 1},
    ],
)
def test_contradicting_wishes_are_refused(wish):
    with pytest.raises(BadProblem):
        walk_order(flat_matrix(5, seed=1), **wish)


@pytest.mark.parametrize("matrix", [np.zeros((2, 3)), np.asarray([[0, 1], [2, 0]])])
def test_matrix_that_is_no_distance_table_is_refused(matrix):
    with pytest.raises(BadProblem):
        walk_order(matrix)


def test_search_can_be_called_off():
    with pytest.raises(Cancelled):
        walk_order(flat_matrix(60, seed=2), progress=lambda step: False)
