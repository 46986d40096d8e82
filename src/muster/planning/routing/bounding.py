# SPDX-License-Identifier: Apache-2.0
"""A cost that no plan can be below.

Tours are a forest of chains with two ways to a depot for each: the least such forest, with prices at the
stops that push them towards two neighbours each (Held and Karp 1971; Fisher 1994), or the ways out and back
that the loads need in any case (Haimovich and Rinnooy Kan 1985), whichever is more for each number of tours.
Windows and skills are not looked at. Where stops may be left out, half of their two shortest ways count.
"""

from __future__ import annotations

import math

import numpy as np

from muster.planning._kernel.arrays import Floats, Longs
from muster.planning._kernel.budget import Budget
from muster.planning.routing.problem import ANYWHERE, MUST, NEVER, NO_WAY, NONE, Problem

_WORK = 300_000_000
_MOST_ROUNDS, _LEAST_ROUNDS = 400, 6
_MOST_STOPS = 20_000
_HAIR = 1e-3


def bound(problem: Problem) -> int:
    """Return a lower bound on the cost of plans that serve every stop that has to be served."""
    return bound_within(problem, seconds=math.inf)


def bound_within(problem: Problem, *, seconds: float, known: int | None = None) -> int:
    """Return the bound that is reached in so many seconds; `known` is the cost of some plan."""
    n = problem.stops.size
    usable = problem.fleet.size > 0 and bool((problem.fleet.count > 0).any())
    if n == 0 or not usable:
        return 0
    simple = _half_ways(problem)
    if n > _MOST_STOPS or (problem.stops.penalty != MUST).any():
        return simple
    return max(simple, _forest(problem, Budget(seconds), known))


def _point_lengths(problem: Problem, points: Floats, place: Floats) -> Floats:
    far = np.sqrt(((points - place) ** 2).sum(axis=1)) * problem.ways.scale
    return np.floor(far + 0.5) if problem.ways.rounds else np.floor(far)


def _depot_ways(problem: Problem) -> tuple[Floats, Floats]:
    """Return for each stop the shortest way from any vehicle's start, and to any vehicle's end."""
    fleet, n = problem.fleet, problem.stops.size
    used = np.flatnonzero(fleet.count > 0)
    points = np.stack((problem.stops.x, problem.stops.y), axis=1)
    out, home = np.full(n, np.inf), np.full(n, np.inf)
    for depot in sorted(set(fleet.depot[used].tolist())):
        out = np.minimum(out, _to_depot(problem, points, depot, leaving=True))
    for depot in sorted(set(fleet.end[used].tolist())):
        ways = np.zeros(n) if depot == ANYWHERE else _to_depot(problem, points, depot, leaving=False)
        home = np.minimum(home, ways)
    return out, home


def _to_depot(problem: Problem, points: Floats, depot: int, *, leaving: bool) -> Floats:
    table = problem.ways.length
    if table is None:
        return _point_lengths(problem, points, np.asarray(problem.point(depot)))
    ways = table[depot, problem.depots.size :] if leaving else table[problem.depots.size :, depot]
    return ways.astype(np.float64)


