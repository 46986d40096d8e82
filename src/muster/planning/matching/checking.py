# SPDX-License-Identifier: Apache-2.0
"""Looking over a matching with other means than those that made it: one function for each hard rule."""

from __future__ import annotations

from collections import Counter

import numpy as np

from muster.planning._kernel.arrays import Floats, Ints, Longs
from muster.planning.contract import Violation
from muster.planning.matching.plan import Plan, aligned, aligned_prices
from muster.planning.matching.problem import Problem, unit_costs

# So many violations of one rule are named.
_EXAMPLES = 20
# People and posts are compared in blocks of so many pairs, to bound memory.
_BLOCK = 4_000_000


def check(problem: Problem, plan: Plan) -> list[Violation]:
    """Return what is wrong with the plan; an empty list means that it keeps every rule."""
    found = each_responder_once(problem, plan)
    if found:
        return found
    grid_of, skill_of = aligned(plan, problem)
    for rule in (
        seat_is_whole,
        post_is_asked_for,
        post_is_not_overfull,
        skill_is_held,
        walk_is_within_reach,
        pair_is_not_barred,
        pin_is_kept,
    ):
        found += rule(problem, grid_of, skill_of)
    found += objective_adds_up(problem, plan, grid_of, skill_of)
    found += bound_is_proved(problem, plan)
    return found


def each_responder_once(problem: Problem, plan: Plan) -> list[Violation]:
    """Everybody stands in the plan exactly once, and nobody else does."""
    listed = Counter(plan.responders)
    wanted = Counter(problem.responders)
    different = sorted(name for name in listed | wanted if listed[name] != wanted[name])
    return [
        Violation("each_responder_once", name, {"times": listed[name], "expected": wanted[name]})
        for name in different[:_EXAMPLES]
    ]


def seat_is_whole(problem: Problem, grid_of: Ints, skill_of: Ints) -> list[Violation]:
    """Who has a grid has a skill there, and the other way round."""
    wrong = np.flatnonzero((grid_of >= 0) != (skill_of >= 0))
    return [Violation("seat_is_whole", problem.responders[who]) for who in wrong[:_EXAMPLES]]


def post_is_asked_for(problem: Problem, grid_of: Ints, skill_of: Ints) -> list[Violation]:
    """A seat is one that its grid asks for."""
    asked = set(zip(problem.posts.grid.tolist(), problem.posts.skill.tolist(), strict=True))
    taken = sorted(set(zip(grid_of.tolist(), skill_of.tolist(), strict=True)) - asked)
    return [
        Violation("post_is_asked_for", problem.grids[grid], {"skill": problem.skills[skill]})
        for grid, skill in taken[:_EXAMPLES]
        if grid >= 0 and skill >= 0
    ]


def post_is_not_overfull(problem: Problem, grid_of: Ints, skill_of: Ints) -> list[Violation]:
    """A post takes no more people than it needs and could use."""
    taken = Counter(zip(grid_of.tolist(), skill_of.tolist(), strict=True))
    found = []
    posts = problem.posts
    for grid, skill, need, spare in zip(posts.grid, posts.skill, posts.need, posts.spare, strict=True):
        people = taken[int(grid), int(skill)]
        if people > need + spare:
            facts = {"skill": problem.skills[skill], "people": people, "room": int(need) + int(spare)}
            found.append(Violation("post_is_not_overfull", problem.grids[grid], facts))
    return found[:_EXAMPLES]


def skill_is_held(problem: Problem, grid_of: Ints, skill_of: Ints) -> list[Violation]:
    """People do what they can."""
    owner = np.repeat(np.arange(problem.size), np.diff(problem.skill_first))
    fits = np.zeros(problem.size, np.bool_)
    fits[owner[problem.skill == skill_of[owner]]] = True
    wrong = np.flatnonzero((grid_of >= 0) & (skill_of >= 0) & ~fits)
    return [
        Violation("skill_is_held", problem.responders[who], {"skill": problem.skills[skill_of[who]]})
        for who in wrong[:_EXAMPLES]
    ]


def walk_is_within_reach(problem: Problem, grid_of: Ints, skill_of: Ints) -> list[Violation]:
    """Nobody walks further than agreed."""
    seated = np.flatnonzero(grid_of >= 0)
    walks = _walks(problem, seated, grid_of[seated])
    far = walks > problem.reach_m[seated]
    pinned = np.isin(seated, np.asarray(list(problem.pins), np.int64))
    return [
        Violation("walk_is_within_reach", problem.responders[who], {"walk_m": int(walk)})
        for who, walk in zip(seated[far & ~pinned][:_EXAMPLES], walks[far & ~pinned], strict=False)
    ]


def pair_is_not_barred(problem: Problem, grid_of: Ints, skill_of: Ints) -> list[Violation]:
    """A responder and a grid that must not meet do not."""
    return [
        Violation("pair_is_not_barred", problem.responders[who], {"grid": problem.grids[grid]})
        for who, grid in problem.bars
        if grid_of[who] == grid
    ][:_EXAMPLES]


def pin_is_kept(problem: Problem, grid_of: Ints, skill_of: Ints) -> list[Violation]:
    """What a person fixed stays."""
    return [
        Violation("pin_is_kept", problem.responders[who], {"grid": problem.grids[grid]})
        for who, (grid, skill) in sorted(problem.pins.items())
        if (int(grid_of[who]), int(skill_of[who])) != (grid, skill)
    ][:_EXAMPLES]


