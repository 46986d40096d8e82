# SPDX-License-Identifier: Apache-2.0
"""Why a rota is as it is: who is missing and why nobody could come, how fair it is, what changed."""

from __future__ import annotations

from collections import Counter

import numpy as np

from muster.planning.contract import Facts, Reason
from muster.planning.rostering.plan import Plan
from muster.planning.rostering.problem import FREE, OFF, Problem

_EXAMPLES = 5


def explain(problem: Problem, plan: Plan) -> list[Reason]:
    """Return the reasons as message codes with facts, the most important first."""
    worked = int((plan.roster >= 0).sum())
    needed = int(problem.duties.need.sum())
    missing = sum(entry.missing for entry in plan.short)
    facts: Facts = {
        "people": len(plan.people),
        "days": problem.days,
        "filled": needed - missing,
        "needed": needed,
        "worked": worked,
    }
    reasons = [Reason("planning.rostering.summary", facts)]
    reasons += [
        Reason("planning.rostering.no_lawful_month", {"person": name}) for name in plan.unlawful[:_EXAMPLES]
    ]
    worst = sorted(plan.short, key=lambda entry: (not entry.must, -entry.missing, entry.day, entry.duty))
    for entry in worst[:_EXAMPLES]:
        post, shift, kind = plan.duties[entry.duty]
        short: Facts = {
            "day": entry.day + 1,
            "post": post,
            "shift": shift,
            "kind": kind,
            "missing": entry.missing,
        }
        code = "must_missing" if entry.must else "missing"
        reasons.append(Reason(f"planning.rostering.{code}", short))
    if plan.objective <= plan.bound:
        reasons.append(Reason("planning.rostering.proved", {"cost": plan.objective}))
    else:
        percent = round(100 * (plan.objective - plan.bound) / max(1, plan.objective), 1)
        within: Facts = {"cost": plan.objective, "least": plan.bound, "percent": percent}
        reasons.append(Reason("planning.rostering.within", within))
    if (problem.previous != FREE).any():
        changed = int(((_rows(problem, plan) != problem.previous) & (problem.previous != FREE)).sum())
        reasons.append(Reason("planning.rostering.changed", {"days": changed}))
    if problem.pins:
        reasons.append(Reason("planning.rostering.pinned", {"days": len(problem.pins)}))
    return reasons


def explain_person(problem: Problem, plan: Plan, person: str) -> list[Reason]:
    """Return how much a person works, how many nights and weekends, and which wishes were not met."""
    number = problem.people.names.index(person)
    row = _rows(problem, plan)[number]
    days = np.flatnonzero(row >= 0)
    shifts = problem.duties.shift[row[days]]
    weekends = {(problem.first_weekday + int(day)) // 7 for day in days if problem.weekday(int(day)) >= 5}
    facts: Facts = {
        "person": person,
        "days": len(days),
        "hours": round(int(problem.shifts.minutes[shifts].sum()) / 60, 1),
        "weekends": len(weekends),
    }
    reasons = [Reason("planning.rostering.person", facts)]
    unmet = [
        day
        for day, duty in enumerate(row.tolist())
        if problem.wish[number, day, problem.duties.shift[duty] if duty >= 0 else -1] > 0
    ]
    if unmet:
        listed: Facts = {"person": person, "days": ", ".join(str(day + 1) for day in unmet)}
        reasons.append(Reason("planning.rostering.wishes_unmet", listed))
    return reasons


def explain_missing(problem: Problem, plan: Plan, day: int, duty: int) -> list[Reason]:
    """Return why nobody more comes to a duty: how many could do it, and what keeps each of them."""
    rows = _rows(problem, plan)
    people, shift = problem.people, int(problem.duties.shift[duty])
    post, name, kind = problem.duty_name(duty)
    keeps: Counter[str] = Counter()
    for person in range(people.size):
        if duty not in people.duties[people.first[person] : people.first[person + 1]]:
            continue
        if rows[person, day] != OFF:
            keeps["there" if rows[person, day] == duty else "elsewhere"] += 1
        elif problem.barred[person, day, shift]:
            keeps["unavailable"] += 1
        else:
            keeps["rules"] += 1
    facts: Facts = {
        "day": day + 1,
        "post": post,
        "shift": name,
        "kind": kind,
        "able": sum(keeps.values()),
        **{key: keeps[key] for key in ("there", "elsewhere", "unavailable", "rules")},
    }
    return [Reason("planning.rostering.why_missing", facts)]


def _rows(problem: Problem, plan: Plan) -> np.ndarray:
    """Return the duties by person and day in the problem's own numbers."""
    number = {problem.duty_name(duty): duty for duty in range(problem.duties.size)}
    table = np.array([*(number.get(name, OFF) for name in plan.duties), OFF], np.int32)
    at = {name: row for row, name in enumerate(plan.people)}
    return table[plan.roster[[at[name] for name in problem.people.names]]]
