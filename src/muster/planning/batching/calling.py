# SPDX-License-Identifier: Apache-2.0
"""When each unit of a batch is called, in walking order: an even stream to the lanes, not a crowd."""

from __future__ import annotations

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning.batching.plan import Batches
from muster.planning.batching.problem import Problem

_SWEEPS = 20


def call_times(problem: Problem, cell_of: Longs) -> tuple[Longs, Longs]:
    """Return the minute when each unit is called, and its place in the order of its batch (from 0).

    A site begins its slot with its own delay, so that sites do not all begin at once; then units follow as
    the lanes take the people before them.
    """
    from muster.planning.batching._spreading import call_order

    minute = np.zeros(problem.units.size, np.int64)
    place = np.zeros(problem.units.size, np.int64)
    by_cell = np.argsort(cell_of, kind="stable")
    starts = np.flatnonzero(np.diff(cell_of[by_cell], prepend=-1))
    ends = np.append(starts, len(by_cell))[1:]
    for first, last in zip(starts, ends, strict=True):
        members = by_cell[first:last].astype(np.int64)
        site, slot = divmod(int(cell_of[members[0]]), problem.slots.size)
        x, y = float(problem.sites.x_m[site]), float(problem.sites.y_m[site])
        call_order(problem.units.x_m, problem.units.y_m, x, y, members, _SWEEPS)
        place[members] = np.arange(len(members))
        people = problem.units.people[members]
        served = np.cumsum(people) - people
        delay = delay_min(problem, site, slot)
        length = max(1, int(problem.slots.minutes[slot]) - delay)
        along = served * length // max(1, int(people.sum()))
        minute[members] = problem.slots.start_min[slot] + delay + np.minimum(along, length - 1)
    return minute, place


def delay_min(problem: Problem, site: int, slot: int) -> int:
    """Return by how many minutes a site begins later than the slot: sites take the delays in turn."""
    longest = min(problem.stagger_min, int(problem.slots.minutes[slot]) - 1)
    return site % (longest + 1) if longest > 0 else 0


def batches_of(problem: Problem, cell_of: Longs, call_min: Longs, place: Longs) -> Batches:
    """Return the batches in order of site and slot: who comes, from when, and the walk along all doors."""
    order = np.lexsort((place, cell_of))
    cells = cell_of[order]
    starts = np.flatnonzero(np.diff(cells, prepend=-1))
    own = cells[starts] if len(order) else np.zeros(0, np.int64)
    site, slot = np.divmod(own, problem.slots.size)
    east, north = problem.units.x_m[order], problem.units.y_m[order]
    from_x, from_y = np.roll(east, 1), np.roll(north, 1)
    from_x[starts], from_y[starts] = problem.sites.x_m[site], problem.sites.y_m[site]
    legs = np.rint(np.hypot(east - from_x, north - from_y)).astype(np.int64)
    people = problem.units.people[order]
    return Batches(
        site=tuple(problem.sites.names[number] for number in site.tolist()),
        slot=tuple(problem.slots.names[number] for number in slot.tolist()),
        people=_sums(people, starts),
        begins_min=call_min[order][starts],
        route_m=_sums(legs, starts),
    )


def _sums(values: Longs, starts: Longs) -> Longs:
    return np.add.reduceat(values, starts) if len(starts) else np.zeros(0, np.int64)
