# SPDX-License-Identifier: Apache-2.0
"""A dispatcher's desk kept in memory: who is best for this request now, as people move and take jobs.

Every answer is exact; each change costs a few microseconds. One thread writes; searches beside it are the
caller's to keep apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning.dispatching.problem import Problem, Responders, Weights

if TYPE_CHECKING:
    from muster.planning.dispatching._pyramid import Index

# About so many people share a cell.
_PEOPLE_A_CELL = 3
_LEAST_CELL_M = 10
_MOST_CELLS = 4_000_000
_NOBODY = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A responder for a request: `score_m` is what decided, the least is best."""

    responder: int
    score_m: int
    walk_m: int
    load: int
    is_own_grid: bool


class Desk:
    """The people who can be sent. They are known by their numbers in `responders`."""

    def __init__(
        self, responders: Responders, *, weights: Weights | None = None, walk_permille: int = 1_000
    ) -> None:
        self.weights = weights or Weights()
        self.walk_permille = walk_permille
        self._capacity = responders.capacity.copy()
        self._index, self._row_of, self._responder_of = make_index(responders, self.weights, walk_permille)
        self._found: dict[int, Longs] = {}

    @classmethod
    def of(cls, problem: Problem) -> Desk:
        return cls(problem.responders, weights=problem.weights, walk_permille=problem.walk_permille)

    def suggest(
        self,
        x_m: int,
        y_m: int,
        *,
        needs: int = 0,
        avoids: int = 0,
        grid: int = -1,
        declined: Sequence[int] = (),
        count: int = 3,
    ) -> list[Suggestion]:
        """Return the best responders for a request, the best first."""
        from muster.planning.dispatching._pyramid import nearest

        found = self._found.setdefault(count, np.zeros((count, 2), np.int64))
        away = self._row_of[np.asarray(declined, np.int64)] if declined else _NOBODY
        how_many = nearest(*self._index, x_m, y_m, needs, avoids, grid, away, found)
        return [self._suggestion(row, score, x_m, y_m, grid) for score, row in found[:how_many].tolist()]

    def _suggestion(self, row: int, score: int, x_m: int, y_m: int, grid: int) -> Suggestion:
        from muster.planning.dispatching._pyramid import GRID, LOAD

        load = int(self._index.people[row, LOAD])
        own = grid >= 0 and int(self._index.people[row, GRID]) == grid
        walk = score - load * self.weights.load_m + (self.weights.own_grid_m if own else 0)
        return Suggestion(int(self._responder_of[row]), score, walk, load, own)

    def take_job(self, responder: int) -> None:
        """This responder has one more job."""
        self._change_load(responder, 1)

    def finish_job(self, responder: int) -> None:
        """This responder has one job less."""
        self._change_load(responder, -1)

    def _change_load(self, responder: int, by: int) -> None:
        from muster.planning.dispatching._pyramid import LOAD, relist

        row = self._row_of[responder]
        if self._index.people[row, LOAD] + by < 0:
            raise ValueError(f"responder {responder} has no job to finish")
        self._index.people[row, LOAD] += by
        relist(self._index, row)

    def move(self, responder: int, x_m: int, y_m: int) -> None:
        """This responder is elsewhere now."""
        from muster.planning.dispatching._pyramid import move

        move(self._index, self._row_of[responder], x_m, y_m)

    def leave(self, responder: int) -> None:
        """This responder goes off duty; open jobs stay with them."""
        self._change_capacity(responder, 0)

    def come_back(self, responder: int) -> None:
        """This responder is on duty again."""
        self._change_capacity(responder, int(self._capacity[responder]))

    def _change_capacity(self, responder: int, capacity: int) -> None:
        from muster.planning.dispatching._pyramid import CAPACITY, relist

        row = self._row_of[responder]
        self._index.people[row, CAPACITY] = capacity
        relist(self._index, row)


def make_index(responders: Responders, weights: Weights, walk_permille: int) -> tuple[Index, Longs, Longs]:
    """Return the index, the row of each responder, and the responder of each row.

    Rows follow the cells in the order of a Z curve, so that neighbours stand near in memory.
    """
    from muster.planning.dispatching import _pyramid as pyramid

    size = responders.size
    west, south = (int(c.min()) if size else 0 for c in (responders.x_m, responders.y_m))
    wide, high = (int(c.max()) + 1 if size else 1 for c in (responders.x_m, responders.y_m))
    area = (wide - west) * (high - south)
    cell_m = max(_LEAST_CELL_M, int((area * _PEOPLE_A_CELL / max(1, size)) ** 0.5))
    cell_m = max(cell_m, int((area / _MOST_CELLS) ** 0.5) + 1, (max(wide - west, high - south) >> 20) + 1)
    width, height = -(-(wide - west) // cell_m), -(-(high - south) // cell_m)
    shape = np.zeros(pyramid.FIRST_LEVEL + pyramid.MOST_LEVELS, np.int64)
    shape[: pyramid.FIRST_LEVEL] = (
        width,
        height,
        0,
        cell_m,
        west,
        south,
        weights.load_m,
        weights.own_grid_m,
        walk_permille,
    )
    squares = _lay_levels(shape, width, height)
    column, row = (responders.x_m - west) // cell_m, (responders.y_m - south) // cell_m
    responder_of = np.argsort(_spread(column) | (_spread(row) << 1), kind="stable")
    row_of = np.empty(size, np.int64)
    row_of[responder_of] = np.arange(size)
    people = np.zeros((size, pyramid.COLUMNS), np.int64)
    columns = (
        responders.x_m,
        responders.y_m,
        # Everybody has one trait more, so that an empty square is told from one with plain people.
        responders.traits | (1 << 62),
        responders.load,
        responders.capacity,
        responders.grid,
    )
    for number, values in enumerate(columns):
        people[:, number] = values[responder_of]
    index = pyramid.Index(people, np.zeros(width * height, np.int64), np.zeros(squares, np.int64), shape)
    pyramid.fill(index)
    return index, row_of, responder_of


def _lay_levels(shape: Longs, width: int, height: int) -> int:
    """Write where each level of squares begins, up to the one that covers all; return how many squares."""
    from muster.planning.dispatching import _pyramid as pyramid

    squares = 0
    for level in range(pyramid.MOST_LEVELS):
        shape[pyramid.FIRST_LEVEL + level] = squares
        squares += width * height
        shape[pyramid.LEVELS] = level + 1
        if width == 1 and height == 1:
            break
        width, height = (width + 1) // 2, (height + 1) // 2
    return squares


def _spread(values: Longs) -> Longs:
    """Return the numbers with a gap after each bit, for the Z curve."""
    spread = np.zeros_like(values)
    for bit in range(21):
        spread |= ((values >> bit) & 1) << (2 * bit)
    return spread
