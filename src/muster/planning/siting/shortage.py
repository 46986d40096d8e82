# SPDX-License-Identifier: Apache-2.0
"""What no plan can get round: too little room in all, points too large for any site, too few sites."""

from __future__ import annotations

import numpy as np

from muster.planning._kernel.arrays import Bools, Longs
from muster.planning.contract import Facts, Reason
from muster.planning.siting.problem import Problem


def what_is_short(problem: Problem) -> list[Reason]:
    """Return what no plan could get round, with how much is short."""
    sites, points = problem.candidates, problem.points
    reachable = np.flatnonzero(~problem.cut_off)
    reasons = []
    people = int(points.people[reachable].sum())
    largest = _largest(problem)
    rooms = sites.capacity[[site for site in range(sites.size) if site not in problem.closed]]
    most = sites.size if problem.count is None else problem.count
    room = int(np.minimum(np.sort(rooms)[::-1][:most], max(1, people)).sum())
    if room < people:
        short: Facts = {
            "people": people,
            "room": room,
            "short": people - room,
            "sites": min(most, len(rooms)),
        }
        reasons.append(Reason("planning.siting.short_of_room", short))
    too_large = reachable[points.people[reachable] > largest[reachable]]
    if len(too_large) and not problem.may_split:
        point = int(too_large[np.argmax(points.people[too_large])])
        facts: Facts = {
            "points": len(too_large),
            "name": points.names[point],
            "people": int(points.people[point]),
            "room": int(largest[point]),
        }
        reasons.append(Reason("planning.siting.too_large_point", facts))
    apart = _apart(problem, reachable)
    if problem.count is not None and len(apart) > problem.count:
        names = ", ".join(points.names[point] for point in apart[:5])
        few: Facts = {"points": len(apart), "count": problem.count, "names": names}
        reasons.append(Reason("planning.siting.too_few_sites", few))
    return reasons


def _largest(problem: Problem) -> Longs:
    """Return the largest room within the walk of each point, among candidates that may open."""
    may_open = np.ones(problem.candidates.size, np.bool_)
    may_open[list(problem.closed)] = False
    room = np.where(may_open, problem.candidates.capacity, 0)
    largest = np.zeros(problem.points.size, np.int64)
    has = ~problem.cut_off
    if has.any():
        starts = problem.walks.first[:-1][has]
        largest[has] = np.maximum.reduceat(room[problem.walks.candidate], starts)
    return largest


def _apart(problem: Problem, reachable: Longs) -> list[int]:
    """Return points of which no two can walk to the same candidate: each needs a site of its own."""
    taken: Bools = np.zeros(problem.candidates.size, np.bool_)
    first, candidate = problem.walks.first, problem.walks.candidate
    width = np.diff(first)[reachable]
    apart = []
    for point in reachable[np.argsort(width, kind="stable")].tolist():
        own = candidate[first[point] : first[point + 1]]
        if not taken[own].any():
            taken[own] = True
            apart.append(point)
    return apart
