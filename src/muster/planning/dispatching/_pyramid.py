# SPDX-License-Identifier: Apache-2.0
"""The people who can be sent now, by place: square cells, and above them ever larger squares.

Each square knows which traits stand somewhere below it, so a search for a rare skill passes over whole
districts. A person is one row of eight numbers, one line of memory. Only who is free for one more job is
listed: a busy city is not slower to search than a quiet one.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit

from muster.planning._kernel.arrays import Longs

Whole: TypeAlias = int | np.signedinteger[Any]

X, Y, TRAITS, LOAD, CAPACITY, GRID, NEXT, PREVIOUS = range(8)
COLUMNS = 8
END = -1
NOT_LISTED = -2
FAR = np.int64(1 << 60)

# Positions in `shape`.
WIDTH, HEIGHT, LEVELS, CELL_M, WEST, SOUTH, LOAD_M, OWN_GRID_M, WALK_PERMILLE, FIRST_LEVEL = range(10)
MOST_LEVELS = 24


class Index(NamedTuple):
    """All that a search reads: rows of people, first person of each cell, traits of each square, sizes."""

    people: Longs
    head: Longs
    traits: Longs
    shape: Longs


@njit(cache=True)
def _cell_of(shape: Longs, x: Whole, y: Whole) -> tuple[Whole, Whole]:
    """Return the cell of a place; places beyond the map belong to the cell at its edge."""
    column = (x - shape[WEST]) // shape[CELL_M]
    row = (y - shape[SOUTH]) // shape[CELL_M]
    return min(max(column, 0), shape[WIDTH] - 1), min(max(row, 0), shape[HEIGHT] - 1)


@njit(cache=True)
def _raise_traits(index: Index, column: Whole, row: Whole, traits: Whole) -> None:
    """Add traits to all squares above a cell, as far up as they are new."""
    width = index.shape[WIDTH]
    for level in range(index.shape[LEVELS]):
        at = index.shape[FIRST_LEVEL + level] + row * width + column
        if index.traits[at] | traits == index.traits[at]:
            return
        index.traits[at] |= traits
        column, row, width = column >> 1, row >> 1, (width + 1) >> 1


@njit(cache=True)
def _lower_traits(index: Index, column: Whole, row: Whole) -> None:
    """Bring the squares above a cell up to date after somebody left it."""
    shape, people = index.shape, index.people
    traits = np.int64(0)
    who = index.head[row * shape[WIDTH] + column]
    while who != END:
        traits |= people[who, TRAITS]
        who = people[who, NEXT]
    width, height = shape[WIDTH], shape[HEIGHT]
    for level in range(shape[LEVELS]):
        at = shape[FIRST_LEVEL + level] + row * width + column
        if index.traits[at] == traits:
            return
        index.traits[at] = traits
        if level + 1 == shape[LEVELS]:
            return
        left, low = column & ~1, row & ~1
        traits = np.int64(0)
        for r in range(low, min(low + 2, height)):
            for c in range(left, min(left + 2, width)):
                traits |= index.traits[shape[FIRST_LEVEL + level] + r * width + c]
        column, row = column >> 1, row >> 1
        width, height = (width + 1) >> 1, (height + 1) >> 1


@njit(cache=True)
def enlist(index: Index, who: Whole) -> None:
    """List a person in the cell where they are."""
    people = index.people
    column, row = _cell_of(index.shape, people[who, X], people[who, Y])
    cell = row * index.shape[WIDTH] + column
    first = index.head[cell]
    people[who, NEXT] = first
    people[who, PREVIOUS] = END
    if first != END:
        people[first, PREVIOUS] = who
    index.head[cell] = who
    _raise_traits(index, column, row, people[who, TRAITS])


@njit(cache=True)
def strike(index: Index, who: Whole) -> None:
    """Take a person off the list."""
    people = index.people
    after, before = people[who, NEXT], people[who, PREVIOUS]
    column, row = _cell_of(index.shape, people[who, X], people[who, Y])
    if before != END:
        people[before, NEXT] = after
    else:
        index.head[row * index.shape[WIDTH] + column] = after
    if after != END:
        people[after, PREVIOUS] = before
    people[who, PREVIOUS] = NOT_LISTED
    _lower_traits(index, column, row)


@njit(cache=True)
def relist(index: Index, who: Whole) -> None:
    """List a person who is free for one more job, and nobody else."""
    people = index.people
    free = people[who, LOAD] < people[who, CAPACITY]
    listed = people[who, PREVIOUS] != NOT_LISTED
    if free and not listed:
        enlist(index, who)
    elif listed and not free:
        strike(index, who)


@njit(cache=True)
def move(index: Index, who: Whole, x: Whole, y: Whole) -> None:
    """Put a person at another place."""
    people = index.people
    listed = people[who, PREVIOUS] != NOT_LISTED
    same = _cell_of(index.shape, people[who, X], people[who, Y]) == _cell_of(index.shape, x, y)
    if listed and not same:
        strike(index, who)
    people[who, X] = x
    people[who, Y] = y
    if listed and not same:
        enlist(index, who)


@njit(cache=True)
def fill(index: Index) -> None:
    """List everybody who is free, in cells that are empty so far."""
    index.head[:] = END
    index.traits[:] = 0
    for who in range(len(index.people) - 1, -1, -1):
        index.people[who, PREVIOUS] = NOT_LISTED
        if index.people[who, LOAD] < index.people[who, CAPACITY]:
            enlist(index, who)


@njit(cache=True)
def walk(shape: Longs, east: Whole, north: Whole) -> Whole:
    """Return walking metres for metres east and north."""
    return np.int64(np.sqrt(np.float64(east * east + north * north)) * shape[WALK_PERMILLE] * 0.001 + 0.5)


@njit(cache=True)
def _least_walk(shape: Longs, level: Whole, column: Whole, row: Whole, x: Whole, y: Whole) -> Whole:
    """Return metres that the walk from anybody in a square is not below; squares at the edge are endless."""
    side = shape[CELL_M] << level
    west = shape[WEST] + column * side
    south = shape[SOUTH] + row * side
    width = (shape[WIDTH] + (1 << level) - 1) >> level
    height = (shape[HEIGHT] + (1 << level) - 1) >> level
    east, north = np.int64(0), np.int64(0)
    if x < west and column > 0:
        east = west - x
    elif x >= west + side and column < width - 1:
        east = x - (west + side) + 1
    if y < south and row > 0:
        north = south - y
    elif y >= south + side and row < height - 1:
        north = y - (south + side) + 1
    return np.int64(np.sqrt(np.float64(east * east + north * north)) * shape[WALK_PERMILLE] * 0.001)


@njit(cache=True)
def _keep_best(found: Longs, count: Whole, score: Whole, who: Whole) -> Whole:
    """Insert a person among the best found, lower score first, then lower number; return how many."""
    room = len(found)
    at = count
    if count == room:
        last_score, last_who = found[room - 1, 0], found[room - 1, 1]
        if score > last_score or (score == last_score and who > last_who):
            return count
        at = room - 1
    while at > 0 and (found[at - 1, 0] > score or (found[at - 1, 0] == score and found[at - 1, 1] > who)):
        found[at, 0] = found[at - 1, 0]
        found[at, 1] = found[at - 1, 1]
        at -= 1
    found[at, 0] = score
    found[at, 1] = who
    return min(count + 1, room)


@njit(cache=True)
def nearest(
    people: Longs,
    head: Longs,
    all_traits: Longs,
    shape: Longs,
    x: Whole,
    y: Whole,
    needs: Whole,
    avoids: Whole,
    grid: Whole,
    declined: Longs,
    found: Longs,
) -> Whole:
    """Fill `found` with (score, person) of the best people for a request; return how many there are.

    The score is the walk, more for each open job, less in the own grid. Exact: a square is passed over only
    when nobody in it could be better than the worst that is kept.
    """
    room = len(found)
    count: Whole = 0
    own = shape[OWN_GRID_M] if grid >= 0 else np.int64(0)
    stack = np.empty((4 * MOST_LEVELS, 4), np.int64)
    top = shape[LEVELS] - 1
    stack[0, 0], stack[0, 1], stack[0, 2], stack[0, 3] = -own, top, 0, 0
    depth = 1
    while depth > 0:
        depth -= 1
        least, level, column, row = stack[depth]
        if count == room and least > found[room - 1, 0]:
            continue
        width = (shape[WIDTH] + (1 << level) - 1) >> level
        if level == 0:
            who = head[row * width + column]
            while who != END:
                person = people[who]
                if person[TRAITS] & needs == needs and person[TRAITS] & avoids == 0:
                    score = walk(shape, person[X] - x, person[Y] - y) + person[LOAD] * shape[LOAD_M]
                    if grid >= 0 and person[GRID] == grid:
                        score -= own
                    if count < room or score <= found[room - 1, 0]:
                        is_declined = False
                        for other in declined:
                            is_declined |= other == who
                        if not is_declined:
                            count = _keep_best(found, count, score, who)
                who = person[NEXT]
            continue
        below = level - 1
        below_width = (shape[WIDTH] + (1 << below) - 1) >> below
        below_height = (shape[HEIGHT] + (1 << below) - 1) >> below
        first = depth
        for r in range(2 * row, min(2 * row + 2, below_height)):
            for c in range(2 * column, min(2 * column + 2, below_width)):
                square = all_traits[shape[FIRST_LEVEL + below] + r * below_width + c]
                if square & needs != needs or square == 0:
                    continue
                near = _least_walk(shape, below, c, r, x, y) - own
                if count == room and near > found[room - 1, 0]:
                    continue
                at = depth
                while at > first and stack[at - 1, 0] < near:  # the nearest square lies on top
                    for k in range(4):
                        stack[at, k] = stack[at - 1, k]
                    at -= 1
                stack[at, 0], stack[at, 1], stack[at, 2], stack[at, 3] = near, below, c, r
                depth += 1
    return count
