# SPDX-License-Identifier: Apache-2.0
"""Walking orders: in which order a person visits doors, given the matrix of walking distances.

A walk may start and finish at given stops, be open at either end, or come back to where it began. It is
solved as a closed tour; an open walk gets one more city that costs nothing and stands between its ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations

import numpy as np
from numpy.typing import ArrayLike

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning._kernel.budget import Budget
from muster.planning.contract import BadProblem, Progress, Step, report
from muster.planning.network import tours
from muster.planning.network.graph import UNREACHABLE

# A tour of so many cities is found by trying every order.
_TRY_ALL = 7
_NEAR = 10
_KICKS_AT_ONCE = 5_000
_BOUND_ROUNDS = 200


@dataclass(frozen=True, slots=True)
class WalkingOrder:
    """Stops in the order of the walk, its length, and the least length that any such walk needs.

    `cut_off` are the stops to which no walk leads from the others; they are not in the order.
    """

    order: tuple[int, ...]
    length_dm: int
    bound_dm: int
    cut_off: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The part of a walk that is free: its stops, and which of them stand at its ends (None: any)."""

    stops: tuple[int, ...]
    start: int | None
    finish: int | None
    closed: bool

    def costs(self, matrix: Ints) -> Longs:
        """Return the matrix of the closed tour; an open walk has one city more, the last."""
        size = len(self.stops)
        own = matrix[np.ix_(self.stops, self.stops)].astype(np.int64)
        if self.closed:
            return own
        cost = np.zeros((size + 1, size + 1), np.int64)
        cost[:size, :size] = own
        for end in self.fixed_ends():
            cost[end, size] = cost[size, end] = -self.hold(matrix)
        return cost

    def fixed_ends(self) -> list[int]:
        return [self.stops.index(end) for end in (self.start, self.finish) if end is not None]

    def hold(self, matrix: Ints) -> int:
        """Return what it costs to let go of a fixed end: more than any walk."""
        return 1 + len(self.stops) * int(matrix[np.ix_(self.stops, self.stops)].max(initial=0))

    def held(self, matrix: Ints) -> int:
        return 0 if self.closed else len(self.fixed_ends()) * self.hold(matrix)

    def walk(self, tour: Longs) -> tuple[int, ...]:
        """Return the stops in the order of a tour, from the start (or the lower end) on."""
        cities = [int(city) for city in tour]
        if self.closed:
            first = cities.index(0 if self.start is None else self.stops.index(self.start))
            walk = cities[first:] + cities[:first]
            backward = walk[:1] + walk[:0:-1]
            walk = min(walk, backward)
        else:
            joint = cities.index(len(self.stops))
            walk = cities[joint + 1 :] + cities[:joint]
            if self._is_backward(walk):
                walk.reverse()
        return tuple(self.stops[city] for city in walk)

    def _is_backward(self, walk: list[int]) -> bool:
        if self.start is not None:
            return self.stops[walk[0]] != self.start
        if self.finish is not None:
            return self.stops[walk[-1]] != self.finish
        return walk[0] > walk[-1]


def walk_order(
    matrix_dm: ArrayLike,
    *,
    seed: int = 1,
    start: int | None = None,
    finish: int | None = None,
    returns: bool = False,
    fixed_first: Sequence[int] = (),
    kicks: int | None = None,
    budget_s: float = 10.0,
    progress: Progress | None = None,
) -> WalkingOrder:
    """Return a short walk over all stops of a symmetric matrix of decimetres.

    `fixed_first` are the stops that a person has put at the beginning, in their order; they stay there.
    `returns` brings the walk back to its first stop. `kicks` is how often the search starts anew from the
    best walk (by default it follows from the number of stops); the budget only ends it early.
    Raises BadProblem.
    """
    matrix = np.asarray(matrix_dm)
    pinned = _checked(matrix, start, finish, fixed_first, returns=returns)
    reached, cut_off = _reached(matrix, (*pinned, *(() if finish is None else (finish,))))
    pinned = tuple(stop for stop in pinned if stop in reached)
    if finish not in reached:
        finish = None
    if len(reached) <= 1:
        return WalkingOrder(tuple(reached), 0, 0, cut_off)
    stretch = _free_stretch(reached, pinned, finish, returns=returns)
    tour, least = _best_tour(stretch, matrix, seed, kicks, Budget(budget_s), progress)
    walk = stretch.walk(tour)
    if returns and len(pinned) > 1:
        walk = walk[:-1]  # its finish is the stop where the pinned part begins
    order = _tidied(matrix, (*pinned[:-1], *walk), len(pinned), finish, returns=returns)
    length = walk_length(matrix, order, returns=returns)
    fixed = walk_length(matrix, pinned)
    return WalkingOrder(order, length, min(length, fixed + least), cut_off)


def walk_length(matrix: Ints, order: Sequence[int], *, returns: bool = False) -> int:
    """Return how long it is to walk the stops in this order."""
    length = sum(int(matrix[a, b]) for a, b in pairwise(order))
    return length + int(matrix[order[-1], order[0]]) if returns and order else length


