# SPDX-License-Identifier: Apache-2.0
"""Looking over a plan of routes with other means than those that made it: one function for each hard rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from muster.planning.contract import Status, Violation
from muster.planning.routing.plan import Plan, Route
from muster.planning.routing.problem import ANYWHERE, MUST, NEVER, NONE, Pin, Problem

_EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class _Driven:
    """A route with its vehicle's kind, the numbers of its stops, and its pin."""

    route: Route
    kind: int
    stops: list[int]
    pin: Pin

    @property
    def behind(self) -> int:
        return len(self.pin.driven)


def check(problem: Problem, plan: Plan) -> list[Violation]:
    """Return what is wrong with the plan; an empty list means that it keeps every rule."""
    found = [*each_stop_once(problem, plan), *vehicles_are_known(problem, plan)]
    if found:
        return found
    numbers = {name: number for number, name in enumerate(problem.stops.names)}
    kinds = _kinds(problem)
    fixed = {pin.vehicle: pin for pin in problem.pins}
    drives = [
        _Driven(
            route,
            kinds[route.vehicle],
            [numbers[name] for name in route.stops],
            fixed.get(route.vehicle, Pin(route.vehicle)),
        )
        for route in plan.routes
    ]
    violations = [*only_what_may_be_is_left_out(problem, plan)]
    for rule in (
        load_is_within_capacity,
        windows_are_kept,
        times_follow_the_way,
        shift_is_kept,
        stops_are_within_the_limit,
        length_is_within_the_limit,
        time_is_within_the_limit,
        vehicle_has_the_skills,
        pickup_is_before_its_delivery,
        driven_stops_stay_first,
        length_is_true,
    ):
        violations += [violation for drive in drives for violation in rule(problem, drive)][:_EXAMPLES]
    violations += pinned_stops_stay(problem, plan)
    violations += objective_adds_up(problem, plan, drives)
    violations += bound_is_not_above(plan)
    return violations


def _kinds(problem: Problem) -> dict[str, int]:
    kinds = {}
    for kind in range(problem.fleet.size):
        for name in problem.fleet.vehicle_names(kind):
            kinds[name] = kind
    return kinds


def each_stop_once(problem: Problem, plan: Plan) -> list[Violation]:
    """Every stop stands in the plan exactly once: on a route, or among those left out."""
    listed = Counter(name for route in plan.routes for name in route.stops)
    listed.update(left.stop for left in plan.left_out)
    wanted = Counter(problem.stops.names)
    different = sorted(name for name in listed | wanted if listed[name] != wanted[name])
    return [
        Violation("each_stop_once", name, {"times": listed[name], "expected": wanted[name]})
        for name in different[:_EXAMPLES]
    ]


def vehicles_are_known(problem: Problem, plan: Plan) -> list[Violation]:
    """Vehicles are those of the problem, and each drives one route at most."""
    kinds = _kinds(problem)
    times = Counter(route.vehicle for route in plan.routes)
    strange = sorted(name for name, count in times.items() if name not in kinds or count > 1)
    return [Violation("vehicles_are_known", name, {"routes": times[name]}) for name in strange[:_EXAMPLES]]


def only_what_may_be_is_left_out(problem: Problem, plan: Plan) -> list[Violation]:
    """Stops that have to be served are left out only in a plan that says it is infeasible."""
    penalty = dict(zip(problem.stops.names, problem.stops.penalty.tolist(), strict=True))
    lacking = [left.stop for left in plan.left_out if penalty[left.stop] == MUST]
    if bool(lacking) == (plan.status is Status.INFEASIBLE):
        return []
    where = lacking[0] if lacking else ""
    return [Violation("only_what_may_be_is_left_out", where, {"left_out": len(lacking)})]


