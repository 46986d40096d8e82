# SPDX-License-Identifier: Apache-2.0
"""The engine's front: the same verbs for responders with posts and for flows in the form of the field."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path

from muster.planning._kernel.files import read_envelope
from muster.planning.contract import Progress, Reason, Violation
from muster.planning.matching import checking, explaining, solving
from muster.planning.matching.bounding import quick_bound
from muster.planning.matching.flow_files import FlowProblem
from muster.planning.matching.flows import FlowPlan, check_flow, explain_flow, solve_flow, write_flow
from muster.planning.matching.plan import ENGINE, Plan
from muster.planning.matching.plan import write_plan as write_seats
from muster.planning.matching.problem import Problem
from muster.planning.matching.solving import Effort

_DEFAULT_EFFORT = Effort()


def solve(
    problem: Problem | FlowProblem,
    *,
    budget_s: float,
    seed: int,
    executor: Executor | None = None,
    progress: Progress | None = None,
    effort: Effort = _DEFAULT_EFFORT,
) -> Plan | FlowPlan:
    """Match responders to posts, or find a flow of least cost. Raises BadProblem, Cancelled."""
    if isinstance(problem, FlowProblem):
        return solve_flow(problem, budget_s=budget_s, seed=seed, progress=progress)
    return solving.solve(
        problem,
        budget_s=budget_s,
        seed=seed,
        executor=executor,
        progress=progress,
        effort=effort,
    )


def check(problem: Problem | FlowProblem, plan: Plan | FlowPlan) -> list[Violation]:
    """Return what is wrong with a plan; an empty list means that it keeps every rule."""
    if isinstance(problem, FlowProblem) and isinstance(plan, FlowPlan):
        return check_flow(problem, plan)
    if isinstance(problem, Problem) and isinstance(plan, Plan):
        return checking.check(problem, plan)
    return [Violation("plan_is_of_the_problem", "")]


def bound(problem: Problem | FlowProblem) -> int:
    """Return a cost that no plan can be below, found quickly."""
    if isinstance(problem, FlowProblem):
        amount = [
            int(low if cost > 0 else capacity)
            for low, capacity, cost in zip(problem.low, problem.capacity, problem.cost, strict=True)
        ]
        return sum(a * int(c) for a, c in zip(amount, problem.cost, strict=True))
    return quick_bound(problem)


def explain(problem: Problem | FlowProblem, plan: Plan | FlowPlan) -> Sequence[Reason]:
    """Return the reasons as message codes with facts, the most important first."""
    if isinstance(problem, FlowProblem) and isinstance(plan, FlowPlan):
        return explain_flow(problem, plan)
    assert isinstance(problem, Problem)
    assert isinstance(plan, Plan)
    return explaining.explain(problem, plan)


def write_plan(plan: Plan | FlowPlan, path: Path) -> list[Path]:
    """Write the plan file, and for flows a DIMACS solution beside it; returns the files written."""
    return write_flow(plan, path) if isinstance(plan, FlowPlan) else write_seats(plan, path)


def read_plan(path: Path) -> Plan | FlowPlan:
    """Read a plan file of this engine; raises BadProblem."""
    envelope = read_envelope(path, engine=ENGINE)
    if envelope.solution.get("form") == "dimacs":
        return FlowPlan.from_envelope(envelope)
    return Plan.from_envelope(envelope)
