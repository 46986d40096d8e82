# SPDX-License-Identifier: Apache-2.0
"""Why a batch plan is as it is: its peak, what forces it, who walks far, why one unit goes where it goes."""

from __future__ import annotations

import numpy as np

from muster.planning.batching.plan import Plan
from muster.planning.batching.problem import Problem
from muster.planning.contract import Facts, Reason


def explain(problem: Problem, plan: Plan) -> list[Reason]:
    """Return the reasons as message codes with facts, the most important first."""
    facts: Facts = {
        "people": int(problem.units.people.sum()),
        "units": problem.units.size,
        "sites": len(set(plan.site_of)),
        "slots": len(set(plan.slot_of)),
        "peak": _people(plan.objective),
        "walk_m": round(float(np.average(plan.walk_m, weights=_weights(problem, plan)))) if plan.units else 0,
    }
    reasons = [Reason("planning.batching.summary", facts)]
    if plan.objective <= plan.bound:
        reasons.append(Reason("planning.batching.proved", {"peak": _people(plan.bound)}))
    else:
        percent = round(100 * (plan.objective / max(1, plan.bound) - 1), 1)
        reasons.append(Reason("planning.batching.within", {"percent": percent, "least": _people(plan.bound)}))
    if plan.bottleneck_unit:
        reasons.append(Reason("planning.batching.large_unit", {"unit": plan.bottleneck_unit}))
    elif plan.bottleneck:
        site, slot = plan.bottleneck[0]
        few: Facts = {"cells": len(plan.bottleneck), "site": site, "slot": slot}
        reasons.append(Reason("planning.batching.bottleneck", few))
    if problem.pins:
        reasons.append(Reason("planning.batching.pinned", {"units": len(problem.pins)}))
    return reasons


def explain_unit(problem: Problem, plan: Plan, unit: str) -> list[Reason]:
    """Return why a unit goes where the plan says, and how full its nearest site would have been."""
    row = plan.units.index(unit)
    number = problem.units.names.index(unit)
    minute = int(plan.call_min[row]) % 1440
    facts: Facts = {
        "unit": unit,
        "site": plan.site_of[row],
        "slot": plan.slot_of[row],
        "time": f"{minute // 60:02d}:{minute % 60:02d}",
        "walk_m": int(plan.walk_m[row]),
    }
    if number in problem.pins:
        return [Reason("planning.batching.unit_pinned", facts)]
    reasons = [Reason("planning.batching.unit", facts)]
    first = int(problem.choices.first[number])
    nearest = problem.sites.names[int(problem.choices.cell[first]) // problem.slots.size]
    if nearest != plan.site_of[row]:
        more: Facts = {"site": nearest, "walk_m": int(problem.choices.walk_m[first])}
        reasons.append(Reason("planning.batching.unit_nearer", more))
    return reasons


def _people(permille: int) -> float:
    return round(permille / 1000, 1)


def _weights(problem: Problem, plan: Plan) -> list[int]:
    people = dict(zip(problem.units.names, problem.units.people.tolist(), strict=True))
    weights = [people[name] for name in plan.units]
    return weights if any(weights) else [1] * len(weights)
