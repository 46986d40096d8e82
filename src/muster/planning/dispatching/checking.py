# SPDX-License-Identifier: Apache-2.0
"""Looking over a dispatch with other means than those that made it: one function for each hard rule."""

from __future__ import annotations

from collections import Counter

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning.contract import Violation
from muster.planning.dispatching.plan import Plan
from muster.planning.dispatching.problem import Problem

_EXAMPLES = 20
# Requests and people are compared in blocks of so many pairs, to bound memory.
_BLOCK = 4_000_000
_NEVER = 1 << 60


def check(problem: Problem, plan: Plan) -> list[Violation]:
    """Return what is wrong with the plan; an empty list means that it keeps every rule."""
    found = each_request_once(problem, plan) or responders_are_known(problem, plan)
    if found:
        return found
    given = _given(problem, plan)
    for rule in (traits_fit, nobody_overloaded, declined_is_respected, pin_is_kept):
        found += rule(problem, given)
    found += objective_adds_up(problem, plan, given)
    found += bound_is_proved(problem, plan)
    return found


def _given(problem: Problem, plan: Plan) -> Longs:
    """Return the responder of each request, in the problem's order."""
    number_of = {name: number for number, name in enumerate(problem.responders.names)}
    chosen = {
        name: number_of[plan.responders[who]] if who >= 0 else -1
        for name, who in zip(plan.requests, plan.responder_of.tolist(), strict=True)
    }
    return np.asarray([chosen[name] for name in problem.requests.names], np.int64)


def each_request_once(problem: Problem, plan: Plan) -> list[Violation]:
    """Every request stands in the plan exactly once, and no other."""
    listed, wanted = Counter(plan.requests), Counter(problem.requests.names)
    different = sorted(name for name in listed | wanted if listed[name] != wanted[name])
    return [
        Violation("each_request_once", name, {"times": listed[name], "expected": wanted[name]})
        for name in different[:_EXAMPLES]
    ]


def responders_are_known(problem: Problem, plan: Plan) -> list[Violation]:
    """Nobody is sent who is not in the problem."""
    sent = {plan.responders[who] for who in plan.responder_of.tolist() if who >= 0}
    sent |= {plan.responders[who] for who in plan.prices}
    unknown = sorted(sent - set(problem.responders.names))
    return [Violation("responders_are_known", name) for name in unknown[:_EXAMPLES]]


def traits_fit(problem: Problem, given: Longs) -> list[Violation]:
    """Who goes has what the request asks for, and nothing that it avoids."""
    return [
        Violation(
            "traits_fit",
            problem.requests.names[request],
            {"responder": problem.responders.names[given[request]]},
        )
        for request in np.flatnonzero(given >= 0).tolist()
        if not problem.may_go(request, int(given[request]))
    ][:_EXAMPLES]


def nobody_overloaded(problem: Problem, given: Longs) -> list[Violation]:
    """Nobody has more jobs than they can have."""
    jobs = np.bincount(given[given >= 0], minlength=problem.responders.size)
    over = np.flatnonzero((jobs > 0) & (problem.responders.load + jobs > problem.responders.capacity))
    return [
        Violation(
            "nobody_overloaded",
            problem.responders.names[who],
            {
                "jobs": int(problem.responders.load[who] + jobs[who]),
                "most": int(problem.responders.capacity[who]),
            },
        )
        for who in over[:_EXAMPLES]
    ]


def declined_is_respected(problem: Problem, given: Longs) -> list[Violation]:
    """Nobody gets a request again that they declined."""
    return [
        Violation("declined_is_respected", problem.requests.names[request])
        for request, who in problem.declined
        if given[request] == who
    ][:_EXAMPLES]


def pin_is_kept(problem: Problem, given: Longs) -> list[Violation]:
    """What a person fixed stays."""
    return [
        Violation(
            "pin_is_kept", problem.requests.names[request], {"responder": problem.responders.names[who]}
        )
        for request, who in sorted(problem.pins.items())
        if given[request] != who
    ][:_EXAMPLES]