def _half_ways(problem: Problem) -> int:
    """Return half of the shortest way in and out of each stop, or its penalty where that is less."""
    n = problem.stops.size
    out, home = _depot_ways(problem)
    points = np.stack((problem.stops.x, problem.stops.y), axis=1)
    table = problem.ways.length
    if table is None and n > 1:
        from scipy.spatial import cKDTree

        # Moved by a hair (a tree over many points on one spot is slow): a whole unit less is then certainly
        # not too much.
        moved = points + np.random.default_rng(0).uniform(-_HAIR, _HAIR, points.shape)
        far = np.asarray(cKDTree(moved).query(moved, k=2)[0])
        near = np.maximum(0.0, np.floor(far[:, 1] * problem.ways.scale) - 1.0)
        out, home = np.minimum(out, near), np.minimum(home, near)
    elif table is not None:
        inner = table[problem.depots.size :, problem.depots.size :].astype(np.float64)
        np.fill_diagonal(inner, np.inf)
        out = np.minimum(out, inner.min(axis=0, initial=np.inf))
        home = np.minimum(home, inner.min(axis=1, initial=np.inf))
    doubled = out + home
    penalty = problem.stops.penalty
    doubled = np.where(penalty == MUST, doubled, np.minimum(doubled, 2.0 * penalty))
    # A stop that no way reaches is left out in any plan; the rest is a bound without it.
    return -int(-doubled[doubled < NO_WAY].sum() // 2)


def _forest(problem: Problem, budget: Budget, known: int | None) -> int:
    from muster.planning.routing._trees import forest_bound, least_tree

    n, fleet = problem.stops.size, problem.fleet
    points = np.ascontiguousarray(np.stack((problem.stops.x, problem.stops.y), axis=1))
    table = np.zeros((1, 1), np.int32)
    if problem.ways.length is not None:
        inner = problem.ways.length[problem.depots.size :, problem.depots.size :]
        table = np.ascontiguousarray(np.minimum(inner, inner.T))
    out, home = _depot_ways(problem)
    low, high = _tours(problem)
    if low > high:
        return 0
    fixed = float(fleet.fixed_cost[fleet.count > 0].min())
    extra = fixed * np.arange(high + 1, dtype=np.float64)
    price = np.zeros(n)
    rounding = 0.5 if problem.ways.rounds else 0.0
    rounds = int(min(_MOST_ROUNDS, max(_LEAST_ROUNDS, _WORK // (n * n))))
    best, best_price, stretch = -math.inf, price, 1.0
    idle = 0
    for turn in range(rounds):
        least, other = least_tree(points, table, price, problem.ways.scale, rounding)
        cost, _, degree = forest_bound(least, other, out + price, home + price, extra, low, high)
        value = cost - 2.0 * float(price.sum())
        if value > best:
            best, best_price, idle = value, price, 0
        else:
            idle += 1
            if idle >= 5:
                stretch, idle, price = stretch / 2, 0, best_price
        pull = degree - 2
        norm = float((pull * pull).sum())
        if norm == 0 or (turn and budget.spent()):
            break
        goal = float(known) if known is not None and known > best else best * 1.05 + 1.0
        price = price + stretch * max(1.0, goal - value) / norm * pull
    return max(math.ceil(best - 1e-3), _radial(problem, out + home, low, high, extra))


def _tours(problem: Problem) -> tuple[int, int]:
    """Return how few and how many tours there can be."""
    fleet, stops = problem.fleet, problem.stops
    used = fleet.count > 0
    high = int(min(stops.size, fleet.count[used].sum()))
    if any(pin.driven for pin in problem.pins):
        return 1, high
    load = int(stops.demand[stops.partner == NONE].sum())
    room, most = int(fleet.capacity[used].max()), int(fleet.most_stops[used].max())
    least = 1
    if room < NEVER:
        least = max(least, -(-load // room) if room else (stops.size if load else 1))
    if most < NEVER:
        least = max(least, -(-stops.size // most) if most else stops.size + 1)
    return least, high


def _radial(problem: Problem, ways: Floats, low: int, high: int, extra: Floats) -> int:
    """Return what ways out and back cost at least when vehicles are full."""
    fleet, stops = problem.fleet, problem.stops
    used = fleet.count > 0
    if problem.ways.length is not None or any(pin.driven for pin in problem.pins):
        return 0
    # Each leg may be this much shorter than the straight line, and `ways` as much longer.
    slip = 0.5 if problem.ways.rounds else 1.0
    ways = np.maximum(0.0, ways - 2.0 * slip)
    found = 0.0
    load: Longs = np.where(stops.partner == NONE, stops.demand, 0)
    for weight, most in (
        (load, int(fleet.capacity[used].max())),
        (np.ones(stops.size), int(fleet.most_stops[used].max())),
    ):
        if 0 < most < NEVER:
            found = max(found, float((ways * weight).sum()) / most)
    # More tours have more legs, each of which may be rounded down.
    value = found - slip * (stops.size + low) + extra[low]
    if low < high and slip > extra[1] - extra[0]:
        value = found - slip * (stops.size + high) + extra[high]
    return max(0, math.floor(value))
