# SPDX-License-Identifier: Apache-2.0
"""Points that may be divided: seated in pieces first, then spread over the open sites by a cheapest flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from muster.planning._kernel.arrays import Bools, Longs
from muster.planning.siting.answer import NOWHERE, Answer

if TYPE_CHECKING:
    from muster.planning.siting._swaps import Ground

# A piece is at most this part of the room of a middling site.
_PARTS = 12
_MOST_PIECES = 400_000


def in_pieces(ground: Ground, people: Longs, capacity: Longs) -> tuple[Ground, Longs]:
    """Return the ground with large points divided into pieces, and the people of each piece."""
    size = len(people)
    piece = max(1, int(np.median(np.minimum(capacity, max(1, int(people.sum()))))) // _PARTS)
    while int((-(-people // piece)).sum()) > max(_MOST_PIECES, 2 * size):
        piece *= 2
    times = np.maximum(1, -(-people // piece))
    owner = np.repeat(np.arange(size), times)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(times) - times, times)
    share = people[owner] // times[owner] + (number < people[owner] % times[owner])
    width = np.diff(ground.first)[owner]
    first = np.zeros(len(owner) + 1, np.int64)
    np.cumsum(width, out=first[1:])
    entry = np.arange(first[-1]) - np.repeat(first[:-1] - ground.first[owner], width)
    of_whole = np.maximum(1, people)[owner]
    part, whole = np.repeat(share, width), np.repeat(of_whole, width)
    cost = ground.cost[entry] // whole * part
    by_site = np.argsort(ground.candidate[entry], kind="stable")
    of_first = np.zeros_like(ground.of_first)
    np.cumsum(np.bincount(ground.candidate[entry], minlength=len(of_first) - 1), out=of_first[1:])
    divided = ground._replace(
        first=first,
        candidate=ground.candidate[entry],
        cost=cost,
        unserved=ground.unserved[owner] // of_whole * np.maximum(1, share),
        of_first=of_first,
        point=np.repeat(np.arange(len(owner), dtype=np.int32), width)[by_site],
        point_cost=cost[by_site],
    )
    return divided, share.astype(np.int64)


def flow(ground: Ground, people: Longs, capacity: Longs, answer: Answer, *, may_leave_out: bool) -> Answer:
    """Return the cheapest way to spread all people over the open sites.

    A point that cannot go in full is left out in full.
    """
    amount = spread(ground, people, capacity, answer.is_open, may_leave_out=may_leave_out)
    owner = np.repeat(np.arange(len(people)), np.diff(ground.first))
    sent = np.bincount(owner, amount, len(people)).astype(np.int64)
    return flow_of(ground, people, capacity, answer, sent < people)


def flow_of(ground: Ground, people: Longs, capacity: Longs, answer: Answer, left_out: Bools) -> Answer:
    """Return the cheapest way to spread all people but those of some points over the open sites."""
    amount = spread(ground, np.where(left_out, 0, people), capacity, answer.is_open, may_leave_out=False)
    return _answer(ground, people, answer, amount)


def largest_shares(ground: Ground, amount: Longs) -> Longs:
    """Return for each point the entry where most of it goes, NOWHERE when nobody does."""
    used = np.flatnonzero(amount)
    used = used[np.argsort(amount[used], kind="stable")]
    at = np.full(len(ground.first) - 1, NOWHERE, np.int64)
    at[np.searchsorted(ground.first, used, side="right") - 1] = used  # the largest share comes last
    return at


def spread(ground: Ground, people: Longs, capacity: Longs, is_open: Bools, *, may_leave_out: bool) -> Longs:
    """Return how many people go by each entry when as many go as can, at the least cost."""
    from ortools.graph.python import min_cost_flow

    points, sites = len(people), len(capacity)
    owner = np.repeat(np.arange(points), np.diff(ground.first))
    entry = np.flatnonzero(is_open[ground.candidate] & (people[owner] > 0))
    unit = ground.cost[entry] // people[owner[entry]]
    solver = min_cost_flow.SimpleMinCostFlow()
    add = solver.add_arcs_with_capacity_and_unit_cost
    arcs = add(owner[entry], points + ground.candidate[entry].astype(np.int64), people[owner[entry]], unit)
    total = int(people.sum())
    sink, source = points + sites, points + sites + 1
    add(np.full(points, source), np.arange(points), people, np.zeros(points, np.int64))
    add(
        points + np.arange(sites),
        np.full(sites, sink),
        np.minimum(capacity, total) * is_open,
        np.zeros(sites, np.int64),
    )
    if may_leave_out:
        add(np.arange(points), np.full(points, sink), people, ground.unserved // np.maximum(1, people))
    solver.set_node_supply(source, total)
    solver.set_node_supply(sink, -total)
    solver.solve_max_flow_with_min_cost()
    amount = np.zeros(len(ground.cost), np.int64)
    amount[entry] = solver.flows(arcs)
    return amount


def could_flow(ground: Ground, people: Longs, capacity: Longs) -> bool:
    """Tell whether all who can walk anywhere would find room if every candidate opened and points divided."""
    from ortools.graph.python import max_flow

    points, sites, total = len(people), len(capacity), int(people.sum())
    owner = np.repeat(np.arange(points), np.diff(ground.first))
    may = ground.fixed[ground.candidate] >= 0
    solver = max_flow.SimpleMaxFlow()
    add = solver.add_arcs_with_capacity
    add(owner[may], points + ground.candidate[may].astype(np.int64), people[owner[may]])
    sink, source = points + sites, points + sites + 1
    add(np.full(points, source), np.arange(points), people)
    add(points + np.arange(sites), np.full(sites, sink), np.minimum(capacity, total))
    solver.solve(source, sink)
    reachable = people[np.diff(ground.first) > 0]
    return bool(solver.optimal_flow() >= int(reachable.sum()))


def _answer(ground: Ground, people: Longs, answer: Answer, amount: Longs) -> Answer:
    points = len(people)
    owner = np.repeat(np.arange(points), np.diff(ground.first))
    at = largest_shares(ground, amount)
    used = np.flatnonzero(amount)
    for point in np.flatnonzero((people == 0) & (np.diff(ground.first) > 0)).tolist():
        own = np.arange(ground.first[point], ground.first[point + 1])
        own = own[answer.is_open[ground.candidate[own]]]
        if len(own):
            at[point] = own[0]
    cost = int((ground.cost[used] // people[owner[used]] * amount[used]).sum())
    cost += int(ground.unserved[at == NOWHERE].sum()) + int(ground.open_cost[answer.is_open].sum())
    return Answer(answer.is_open, at, cost, amount)
