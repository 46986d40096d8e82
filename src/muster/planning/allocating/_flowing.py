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
def _rise(key: Longs, heap: Ints, rank: Ints, at: Whole) -> None:
    row = heap[at]
    while at > 0:
        above = (at - 1) >> 1
        other = heap[above]
        if key[other] < key[row] or (key[other] == key[row] and other < row):
            break
        heap[at] = other
        rank[other] = at
        at = above
    heap[at] = row
    rank[row] = at


@njit(cache=True, nogil=True)
def _sink(key: Longs, heap: Ints, rank: Ints, size: Whole, at: Whole) -> None:
    row = heap[at]
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        other = heap[below]
        if below + 1 < size:
            beside = heap[below + 1]
            if key[beside] < key[other] or (key[beside] == key[other] and beside < other):
                other = beside
                below += 1
        if key[row] < key[other] or (key[row] == key[other] and row < other):
            break
        heap[at] = other
        rank[other] = at
        at = below
    heap[at] = row
    rank[row] = at


@njit(cache=True, nogil=True)
def _reheap(board: Board, b: Whole, row: Whole) -> None:
    """Put a row where its next pack belongs in the heap of a bin, or take it out when it has all."""
    key, heap, rank = board.key[b], board.heap[b], board.rank[b]
    at = np.int64(rank[row])
    wanted = board.first[row] + board.given[row]
    if wanted < board.first[row + 1]:
        key[row] = board.cost[b, row] - board.worth[wanted]
        if at == NONE:
            at = board.heaped[b]
            board.heaped[b] += 1
            heap[at] = row
        _rise(key, heap, rank, at)
        _sink(key, heap, rank, board.heaped[b], np.int64(rank[row]))
    elif at != NONE:
        board.heaped[b] -= 1
        last = np.int64(heap[board.heaped[b]])
        rank[row] = NONE
        if last != row:
            heap[at] = last
            rank[last] = at
            _rise(key, heap, rank, at)
            _sink(key, heap, rank, board.heaped[b], np.int64(rank[last]))


@njit(cache=True, nogil=True)
def _heap_up(board: Board, b: Whole) -> None:
    """Put all rows that still want packs into the heap of a bin."""
    key, heap, rank, cost = board.key[b], board.heap[b], board.rank[b], board.cost[b]
    first, given, worth = board.first, board.given, board.worth
    size = 0
    for row in range(len(cost)):
        wanted = first[row] + given[row]
        if cost[row] < FAR and wanted < first[row + 1]:
            key[row] = cost[row] - worth[wanted]
            heap[size] = row
            rank[row] = size
            size += 1
    board.heaped[b] = size
    for at in range(size // 2 - 1, -1, -1):
        _sink(key, heap, rank, size, at)


@njit(cache=True, nogil=True)
def _look_at_heap(board: Board, b: Whole) -> None:
    """Note the cheapest move from nobody to a bin."""
    nobody = len(board.capacity)
    board.best[nobody, b], board.mover[nobody, b] = 0, BLANK
    if board.heaped[b] and board.key[b, board.heap[b, 0]] < 0:
        row = board.heap[b, 0]
        board.best[nobody, b], board.mover[nobody, b] = board.key[b, row], row


@njit(cache=True, nogil=True)
def _look_over(board: Board, b: Whole, to: Whole) -> None:
    """Note the cheapest move from a bin to another by going over all rows that it serves."""
    # Loops that run often name the arrays they need: handing over the whole board costs more than they do.
    best: Whole = FAR
    mover: Whole = np.int64(NONE)
    own, there, rows = board.cost[b], board.cost[to], board.member[b]
    for k in range(board.members[b]):
        row = np.int64(rows[k])
        if there[row] < FAR:
            cost = there[row] - own[row]
            if cost < best or (cost == best and row < mover):
                best, mover = cost, row
    board.best[b, to], board.mover[b, to] = best, mover


@njit(cache=True, nogil=True)
def _look_out(board: Board, b: Whole) -> None:
    """Note the cheapest move from a bin to nobody: a blank, or the last pack of a row."""
    nobody = len(board.capacity)
    if board.blanks[b] > 0:
        board.best[b, nobody], board.mover[b, nobody] = 0, BLANK
        return
    best: Whole = FAR
    mover: Whole = np.int64(NONE)
    own, rows, first, given, worth = board.cost[b], board.member[b], board.first, board.given, board.worth
    for k in range(board.members[b]):
        row = np.int64(rows[k])
        cost = worth[first[row] + given[row] - 1] - own[row]
        if cost < best or (cost == best and row < mover):
            best, mover = cost, row
    board.best[b, nobody], board.mover[b, nobody] = best, mover


@njit(cache=True, nogil=True)
def _offer(board: Board, b: Whole, row: Whole) -> None:
    """Note how a row could move from a bin that it has just come to; nobody takes it as `_look_out` finds."""
    own, best, mover = board.cost[b, row], board.best[b], board.mover[b]
    for to in range(len(board.capacity)):
        there = board.cost[to, row]
        if to != b and there < FAR and there - own < best[to]:
            best[to], mover[to] = there - own, row


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
        _look_out(board, b)
        for to in range(bins):
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
            _look_out(board, start)
        if to != nobody:
            board.blanks[to] += packs
            _look_out(board, to)
        return
    if start != nobody:
        board.held[start, row] -= packs
        if board.held[start, row] == 0:
            _part(board, start, row)
            movers = board.mover[start]
            for other in range(bins):
                if movers[other] == row:
                    _look_over(board, start, other)
    if to != nobody:
        if board.held[to, row] == 0:
            _join(board, to, row)
            _offer(board, to, row)
        board.held[to, row] += packs
    if start == nobody or to == nobody:
        board.given[row] += packs if start == nobody else -packs
        for b in range(bins):
            if board.cost[b, row] < FAR:
                _reheap(board, b, row)
                _look_at_heap(board, b)
                if board.held[b, row] > 0:
                    _last_pack(board, b, row)
    elif board.held[to, row] == packs:
        _last_pack(board, to, row)
    if start != nobody and board.held[start, row] == 0 and board.mover[start, nobody] == row:
        _look_out(board, start)


@njit(cache=True, nogil=True)
def _last_pack(board: Board, b: Whole, row: Whole) -> None:
    """Note what it costs when a bin hands the last pack of a row to nobody."""
    nobody = len(board.capacity)
    cost = board.worth[board.first[row] + board.given[row] - 1] - board.cost[b, row]
    if board.mover[b, nobody] == row and cost > board.best[b, nobody]:
        _look_out(board, b)
    elif cost < board.best[b, nobody]:
        board.best[b, nobody], board.mover[b, nobody] = cost, row


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
    """Take the least urgent packs out of bins that have too many; only packs and loads stay true."""
    held, given, worth = board.held, board.given, board.worth
    for b in range(len(board.capacity)):
        over = board.load[b] - board.capacity[b]
        if over <= 0:
            continue
        packs = board.load[b] - board.blanks[b]
        value, owner = np.empty(packs, np.int64), np.empty(packs, np.int64)
        count = 0
        for k in range(board.members[b]):
            row = np.int64(board.member[b, k])
            last = board.first[row] + given[row] - 1
            for j in range(held[b, row]):
                value[count], owner[count] = worth[last - j], row
                count += 1
        order = np.argsort(value)
        for k in range(over):
            row = owner[order[k]]
            held[b, row] -= 1
            given[row] -= 1
            board.load[b] -= 1


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
