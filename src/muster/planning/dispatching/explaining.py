# SPDX-License-Identifier: Apache-2.0
"""Why this responder and not another: for the whole, for one request, for a suggestion at the desk."""

from __future__ import annotations

import numpy as np

from muster.planning.contract import Facts, Reason
from muster.planning.dispatching.desk import Suggestion
from muster.planning.dispatching.plan import Plan
from muster.planning.dispatching.problem import Problem

_EXAMPLES = 5


def explain(problem: Problem, plan: Plan) -> list[Reason]:
    """Return the reasons as message codes with facts, the most important first."""
    served = np.flatnonzero(plan.responder_of >= 0)
    number_of = _numbers(problem)
    walks = [problem.walk_m(int(q), number_of[plan.responders[plan.responder_of[q]]]) for q in served]
    facts: Facts = {
        "requests": problem.requests.size,
        "served": len(served),
        "unserved": problem.requests.size - len(served),
        "walk_m": round(float(np.mean(walks))) if walks else 0,
    }
    reasons = [Reason("planning.dispatching.summary", facts)]
    if plan.objective <= plan.bound:
        reasons.append(Reason("planning.dispatching.proved", {"responders": problem.responders.size}))
    else:
        percent = round(100 * (plan.objective - plan.bound) / max(1, abs(plan.objective)), 2)
        reasons.append(Reason("planning.dispatching.within", {"percent": percent}))
    unserved = np.flatnonzero(plan.responder_of < 0)
    for request in unserved[:_EXAMPLES]:
        reasons += explain_request(problem, plan, problem.requests.names[request])
    if problem.pins:
        reasons.append(Reason("planning.dispatching.pinned", {"requests": len(problem.pins)}))
    return reasons


def explain_request(problem: Problem, plan: Plan, request: str) -> list[Reason]:
    """Return why a responder goes to a request, or why nobody does."""
    number = problem.requests.names.index(request)
    row = plan.requests.index(request)
    at = int(plan.responder_of[row])
    if at < 0:
        return [_why_nobody(problem, number)]
    name = plan.responders[at]
    who = problem.responders.names.index(name)
    if number in problem.pins:
        return [Reason("planning.dispatching.pin", {"request": request, "responder": name})]
    facts: Facts = {"request": request, "responder": name, "walk_m": problem.walk_m(number, who)}
    own = "own_grid" if problem.is_own_grid(number, who) else "sent"
    reasons = [Reason(f"planning.dispatching.{own}", facts)]
    nearer = _nearer(problem, number, who)
    if nearer is not None:
        reasons.append(_why_not(problem, plan, number, nearer))
    return reasons


def explain_suggestion(problem: Problem, suggestion: Suggestion) -> Reason:
    """Return why the desk suggests a responder."""
    facts: Facts = {
        "responder": problem.responders.names[suggestion.responder],
        "walk_m": suggestion.walk_m,
        "load": suggestion.load,
    }
    code = "suggested_own_grid" if suggestion.is_own_grid else "suggested"
    return Reason(f"planning.dispatching.{code}", facts)


def _numbers(problem: Problem) -> dict[str, int]:
    return {name: number for number, name in enumerate(problem.responders.names)}


def _nearer(problem: Problem, request: int, who: int) -> int | None:
    """Return the person nearest to a request, if that is somebody else and nearer than who goes."""
    if problem.responders.size < 2:
        return None
    east = problem.responders.x_m - problem.requests.x_m[request]
    north = problem.responders.y_m - problem.requests.y_m[request]
    nearest = int(np.argmin(east * east + north * north))
    closer = problem.walk_m(request, nearest) < problem.walk_m(request, who)
    return nearest if closer else None


def _why_not(problem: Problem, plan: Plan, request: int, who: int) -> Reason:
    """Return why the person who is nearest does not go."""
    facts: Facts = {"responder": problem.responders.names[who], "walk_m": problem.walk_m(request, who)}
    lacking = int(problem.requests.needs[request]) & ~int(problem.responders.traits[who])
    unwanted = int(problem.requests.avoids[request]) & int(problem.responders.traits[who])
    jobs = _new_jobs(plan, problem.responders.names[who])
    load = int(problem.responders.load[who]) + jobs
    more: Facts = {"load": load}
    if lacking:
        code, more = "nearer_lacks", _traits(problem, lacking)
    elif unwanted:
        code, more = "nearer_barred", _traits(problem, unwanted)
    elif (request, who) in set(problem.declined):
        code = "nearer_declined"
    elif jobs:
        code = "nearer_needed"
    else:
        code = "nearer_full" if load >= int(problem.responders.capacity[who]) else "nearer_loaded"
    return Reason(f"planning.dispatching.{code}", dict(facts) | dict(more))


def _new_jobs(plan: Plan, name: str) -> int:
    """Return how many requests of the plan a responder gets."""
    if name not in plan.responders:
        return 0
    return int((plan.responder_of == plan.responders.index(name)).sum())


def _traits(problem: Problem, bits: int) -> Facts:
    return {"traits": ", ".join(problem.trait_names(bits))}


def _why_nobody(problem: Problem, request: int) -> Reason:
    """Return why nobody goes to a request."""
    able = [who for who in range(problem.responders.size) if problem.may_go(request, who)]
    facts: Facts = {
        "request": problem.requests.names[request],
        "needs": ", ".join(problem.trait_names(int(problem.requests.needs[request]))),
        "able": len(able),
    }
    return Reason(f"planning.dispatching.{'nobody_free' if able else 'nobody_able'}", facts)
