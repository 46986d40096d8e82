# SPDX-License-Identifier: Apache-2.0
"""Why a matching is as it is: the whole in figures, one responder's seat, one post's shortage."""

from __future__ import annotations

import numpy as np

from muster.planning._kernel.arrays import Ints
from muster.planning.contract import Facts, Reason
from muster.planning.matching.market import cost_of_seats, pair_cost
from muster.planning.matching.plan import Plan, aligned, aligned_prices
from muster.planning.matching.problem import Problem

# So many posts with people missing are named.
_EXAMPLES = 5


def explain(problem: Problem, plan: Plan) -> list[Reason]:
    """Return the reasons as message codes with facts, the most important first."""
    grid_of, skill_of = aligned(plan, problem)
    seated = np.flatnonzero(grid_of >= 0)
    missing = missing_by_post(problem, grid_of, skill_of)
    own = int((problem.home[seated] == grid_of[seated]).sum())
    walks = cost_of_seats(problem, seated, grid_of[seated]) + problem.weights.own_grid_m * (
        problem.home[seated] == grid_of[seated]
    )
    needed = int(problem.posts.need.sum())
    facts: Facts = {
        "needed": needed,
        "filled": needed - int(missing.sum()),
        "missing": int(missing.sum()),
        "people": len(seated),
        "reserve": problem.size - len(seated),
        "walk_m": round(float(walks.mean())) if len(seated) else 0,
        "own_percent": round(100 * own / max(1, len(seated)), 1),
    }
    reasons = [Reason("planning.matching.summary", facts), _how_good(problem, plan)]
    for post in np.argsort(-missing, kind="stable")[:_EXAMPLES]:
        if missing[post] > 0:
            reasons += explain_post(problem, plan, *_post_names(problem, int(post)))
    if problem.pins:
        reasons.append(Reason("planning.matching.pinned", {"people": len(problem.pins)}))
    return reasons


def _how_good(problem: Problem, plan: Plan) -> Reason:
    if plan.objective <= plan.bound:
        return Reason("planning.matching.proved", {"pairs": problem.arcs()})
    percent = round(100 * (plan.objective - plan.bound) / max(1, abs(plan.objective)), 2)
    return Reason("planning.matching.within", {"percent": percent, "pairs": problem.arcs()})


def explain_responder(problem: Problem, plan: Plan, responder: str) -> list[Reason]:
    """Return why a responder is where the plan says, and what the nearest other seat would cost the city."""
    who = problem.responders.index(responder)
    grid_of, skill_of = aligned(plan, problem)
    grid, skill = int(grid_of[who]), int(skill_of[who])
    if who in problem.pins:
        return [
            Reason("planning.matching.seat_pinned", {"responder": responder, "grid": problem.grids[grid]})
        ]
    if grid < 0:
        return [Reason(f"planning.matching.{_why_idle(problem, who)}", {"responder": responder})]
    facts: Facts = {
        "responder": responder,
        "grid": problem.grids[grid],
        "skill": problem.skills[skill],
        "walk_m": problem.walk_to(who, grid),
    }
    own = "seat_own" if problem.home[who] == grid else "seat"
    reasons = [Reason(f"planning.matching.{own}", facts)]
    _, price = aligned_prices(plan, problem)
    at_post = np.flatnonzero((problem.posts.grid == grid) & (problem.posts.skill == skill))
    here = pair_cost(problem, who, grid) + int(price[at_post[0]]) / plan.prices.scale
    others = _alternatives(problem, who, grid)
    if others:
        post = min(others, key=lambda other: (pair_cost(problem, who, int(problem.posts.grid[other])), other))
        other_grid = int(problem.posts.grid[post])
        there = pair_cost(problem, who, other_grid) + int(price[post]) / plan.prices.scale
        more: Facts = {
            "grid": problem.grids[other_grid],
            "skill": problem.skills[int(problem.posts.skill[post])],
            "walk_m": problem.walk_to(who, other_grid),
            "worse_m": max(0, round(there - here)),
        }
        reasons.append(Reason("planning.matching.seat_other", more))
    return reasons


def _alternatives(problem: Problem, who: int, grid: int) -> list[int]:
    """Return posts in other grids that the responder could fill."""
    fits = np.isin(problem.posts.skill, problem.skills_of(who)) & (problem.posts.grid != grid)
    barred = {other for person, other in problem.bars if person == who}
    return [
        int(post)
        for post in np.flatnonzero(fits)
        if int(problem.posts.grid[post]) not in barred
        and problem.walk_to(who, int(problem.posts.grid[post])) <= problem.reach_m[who]
    ]


def _why_idle(problem: Problem, who: int) -> str:
    if not np.isin(problem.skills_of(who), problem.posts.skill).any():
        return "idle_skill"
    return "idle_full" if _alternatives(problem, who, -1) else "idle_reach"


def explain_post(problem: Problem, plan: Plan, grid: str, skill: str) -> list[Reason]:
    """Return why a post has the people that it has; for a shortage, what stands in the way."""
    g, s = problem.grids.index(grid), problem.skills.index(skill)
    grid_of, skill_of = aligned(plan, problem)
    need = int(problem.posts.need[(problem.posts.grid == g) & (problem.posts.skill == s)].sum())
    people = int(((grid_of == g) & (skill_of == s)).sum())
    facts: Facts = {"grid": grid, "skill": skill, "need": need, "people": people}
    if people >= need:
        return [Reason("planning.matching.post_filled", facts)]
    owner = np.repeat(np.arange(problem.size), np.diff(problem.skill_first))
    holders = owner[problem.skill == s]
    if not len(holders):
        return [Reason("planning.matching.post_no_skill", facts)]
    within = [who for who in holders.tolist() if problem.walk_to(who, g) <= problem.reach_m[who]]
    more: Facts = {"holders": len(holders), "within": len(within)}
    code = "post_short" if len(within) >= need else "post_reach"
    return [Reason(f"planning.matching.{code}", dict(facts) | dict(more))]


def missing_by_post(problem: Problem, grid_of: Ints, skill_of: Ints) -> Ints:
    """Return how many needed people each post lacks."""
    width = len(problem.skills) + 1
    seated = grid_of >= 0
    taken = np.bincount(
        grid_of[seated].astype(np.int64) * width + skill_of[seated], minlength=len(problem.grids) * width
    )
    people = taken[problem.posts.grid.astype(np.int64) * width + problem.posts.skill]
    return np.maximum(0, problem.posts.need - people).astype(np.int32)


def _post_names(problem: Problem, post: int) -> tuple[str, str]:
    return problem.grids[problem.posts.grid[post]], problem.skills[problem.posts.skill[post]]