def objective_adds_up(problem: Problem, plan: Plan, given: Longs) -> list[Violation]:
    """The objective is what walks, loads, own grids and unserved requests cost."""
    total = 0
    load = dict(enumerate(problem.responders.load.tolist()))
    for request, who in enumerate(given.tolist()):
        if who < 0:
            total += problem.weights.unserved_m * int(problem.requests.urgency[request])
            continue
        total += problem.walk_m(request, who) + problem.weights.load_m * load[who]
        total -= problem.weights.own_grid_m * problem.is_own_grid(request, who)
        load[who] += 1
    if total == plan.objective:
        return []
    return [Violation("objective_adds_up", "", {"stated": plan.objective, "found": total})]


def bound_is_proved(problem: Problem, plan: Plan) -> list[Violation]:
    """The bound follows from the prices, over every pair of a request and a responder."""
    number_of = {name: number for number, name in enumerate(problem.responders.names)}
    prices = {number_of[plan.responders[who]]: price for who, price in plan.prices.items()}
    proved = _proved(problem, prices)
    if proved >= plan.bound:
        return []
    return [Violation("bound_is_proved", "", {"stated": plan.bound, "proved": proved})]


def _proved(problem: Problem, prices: dict[int, list[int]]) -> int:
    people, wanted, weights = problem.responders, problem.requests, problem.weights
    load = people.load.copy()
    total = 0
    for request, who in sorted(problem.pins.items()):
        total += problem.walk_m(request, who) + weights.load_m * int(load[who])
        total -= weights.own_grid_m * problem.is_own_grid(request, who)
        load[who] += 1
    # The cheapest further job of each person; a price stands for each of them in turn.
    job = np.where(load < people.capacity, weights.load_m * load, _NEVER)
    for who, price in prices.items():
        # Nobody can take more jobs than there are requests.
        rooms = min(max(0, int(people.capacity[who] - load[who])), wanted.size - len(problem.pins))
        full = [*price, *[0] * (rooms - len(price))][:rooms]
        job[who] = min(
            (weights.load_m * (int(load[who]) + k) + p for k, p in enumerate(full)), default=_NEVER
        )
        # A negative price would prove too much.
        total -= sum(max(0, p) for p in price)
        if min(price, default=0) < 0:
            return -_NEVER
    requests = np.flatnonzero(~np.isin(np.arange(wanted.size), np.asarray(list(problem.pins), np.int64)))
    barred = Counter(problem.declined)
    rows = max(1, _BLOCK // max(1, people.size))
    for first in range(0, len(requests), rows):
        block = requests[first : first + rows]
        total += int(_least_of(problem, block, job, barred).sum())
    return total


def _least_of(problem: Problem, block: Longs, job: Longs, barred: Counter[tuple[int, int]]) -> Longs:
    """Return the least that each request of a block can cost, over all people."""
    people, wanted, weights = problem.responders, problem.requests, problem.weights
    left = weights.unserved_m * wanted.urgency[block]
    if not people.size:
        return left
    east = wanted.x_m[block][:, None] - people.x_m
    north = wanted.y_m[block][:, None] - people.y_m
    straight = np.sqrt((east * east + north * north).astype(np.float64))
    keys = (straight * problem.walk_permille * 0.001 + 0.5).astype(np.int64) + job
    grid = wanted.grid[block][:, None]
    keys -= weights.own_grid_m * ((grid >= 0) & (grid == people.grid))
    needs, avoids = wanted.needs[block][:, None], wanted.avoids[block][:, None]
    keys[((people.traits & needs) != needs) | ((people.traits & avoids) != 0)] = _NEVER
    row_of = {int(request): row for row, request in enumerate(block)}
    for request, who in barred:
        if request in row_of:
            keys[row_of[request], who] = _NEVER
    return np.minimum(left, keys.min(axis=1))
