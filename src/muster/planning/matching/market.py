# SPDX-License-Identifier: Apache-2.0
"""Laying a problem out for the auction: posts in the order of their trees, people who can be placed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning.matching._tree import plant
from muster.planning.matching.problem import Problem, unit_costs

if TYPE_CHECKING:
    from muster.planning.matching._auction import Market
    from muster.planning.matching._search import City

# The posts that a person keeps in mind at most.
KEPT = 40


@dataclass(frozen=True, slots=True)
class Layout:
    """What the numbers of the auction mean: `people[i]` is a responder, `posts[j]` a post of the problem.

    `pinned_cost` is what the pinned people cost; they and their units take no part.
    """

    people: Longs
    posts: Longs
    pinned_cost: int
    city: City
    unit_count: int


def lay_out(problem: Problem) -> Layout:
    """Return the problem as the auction sees it."""
    from muster.planning.matching._search import City

    number_of = {
        (int(grid), int(skill)): post
        for post, (grid, skill) in enumerate(zip(problem.posts.grid, problem.posts.skill, strict=True))
    }
    taken = np.zeros(len(problem.posts.grid), np.int64)
    for seat in problem.pins.values():
        taken[number_of[seat]] += 1
    # Who holds a post fills the dearest unit of it: the cheaper ones stay to be filled.
    costs = [unit_costs(problem, post)[: _room(problem, post) - taken[post]] for post in range(len(taken))]
    open_posts = np.asarray([post for post, left in enumerate(costs) if len(left)], np.int64)
    grid, skill = problem.posts.grid[open_posts], problem.posts.skill[open_posts]
    forest = plant(
        skill.astype(np.int64),
        problem.grid_x_m[grid],
        problem.grid_y_m[grid],
        skills=len(problem.skills),
    )
    posts = open_posts[forest.order]
    grid, skill = problem.posts.grid[posts], problem.posts.skill[posts]
    units = [costs[post] for post in posts]
    people = _placeable(problem)
    skill_first, held = _skills_of(problem, people)
    barred_first, barred_grid = _bars_of(problem, people)
    home_post = np.full((len(problem.grids), len(problem.skills)), -1, np.int64)
    home_post[grid, skill] = np.arange(len(posts))
    # Any number above people and posts makes whole-number prices exact; a power of two stays the same
    # when a few people come or go, so that prices can be used again.
    scale = 1 << (len(people) + len(posts) + 2).bit_length()
    table: Ints = np.zeros((0, 0), np.int32)
    place: Ints = np.zeros(problem.size, np.int32)
    if problem.walk_m is not None and problem.place is not None:
        table, place = np.ascontiguousarray(problem.walk_m), problem.place
    city = City(
        x_m=problem.x_m[people],
        y_m=problem.y_m[people],
        skill_first=skill_first,
        skill=held,
        home=problem.home[people].astype(np.int64),
        place=place[people].astype(np.int64),
        reach_m=problem.reach_m[people],
        barred_first=barred_first,
        barred_grid=barred_grid,
        post_grid=grid.astype(np.int64),
        post_skill=skill.astype(np.int64),
        post_x_m=problem.grid_x_m[grid],
        post_y_m=problem.grid_y_m[grid],
        unit_first=_starts([len(unit) for unit in units]),
        unit_cost=np.concatenate(units) if units else np.zeros(0, np.int64),
        home_post=home_post,
        walk_m=table,
        stretch=problem.walk_permille / 1000.0,
        per_metre=1.0 / (scale * (problem.walk_permille / 1000.0)),
        bonus=problem.weights.own_grid_m,
        scale=scale,
        root=forest.root,
        span=forest.span,
        bounds=forest.bounds,
        leaf_of=forest.leaf_of,
    )
    pinned = sum(pair_cost(problem, who, place[0]) for who, place in problem.pins.items())
    return Layout(people, posts, pinned, city, len(city.unit_cost))


def open_market(layout: Layout) -> Market:
    """Return a market where nothing is sold and everything is free."""
    from muster.planning.matching._auction import Market
    from muster.planning.matching._search import FAR

    people, posts, units = len(layout.people), len(layout.posts), layout.unit_count
    return Market(
        price=np.zeros(posts, np.int64),
        reserve=np.zeros(1, np.int64),
        placed=np.full(people, -2, np.int64),
        held=np.zeros(posts, np.int64),
        unfilled=np.zeros(posts, np.int64),
        bids=np.zeros(units, np.int64),
        holders=np.zeros(units, np.int64),
        idle_bids=np.zeros(people + 1, np.int64),
        idle_holders=np.zeros(people + 1, np.int64),
        counts=np.zeros(8, np.int64),
        free=np.zeros(people, np.int64),
        option_post=np.zeros(posts, np.int64),
        option_key=np.zeros(posts, np.int64),
        option_at=np.zeros(posts, np.int64),
        list_post=np.full((people, KEPT), -1, np.int32),
        list_cost=np.zeros((people, KEPT), np.int32),
        list_key=np.full((people, KEPT), FAR),
        limit=np.full(people, -FAR),
        lowest=np.zeros(len(layout.city.span), np.int64),
    )


def pair_cost(problem: Problem, responder: int, grid: int) -> int:
    """Return what a responder in a grid costs: the walk, less what the own grid is worth."""
    own = problem.weights.own_grid_m if problem.home[responder] == grid else 0
    return problem.walk_to(responder, grid) - own


def _room(problem: Problem, post: int) -> int:
    return int(problem.posts.need[post]) + int(problem.posts.spare[post])


def _placeable(problem: Problem) -> Longs:
    """Return who takes part: not pinned, and with a skill that is asked for."""
    asked = np.zeros(len(problem.skills) + 1, np.bool_)
    asked[problem.posts.skill] = True
    useful = np.zeros(problem.size, np.bool_)
    owner = np.repeat(np.arange(problem.size), np.diff(problem.skill_first))
    useful[owner[asked[problem.skill]]] = True
    useful[list(problem.pins)] = False
    return np.flatnonzero(useful)


def _starts(counts: list[int] | Longs) -> Longs:
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts


def _skills_of(problem: Problem, people: Longs) -> tuple[Longs, Longs]:
    counts = np.diff(problem.skill_first)[people]
    first = _starts(counts)
    at = np.repeat(problem.skill_first[people] - first[:-1], counts) + np.arange(first[-1])
    return first, problem.skill[at].astype(np.int64)


def _bars_of(problem: Problem, people: Longs) -> tuple[Longs, Longs]:
    number_of = np.full(problem.size, -1, np.int64)
    number_of[people] = np.arange(len(people))
    barred: list[tuple[int, int]] = sorted((int(number_of[who]), grid) for who, grid in problem.bars)
    barred = [(who, grid) for who, grid in barred if who >= 0]
    counts = np.bincount(np.asarray([who for who, _ in barred], np.int64), minlength=len(people))
    return _starts(counts), np.asarray([grid for _, grid in barred], np.int64)


def cost_of_seats(problem: Problem, responders: Longs, grids: Ints) -> Longs:
    """Return what each responder in the grid beside it costs."""
    if problem.walk_m is not None and problem.place is not None:
        walks = problem.walk_m[problem.place[responders], grids].astype(np.int64)
    else:
        east = problem.x_m[responders] - problem.grid_x_m[grids]
        north = problem.y_m[responders] - problem.grid_y_m[grids]
        straight = np.sqrt(east * east + north * north)
        walks = np.floor(straight * (problem.walk_permille / 1000.0) + 0.5).astype(np.int64)
    return walks - problem.weights.own_grid_m * (problem.home[responders] == grids)
