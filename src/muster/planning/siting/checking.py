# SPDX-License-Identifier: Apache-2.0
"""Looking over a siting plan with other means than those that made it: one function for each hard rule."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from muster.planning.contract import Number, Status, Violation
from muster.planning.siting.plan import Plan
from muster.planning.siting.problem import Problem
from muster.planning.siting.proving import proved_by_prices

_EXAMPLES = 20
# By point: who of it goes to which candidate.
Shares = Mapping[int, Mapping[int, int]]


def check(problem: Problem, plan: Plan) -> list[Violation]:
    """Return what is wrong with the plan; an empty list means that it keeps every rule."""
    found = [*each_point_once(problem, plan), *names_are_known(problem, plan)]
    if found:
        return found
    shares = _shares(problem, plan)
    return [
        *shares_add_up(problem, plan, shares),
        *points_stay_whole(problem, shares),
        *site_is_open(problem, plan, shares),
        *walk_is_allowed(problem, shares),
        *room_is_kept(problem, shares),
        *count_is_kept(problem, plan),
        *pin_is_kept(problem, plan, shares),
        *unserved_is_true(problem, plan),
        *status_is_true(problem, plan),
        *objective_adds_up(problem, plan, shares),
        *bound_is_proved(problem, plan),
    ]


def each_point_once(problem: Problem, plan: Plan) -> list[Violation]:
    """Every point stands in the plan exactly once, and no other; no site opens twice."""
    listed, wanted = Counter(plan.points), Counter(problem.points.names)
    different = sorted(name for name in listed | wanted if listed[name] != wanted[name])
    twice = sorted(name for name, times in Counter(plan.opened).items() if times > 1)
    return [
        Violation("each_point_once", name, {"times": listed[name], "expected": wanted[name]})
        for name in different[:_EXAMPLES]
    ] + [Violation("each_point_once", name, {"times": 2, "expected": 1}) for name in twice[:_EXAMPLES]]


def names_are_known(problem: Problem, plan: Plan) -> list[Violation]:
    """Sites and points are those of the problem."""
    sites = {name for name in plan.site_of if name is not None} | set(plan.opened)
    sites |= {site for _, site, _ in plan.shares}
    points = {name for name, _, _ in plan.shares} | {name for name, _ in plan.unserved}
    strange = (sites - set(problem.candidates.names)) | (points - set(problem.points.names))
    return [Violation("names_are_known", name) for name in sorted(strange)[:_EXAMPLES]]


def _shares(problem: Problem, plan: Plan) -> dict[int, dict[int, int]]:
    site_of = {name: number for number, name in enumerate(problem.candidates.names)}
    point_of = {name: number for number, name in enumerate(problem.points.names)}
    people = problem.points.people.tolist()
    shares: dict[int, dict[int, int]] = defaultdict(dict)
    for name, site in zip(plan.points, plan.site_of, strict=True):
        if site is not None:
            shares[point_of[name]] = {site_of[site]: people[point_of[name]]}
    divided: dict[int, dict[int, int]] = defaultdict(dict)
    for name, site, count in plan.shares:
        own = divided[point_of[name]]
        own[site_of[site]] = own.get(site_of[site], 0) + count
    return {**shares, **divided}


def shares_add_up(problem: Problem, plan: Plan, shares: Shares) -> list[Violation]:
    """Of a point that goes to several sites everybody goes somewhere, and a site is named for it."""
    site_of = dict(zip(plan.points, plan.site_of, strict=True))
    found = []
    for point, own in sorted(shares.items()):
        people, sent = int(problem.points.people[point]), sum(own.values())
        name = problem.points.names[point]
        if sent != people or site_of[name] not in {problem.candidates.names[site] for site in own}:
            found.append(Violation("shares_add_up", name, {"sent": sent, "people": people}))
    return found[:_EXAMPLES]


def points_stay_whole(problem: Problem, shares: Shares) -> list[Violation]:
    """A point goes to several sites only if the problem says so."""
    if problem.may_split:
        return []
    return [
        Violation("points_stay_whole", problem.points.names[point], {"sites": len(own)})
        for point, own in sorted(shares.items())
        if len(own) > 1
    ][:_EXAMPLES]


def site_is_open(problem: Problem, plan: Plan, shares: Shares) -> list[Violation]:
    """Nobody is sent to a candidate that does not open."""
    opened = set(plan.opened)
    return [
        Violation("site_is_open", problem.points.names[point], {"site": problem.candidates.names[site]})
        for point, own in sorted(shares.items())
        for site in own
        if problem.candidates.names[site] not in opened
    ][:_EXAMPLES]


def walk_is_allowed(problem: Problem, shares: Shares) -> list[Violation]:
    """Everybody goes where the limit and the hours let them."""
    return [
        Violation("walk_is_allowed", problem.points.names[point], {"site": problem.candidates.names[site]})
        for point, own in sorted(shares.items())
        for site in own
        if _cost(problem, point, site) is None
    ][:_EXAMPLES]


def _cost(problem: Problem, point: int, site: int) -> int | None:
    """Return what the whole point costs at a candidate, None when it cannot go there."""
    own = slice(int(problem.walks.first[point]), int(problem.walks.first[point + 1]))
    at = np.flatnonzero(problem.walks.candidate[own] == site)
    return int(problem.walks.cost[own][at[0]]) if len(at) else None


def room_is_kept(problem: Problem, shares: Shares) -> list[Violation]:
    """No site has more people than it can take."""
    load: Counter[int] = Counter()
    for own in shares.values():
        load.update(own)
    return [
        Violation(
            "room_is_kept",
            problem.candidates.names[site],
            {"people": people, "capacity": int(problem.candidates.capacity[site])},
        )
        for site, people in sorted(load.items())
        if people > problem.candidates.capacity[site]
    ][:_EXAMPLES]


def count_is_kept(problem: Problem, plan: Plan) -> list[Violation]:
    """As many sites open as were asked for."""
    if problem.count is None or len(plan.opened) == problem.count:
        return []
    return [Violation("count_is_kept", "", {"open": len(plan.opened), "count": problem.count})]


def pin_is_kept(problem: Problem, plan: Plan, shares: Shares) -> list[Violation]:
    """What a person fixed stays."""
    opened, names = set(plan.opened), problem.candidates.names
    wrong = [names[site] for site in sorted(problem.opened) if names[site] not in opened]
    wrong += [names[site] for site in sorted(problem.closed) if names[site] in opened]
    wrong += [
        problem.points.names[point]
        for point, site in sorted(problem.sent.items())
        if point in shares and set(shares[point]) != {site}
    ]
    return [Violation("pin_is_kept", name) for name in wrong[:_EXAMPLES]]


def unserved_is_true(problem: Problem, plan: Plan) -> list[Violation]:
    """Exactly the points without a site are listed, each with the reason that holds."""
    without = Counter(name for name, site in zip(plan.points, plan.site_of, strict=True) if site is None)
    listed = Counter(name for name, _ in plan.unserved)
    found = sorted(name for name in listed | without if listed[name] != without[name])
    cut_off = problem.cut_off
    opened = set(plan.opened)
    is_open = np.asarray([name in opened for name in problem.candidates.names], np.bool_)
    number_of = {name: number for number, name in enumerate(problem.points.names)}
    for name, reason in plan.unserved:
        point = number_of[name]
        own = slice(int(problem.walks.first[point]), int(problem.walks.first[point + 1]))
        if cut_off[point]:
            allowed = {"closed_hours" if point in problem.closed_hours else "too_far"}
        elif not is_open[problem.walks.candidate[own]].any():
            allowed = {"no_site"}
        else:
            allowed = {"no_room"} if problem.unserved is None else {"no_room", "too_dear"}
        if reason not in allowed:
            found.append(name)
    return [Violation("unserved_is_true", name) for name in found[:_EXAMPLES]]


def status_is_true(problem: Problem, plan: Plan) -> list[Violation]:
    """A plan is lawful when everybody who could be served is, optimal when its bound says so."""
    cut_off = problem.cut_off
    site_of = dict(zip(plan.points, plan.site_of, strict=True))
    left = sum(
        site_of[name] is None and not cut_off[point] for point, name in enumerate(problem.points.names)
    )
    expected = Status.FEASIBLE
    if left and problem.unserved is None:
        expected = Status.INFEASIBLE
    elif plan.bound is not None and plan.objective <= plan.bound:
        expected = Status.OPTIMAL
    if plan.status is expected:
        return []
    return [Violation("status_is_true", str(plan.status), {"expected": str(expected), "unserved": left})]


def objective_adds_up(problem: Problem, plan: Plan, shares: Shares) -> list[Violation]:
    """The objective is all walks, openings and, where they have a price, those left out."""
    number_of = {name: number for number, name in enumerate(problem.candidates.names)}
    total = Fraction(sum(int(problem.candidates.open_cost[number_of[name]]) for name in plan.opened))
    for point, own in shares.items():
        people = int(problem.points.people[point])
        for site, count in own.items():
            cost = _cost(problem, point, site) or 0
            total += Fraction(cost * count, people) if people else cost
    if problem.unserved is not None:
        cut_off = problem.cut_off
        total += sum(
            int(problem.unserved[point])
            for point in range(problem.points.size)
            if point not in shares and not cut_off[point]
        )
    if total == _scaled(plan.objective, problem):
        return []
    return [
        Violation("objective_adds_up", "", {"stated": plan.objective, "found": float(total / problem.scale)})
    ]


def _scaled(value: Number, problem: Problem) -> int:
    return round(value * problem.scale)


def bound_is_proved(problem: Problem, plan: Plan) -> list[Violation]:
    """The bound is not above the objective, and the prices force it."""
    if plan.bound is None:
        return []
    if plan.bound > plan.objective:
        return [Violation("bound_is_proved", "", {"bound": plan.bound, "objective": plan.objective})]
    if plan.proof == "search":
        return []
    proved = proved_by_prices(problem, plan)
    if proved is not None and proved >= _scaled(plan.bound, problem):
        return []
    facts = {"stated": plan.bound, "proved": None if proved is None else proved / problem.scale}
    return [Violation("bound_is_proved", "", facts)]
