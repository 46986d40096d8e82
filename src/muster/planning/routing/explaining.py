# SPDX-License-Identifier: Apache-2.0
"""Why a plan of routes is as it is: how good, what is left out and why, what a person fixed."""

from __future__ import annotations

from muster.planning.contract import Facts, Reason, Status
from muster.planning.routing.plan import Plan
from muster.planning.routing.problem import Problem

_MOST_LEFT_OUT = 50


def explain(problem: Problem, plan: Plan) -> list[Reason]:
    """Return the reasons as message codes with facts, the most important first."""
    served = sum(len(route.stops) for route in plan.routes)
    metres = problem.units == "metres"
    length = sum(route.length for route in plan.routes)
    facts: Facts = {
        "stops": problem.stops.size,
        "served": served,
        "vehicles": len(plan.routes),
        "km" if metres else "cost": round(length / (1000 if metres else plan.divisor), 1),
    }
    reasons = [Reason("planning.routing.summary" if metres else "planning.routing.summary_file", facts)]
    if plan.status is Status.INFEASIBLE:
        reasons.append(Reason("planning.routing.infeasible", {"left_out": len(plan.left_out)}))
    elif plan.status is Status.OPTIMAL:
        reasons.append(Reason("planning.routing.proved", {}))
    else:
        percent = round(100 * (plan.objective / max(1, plan.bound) - 1), 1)
        reasons.append(Reason("planning.routing.within", {"percent": percent}))
    if problem.pins:
        stops = sum(len(pin.driven) + len(pin.stops) for pin in problem.pins)
        reasons.append(Reason("planning.routing.pinned", {"vehicles": len(problem.pins), "stops": stops}))
    reasons += [Reason(left.code, left.facts) for left in plan.left_out[:_MOST_LEFT_OUT]]
    if len(plan.left_out) > _MOST_LEFT_OUT:
        reasons.append(
            Reason("planning.routing.more_left_out", {"stops": len(plan.left_out) - _MOST_LEFT_OUT})
        )
    return reasons


def explain_stop(problem: Problem, plan: Plan, stop: str) -> list[Reason]:
    """Return who serves a stop, when, and whether a person fixed that; or why it is left out."""
    for left in plan.left_out:
        if left.stop == stop:
            return [Reason(left.code, left.facts)]
    for route in plan.routes:
        if stop not in route.stops:
            continue
        place = route.stops.index(stop)
        begin = route.begins[place]
        minutes = begin // 60
        time = f"{minutes // 60:02d}:{minutes % 60:02d}" if problem.units == "metres" else str(begin)
        facts: Facts = {"stop": stop, "vehicle": route.vehicle, "place": place + 1, "time": time}
        reasons = [Reason("planning.routing.stop", facts)]
        if any(stop in (*pin.driven, *pin.stops) for pin in problem.pins):
            reasons.append(Reason("planning.routing.stop_pinned", {"stop": stop, "vehicle": route.vehicle}))
        return reasons
    return []
