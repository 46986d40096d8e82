# SPDX-License-Identifier: Apache-2.0
"""Making a siting plan: sites by exchanges, points seated in their room, prices that prove how good it is."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from muster.planning._kernel.budget import Budget
from muster.planning.contract import Number, OutOfTime, Progress, Status, Step, report
from muster.planning.siting.answer import NOWHERE, Answer, Proof
from muster.planning.siting.finishing import MOST_WALKS, finish
from muster.planning.siting.flowing import could_flow, flow, flow_of, in_pieces
from muster.planning.siting.ground import lay_out, room_of
from muster.planning.siting.opening import open_sites
from muster.planning.siting.plan import Plan
from muster.planning.siting.problem import Problem, require_lawful
from muster.planning.siting.seating import seat_points
from muster.planning.siting.selecting import first_sites
from muster.planning.siting.shortage import what_is_short

if TYPE_CHECKING:
    from muster.planning.siting._swaps import Ground

# Where not everybody can be served at all, the search for who can is kept short.
_FEW_ROUNDS = 40
# A flow over all candidates is tried when the budget is longer than so many seconds for each walk.
_FLOW_S = 2e-6


@dataclass(frozen=True, slots=True)
class Effort:
    """How many kicks of sites, rounds of seats and steps of prices, and how long the solver finishes.

    `finish` is CP-SAT's deterministic measure, about a second of a quiet processor for each unit. It works
    with several `workers`, which differ in kind, whatever the number of cores; with one, and an end that is
    not the clock's, the same problem and seed give the same plan also where equally good ones exist.
    """

    kicks: int = 20_000
    rounds: int = 20_000
    steps: int = 1_500
    finish: float = 60.0
    workers: int = 8


_DEFAULT_EFFORT = Effort()


def solve(
    problem: Problem,
    *,
    budget_s: float,
    seed: int,
    executor: Executor | None = None,
    progress: Progress | None = None,
    effort: Effort = _DEFAULT_EFFORT,
) -> Plan:
    """Choose sites and send the points there. Raises BadProblem, OutOfTime, Cancelled.

    Some are without a site only where it is proved that not all can have one, or where that has a price.

    `executor` is taken and not used: the search is one chain, each answer from the best so far, and copies of
    a city's walks would cost another process more than it saves. In a city with limits, prices climb on a
    thread of this process beside the search; the plan is the same bytes.
    """
    require_lawful(problem)
    budget = Budget(budget_s - _reserve_s(problem, budget_s))
    report(progress, Step("read", 0, 1))
    ground = lay_out(problem)
    proof = Proof.begin(room_of(problem, ground), effort.steps)
    if problem.has_limits:
        answer = _with_limits(problem, ground, proof, budget, effort, seed, progress)
    else:
        answer = open_sites(
            ground,
            proof,
            count=problem.count,
            kicks=effort.kicks,
            budget=budget,
            seed=seed,
            progress=progress,
        )
    plan = _plan(problem, ground, proof, answer, seed)
    if plan.status is Status.INFEASIBLE and not _is_proved(problem, ground, proof, answer, budget_s):
        people = dict(zip(problem.points.names, problem.points.people.tolist(), strict=True))
        left = [name for name, reason in plan.unserved if reason in {"no_site", "no_room"}]
        raise OutOfTime(
            "planning.siting.out_of_time",
            seconds=budget_s,
            points=len(left),
            people=sum(people[name] for name in left),
        )
    report(progress, Step("done", 1, 1, plan.objective, plan.bound))
    return plan


def bound(problem: Problem) -> Number:
    """Return a cost that no plan can be below, by prices alone."""
    require_lawful(problem)
    ground = lay_out(problem)
    proof = Proof.begin(room_of(problem, ground), _DEFAULT_EFFORT.steps)
    start = open_sites(
        ground, proof, count=problem.count, kicks=0, budget=Budget(30.0), seed=0, progress=None
    )
    served = start.cost - int(ground.unserved[start.at == NOWHERE].sum())
    proof.climb(ground, served + served // 4 + 1, proof.steps_left)
    return _in_units(proof.bound, problem.scale)


def _reserve_s(problem: Problem, budget_s: float) -> float:
    """Return the seconds that putting together and writing the plan take."""
    return min(0.3 * budget_s, 0.05 + 2e-5 * problem.points.size)


def _with_limits(
    problem: Problem,
    ground: Ground,
    proof: Proof,
    budget: Budget,
    effort: Effort,
    seed: int,
    progress: Progress | None,
) -> Answer:
    people, capacity = problem.points.people, proof.room.capacity
    is_short = problem.unserved is None and bool(what_is_short(problem))
    begin_with, wish = first_sites(
        ground,
        proof,
        count=problem.count,
        may_leave_out=problem.unserved is not None,
        is_brief=is_short,
        budget=budget,
        seed=seed,
        progress=progress,
    )
    pieces, sizes = in_pieces(ground, people, capacity) if problem.may_split else (ground, people)
    may_finish = effort.finish > 0 and not is_short and len(ground.cost) <= MOST_WALKS
    answer = seat_points(
        pieces,
        sizes,
        proof,
        ground,
        count=problem.count,
        rounds=min(effort.rounds, _FEW_ROUNDS) if is_short else effort.rounds,
        budget=Budget(0.5 * budget.left_s()) if may_finish else budget,
        seed=seed,
        progress=progress,
        begin_with=begin_with,
        wish=None if problem.may_split else wish,
        may_fit=not is_short,
    )
    may_leave_out = problem.unserved is not None
    if problem.may_split:
        answer = flow(ground, people, capacity, answer, may_leave_out=may_leave_out)
    if may_finish and proof.bound < answer.cost:
        before = answer
        answer = finish(
            ground,
            proof,
            answer,
            count=problem.count,
            may_split=problem.may_split,
            may_leave_out=may_leave_out,
            seconds=budget.left_s(),
            effort=effort.finish,
            workers=effort.workers,
            seed=seed,
            progress=progress,
        )
        if problem.may_split and answer is not before:
            answer = flow_of(ground, people, capacity, answer, answer.at == NOWHERE)
    return answer


def _is_proved(problem: Problem, ground: Ground, proof: Proof, answer: Answer, budget_s: float) -> bool:
    """Tell whether it is certain that not everybody can be served."""
    if what_is_short(problem):
        return True
    # One point left out costs more than any plan that serves all, if sums did not have to be cut.
    every_cost = int(ground.unserved.max(initial=0))
    if proof.bound >= answer.cost and every_cost < (1 << 60) // max(1, problem.points.size):
        return True
    return budget_s > _FLOW_S * len(ground.cost) and not could_flow(
        ground, problem.points.people, proof.room.capacity
    )


def _plan(problem: Problem, ground: Ground, proof: Proof, answer: Answer, seed: int) -> Plan:
    names, sites = problem.points.names, problem.candidates.names
    site = np.full(len(names), NOWHERE, np.int64)
    served = answer.at != NOWHERE
    site[served] = ground.candidate[answer.at[served]]
    objective = _objective(problem, ground, answer)
    left_out = np.flatnonzero(~served)
    is_lawful = problem.unserved is not None or bool(problem.cut_off[left_out].all())
    status = Status.INFEASIBLE
    if is_lawful:
        status = Status.OPTIMAL if objective <= proof.bound else Status.FEASIBLE
    searched = proof.searched is not None and proof.searched > -(-proof.value // int(proof.room.scale[0]))
    return Plan(
        opened=tuple(sites[number] for number in np.flatnonzero(answer.is_open).tolist()),
        points=names,
        site_of=tuple(sites[number] if number >= 0 else None for number in site.tolist()),
        shares=_shares(problem, ground, answer),
        unserved=tuple((names[point], _reason(problem, answer, point)) for point in left_out.tolist()),
        prices=proof.price if is_lawful else np.zeros(0, np.int64),
        price_scale=int(proof.room.scale[0]),
        proof="search" if searched else "prices",
        status=status,
        objective=_in_units(objective, problem.scale),
        bound=_in_units(proof.bound, problem.scale) if is_lawful else None,
        seed=seed,
    )


def _objective(problem: Problem, ground: Ground, answer: Answer) -> int:
    """Return the cost without the price that only makes the search serve everybody."""
    if problem.unserved is not None:
        return answer.cost
    return answer.cost - int(ground.unserved[answer.at == NOWHERE].sum())


def _in_units(cost: int, scale: int) -> Number:
    return cost if scale == 1 else cost / scale


def _shares(problem: Problem, ground: Ground, answer: Answer) -> tuple[tuple[str, str, int], ...]:
    """Return who goes where of the points that are divided."""
    if answer.flow is None:
        return ()
    used = np.flatnonzero(answer.flow)
    owner = np.searchsorted(ground.first, used, side="right") - 1
    times = np.bincount(owner, minlength=problem.points.size)
    return tuple(
        (problem.points.names[point], problem.candidates.names[int(ground.candidate[entry])], people)
        for point, entry, people in zip(
            owner.tolist(), used.tolist(), answer.flow[used].tolist(), strict=True
        )
        if times[point] > 1
    )


def _reason(problem: Problem, answer: Answer, point: int) -> str:
    """Return why a point has no site."""
    own = slice(int(problem.walks.first[point]), int(problem.walks.first[point + 1]))
    near = problem.walks.candidate[own]
    if not len(near):
        return "closed_hours" if point in problem.closed_hours else "too_far"
    if not answer.is_open[near].any():
        return "no_site"
    if (
        problem.unserved is None
        or not (problem.walks.cost[own][answer.is_open[near]] >= problem.unserved[point]).all()
    ):
        return "no_room"
    return "too_dear"