def _checked(
    matrix: Ints, start: int | None, finish: int | None, fixed_first: Sequence[int], *, returns: bool
) -> tuple[int, ...]:
    """Return the pinned beginning of the walk; raises BadProblem when the wishes contradict each other."""
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise BadProblem("matrix", "", "planning.cure.same_length", fields="rows, columns")
    if not np.array_equal(matrix, matrix.T):
        raise BadProblem("matrix", "", "planning.network.walk.symmetric")
    pinned = tuple(int(stop) for stop in fixed_first)
    if start is not None and start not in pinned[:1]:
        pinned = (start, *pinned)
    for name, stops in (("fixed_first", pinned), ("finish", () if finish is None else (finish,))):
        for stop in stops:
            if not 0 <= stop < len(matrix):
                raise BadProblem(name, "", "planning.cure.integer", lowest=0, highest=len(matrix) - 1)
    if len(set(pinned)) < len(pinned):
        raise BadProblem("fixed_first", "", "planning.network.walk.twice")
    if finish is not None and (returns or finish in pinned[: len(matrix) - 1]):
        raise BadProblem("finish", "", "planning.network.walk.finish")
    return pinned


def _reached(matrix: Ints, anchors: tuple[int, ...]) -> tuple[list[int], tuple[int, ...]]:
    """Split the stops into those that can be walked to from the first anchor and those cut off.

    Without an anchor the largest group of stops is the one that is walked.
    """
    size = len(matrix)
    within = [np.flatnonzero(matrix[stop] < UNREACHABLE) for stop in anchors[:1]]
    if not within and size:
        within = [np.flatnonzero(matrix[int((matrix < UNREACHABLE).sum(axis=1).argmax())] < UNREACHABLE)]
    reached = sorted({*anchors[:1], *(int(stop) for group in within for stop in group)})
    return reached, tuple(stop for stop in range(size) if stop not in set(reached))


def _free_stretch(
    reached: list[int], pinned: tuple[int, ...], finish: int | None, *, returns: bool
) -> _Stretch:
    inner = set(pinned[1:-1]) if returns else set(pinned[:-1])
    stops = tuple(stop for stop in reached if stop not in inner)
    if returns and len(pinned) > 1:
        return _Stretch(stops, pinned[-1], pinned[0], closed=False)
    return _Stretch(stops, pinned[-1] if pinned else None, finish, closed=returns)


def _best_tour(
    stretch: _Stretch,
    matrix: Ints,
    seed: int,
    kicks: int | None,
    budget: Budget,
    progress: Progress | None,
) -> tuple[Longs, int]:
    """Return a short tour of the stretch and the least length that its walk can have."""
    cost, held = stretch.costs(matrix), stretch.held(matrix)
    size = len(cost)
    if size <= _TRY_ALL:
        tour = _try_all(cost)
        return tour, tours.tour_length(cost, tour) + held
    tour = _first_tour(stretch, cost)
    near = tours.nearest_of_each(cost, min(_NEAR, size - 1))
    dice = np.random.default_rng(seed)
    wanted = min(200_000, 100 * size) if kicks is None else kicks
    length, done = tours.improve(cost, near, tour, np.zeros((0, 3), np.int64)), 0
    while done < wanted and not budget.spent():
        rolls = min(_KICKS_AT_ONCE, wanted - done)
        length = tours.improve(cost, near, tour, dice.integers(0, 1 << 31, (rolls, 3)))
        done += rolls
        report(progress, Step("walk", done, wanted, objective=length + held))
    price = tours.one_tree_bound(cost, length, _BOUND_ROUNDS)
    return tour, max(0, int(np.ceil(price - 1e-6)) + held)


def _first_tour(stretch: _Stretch, cost: Longs) -> Longs:
    """Return the nearest-neighbour tour, with the fixed ends of an open walk already in their places."""
    size = len(cost)
    if stretch.closed:
        return tours.nearest_neighbour(cost, 0)
    last = [] if stretch.finish is None else [stretch.stops.index(stretch.finish)]
    cities = np.asarray([city for city in range(size - 1) if city not in last], np.int64)
    start = 0 if stretch.start is None else int(np.searchsorted(cities, stretch.stops.index(stretch.start)))
    walk = cities[tours.nearest_neighbour(cost[np.ix_(cities, cities)], start)]
    return np.concatenate([walk, np.asarray([*last, size - 1], np.int64)])


def _try_all(cost: Longs) -> Longs:
    """Return the shortest tour of a few cities, the first in order among equals."""
    orders = np.asarray([(0, *rest) for rest in permutations(range(1, len(cost)))], np.int64)
    lengths = cost[orders, np.roll(orders, -1, axis=1)].sum(axis=1)
    return orders[int(lengths.argmin())]


def _tidied(
    matrix: Ints, order: tuple[int, ...], pinned: int, finish: int | None, *, returns: bool
) -> tuple[int, ...]:
    """Put stops on one spot (doors of one house) in the order of their numbers where nothing forbids it."""
    free = list(order[max(pinned, 1) :]) if finish is None else list(order[max(pinned, 1) : -1])
    first = 0
    while first < len(free):
        last = first + 1
        while last < len(free) and matrix[free[first], free[last]] == 0:
            last += 1
        free[first:last] = sorted(free[first:last])
        first = last
    tidy = (*order[: max(pinned, 1)], *free, *(() if finish is None else order[-1:]))
    same = walk_length(matrix, tidy, returns=returns) == walk_length(matrix, order, returns=returns)
    return tidy if same else order