def load_is_within_capacity(problem: Problem, drive: _Driven) -> Iterator[Violation]:
    """From where the vehicle now is, what is on board never exceeds its capacity.

    Stops of no pair get what the vehicle carries from the start; pairs are on board between their two stops.
    """
    stops, capacity = problem.stops, int(problem.fleet.capacity[drive.kind])
    ahead = drive.stops[drive.behind :]
    board = 0
    for stop in ahead:
        if stops.partner[stop] == NONE or (not stops.picks[stop] and int(stops.partner[stop]) not in ahead):
            board += int(stops.demand[stop])
    most = board
    for stop in ahead:
        board += int(stops.demand[stop]) if stops.picks[stop] else -int(stops.demand[stop])
        most = max(most, board)
    if most > capacity:
        yield Violation("load_is_within_capacity", drive.route.vehicle, {"load": most, "capacity": capacity})


def windows_are_kept(problem: Problem, drive: _Driven) -> Iterator[Violation]:
    """Service begins within the window of each stop that is not yet driven."""
    for place, (stop, begin) in enumerate(zip(drive.stops, drive.route.begins, strict=True)):
        opens, closes = int(problem.stops.opens[stop]), int(problem.stops.closes[stop])
        if place >= drive.behind and not opens <= begin <= closes:
            facts = {"begin": begin, "opens": opens, "closes": closes}
            yield Violation("windows_are_kept", problem.stops.names[stop], facts)


def times_follow_the_way(problem: Problem, drive: _Driven) -> Iterator[Violation]:
    """No service begins before the vehicle can be there, and the route does not end sooner than it can."""
    fleet, depots = problem.fleet, problem.depots.size
    place, free = int(fleet.depot[drive.kind]), drive.route.start
    for number, (stop, begin) in enumerate(zip(drive.stops, drive.route.begins, strict=True)):
        earliest = free + problem.time_between(place, depots + stop)
        if begin < earliest and number >= drive.behind:
            facts = {"begin": begin, "earliest": earliest}
            yield Violation("times_follow_the_way", problem.stops.names[stop], facts)
        free = begin + int(problem.stops.service[stop])
        if number == drive.behind - 1 and drive.pin.free_at is not None:
            free = drive.pin.free_at
        place = depots + stop
    if int(fleet.end[drive.kind]) != ANYWHERE and drive.stops:
        free += problem.time_between(place, int(fleet.end[drive.kind]))
    if drive.route.end < free:
        facts = {"end": drive.route.end, "earliest": free}
        yield Violation("times_follow_the_way", drive.route.vehicle, facts)


def shift_is_kept(problem: Problem, drive: _Driven) -> Iterator[Violation]:
    """A vehicle leaves and is back within its shift (one that has only its way home left may be late)."""
    start, end = int(problem.fleet.shift_start[drive.kind]), int(problem.fleet.shift_end[drive.kind])
    ahead = len(drive.stops) > drive.behind
    if drive.route.start < start or (ahead and drive.route.end > end):
        facts = {"start": drive.route.start, "end": drive.route.end, "from": start, "until": end}
        yield Violation("shift_is_kept", drive.route.vehicle, facts)


def stops_are_within_the_limit(problem: Problem, drive: _Driven) -> Iterator[Violation]:
    """A vehicle makes no more stops than it may."""
    most = int(problem.fleet.most_stops[drive.kind])
    if len(drive.stops) > max(most, drive.behind):
        facts = {"stops": len(drive.stops), "most": most}
        yield Violation("stops_are_within_the_limit", drive.route.vehicle, facts)


def _length(problem: Problem, drive: _Driven) -> int:
    depots = problem.depots.size
    places = [int(problem.fleet.depot[drive.kind]), *(depots + stop for stop in drive.stops)]
    if int(problem.fleet.end[drive.kind]) != ANYWHERE:
        places.append(int(problem.fleet.end[drive.kind]))
    return sum(problem.length_between(a, b) for a, b in pairwise(places))


def length_is_within_the_limit(problem: Problem, drive: _Driven) -> Iterator[Violation]:
    """A vehicle drives no farther than it may, and only where there is a way."""
    length, most = _length(problem, drive), int(problem.fleet.most_length[drive.kind])
    if length >= NEVER or (length > most and len(drive.stops) > drive.behind):
        facts = {"length": length, "most": most}
        yield Violation("length_is_within_the_limit", drive.route.vehicle, facts)


