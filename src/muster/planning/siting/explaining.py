# SPDX-License-Identifier: Apache-2.0
"""Why a siting plan is as it is: what it comes to, who is left out, what is short, why a point goes there."""

from __future__ import annotations

from collections import Counter, defaultdict

from muster.planning.contract import Facts, Reason, Status
from muster.planning.siting.plan import REASONS, Plan
from muster.planning.siting.problem import Problem, kept_open
from muster.planning.siting.shortage import what_is_short


def explain(problem: Problem, plan: Plan) -> list[Reason]:
    """Return the reasons as message codes with facts, the most important first."""
    left_out = {name for name, _ in plan.unserved}
    people = dict(zip(problem.points.names, problem.points.people.tolist(), strict=True))
    facts: Facts = {
        "open": len(plan.opened),
        "candidates": problem.candidates.size,
        "points": problem.points.size - len(left_out),
        "people": sum(count for name, count in people.items() if name not in left_out),
        "cost": plan.objective,
    }
    reasons = [Reason("planning.siting.summary", facts)]
    if plan.status is Status.INFEASIBLE:
        reasons += [Reason("planning.siting.impossible"), *what_is_short(problem)]
    elif plan.status is Status.OPTIMAL:
        reasons.append(Reason("planning.siting.proved", {"cost": plan.objective}))
    elif plan.bound is not None:
        percent = round(100 * float(plan.objective - plan.bound) / max(1.0, float(plan.bound)), 2)
        reasons.append(Reason("planning.siting.within", {"percent": percent, "least": plan.bound}))
    by_reason: dict[str, list[str]] = defaultdict(list)
    for name, why in plan.unserved:
        by_reason[why].append(name)
    for why in REASONS:
        if why in by_reason:
            names = by_reason[why]
            counted = sum(people.get(name, 0) for name in names)
            reasons.append(
                Reason(
                    f"planning.siting.unserved_{why}",
                    {"points": len(names), "people": counted, "name": names[0]},
                )
            )
    full = _full_sites(problem, plan)
    if full:
        reasons.append(Reason("planning.siting.full", {"sites": len(full), "name": full[0]}))
    fixed = len(problem.opened) + len(problem.closed) + len(problem.sent)
    if fixed:
        reasons.append(Reason("planning.siting.pinned", {"number": fixed}))
    return reasons


def _full_sites(problem: Problem, plan: Plan) -> list[str]:
    """Return the open sites that have no room left for even the smallest point, the fullest named first."""
    loads: Counter[str] = Counter()
    divided = {name for name, _, _ in plan.shares}
    people = dict(zip(problem.points.names, problem.points.people.tolist(), strict=True))
    for name, site in zip(plan.points, plan.site_of, strict=True):
        if site is not None and name not in divided:
            loads[site] += people[name]
    for _, site, count in plan.shares:
        loads[site] += count
    smallest = 1 if problem.may_split else min((count for count in people.values() if count), default=1)
    capacity = dict(zip(problem.candidates.names, problem.candidates.capacity.tolist(), strict=True))
    return [name for name in plan.opened if capacity[name] - loads[name] < smallest]


def explain_point(problem: Problem, plan: Plan, point: str) -> list[Reason]:
    """Return why a point goes where the plan says, and what keeps it from its cheapest candidate."""
    number, row = problem.points.names.index(point), plan.points.index(point)
    site = plan.site_of[row]
    if site is None:
        why = dict(plan.unserved).get(point, "no_room")
        people = int(problem.points.people[number])
        facts: Facts = {"points": 1, "people": people, "name": point}
        return [Reason(f"planning.siting.unserved_{why}", facts)]
    where: Facts = {"point": point, "site": site}
    if number in problem.sent:
        return [Reason("planning.siting.point_pinned", where)]
    reasons = [Reason("planning.siting.point", where)]
    first = int(problem.walks.first[number])
    nearest = int(problem.walks.candidate[first])
    name = problem.candidates.names[nearest]
    if name != site:
        code = "nearest_full" if name in plan.opened else "nearest_not_open"
        if nearest in problem.closed and nearest not in kept_open(problem):
            code = "nearest_closed"
        reasons.append(Reason(f"planning.siting.{code}", {"site": name}))
    return reasons
