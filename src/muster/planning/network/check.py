# SPDX-License-Identifier: Apache-2.0
"""An independent check of walking plans: plain Dijkstra (scipy) on the streets, no code of the engine.

Each hard rule is one function that yields the violations of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from muster.planning._kernel.arrays import Longs
from muster.planning.contract import Violation
from muster.planning.network.graph import UNREACHABLE
from muster.planning.network.plan import Plan
from muster.planning.network.problem import Problem, Task

# So many rows of a matrix are computed again, spread evenly; a matrix with fewer rows is checked whole.
ROWS_CHECKED = 64

# Most legs of a walk are short: look this far first, and through the whole city only if that is not enough.
_FIRST_LOOK_DM = 20_000


def check(problem: Problem, plan: Plan) -> list[Violation]:
    """Return every violation found; an empty list means that the plan keeps all rules."""
    if problem.task is not plan.task:
        return [Violation("task", "", {"wanted": str(problem.task), "found": str(plan.task)})]
    if plan.task is Task.DISTANCES:
        return [*distances_have_the_right_shape(problem, plan), *distances_are_shortest(problem, plan)]
    return [
        *every_stop_is_walked_once(problem, plan),
        *pins_are_kept(problem, plan),
        *cut_off_stops_are_cut_off(problem, plan),
        *length_is_true(problem, plan),
        *bound_is_not_above_length(plan),
    ]


def distances_have_the_right_shape(problem: Problem, plan: Plan) -> Iterator[Violation]:
    found = (0, 0) if plan.distances_dm is None else plan.distances_dm.shape
    wanted = (len(problem.sources), len(problem.targets))
    if found != wanted and wanted[0]:
        yield Violation("distances_have_the_right_shape", "", {"wanted": list(wanted), "found": list(found)})


def distances_are_shortest(problem: Problem, plan: Plan) -> Iterator[Violation]:
    matrix = plan.distances_dm
    if matrix is None or matrix.shape != (len(problem.sources), len(problem.targets)) or not matrix.size:
        return
    rows = np.unique(np.linspace(0, len(matrix) - 1, min(ROWS_CHECKED, len(matrix))).astype(int))
    for row in rows:
        source = problem.sources[row]
        true = _ways(problem, source, problem.targets)
        for column in np.flatnonzero(true != matrix[row])[:5]:
            facts = {"true_dm": int(true[column]), "found_dm": int(matrix[row, column])}
            where = f"{problem.names[source]} - {problem.names[problem.targets[column]]}"
            yield Violation("distances_are_shortest", where, facts)


def every_stop_is_walked_once(problem: Problem, plan: Plan) -> Iterator[Violation]:
    ends = [end for end in (problem.start, problem.finish, *problem.fixed_first) if end is not None]
    wanted = {problem.names[stop] for stop in (*problem.stops, *ends)}
    listed = [*plan.order, *plan.cut_off]
    for name in sorted(wanted - set(listed)):
        yield Violation("every_stop_is_walked_once", name, {"times": 0})
    for name in sorted(set(listed)):
        times = listed.count(name)
        if times > 1 or name not in wanted:
            yield Violation("every_stop_is_walked_once", name, {"times": times})


def pins_are_kept(problem: Problem, plan: Plan) -> Iterator[Violation]:
    names, left_out = problem.names, set(plan.cut_off)
    first = [*(() if problem.start is None else (problem.start,)), *problem.fixed_first]
    opening = [names[stop] for stop in dict.fromkeys(first) if names[stop] not in left_out]
    if list(plan.order[: len(opening)]) != opening:
        yield Violation("pins_are_kept", opening[0], {"wanted": list(opening)})
    if problem.finish is not None and names[problem.finish] not in left_out:
        last = plan.order[-1] if plan.order else None
        if last != names[problem.finish]:
            yield Violation("pins_are_kept", names[problem.finish], {"found": last})


def cut_off_stops_are_cut_off(problem: Problem, plan: Plan) -> Iterator[Violation]:
    number = {name: i for i, name in enumerate(problem.names)}
    known = [number[name] for name in plan.cut_off if name in number]
    if not known or not plan.order or plan.order[0] not in number:
        return
    ways = _ways(problem, number[plan.order[0]], known)
    for stop, way in zip(known, ways, strict=True):
        if way < UNREACHABLE:
            yield Violation("cut_off_stops_are_cut_off", problem.names[stop], {"way_dm": int(way)})


def length_is_true(problem: Problem, plan: Plan) -> Iterator[Violation]:
    number = {name: i for i, name in enumerate(problem.names)}
    if any(name not in number for name in plan.order):
        return
    stops = [number[name] for name in plan.order]
    if problem.returns and stops:
        stops.append(stops[0])
    true = sum(int(_ways(problem, a, [b])[0]) for a, b in pairwise(stops))
    if true != plan.objective_dm:
        yield Violation("length_is_true", "", {"true_dm": true, "found_dm": plan.objective_dm})


def bound_is_not_above_length(plan: Plan) -> Iterator[Violation]:
    if plan.objective_dm is None or plan.bound_dm is None or plan.bound_dm > plan.objective_dm:
        facts = {"length_dm": plan.objective_dm, "bound_dm": plan.bound_dm}
        yield Violation("bound_is_not_above_length", "", facts)


def _ways(problem: Problem, source: int, targets: Sequence[int]) -> Longs:
    """Return the shortest ways from one place to others, from first principles."""
    near = _ways_within(problem, source, targets, limit=_FIRST_LOOK_DM)
    if (near < UNREACHABLE).all():
        return near
    return _ways_within(problem, source, targets, limit=np.inf)


def _ways_within(problem: Problem, source: int, targets: Sequence[int], *, limit: float) -> Longs:
    graph, places = problem.graph, problem.places
    streets = csr_matrix((graph.lengths, graph.neighbours, graph.rows), shape=(graph.size, graph.size))
    accesses = range(places.rows[source], places.rows[source + 1])
    best = np.full(len(targets), UNREACHABLE, np.int64)
    for access in accesses:
        found = dijkstra(streets, indices=[int(places.node[access])], limit=limit)[0]
        for i, target in enumerate(targets):
            for p in range(places.rows[target], places.rows[target + 1]):
                way = found[places.node[p]] + places.cost_dm[access] + places.cost_dm[p]
                # what lies beyond the limit is not known yet
                if way <= limit and way < best[i]:
                    best[i] = int(way)
    straight = [_straight(problem, source, target) for target in targets]
    return np.minimum(best, np.asarray(straight, np.int64))


def _straight(problem: Problem, one: int, other: int) -> int:
    """Return the direct way between two places of one piece of street or of one yard."""
    places = problem.places
    east = int(places.east_dm[one] - places.east_dm[other])
    north = int(places.north_dm[one] - places.north_dm[other])
    same_yard = places.yard[one] >= 0 and places.yard[one] == places.yard[other]
    same_piece = places.edge[one] >= 0 and places.edge[one] == places.edge[other]
    if (same_yard or same_piece) and east == north == 0:
        return 0
    if same_yard:
        return round((east * east + north * north) ** 0.5 * 1.3)
    if same_piece:
        along = abs(int(places.along_dm[one]) - int(places.along_dm[other]))
        return along + int(places.off_dm[one]) + int(places.off_dm[other])
    return UNREACHABLE