def time_is_within_the_limit(problem: Problem, drive: _Driven) -> Iterator[Violation]:
    """A vehicle is not under way for longer than it may."""
    most = int(problem.fleet.most_time[drive.kind])
    if drive.route.end - drive.route.start > most and len(drive.stops) > drive.behind:
        facts = {"time": drive.route.end - drive.route.start, "most": most}
        yield Violation("time_is_within_the_limit", drive.route.vehicle, facts)


def vehicle_has_the_skills(problem: Problem, drive: _Driven) -> Iterator[Violation]:
    """A vehicle has every skill that its stops ask for."""
    for stop in drive.stops[drive.behind :]:
        lacking = int(problem.stops.skills[stop]) & ~int(problem.fleet.skills[drive.kind])
        if lacking:
            words = [word for bit, word in enumerate(problem.skill_names) if lacking >> bit & 1]
            facts = {"vehicle": drive.route.vehicle, "skills": ", ".join(words)}
            yield Violation("vehicle_has_the_skills", problem.stops.names[stop], facts)


def pickup_is_before_its_delivery(problem: Problem, drive: _Driven) -> Iterator[Violation]:
    """The two halves of a pair are on one route, the pick-up first."""
    order = {stop: place for place, stop in enumerate(drive.stops)}
    for stop in drive.stops:
        partner = int(problem.stops.partner[stop])
        if partner == NONE:
            continue
        first, second = (stop, partner) if problem.stops.picks[stop] else (partner, stop)
        half_driven = stop == first and order[stop] < drive.behind and second not in order
        if not half_driven and not order.get(first, 1 << 40) < order.get(second, -1):
            yield Violation("pickup_is_before_its_delivery", problem.stops.names[stop])


def driven_stops_stay_first(problem: Problem, drive: _Driven) -> Iterator[Violation]:
    """What a vehicle has driven stands first, in the order driven."""
    if drive.route.stops[: drive.behind] != drive.pin.driven:
        yield Violation("driven_stops_stay_first", drive.route.vehicle, {"stops": drive.behind})


def length_is_true(problem: Problem, drive: _Driven) -> Iterator[Violation]:
    """The length stated is that of the route."""
    length = _length(problem, drive)
    if length != drive.route.length:
        yield Violation(
            "length_is_true", drive.route.vehicle, {"stated": drive.route.length, "found": length}
        )


def pinned_stops_stay(problem: Problem, plan: Plan) -> list[Violation]:
    """Stops that a person gave to a vehicle are on its route (or left out), and driven ones are not lost."""
    vehicle = {name: route.vehicle for route in plan.routes for name in route.stops}
    left = {one.stop for one in plan.left_out}
    return [
        Violation("pinned_stops_stay", name, {"vehicle": pin.vehicle})
        for pin in problem.pins
        for name in (*pin.driven, *pin.stops)
        if vehicle.get(name) != pin.vehicle and not (name in left and name in pin.stops)
    ][:_EXAMPLES]


def objective_adds_up(problem: Problem, plan: Plan, drives: list[_Driven]) -> list[Violation]:
    """The objective is lengths, fixed costs of vehicles used, and penalties of stops left out."""
    penalty = dict(zip(problem.stops.names, problem.stops.penalty.tolist(), strict=True))
    cost = sum(_length(problem, drive) + int(problem.fleet.fixed_cost[drive.kind]) for drive in drives)
    cost += sum(max(0, penalty[left.stop]) for left in plan.left_out if penalty[left.stop] != MUST)
    if cost == plan.objective:
        return []
    return [Violation("objective_adds_up", "", {"stated": plan.objective, "found": cost})]


def bound_is_not_above(plan: Plan) -> list[Violation]:
    """The bound is not above the objective, and equals it in a plan that says it is the best."""
    proved = plan.status is Status.OPTIMAL
    if plan.bound <= plan.objective and (not proved or plan.bound == plan.objective):
        return []
    return [Violation("bound_is_not_above", "", {"bound": plan.bound, "objective": plan.objective})]
