# SPDX-License-Identifier: Apache-2.0
"""From tours to a plan: names, times, the cost, and for each stop left out the reason."""

from __future__ import annotations

from dataclasses import replace

from muster.planning.contract import Status
from muster.planning.routing.grounding import Field, driven_so_far
from muster.planning.routing.parting import Layout
from muster.planning.routing.plan import LeftOut, Plan, Route
from muster.planning.routing.problem import ANYWHERE, MUST, NEVER, Pin, Problem
from muster.planning.routing.reasons import why_left_out


def plan_of(problem: Problem, field: Field, layout: Layout, *, seed: int) -> Plan:
    """Return the plan of these tours; its bound is not known yet."""
    from muster.planning.routing import _ground

    kinds = field.ground.vehicle[:, _ground.KIND]
    tours: list[tuple[int, Pin | None, list[int]]] = []
    empty = {number: pin for number, pin in enumerate(field.pin_of) if pin is not None and pin.driven}
    for k, vehicle in enumerate(layout.vehicle.tolist()):
        kind = int(kinds[vehicle])
        empty.pop(kind, None)
        stops = field.stops[layout.stops[layout.first[k] : layout.first[k + 1]]].tolist()
        tours.append((field.kind_of[kind], field.pin_of[kind], stops))
    tours += [(field.kind_of[kind], pin, []) for kind, pin in empty.items()]
    routes = _named(problem, tours)
    served = {name for route in routes for name in route.stops}
    missing = [number for number, name in enumerate(problem.stops.names) if name not in served]
    left_out = why_left_out(problem, missing)
    names = {name: number for number, name in enumerate(problem.fleet.names)}
    cost = sum(route.length for route in routes)
    cost += sum(_fixed(problem, names, route.vehicle) for route in routes)
    penalties = problem.stops.penalty[missing]
    cost += int(penalties[penalties != MUST].sum())
    lacking = bool((penalties == MUST).any())
    return Plan(
        routes=tuple(routes),
        left_out=tuple(LeftOut(problem.stops.names[stop], code, facts) for stop, code, facts in left_out),
        status=Status.INFEASIBLE if lacking else Status.FEASIBLE,
        objective=cost,
        bound=0,
        seed=seed,
        divisor=problem.divisor,
        field_form=problem.units == "file",
    )


def _fixed(problem: Problem, names: dict[str, int], vehicle: str) -> int:
    kind = names.get(vehicle)
    if kind is None or int(problem.fleet.count[kind]) != 1:
        kind = names[vehicle.rpartition("-")[0]]
    return int(problem.fleet.fixed_cost[kind])


def _named(problem: Problem, tours: list[tuple[int, Pin | None, list[int]]]) -> list[Route]:
    """Give tours to vehicles by name: what is fixed first, then in the order of their first stops."""
    numbers = {name: number for number, name in enumerate(problem.stops.names)}
    taken = {pin.vehicle for pin in problem.pins}
    free = {
        kind: iter([name for name in problem.fleet.vehicle_names(kind) if name not in taken])
        for kind in sorted({kind for kind, pin, _ in tours if pin is None})
    }
    found: list[tuple[int, int, Route]] = []
    places = {name: (kind, at) for kind in free for at, name in enumerate(problem.fleet.vehicle_names(kind))}
    for kind, pin, stops in sorted(tours, key=lambda tour: (tour[0], tour[2][0] if tour[2] else -1)):
        vehicle = pin.vehicle if pin is not None else next(free[kind])
        driven = [numbers[name] for name in pin.driven] if pin is not None else []
        at = places.get(vehicle, (kind, -1))
        found.append((*at, route_of(problem, kind, vehicle, driven, stops, pin)))
    return [route for *_, route in sorted(found, key=lambda one: (one[0], one[1], one[2].vehicle))]


def route_of(
    problem: Problem, kind: int, vehicle: str, driven: list[int], stops: list[int], pin: Pin | None
) -> Route:
    """Return a route with its times: a vehicle leaves as late as it can without losing time on the way."""
    fleet, columns, depots = problem.fleet, problem.stops, problem.depots.size
    begins, length = [], 0
    place, clock = int(fleet.depot[kind]), int(fleet.shift_start[kind])
    start = clock
    for stop in driven:
        there = depots + stop
        length += problem.length_between(place, there)
        clock = max(clock + problem.time_between(place, there), int(columns.opens[stop]))
        begins.append(clock)
        clock += int(columns.service[stop])
        place = there
    slack = NEVER
    if driven and pin is not None:
        _, clock, _ = driven_so_far(problem, kind, pin)
        slack = 0
    elif stops:
        slack = int(fleet.shift_end[kind]) - clock
    saved = 0
    for stop in stops:
        there = depots + stop
        length += problem.length_between(place, there)
        arrival = clock + problem.time_between(place, there)
        clock = max(arrival, int(columns.opens[stop]))
        later = min(clock - arrival, slack)
        saved += later
        slack = min(slack - later, int(columns.closes[stop]) - clock)
        begins.append(clock)
        clock += int(columns.service[stop])
        place = there
    if int(fleet.end[kind]) != ANYWHERE:
        length += problem.length_between(place, int(fleet.end[kind]))
        clock += problem.time_between(place, int(fleet.end[kind]))
    # Leaving later moves the begins before the last wait: reckon them again from the later start.
    start += saved
    if saved:
        begins, place, late = [], int(fleet.depot[kind]), start
        for stop in stops:
            there = depots + stop
            late = max(late + problem.time_between(place, there), int(columns.opens[stop]))
            begins.append(late)
            late += int(columns.service[stop])
            place = there
    names = tuple(columns.names[stop] for stop in (*driven, *stops))
    return Route(vehicle, names, tuple(begins), start, clock, length)


def with_bound(plan: Plan, bound: int) -> Plan:
    """Return the plan with its bound; it is OPTIMAL when nothing can be less."""
    if plan.status is Status.INFEASIBLE:
        return replace(plan, bound=0)
    bound = min(bound, plan.objective)
    status = Status.OPTIMAL if bound == plan.objective else Status.FEASIBLE
    return replace(plan, bound=bound, status=status)
