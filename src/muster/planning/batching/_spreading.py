# SPDX-License-Identifier: Apache-2.0
"""Spreading units over cells (a site in a slot) so that no cell has more than its cap: moves, swaps, chains.

Units that go together cannot be divided, so this is search, not flow; the bound says how far from the best
it can be.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit

from muster.planning._kernel.arrays import Floats, Ints, Longs

Whole: TypeAlias = int | np.signedinteger[Any]
NONE = -1


class Board(NamedTuple):
    """Units with their cells; `at` is the entry where a unit stands, chains link the units of a cell."""

    first: Longs
    cell: Ints
    walk: Ints
    people: Longs
    lanes: Longs
    fixed: Ints  # 1 where a person fixed the unit
    at: Longs
    load: Longs
    head: Longs  # cell -> first unit
    after: Longs  # unit -> next in its cell
    before: Longs


@njit(cache=True)
def _leave(board: Board, unit: Whole) -> None:
    cell = board.cell[board.at[unit]]
    after, before = board.after[unit], board.before[unit]
    if before == NONE:
        board.head[cell] = after
    else:
        board.after[before] = after
    if after != NONE:
        board.before[after] = before
    board.load[cell] -= board.people[unit]


@njit(cache=True)
def _enter(board: Board, unit: Whole, entry: Whole) -> None:
    cell = board.cell[entry]
    board.at[unit] = entry
    head = board.head[cell]
    board.after[unit] = head
    board.before[unit] = NONE
    if head != NONE:
        board.before[head] = unit
    board.head[cell] = unit
    board.load[cell] += board.people[unit]


@njit(cache=True)
def put(board: Board, unit: Whole, entry: Whole) -> None:
    """Move a unit to another of its cells."""
    _leave(board, unit)
    _enter(board, unit, entry)


@njit(cache=True)
def lay_out(board: Board, order: Longs) -> None:
    """Place the units in this order, each where the load at a lane is then least, the nearer site first."""
    board.head[:] = NONE
    board.load[:] = 0
    for unit in range(len(board.people)):
        if board.fixed[unit]:
            _enter(board, unit, board.at[unit])
    for unit in order:
        if board.fixed[unit]:
            continue
        best: Whole = board.first[unit]
        best_load = np.inf
        for entry in range(board.first[unit], board.first[unit + 1]):
            cell = board.cell[entry]
            load = (board.load[cell] + board.people[unit]) / board.lanes[cell]
            if load < best_load:
                best, best_load = entry, load
        _enter(board, unit, best)


@njit(cache=True)
def even_out(board: Board, order: Longs, sweeps: Whole) -> None:
    """Move units while the sum of the fourth powers of loads falls: high loads weigh most."""
    for _ in range(sweeps):
        moved = 0
        for unit in order:
            if board.fixed[unit]:
                continue
            here = board.cell[board.at[unit]]
            people = board.people[unit]
            lanes = board.lanes[here]
            gain = (board.load[here] / lanes) ** 4 - ((board.load[here] - people) / lanes) ** 4
            best: Whole = np.int64(NONE)
            best_gain = 1e-9 * gain
            for entry in range(board.first[unit], board.first[unit + 1]):
                cell = board.cell[entry]
                if cell == here:
                    continue
                there = board.load[cell] / board.lanes[cell]
                after = (board.load[cell] + people) / board.lanes[cell]
                change = gain * lanes - (after**4 - there**4) * board.lanes[cell]
                if change > best_gain:
                    best, best_gain = entry, change
            if best != NONE:
                put(board, unit, best)
                moved += 1
        if moved == 0:
            return


@njit(cache=True)
def _entry_in(board: Board, unit: Whole, cell: Whole) -> Whole:
    """Return the entry of a unit that is a cell, or NONE."""
    for entry in range(board.first[unit], board.first[unit + 1]):
        if board.cell[entry] == cell:
            return entry
    return NONE


@njit(cache=True)
def _relieve_once(board: Board, cap: Longs, crowded: Whole) -> bool:
    """Lower the overload of a cell by one move, swap or chain of two; tell whether there was one."""
    # A plain move, to where most room is left.
    best_unit: Whole = np.int64(NONE)
    best_entry: Whole = np.int64(NONE)
    best_room: Whole = np.int64(-1)
    unit = board.head[crowded]
    while unit != NONE:
        if not board.fixed[unit]:
            for entry in range(board.first[unit], board.first[unit + 1]):
                cell = board.cell[entry]
                room = cap[cell] - board.load[cell] - board.people[unit]
                if cell != crowded and room > best_room:
                    best_unit, best_entry, best_room = unit, entry, room
        unit = board.after[unit]
    if best_unit != NONE:
        put(board, best_unit, best_entry)
        return True
    unit = board.head[crowded]
    while unit != NONE:
        if not board.fixed[unit] and _make_room(board, cap, crowded, unit):
            return True
        unit = board.after[unit]
    return False


@njit(cache=True)
def _make_room(board: Board, cap: Longs, crowded: Whole, unit: Whole) -> bool:
    """Move a unit out of a crowded cell by sending on, or exchanging for, another one."""
    people = board.people[unit]
    for entry in range(board.first[unit], board.first[unit + 1]):
        cell = board.cell[entry]
        if cell == crowded:
            continue
        room = cap[cell] - board.load[cell]
        other = board.head[cell]
        while other != NONE:
            size = board.people[other]
            fits = not board.fixed[other] and room + size >= people
            if fits and size < people:
                back = _entry_in(board, other, crowded)
                if back != NONE:
                    put(board, unit, entry)
                    put(board, other, back)
                    return True
            if fits:
                for on in range(board.first[other], board.first[other + 1]):
                    third = board.cell[on]
                    if third not in {cell, crowded} and cap[third] - board.load[third] >= size:
                        put(board, unit, entry)
                        put(board, other, on)
                        return True
            other = board.after[other]
    return False


@njit(cache=True)
def _chain(
    board: Board, cap: Longs, crowded: Whole, reached_by: Longs, came_from: Longs, queue: Longs
) -> bool:
    """Send units on from cell to cell along the shortest way to one with room; tell whether that helped.

    `reached_by` (cell -> entry, NONE when not reached), `came_from` (cell -> unit) and `queue` are working
    space.
    """
    reached_by[:] = NONE
    queue[0] = crowded
    reached_by[crowded] = 0
    came_from[crowded] = board.head[crowded]
    taken, waiting, goal = 0, 1, np.int64(NONE)
    while taken < waiting and goal == NONE:
        cell = queue[taken]
        taken += 1
        fresh = waiting  # cells reached from this one; for each the smallest unit that can go there
        unit = board.head[cell]
        while unit != NONE:
            if not board.fixed[unit]:
                for entry in range(board.first[unit], board.first[unit + 1]):
                    there = board.cell[entry]
                    if reached_by[there] == NONE:
                        queue[waiting] = there
                        waiting += 1
                    elif board.cell[board.at[came_from[there]]] != cell or (
                        board.people[unit] >= board.people[came_from[there]]
                    ):
                        continue
                    reached_by[there] = entry
                    came_from[there] = unit
            unit = board.after[unit]
        for k in range(fresh, waiting):
            there = queue[k]
            if board.load[there] + board.people[came_from[there]] <= cap[there]:
                goal = there
                break
    if goal == NONE:
        return False
    # Along the way loads change by the difference of two units: that may overload a cell a little.
    before, after = np.int64(0), np.int64(0)
    cell, arriving = goal, np.int64(0)
    while True:
        leaving = arriving
        arriving = board.people[came_from[cell]] if cell != crowded else np.int64(0)
        before += max(board.load[cell] - cap[cell], 0)
        after += max(board.load[cell] + arriving - leaving - cap[cell], 0)
        if cell == crowded:
            break
        cell = board.cell[board.at[came_from[cell]]]
    if after >= before:
        return False
    cell = goal
    while cell != crowded:
        unit = came_from[cell]
        earlier = np.int64(board.cell[board.at[unit]])
        put(board, unit, reached_by[cell])
        cell = earlier
    return True


@njit(cache=True)
def overload(board: Board, cap: Longs) -> Whole:
    """Return how many people are in cells above their caps."""
    total = np.int64(0)
    for cell in range(len(cap)):
        total += max(board.load[cell] - cap[cell], 0)
    return total


@njit(cache=True)
def relieve(board: Board, cap: Longs, rounds: Whole, patience: Whole, seed: Whole) -> Whole:
    """Bring all cells under their caps; return how many people are above them at the end.

    Where no move helps, a unit of the cell goes to a random one of its cells, and the search goes on, until
    `patience` rounds brought nothing.
    """
    np.random.seed(seed)
    best = overload(board, cap)
    best_at = board.at.copy()
    idle = 0
    reached_by, came_from, queue = np.empty((3, len(cap)), np.int64)
    for _ in range(rounds):
        for cell in range(len(cap)):
            while board.load[cell] > cap[cell]:
                if not _relieve_once(board, cap, cell) and not _chain(
                    board, cap, cell, reached_by, came_from, queue
                ):
                    break
        now = overload(board, cap)
        idle += 1
        if now < best:
            best = now
            best_at[:] = board.at
            idle = 0
        if best == 0 or idle >= patience:
            break
        for cell in range(len(cap)):
            if board.load[cell] > cap[cell]:
                _shake(board, cell)
    for unit in range(len(best_at)):
        if board.at[unit] != best_at[unit]:
            put(board, unit, best_at[unit])
    return best


@njit(cache=True)
def _shake(board: Board, cell: Whole) -> None:
    """Send one random unit of a cell to a random one of its cells."""
    count = 0
    unit = board.head[cell]
    chosen = np.int64(NONE)
    while unit != NONE:
        if not board.fixed[unit] and board.first[unit + 1] - board.first[unit] > 1:
            count += 1
            if np.random.randint(count) == 0:
                chosen = unit
        unit = board.after[unit]
    if chosen != NONE:
        choices = board.first[chosen + 1] - board.first[chosen]
        put(board, chosen, board.first[chosen] + np.random.randint(choices))


@njit(cache=True)
def shorten(board: Board, cap: Longs, order: Longs, sweeps: Whole) -> None:
    """Let units walk less where that lifts no cell above its cap: moves, then exchanges of two."""
    for _ in range(sweeps):
        moved = 0
        for unit in order:
            if board.fixed[unit]:
                continue
            here = board.at[unit]
            for entry in range(board.first[unit], board.first[unit + 1]):
                if board.walk[entry] >= board.walk[board.at[unit]]:
                    continue
                cell = board.cell[entry]
                if board.load[cell] + board.people[unit] <= cap[cell] or _exchange(board, cap, unit, entry):
                    if board.at[unit] == here:
                        put(board, unit, entry)
                    moved += 1
                    break
        if moved == 0:
            return


@njit(cache=True)
def _exchange(board: Board, cap: Longs, unit: Whole, entry: Whole) -> bool:
    """Exchange a unit with one of the cell where it would like to go, if both together then walk less."""
    here, cell = board.cell[board.at[unit]], board.cell[entry]
    people = board.people[unit]
    other = board.head[cell]
    while other != NONE:
        size = board.people[other]
        fits = board.load[cell] - size + people <= cap[cell] and board.load[here] - people + size <= cap[here]
        if fits and not board.fixed[other]:
            back = _entry_in(board, other, here)
            if back != NONE:
                before = people * board.walk[board.at[unit]] + size * board.walk[board.at[other]]
                after = people * board.walk[entry] + size * board.walk[back]
                if after < before:
                    put(board, unit, entry)
                    put(board, other, back)
                    return True
        other = board.after[other]
    return False


@njit(cache=True)
def call_order(
    unit_x: Floats, unit_y: Floats, start_x: float, start_y: float, members: Longs, sweeps: Whole
) -> None:
    """Put the units of a batch into walking order from the site: the nearest next, then turned stretches."""
    count = len(members)
    x, y = start_x, start_y
    for k in range(count):
        best, best_far = k, np.inf
        for j in range(k, count):
            far = (unit_x[members[j]] - x) ** 2 + (unit_y[members[j]] - y) ** 2
            if far < best_far:
                best, best_far = j, far
        members[k], members[best] = members[best], members[k]
        x, y = unit_x[members[k]], unit_y[members[k]]
    for _ in range(sweeps):
        turned = False
        for i in range(count - 1):
            ax, ay = (start_x, start_y) if i == 0 else (unit_x[members[i - 1]], unit_y[members[i - 1]])
            for j in range(i + 1, count):
                bx, by = unit_x[members[i]], unit_y[members[i]]
                cx, cy = unit_x[members[j]], unit_y[members[j]]
                before, after = np.hypot(ax - bx, ay - by), np.hypot(ax - cx, ay - cy)
                if j + 1 < count:
                    dx, dy = unit_x[members[j + 1]], unit_y[members[j + 1]]
                    before += np.hypot(cx - dx, cy - dy)
                    after += np.hypot(bx - dx, by - dy)
                if after < before - 1e-9:
                    members[i : j + 1] = members[i : j + 1][::-1].copy()
                    turned = True
        if not turned:
            return
