# SPDX-License-Identifier: Apache-2.0
"""What no way of giving out can cost less than: from prices, or quickly from the nearest people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning.dispatching.desk import make_index
from muster.planning.dispatching.problem import Problem, Responders


def bound(problem: Problem) -> int:
    """Return a cost that no plan can be below: each request has the best person as if alone."""
    return bound_by_prices(problem, {})


def bound_by_prices(problem: Problem, prices: Mapping[int, list[int]]) -> int:
    """Return the least cost that prices of people's further jobs prove.

    Each request pays the least of a walk plus what the person's cheapest further job costs there.
    """
    from muster.planning.dispatching import _bounds

    people, wanted = problem.responders, problem.requests
    load = people.load + np.bincount(np.asarray(list(problem.pins.values()), np.int64), minlength=people.size)
    job = _cheapest_jobs(problem, load, prices)
    # For the search the load is the cost of that job in metres, and everybody who is free has room for one.
    free = Responders(
        people.names, people.x_m, people.y_m, people.traits, job, job + (load < people.capacity), people.grid
    )
    priced = replace(problem.weights, load_m=1)
    index, row_of, _ = make_index(free, priced, problem.walk_permille)
    open_requests = np.ones(wanted.size, np.bool_)
    open_requests[list(problem.pins)] = False
    declined_first, declined = _declined(problem)
    least = _bounds.least_costs(
        index,
        np.stack((wanted.x_m, wanted.y_m, wanted.needs, wanted.avoids, wanted.grid), axis=1),
        problem.weights.unserved_m * wanted.urgency,
        declined_first,
        row_of[declined],
    )
    total = _pinned_cost(problem) + int(least[open_requests].sum())
    return total - sum(sum(price) for price in prices.values())


def _declined(problem: Problem) -> tuple[Longs, Longs]:
    pairs = sorted(problem.declined)
    counts = np.bincount(
        np.asarray([request for request, _ in pairs], np.int64), minlength=problem.requests.size
    )
    first = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    return first, np.asarray([who for _, who in pairs], np.int64)


def _pinned_cost(problem: Problem) -> int:
    from muster.planning.dispatching.solving import objective

    responder = np.full(problem.requests.size, -1, np.int64)
    for request, who in problem.pins.items():
        responder[request] = who
    left = problem.requests.urgency.copy()
    left[list(problem.pins)] = 0
    return objective(problem, responder) - int(left.sum()) * problem.weights.unserved_m


def _cheapest_jobs(problem: Problem, load: Longs, prices: Mapping[int, list[int]]) -> Longs:
    """Return what the cheapest further job of each person costs, with its price where it has one."""
    cheapest = problem.weights.load_m * load
    for who, price in prices.items():
        jobs = (problem.weights.load_m * (int(load[who]) + k) + p for k, p in enumerate(price))
        cheapest[who] = min(jobs, default=int(cheapest[who]))
    return cheapest
