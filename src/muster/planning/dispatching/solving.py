# SPDX-License-Identifier: Apache-2.0
"""Giving out all open requests together, the best way there is; or one by one, as they come."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import TYPE_CHECKING

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning._kernel.budget import Budget
from muster.planning.contract import Progress, Step, report
from muster.planning.dispatching.desk import make_index
from muster.planning.dispatching.plan import Plan
from muster.planning.dispatching.problem import Problem, Responders, require_lawful

if TYPE_CHECKING:
    from muster.planning.dispatching._chains import Search, Surge
    from muster.planning.dispatching._pyramid import Index

# So many people stand in the list of each request.
_LISTED = 16
# Between two looks at the clock and the person who waits.
_A_TURN = 250


def solve(
    problem: Problem,
    *,
    budget_s: float,
    seed: int,
    executor: Executor | None = None,  # one chain after the other
    progress: Progress | None = None,
) -> Plan:
    """Give out all requests at the least walking and load; the prices of the plan prove it.

    The most urgent requests come first: when the budget ends before all are given out, the rest go one by
    one to the best who is free. Raises BadProblem, Cancelled.
    """
    from muster.planning.dispatching import _chains

    require_lawful(problem)
    budget = Budget(budget_s)
    order = _order(problem)
    responders = _after_pins(problem)
    index, row_of, responder_of = make_index(responders, problem.weights, problem.walk_permille)
    surge = _surge(problem, order, responders, row_of, responder_of)
    search = _search(surge)
    done = 0
    while done < len(order) and not budget.spent():
        turn = min(done + _A_TURN, len(order))
        _chains.give_out(index, surge, search, done, turn)
        done = turn
        report(progress, Step("dispatch", done, len(order)))
    _one_by_one(index, surge, done)
    responder = np.full(problem.requests.size, -1, np.int64)
    given = surge.given >= 0
    responder[order[given]] = responder_of[surge.owner[surge.given[given]]]
    for request, who in problem.pins.items():
        responder[request] = who
    return _plan(problem, responder, _prices(surge, responder_of, problem.responders.size), seed=seed)


def _order(problem: Problem) -> Longs:
    """Return the requests that nobody pinned, the most urgent first, in the order in which they came."""
    free = np.ones(problem.requests.size, np.bool_)
    free[list(problem.pins)] = False
    requests = np.flatnonzero(free)
    return requests[np.argsort(-problem.requests.urgency[requests], kind="stable")]


def _after_pins(problem: Problem) -> Responders:
    """Return the responders with the jobs that a person gave them."""
    people = problem.responders
    load = people.load.copy()
    np.add.at(load, list(problem.pins.values()), 1)
    return Responders(people.names, people.x_m, people.y_m, people.traits, load, people.capacity, people.grid)


def _surge(
    problem: Problem, order: Longs, responders: Responders, row_of: Longs, responder_of: Longs
) -> Surge:
    from muster.planning.dispatching._chains import NOBODY, Surge

    requests, size = problem.requests, len(order)
    rooms = np.maximum(0, responders.capacity - responders.load)[responder_of]
    # Nobody can take more jobs than there are requests.
    rooms = np.minimum(rooms, size)
    place_first = np.concatenate(([0], np.cumsum(rooms))).astype(np.int64)
    owner = np.repeat(np.arange(responders.size), rooms)
    declined_first, declined = _declined(problem, order, row_of)
    return Surge(
        x=requests.x_m[order],
        y=requests.y_m[order],
        needs=requests.needs[order],
        avoids=requests.avoids[order],
        grid=requests.grid[order],
        unserved=problem.weights.unserved_m * requests.urgency[order],
        declined_first=declined_first,
        declined=declined,
        place_first=place_first,
        owner=owner,
        price=np.zeros(len(owner), np.int64),
        holder=np.full(len(owner), NOBODY, np.int64),
        given=np.full(size, NOBODY, np.int64),
        list_who=np.zeros((size, _LISTED), np.int64),
        list_score=np.zeros((size, _LISTED), np.int64),
        list_count=np.zeros(size, np.int64),
        limit=np.zeros(size, np.int64),
    )


def _declined(problem: Problem, order: Longs, row_of: Longs) -> tuple[Longs, Longs]:
    rank = np.full(problem.requests.size, -1, np.int64)
    rank[order] = np.arange(len(order))
    pairs = sorted((int(rank[request]), int(row_of[who])) for request, who in problem.declined)
    pairs = [(request, row) for request, row in pairs if request >= 0]
    counts = np.bincount(np.asarray([request for request, _ in pairs], np.int64), minlength=len(order))
    first = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    return first, np.asarray([row for _, row in pairs], np.int64)


def _search(surge: Surge) -> Search:
    from muster.planning.dispatching._chains import Search

    places, requests = len(surge.owner), len(surge.x)
    nodes = places + 2 * requests
    return Search(
        heap=np.zeros(nodes, np.int64),
        slot=np.full(nodes, -1, np.int64),
        far=np.zeros(nodes, np.int64),
        seen=np.zeros(nodes, np.int64),
        came_by=np.zeros(places, np.int64),
        start=np.zeros(requests, np.int64),
        looked=np.zeros(requests, np.int64),
        settled=np.zeros(requests, np.int64),
        found=np.zeros((_LISTED + 1, 2), np.int64),
    )


def _one_by_one(index: Index, surge: Surge, first: int) -> None:
    """Give each request from `first` on to the best who is still free."""
    from muster.planning.dispatching import _pyramid as pyramid

    if first >= len(surge.x):
        return
    taken = np.bincount(
        surge.owner[surge.given[:first][surge.given[:first] >= 0]], minlength=len(index.people)
    )
    for row in np.flatnonzero(taken):
        index.people[row, pyramid.LOAD] += taken[row]
        pyramid.relist(index, row)
    found = np.zeros((1, 2), np.int64)
    for request in range(first, len(surge.x)):
        declined = surge.declined[surge.declined_first[request] : surge.declined_first[request + 1]]
        facts = (surge.x[request], surge.y[request], surge.needs[request], surge.avoids[request])
        count = pyramid.nearest(*index, *facts, surge.grid[request], declined, found)
        if count and found[0, 0] < surge.unserved[request]:
            row = found[0, 1]
            surge.given[request] = surge.place_first[row] + taken[row]
            taken[row] += 1
            index.people[row, pyramid.LOAD] += 1
            pyramid.relist(index, row)


def one_by_one(problem: Problem, *, seed: int) -> Plan:
    """Give out requests in their order, each to the best who is free: what a plan is measured against."""
    return solve(problem, budget_s=0.0, seed=seed)


def _prices(surge: Surge, responder_of: Longs, size: int) -> dict[int, list[int]]:
    """Return the prices of the places of each responder who has one that is not free of charge."""
    prices: dict[int, list[int]] = {}
    for row in np.unique(surge.owner[surge.price > 0]):
        first, last = surge.place_first[row], surge.place_first[row + 1]
        prices[int(responder_of[row])] = surge.price[first:last].tolist()
    return dict(sorted(prices.items()))


def _plan(problem: Problem, responder: Longs, prices: dict[int, list[int]], *, seed: int) -> Plan:
    from muster.planning.dispatching.bounding import bound_by_prices

    return Plan(
        requests=problem.requests.names,
        responders=problem.responders.names,
        responder_of=responder,
        prices=prices,
        objective=objective(problem, responder),
        bound=bound_by_prices(problem, prices),
        seed=seed,
    )


def objective(problem: Problem, responder: Longs) -> int:
    """Return what a way of giving out costs: walks, loads, own grids, and requests that nobody takes."""
    served = np.flatnonzero(responder >= 0)
    who = responder[served]
    people, requests, weights = problem.responders, problem.requests, problem.weights
    east, north = people.x_m[who] - requests.x_m[served], people.y_m[who] - requests.y_m[served]
    straight = np.sqrt((east * east + north * north).astype(np.float64))
    walks = (straight * problem.walk_permille * 0.001 + 0.5).astype(np.int64)
    own = (requests.grid[served] >= 0) & (requests.grid[served] == people.grid[who])
    jobs = np.bincount(who, minlength=people.size)
    # The k-th new job of a person costs the load that they then have already.
    loads = int((jobs * people.load + jobs * (jobs - 1) // 2).sum())
    left = int(requests.urgency[responder < 0].sum())
    return (
        int(walks.sum())
        + loads * weights.load_m
        - int(own.sum()) * weights.own_grid_m
        + left * weights.unserved_m
    )
