# SPDX-License-Identifier: Apache-2.0
"""Small routing problems for tests, and the least cost of one by trying everything."""

from functools import cache
from itertools import pairwise, permutations

import numpy as np

from muster.planning.routing import make_problem

NEVER = 1 << 60


def village(seed, stops=6, **changes):
    """Return a problem with windows, skills, several depots and vehicles, stops that may be left out."""
    rng = np.random.default_rng(seed)

    def sometimes(share, low, high, count, otherwise=None):
        return [int(rng.integers(low, high)) if rng.random() < share else otherwise for _ in range(count)]

    side = 3_000
    kinds = int(rng.integers(1, 3))
    facts = {
        "stops": {
            "x_m": rng.integers(0, side, stops).tolist(),
            "y_m": rng.integers(0, side, stops).tolist(),
            "demand": rng.integers(1, 8, stops).tolist(),
            "service_s": rng.integers(0, 600, stops).tolist(),
            "open_s": sometimes(0.4, 0, 5_000, stops, 0),
            "close_s": [
                int(rng.integers(5_000, 12_000)) if rng.random() < 0.4 else None for _ in range(stops)
            ],
            "skills": [["nurse"] if rng.random() < 0.2 else [] for _ in range(stops)],
            "penalty": sometimes(0.4, 500, 4_000, stops),
        },
        "depots": {"name": ["east", "west"], "x_m": [0, side], "y_m": [0, side]},
        "vehicles": {
            "name": ["van", "bike"][:kinds],
            "depot": ["east", "west"][:kinds],
            "end": [[None, "east", "anywhere"][int(rng.integers(3))] for _ in range(kinds)],
            "count": rng.integers(1, 3, kinds).tolist(),
            "capacity": rng.integers(10, 25, kinds).tolist(),
            "shift_start_s": rng.integers(0, 1_000, kinds).tolist(),
            "shift_end_s": rng.integers(9_000, 20_000, kinds).tolist(),
            "max_stops": rng.integers(3, 6, kinds).tolist(),
            "max_time_s": sometimes(0.5, 6_000, 12_000, kinds),
            "max_distance_m": sometimes(0.5, 8_000, 20_000, kinds),
            "fixed_cost": rng.integers(0, 2_000, kinds).tolist(),
            "skills": [["nurse"], []][:kinds],
        },
        "metres_per_minute": 100,
    }
    return make_problem(**(facts | changes))


def transfers(seed, pairs=3, **changes):
    """Return a problem of pick-ups with their deliveries."""
    rng = np.random.default_rng(seed)
    stops, side = 2 * pairs, 5_000
    facts = {
        "stops": {
            "x_m": rng.integers(0, side, stops).tolist(),
            "y_m": rng.integers(0, side, stops).tolist(),
            "demand": [int(rng.integers(1, 3)) for _ in range(pairs)] + [0] * pairs,
            "service_s": [120] * stops,
            "open_s": [int(rng.integers(0, 3_000)) if rng.random() < 0.5 else 0 for _ in range(stops)],
            "close_s": [
                int(rng.integers(4_000, 9_000)) if rng.random() < 0.5 else None for _ in range(stops)
            ],
        },
        "depots": {"x_m": [side // 2], "y_m": [side // 2]},
        "vehicles": {
            "name": ["car"],
            "count": [2],
            "capacity": [3],
            "shift_end_s": [14_000],
            "max_time_s": [int(rng.integers(7_000, 12_000))],
        },
        "pairs": [[str(k + 1), str(pairs + k + 1)] for k in range(pairs)],
        "metres_per_minute": 200,
    }
    return make_problem(**(facts | changes))


def drive(problem, kind, order):
    """Return the length of a route, or None when a rule forbids it."""
    fleet, stops, depots = problem.fleet, problem.stops, problem.depots.size
    if len(order) > fleet.most_stops[kind]:
        return None
    board = sum(int(stops.demand[s]) for s in order if stops.partner[s] < 0)
    if board > fleet.capacity[kind]:
        return None
    seen = set()
    for stop in order:
        if int(stops.skills[stop]) & ~int(fleet.skills[kind]):
            return None
        if stops.partner[stop] >= 0:
            if not stops.picks[stop] and int(stops.partner[stop]) not in seen:
                return None
            if int(stops.partner[stop]) not in order:
                return None
        seen.add(stop)
        board += int(stops.demand[stop]) if stops.picks[stop] else -int(stops.demand[stop])
        if board > fleet.capacity[kind]:
            return None
    places = [int(fleet.depot[kind]), *(depots + stop for stop in order)]
    ends = int(fleet.end[kind])
    if ends >= 0:
        places.append(ends)
    length = sum(problem.length_between(a, b) for a, b in pairwise(places))
    if length > fleet.most_length[kind]:
        return None
    begin = int(fleet.shift_start[kind])
    # To leave later helps only up to where some stop would be reached just as it opens.
    leaves, gone = {begin}, 0
    for a, b in pairwise(places):
        gone += problem.time_between(a, b)
        if b >= depots:
            leaves.add(max(begin, int(stops.opens[b - depots]) - gone))
            gone += int(stops.service[b - depots])
    return length if any(_on_time(problem, kind, places, leave) for leave in leaves) else None


def _on_time(problem, kind, places, leave):
    fleet, stops, depots = problem.fleet, problem.stops, problem.depots.size
    clock = leave
    for a, b in pairwise(places):
        clock += problem.time_between(a, b)
        if b >= depots:
            clock = max(clock, int(stops.opens[b - depots]))
            if clock > stops.closes[b - depots]:
                return False
            clock += int(stops.service[b - depots])
    return clock <= fleet.shift_end[kind] and clock - leave <= fleet.most_time[kind]


def least_cost(problem):
    """Return the least cost with every stop served that has to be; None when there is no such plan."""
    n = problem.stops.size
    vehicles = [kind for kind in range(problem.fleet.size) for _ in range(int(problem.fleet.count[kind]))]

    @cache
    def tour(kind, chosen):
        members = [s for s in range(n) if chosen >> s & 1]
        lengths = [drive(problem, kind, order) for order in permutations(members)]
        known = [length for length in lengths if length is not None]
        return min(known) + int(problem.fleet.fixed_cost[kind]) if known else None

    @cache
    def rest(number, left):
        if number == len(vehicles):
            penalties = [int(problem.stops.penalty[s]) for s in range(n) if left >> s & 1]
            return None if -1 in penalties else sum(penalties)
        best = rest(number + 1, left)
        chosen = left
        while chosen:
            here = tour(vehicles[number], chosen)
            if here is not None:
                later = rest(number + 1, left & ~chosen)
                if later is not None and (best is None or here + later < best):
                    best = here + later
            chosen = (chosen - 1) & left
        return best

    return rest(0, (1 << n) - 1)
