# SPDX-License-Identifier: Apache-2.0
"""Packs in bins at least cost: rows of needs, bins of stock, and one more node for what nobody gets.

Moving a pack from bin to bin, from a bin to nobody or back is an arc between nodes; of each such arc only
the cheapest move matters, so shortest ways are looked for among the bins alone. A bin is exactly full:
what is not used lies in it as blanks, which cost nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit

from muster.planning._kernel.arrays import Ints, Longs

Whole: TypeAlias = int | np.signedinteger[Any]
NONE = -1
BLANK = -2
FAR = np.int64(1) << np.int64(61)


class Board(NamedTuple):
    """`cost` is by bin and row (FAR: no way); `worth` has what each further pack of a row is worth."""

    cost: Longs
    first: Longs
    worth: Longs
    capacity: Longs
    given: Longs  # row -> packs
    held: Ints  # bin, row -> packs
    load: Longs  # bin -> packs and blanks
    blanks: Longs
    member: Ints  # bin -> rows that it serves, in any order
    place: Ints  # bin, row -> place in `member`
    members: Longs
    heap: Ints  # bin -> rows whose next pack it could give, the cheapest first
    rank: Ints  # bin, row -> place in `heap`
    key: Longs  # bin, row -> cost of giving the next pack
    heaped: Longs
    best: Longs  # node, node -> cost of the cheapest move
    mover: Longs  # node, node -> its row, BLANK or NONE
    price: Longs  # node -> potential


def board_of(cost: Longs, first: Longs, worth: Longs, capacity: Longs) -> Board:
    """Return a board on which nothing is laid out yet."""
    bins, rows = cost.shape
    table = (bins, rows)
    return Board(
        cost=cost,
        first=first,
        worth=worth,
        capacity=capacity,
        given=np.zeros(rows, np.int64),
        held=np.zeros(table, np.int32),
        load=np.zeros(bins, np.int64),
        blanks=np.zeros(bins, np.int64),
        member=np.zeros(table, np.int32),
        place=np.full(table, NONE, np.int32),
        members=np.zeros(bins, np.int64),
        heap=np.zeros(table, np.int32),
        rank=np.full(table, NONE, np.int32),
        key=np.zeros(table, np.int64),
        heaped=np.zeros(bins, np.int64),
        best=np.full((bins + 1, bins + 1), FAR, np.int64),
        mover=np.full((bins + 1, bins + 1), NONE, np.int64),
        price=np.zeros(bins + 1, np.int64),
    )


@njit(cache=True, nogil=True)
def _before(board: Board, b: Whole, r: Whole, s: Whole) -> bool:
    return bool(board.key[b, r] < board.key[b, s] or (board.key[b, r] == board.key[b, s] and r < s))


@njit(cache=True, nogil=True)
def _rise(board: Board, b: Whole, at: Whole) -> None:
    row = board.heap[b, at]
    while at > 0:
        above = (at - 1) >> 1
        other = board.heap[b, above]
        if not _before(board, b, row, other):
            break
        board.heap[b, at] = other
        board.rank[b, other] = at
        at = above
    board.heap[b, at] = row
    board.rank[b, row] = at


@njit(cache=True, nogil=True)
def _sink(board: Board, b: Whole, at: Whole) -> None:
    row = board.heap[b, at]
    size = board.heaped[b]
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        if below + 1 < size and _before(board, b, board.heap[b, below + 1], board.heap[b, below]):
            below += 1
        other = board.heap[b, below]
        if not _before(board, b, other, row):
            break
        board.heap[b, at] = other
        board.rank[b, other] = at
        at = below
    board.heap[b, at] = row
    board.rank[b, row] = at


@njit(cache=True, nogil=True)
def _reheap(board: Board, b: Whole, row: Whole) -> None:
    """Put a row where its next pack belongs in the heap of a bin, or take it out when it has all."""
    at = board.rank[b, row]
    wanted = board.first[row] + board.given[row]
    if wanted < board.first[row + 1]:
        board.key[b, row] = board.cost[b, row] - board.worth[wanted]
        if at == NONE:
            at = board.heaped[b]
            board.heaped[b] += 1
            board.heap[b, at] = row
        _rise(board, b, at)
        _sink(board, b, board.rank[b, row])
    elif at != NONE:
        board.heaped[b] -= 1
        last = board.heap[b, board.heaped[b]]
        board.rank[b, row] = NONE
        if last != row:
            board.heap[b, at] = last
            board.rank[b, last] = at
            _rise(board, b, at)
            _sink(board, b, board.rank[b, last])


@njit(cache=True, nogil=True)
def _heap_up(board: Board, b: Whole) -> None:
    """Put all rows that still want packs into the heap of a bin."""
    size = 0
    for row in range(board.cost.shape[1]):
        wanted = board.first[row] + board.given[row]
        if board.cost[b, row] < FAR and wanted < board.first[row + 1]:
            board.key[b, row] = board.cost[b, row] - board.worth[wanted]
            board.heap[b, size] = row
            board.rank[b, row] = size
            size += 1
    board.heaped[b] = size
    for at in range(size // 2 - 1, -1, -1):
        _sink(board, b, at)


@njit(cache=True, nogil=True)
def _look_at_heap(board: Board, b: Whole) -> None:
    """Note the cheapest move from nobody to a bin."""
    nobody = len(board.capacity)
    board.best[nobody, b], board.mover[nobody, b] = 0, BLANK
    if board.heaped[b] and board.key[b, board.heap[b, 0]] < 0:
        row = board.heap[b, 0]
        board.best[nobody, b], board.mover[nobody, b] = board.key[b, row], row


@njit(cache=True, nogil=True)
def _move_cost(board: Board, b: Whole, to: Whole, row: Whole) -> Whole:
    """Return what it costs when a bin hands a pack of a row to another bin or to nobody."""
    if to == len(board.capacity):
        return board.worth[board.first[row] + board.given[row] - 1] - board.cost[b, row]
    if board.cost[to, row] >= FAR:
        return FAR
    return board.cost[to, row] - board.cost[b, row]


@njit(cache=True, nogil=True)
def _look_over(board: Board, b: Whole, to: Whole) -> None:
    """Note the cheapest move from a bin to a node by going over all rows that it serves."""
    best: Whole = FAR
    mover: Whole = np.int64(NONE)
    if to == len(board.capacity) and board.blanks[b] > 0:
        best, mover = np.int64(0), np.int64(BLANK)
    for k in range(board.members[b]):
        row = board.member[b, k]
        cost = _move_cost(board, b, to, row)
        if cost < best or (cost == best and cost < FAR and mover != BLANK and row < mover):
            best, mover = cost, np.int64(row)
    board.best[b, to], board.mover[b, to] = best, mover


@njit(cache=True, nogil=True)
def _offer(board: Board, b: Whole, to: Whole, row: Whole) -> None:
    """Note a move that is cheaper than what is known; look again if the cheapest became dearer."""
    cost = _move_cost(board, b, to, row)
    if board.mover[b, to] == row and cost > board.best[b, to]:
        _look_over(board, b, to)
    elif cost < board.best[b, to]:
        board.best[b, to], board.mover[b, to] = cost, row


@njit(cache=True, nogil=True)
def _join(board: Board, b: Whole, row: Whole) -> None:
    board.place[b, row] = board.members[b]
    board.member[b, board.members[b]] = row
    board.members[b] += 1


@njit(cache=True, nogil=True)
def _part(board: Board, b: Whole, row: Whole) -> None:
    at = board.place[b, row]
    board.members[b] -= 1
    last = board.member[b, board.members[b]]
    board.member[b, at] = last
    board.place[b, last] = at
    board.place[b, row] = NONE


@njit(cache=True, nogil=True)
def lay_out(board: Board, nearest: Ints, level: Whole) -> None:
    """Give every pack that is worth more than its way and `level` from the nearest bin, full or not."""
    bins, rows = board.cost.shape
    for row in range(rows):
        b = nearest[row]
        if b == NONE:
            continue
        packs = 0
        for k in range(board.first[row], board.first[row + 1]):
            if board.worth[k] - board.cost[b, row] <= level:
                break
            packs += 1
        board.given[row] = packs
        if packs:
            board.held[b, row] = packs
            board.load[b] += packs
            _join(board, b, row)
    for b in range(bins):
        board.price[b] = -level
        if level == 0 and board.load[b] < board.capacity[b]:
            board.blanks[b] = board.capacity[b] - board.load[b]
            board.load[b] = board.capacity[b]
        _heap_up(board, b)
        _look_at_heap(board, b)
        for to in range(bins + 1):
            if to != b:
                _look_over(board, b, to)


@njit(cache=True, nogil=True)
def _run(board: Board, row: Whole, step: Whole) -> Whole:
    """Return how many packs of a row in a row are worth the same: the last given (-1) or the next (+1)."""
    low, high = board.first[row], board.first[row + 1]
    at = low + board.given[row] - (1 if step < 0 else 0)
    worth, count = board.worth[at], 0
    while low <= at < high and board.worth[at] == worth:
        count += 1
        at += step
    return count


@njit(cache=True, nogil=True)
def _most(board: Board, start: Whole, to: Whole, row: Whole) -> Whole:
    """Return how many packs (or blanks) a move can take at its cost."""
    nobody = len(board.capacity)
    if row == BLANK:
        return FAR if start == nobody else board.blanks[start]
    if start == nobody:
        return _run(board, row, 1)
    if to == nobody:
        return min(np.int64(board.held[start, row]), _run(board, row, -1))
    return np.int64(board.held[start, row])


@njit(cache=True, nogil=True)
def _move(board: Board, start: Whole, to: Whole, row: Whole, packs: Whole) -> None:
    """Take packs of a row (or blanks) from one node to another, and keep what is noted true."""
    bins = len(board.capacity)
    nobody = bins
    if start != nobody:
        board.load[start] -= packs
    if to != nobody:
        board.load[to] += packs
    if row == BLANK:
        if start != nobody:
            board.blanks[start] -= packs
            _look_over(board, start, nobody)
        if to != nobody:
            board.blanks[to] += packs
            _look_over(board, to, nobody)
        return
    if start != nobody:
        board.held[start, row] -= packs
        if board.held[start, row] == 0:
            _part(board, start, row)
            for other in range(bins + 1):
                if board.mover[start, other] == row:
                    _look_over(board, start, other)
    if to != nobody:
        if board.held[to, row] == 0:
            _join(board, to, row)
        board.held[to, row] += packs
    if start == nobody or to == nobody:
        board.given[row] += packs if start == nobody else -packs
        for b in range(bins):
            if board.cost[b, row] >= FAR:
                continue
            if board.held[b, row] > 0:
                _offer(board, b, nobody, row)
            _reheap(board, b, row)
            _look_at_heap(board, b)
    if to != nobody:
        for other in range(bins + 1):
            if other != to:
                _offer(board, to, other, row)


@njit(cache=True, nogil=True)
def _nearest_goal(board: Board, start: Whole, far: Longs, came: Longs, done: Ints) -> Whole:
    """Find the cheapest way from a node to one that lacks packs (or to nobody); Dijkstra over all nodes."""
    bins = len(board.capacity)
    far[:] = FAR
    done[:] = 0
    far[start] = 0
    came[start] = NONE
    while True:
        node, least = np.int64(NONE), FAR
        for v in range(bins + 1):
            if not done[v] and far[v] < least:
                node, least = np.int64(v), far[v]
        if node == NONE:
            return node
        done[node] = 1
        is_goal = (node == bins) if node == bins else board.load[node] < board.capacity[node]
        if node != start and is_goal:
            return node
        for v in range(bins + 1):
            if not done[v] and board.best[node, v] < FAR:
                way = least + board.best[node, v] + board.price[node] - board.price[v]
                if way < far[v]:
                    far[v] = way
                    came[v] = node


@njit(cache=True, nogil=True)
def settle(board: Board, ways: Whole) -> bool:
    """Send packs from bins that have too many, and to bins that have too few, along cheapest ways.

    Tells whether all bins are exactly full; after `ways` ways it stops.
    """
    bins = len(board.capacity)
    far, came = np.empty(bins + 1, np.int64), np.empty(bins + 1, np.int64)
    done = np.zeros(bins + 1, np.int32)
    steps = np.empty((bins + 1, 3), np.int64)
    begin = 0
    for _ in range(ways):
        start = np.int64(NONE)
        while begin < bins and board.load[begin] <= board.capacity[begin]:
            begin += 1
        if begin < bins:
            start = np.int64(begin)
        else:
            for b in range(bins):
                if board.load[b] < board.capacity[b]:
                    start = np.int64(bins)
                    break
        if start == NONE:
            return True
        goal = _nearest_goal(board, start, far, came, done)
        reach = far[goal]
        for v in range(bins + 1):
            board.price[v] += min(far[v], reach)
        packs = FAR if start == bins else board.load[start] - board.capacity[start]
        if goal != bins:
            packs = min(packs, board.capacity[goal] - board.load[goal])
        count, node = 0, goal
        while node != start:
            before = came[node]
            steps[count, 0], steps[count, 1], steps[count, 2] = before, node, board.mover[before, node]
            packs = min(packs, _most(board, before, node, board.mover[before, node]))
            count += 1
            node = before
        for k in range(count):
            _move(board, steps[k, 0], steps[k, 1], steps[k, 2], packs)
    return False


@njit(cache=True, nogil=True)
def drop(board: Board) -> None:
    """Take the least urgent packs out of bins that have too many."""
    nobody = len(board.capacity)
    for b in range(nobody):
        while board.load[b] > board.capacity[b]:
            row = board.mover[b, nobody]
            packs = min(board.load[b] - board.capacity[b], _most(board, b, nobody, row))
            _move(board, b, nobody, row, packs)


@njit(cache=True, nogil=True)
def true_prices(board: Board) -> Longs:
    """Return what one more pack in each bin would be worth: shortest ways from nobody (Bellman and Ford)."""
    bins = len(board.capacity)
    far = np.full(bins + 1, FAR, np.int64)
    far[bins] = 0
    changed = True
    while changed:
        changed = False
        for u in range(bins + 1):
            if far[u] >= FAR:
                continue
            for v in range(bins + 1):
                if board.best[u, v] < FAR and far[u] + board.best[u, v] < far[v]:
                    far[v] = far[u] + board.best[u, v]
                    changed = True
    return -far[:bins]
