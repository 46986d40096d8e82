# SPDX-License-Identifier: Apache-2.0
"""The least peak that any spreading can have, and what stands in the way of less.

If people could be divided at will, the least peak is that of a set of cells (a bottleneck): everybody who
can go nowhere else, over its lanes. Newton's method on maximum flows finds the worst such set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from muster.planning._kernel.arrays import Bools, Longs
from muster.planning.batching.problem import Problem


@dataclass(frozen=True, slots=True, eq=False)
class Bottleneck:
    """Cells whose people can go nowhere else: so many people over so many lanes.

    For a unit that is too large for any cell it is that unit alone, and its largest cell.
    """

    cells: Longs
    people: int
    lanes: int
    unit: int = -1

    @property
    def permille(self) -> int:
        """Return the peak that it forces, in thousandths of a person at a lane, rounded up."""
        return -(-1000 * self.people // self.lanes) if self.lanes else 0


def bound(problem: Problem) -> int:
    """Return a peak (people at a lane, in thousandths) that no plan can be below."""
    return bottleneck(problem).permille


def bottleneck(problem: Problem) -> Bottleneck:
    """Return what forces the least peak."""
    confined = _worst_cells(problem)
    large = _largest_unit(problem)
    return large if large.people * confined.lanes > confined.people * large.lanes else confined


def _largest_unit(problem: Problem) -> Bottleneck:
    """Return the unit that loads even its largest cell most."""
    lanes = problem.lanes_of_cells()
    first, people = problem.choices.first, problem.units.people
    worst = Bottleneck(np.zeros(0, np.int64), 0, 1)
    if not problem.units.size:
        return worst
    most = np.zeros(problem.units.size, np.int64)
    has = np.diff(first) > 0
    most[has] = np.maximum.reduceat(lanes[problem.choices.cell], first[:-1][has])
    for unit, cell in problem.pins.items():
        most[unit] = lanes[cell]
    unit = int(np.argmax(people / np.maximum(1, most)))
    choices = problem.choices.cell[first[unit] : first[unit + 1]]
    cell = problem.pins.get(unit, int(choices[np.argmax(lanes[choices])]) if len(choices) else 0)
    return Bottleneck(np.asarray([cell]), int(people[unit]), int(most[unit]), unit)


def _worst_cells(problem: Problem) -> Bottleneck:
    """Return the set of cells with the most people who can go nowhere else, for their lanes."""
    lanes = problem.lanes_of_cells()
    groups = _alike(problem)
    inside = np.zeros(len(lanes), np.bool_)
    inside[groups.cell] = True
    if not groups.people.sum():
        return Bottleneck(np.zeros(0, np.int64), 0, 1)
    people, width = int(groups.people.sum()), int(lanes[inside].sum())
    while True:
        tighter = _cut(groups, lanes, people, width)
        if tighter is None:
            return Bottleneck(np.flatnonzero(inside), people, width)
        inside = tighter
        kept = groups.stay_in(inside)
        people, width = int(groups.people[kept].sum()), int(lanes[inside].sum())


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    """Units with the same choices count as one."""

    people: Longs
    first: Longs
    cell: Longs

    def stay_in(self, inside: Bools) -> Bools:
        """Tell which groups have all their cells among these."""
        return np.logical_and.reduceat(inside[self.cell], self.first[:-1])


def _alike(problem: Problem) -> _Groups:
    first, cell = problem.choices.first, problem.choices.cell
    totals: dict[bytes, int] = {}
    for unit in range(problem.units.size):
        own = cell[first[unit] : first[unit + 1]]
        if unit in problem.pins:
            own = np.asarray([problem.pins[unit]], np.int32)
        key = np.sort(own).tobytes()
        totals[key] = totals.get(key, 0) + int(problem.units.people[unit])
    cells = [np.frombuffer(key, np.int32) for key in totals]
    starts = np.zeros(len(cells) + 1, np.int64)
    np.cumsum([len(own) for own in cells], out=starts[1:])
    joined = np.concatenate(cells).astype(np.int64) if cells else np.zeros(0, np.int64)
    return _Groups(np.asarray(list(totals.values()), np.int64), starts, joined)


def _cut(groups: _Groups, lanes: Longs, people: int, width: int) -> Bools | None:
    """Return cells that are tighter than `people` over `width`, or None when everybody fits at that peak."""
    from ortools.graph.python import max_flow

    # Amounts are scaled by `width`, so that the capacity at the peak is a whole number.
    count, cells = len(groups.people), len(lanes)
    source, sink = count + cells, count + cells + 1
    flow = max_flow.SimpleMaxFlow()
    amount = groups.people * width
    nodes = np.arange(count, dtype=np.int32)
    owner = np.repeat(nodes, np.diff(groups.first))
    add = flow.add_arcs_with_capacity
    add(np.full(count, source, np.int32), nodes, amount)
    add(owner, (count + groups.cell).astype(np.int32), amount[owner])
    used = np.unique(groups.cell)
    add((count + used).astype(np.int32), np.full(len(used), sink, np.int32), lanes[used] * people)
    flow.solve(source, sink)
    if flow.optimal_flow() == int(amount.sum()):
        return None
    inside = np.zeros(cells, np.bool_)
    reached = np.asarray(flow.get_source_side_min_cut(), np.int64)
    reached = reached[(reached >= count) & (reached < source)] - count
    inside[reached] = True
    return inside
