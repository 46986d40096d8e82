# SPDX-License-Identifier: Apache-2.0
"""Solving a matching problem: auction phases with a falling step, until the prices prove the plan."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning._kernel.budget import Budget
from muster.planning.contract import Progress, Step, report
from muster.planning.matching.market import Layout, cost_of_seats, lay_out, open_market
from muster.planning.matching.plan import Plan, Prices
from muster.planning.matching.problem import Problem, require_lawful
from muster.planning.matching.teams import gather, team_cost

if TYPE_CHECKING:
    from muster.planning.matching._auction import Market

# Between two looks at the clock and the person who waits.
_BIDS_A_TURN = 20_000


@dataclass(frozen=True, slots=True)
class Effort:
    """How the auction goes: its first step in metres, how fast steps fall, and how many there are at most.

    None for `most_phases`: until the plan is proved. `team_rounds` is how often each team looks for a
    better common grid.
    """

    first_step_m: int = 4_000
    divisor: int = 5
    most_phases: int | None = None
    team_rounds: int = 3


@dataclass(frozen=True, slots=True)
class Deal:
    """What stands after a phase: the post of each person (-1: idle), prices relative to the reserve."""

    placed: Longs
    price: Longs
    objective: int
    bound: int | None


_DEFAULT_EFFORT = Effort()


def solve(
    problem: Problem,
    *,
    budget_s: float,
    seed: int,
    executor: Executor | None = None,  # the auction is one chain of bids
    progress: Progress | None = None,
    effort: Effort = _DEFAULT_EFFORT,
) -> Plan:
    """Match responders to posts; given time the plan is the best of all and its prices prove it.

    The same problem gives the same plan whatever the seed, unless the budget ends first. Raises BadProblem,
    Cancelled.
    """
    require_lawful(problem)
    budget = Budget(budget_s)
    layout = lay_out(problem)
    best: Deal | None = None
    for deal in _phases(layout, budget, effort, progress):
        # A bound belongs to its prices: both are the last phase's, the seats are the best of all.
        if best is None or deal.objective <= best.objective:
            best = deal
        else:
            best = Deal(best.placed, deal.price, best.objective, deal.bound)
    assert best is not None
    return _plan(problem, layout, best, seed=seed, effort=effort)


def _phases(layout: Layout, budget: Budget, effort: Effort, progress: Progress | None) -> Iterator[Deal]:
    """Yield a deal after each phase, the last one proved or as good as the budget allowed."""
    from muster.planning.matching import _auction

    city, market = layout.city, open_market(layout)
    step = effort.first_step_m * city.scale
    phases = _count_phases(step, effort)
    for phase in range(phases):
        _auction.clear(city, market)
        while True:
            _auction.bid(city, market, step, _depth(step // city.scale), _BIDS_A_TURN)
            if market.counts[_auction.N_FREE] == 0 or budget.spent():
                break
            report(progress, Step("bid", phase, phases))
        whole = market.counts[_auction.N_FREE] == 0
        if not whole and phase > 0:
            return
        last = phase + 1 == phases or not whole or budget.spent()
        deal = _deal(layout, market, prove=last or _may_prove(layout, step))
        report(progress, Step("bid", phase + 1, phases, deal.objective, deal.bound))
        yield deal
        if last or deal.bound == deal.objective:
            return
        step = max(1, step // effort.divisor)


def _count_phases(step: int, effort: Effort) -> int:
    phases = 1
    while step > 1:
        step = max(1, step // effort.divisor)
        phases += 1
    return phases if effort.most_phases is None else min(phases, effort.most_phases)


def _depth(step_m: int) -> int:
    """Return how many posts to keep in mind: with large steps a list is soon of no use."""
    for least_step, depth in ((1_000, 3), (200, 6), (40, 12), (8, 20)):
        if step_m >= least_step:
            return depth
    return 32


def _may_prove(layout: Layout, step: int) -> bool:
    """A phase leaves at most one step per person open: looking for the bound earlier is lost time."""
    return len(layout.people) * step < 20 * layout.city.scale


def _deal(layout: Layout, market: Market, *, prove: bool) -> Deal:
    from muster.planning.matching import _auction, _dual

    city = layout.city
    placed = market.placed.copy()
    if market.counts[_auction.N_FREE] > 0:
        room = np.diff(city.unit_first) - market.held
        _dual.seat_rest(city, placed, room, np.zeros_like(market.price), np.zeros_like(market.lowest))
    reserve = int(market.reserve[0])
    price = market.price - reserve
    bound = prove_bound(layout, price) if prove else None
    return Deal(placed, price, _objective(layout, placed), bound)


def prove_bound(layout: Layout, price: Longs) -> int:
    """Return the least that any plan can cost, as far as these prices (relative to the reserve) tell."""
    from muster.planning.matching import _dual
    from muster.planning.matching._search import lowest_prices

    city = layout.city
    lowest = np.zeros(len(city.span), np.int64)
    lowest_prices(city, price, lowest)
    people = _dual.least_keys(city, price, lowest, 0, 0, len(layout.people))
    units = _dual.least_units(city, price, 0)
    total = sum(int(whole) * city.scale + int(rest) for whole, rest in (people, units))
    # Costs are whole numbers, so the least cost is the next whole number up.
    return -(-total // city.scale) + layout.pinned_cost


def _objective(layout: Layout, placed: Longs) -> int:
    from muster.planning.matching._search import seat_costs

    city = layout.city
    seated = np.flatnonzero(placed >= 0)
    held = np.bincount(placed[seated], minlength=len(layout.posts))
    total = layout.pinned_cost + int(seat_costs(city, placed))
    before = np.concatenate(([0], np.cumsum(city.unit_cost)))
    left = city.unit_first[1:] - held
    return total + int((before[left] - before[city.unit_first[:-1]]).sum())


def _plan(problem: Problem, layout: Layout, deal: Deal, *, seed: int, effort: Effort) -> Plan:
    grid_of = np.full(problem.size, -1, np.int32)
    skill_of = np.full(problem.size, -1, np.int32)
    seated = deal.placed >= 0
    posts = layout.posts[deal.placed[seated]]
    grid_of[layout.people[seated]] = problem.posts.grid[posts]
    skill_of[layout.people[seated]] = problem.posts.skill[posts]
    for who, (grid, skill) in problem.pins.items():
        grid_of[who], skill_of[who] = grid, skill
    objective = deal.objective
    if problem.weights.team_m > 0 and (problem.team >= 0).any():
        before = int(cost_of_seats(problem, *_seats(grid_of)).sum())
        grid_of, skill_of = gather(problem, grid_of, skill_of, rounds=effort.team_rounds)
        after = int(cost_of_seats(problem, *_seats(grid_of)).sum())
        objective += after - before + team_cost(problem, grid_of)
    price = np.zeros(len(problem.posts.grid), np.int64)
    price[layout.posts] = deal.price
    bound = deal.bound if deal.bound is not None else prove_bound(layout, deal.price)
    return Plan(
        responders=problem.responders,
        grids=problem.grids,
        skills=problem.skills,
        grid_of=grid_of,
        skill_of=skill_of,
        post_grid=problem.posts.grid,
        post_skill=problem.posts.skill,
        prices=Prices(layout.city.scale, price),
        objective=objective,
        bound=bound,
        seed=seed,
    )


def _seats(grid_of: np.ndarray) -> tuple[Longs, np.ndarray]:
    seated = np.flatnonzero(grid_of >= 0)
    return seated, grid_of[seated]