def objective_adds_up(problem: Problem, plan: Plan, grid_of: Ints, skill_of: Ints) -> list[Violation]:
    """The objective is what the seats, the empty posts and the divided teams cost."""
    seated = np.flatnonzero(grid_of >= 0)
    walks = int(_costs(problem, seated, grid_of[seated]).sum())
    taken = Counter(zip(grid_of.tolist(), skill_of.tolist(), strict=True))
    missing = 0
    for post, (grid, skill) in enumerate(zip(problem.posts.grid, problem.posts.skill, strict=True)):
        costs = unit_costs(problem, post)
        missing += int(costs[: max(0, len(costs) - taken[int(grid), int(skill)])].sum())
    apart = 0
    for team in np.unique(problem.team[problem.team >= 0]):
        grids = Counter(grid_of[(problem.team == team) & (grid_of >= 0)].tolist())
        apart += grids.total() - max(grids.values(), default=0)
    total = walks + missing + apart * problem.weights.team_m
    if total == plan.objective:
        return []
    return [Violation("objective_adds_up", "", {"stated": plan.objective, "found": total})]


def bound_is_proved(problem: Problem, plan: Plan) -> list[Violation]:
    """The bound follows from the prices, over every pair of a responder and a post."""
    _, price = aligned_prices(plan, problem)
    proved = bound_by_prices(problem, price, plan.prices.scale)
    if proved >= plan.bound:
        return []
    return [Violation("bound_is_proved", "", {"stated": plan.bound, "proved": proved})]


def bound_by_prices(problem: Problem, price: Longs, scale: int) -> int:
    """Return the least cost that prices (metres times scale) prove, by looking at every pair."""
    pinned = np.asarray(sorted(problem.pins), np.int64)
    grids = np.asarray([problem.pins[int(who)][0] for who in pinned], np.int64)
    total = int(_costs(problem, pinned, grids).sum()) * scale
    held = Counter(problem.pins.values())
    open_post = np.zeros(len(price), np.bool_)
    for post, (grid, skill) in enumerate(zip(problem.posts.grid, problem.posts.skill, strict=True)):
        costs = unit_costs(problem, post)
        left = costs[: len(costs) - held[int(grid), int(skill)]]
        open_post[post] = len(left) > 0
        relative = int(price[post])
        total += sum(min(0, int(cost) * scale + relative) - relative for cost in left)
    least = np.zeros(problem.size, np.int64)
    for skill in range(len(problem.skills)):
        people = _holders(problem, skill)
        posts = np.flatnonzero((problem.posts.skill == skill) & open_post)
        _lower(problem, least, people, problem.posts.grid[posts], price[posts], scale)
    least[pinned] = 0
    total += sum(least.tolist())
    return -(-total // scale)


def _lower(problem: Problem, least: Longs, people: Longs, grids: Ints, price: Longs, scale: int) -> None:
    """Bring `least` of the people down to the cheapest of the posts, where one is below."""
    if not len(people) or not len(grids):
        return
    barred: dict[int, list[int]] = {}
    for who, grid in problem.bars:
        barred.setdefault(who, []).append(grid)
    rows = max(1, _BLOCK // len(grids))
    for first in range(0, len(people), rows):
        block = people[first : first + rows]
        walks = _walk_table(problem, block, grids)
        keys = walks * scale + price
        home_row, home_post = np.nonzero(problem.home[block][:, None] == grids)
        keys[home_row, home_post] -= problem.weights.own_grid_m * scale
        keys[walks > problem.reach_m[block][:, None]] = 0
        for row, who in enumerate(block.tolist()):
            for grid in barred.get(who, ()):
                keys[row, grids == grid] = 0
        least[block] = np.minimum(least[block], keys.min(axis=1))


def _holders(problem: Problem, skill: int) -> Longs:
    owner = np.repeat(np.arange(problem.size), np.diff(problem.skill_first))
    return owner[problem.skill == skill]


def _walk_table(problem: Problem, people: Longs, grids: Ints) -> Longs:
    if problem.walk_m is not None and problem.place is not None:
        return problem.walk_m[np.ix_(problem.place[people], grids)].astype(np.int64)
    east = problem.x_m[people][:, None] - problem.grid_x_m[grids]
    north = problem.y_m[people][:, None] - problem.grid_y_m[grids]
    return _metres(problem, east, north)


def _walks(problem: Problem, people: Longs, grids: Ints | Longs) -> Longs:
    if problem.walk_m is not None and problem.place is not None:
        return problem.walk_m[problem.place[people], grids].astype(np.int64)
    east = problem.x_m[people] - problem.grid_x_m[grids]
    north = problem.y_m[people] - problem.grid_y_m[grids]
    return _metres(problem, east, north)


def _metres(problem: Problem, east: Floats, north: Floats) -> Longs:
    straight = np.sqrt(east * east + north * north)
    return np.floor(straight * (problem.walk_permille / 1000.0) + 0.5).astype(np.int64)


def _costs(problem: Problem, people: Longs, grids: Ints | Longs) -> Longs:
    own = problem.home[people] == grids
    return _walks(problem, people, grids) - problem.weights.own_grid_m * own
