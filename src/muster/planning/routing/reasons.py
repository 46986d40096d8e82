# SPDX-License-Identifier: Apache-2.0
"""Why a stop cannot be served: looked at alone with each vehicle, then together with the others."""

from __future__ import annotations

from muster.planning.contract import Json
from muster.planning.routing.problem import ANYWHERE, MUST, NEVER, NONE, Problem

Why = tuple[int, str, dict[str, Json]]


def why_left_out(problem: Problem, missing: list[int]) -> list[Why]:
    """Return for each stop left out a message code and its facts."""
    only = {name: pin.vehicle for pin in problem.pins for name in (*pin.driven, *pin.stops)}
    return [(stop, *_why(problem, stop, only)) for stop in missing]


def _why(problem: Problem, stop: int, only: dict[str, str]) -> tuple[str, dict[str, Json]]:
    stops, fleet = problem.stops, problem.fleet
    name = stops.names[stop]
    facts: dict[str, Json] = {"stop": name}
    kinds = [kind for kind in range(fleet.size) if int(fleet.count[kind]) > 0]
    if name in only:
        kinds = [problem.vehicle_of[only[name]]]
        facts["vehicle"] = only[name]
    if not kinds:
        return "planning.routing.no_vehicle", facts
    partner = int(stops.partner[stop])
    asked = int(stops.skills[stop]) | (int(stops.skills[partner]) if partner != NONE else 0)
    able = [kind for kind in kinds if not asked & ~int(fleet.skills[kind])]
    if not able:
        words = [word for bit, word in enumerate(problem.skill_names) if asked >> bit & 1]
        return "planning.routing.no_skill", {**facts, "skills": ", ".join(words)}
    room = max(int(fleet.capacity[kind]) for kind in able)
    if int(stops.demand[stop]) > room:
        return "planning.routing.too_heavy", {**facts, "demand": int(stops.demand[stop]), "most": room}
    able = [kind for kind in able if int(fleet.capacity[kind]) >= int(stops.demand[stop])]
    alone = [_alone(problem, kind, stop) for kind in able]
    if all(reason for reason in alone):
        code, more = max(
            (reason for reason in alone if reason), key=lambda reason: _NEARNESS.index(reason[0])
        )
        return f"planning.routing.{code}", {**facts, **more}
    if int(stops.penalty[stop]) != MUST:
        return "planning.routing.not_worth", {**facts, "penalty": int(stops.penalty[stop])}
    load = int(stops.demand[stops.partner == NONE].sum())
    rooms = sum(int(fleet.capacity[kind]) * int(fleet.count[kind]) for kind in kinds)
    if rooms < load and name not in only:
        return "planning.routing.fleet_short", {**facts, "demand": load, "room": rooms, "short": load - rooms}
    return "planning.routing.fleet_full", facts


# How near a vehicle comes to serving a stop, the reason that says most last.
_NEARNESS = ("no_way", "too_far", "no_stops", "window_closed", "shift_short")


def _alone(problem: Problem, kind: int, stop: int) -> tuple[str, dict[str, Json]] | None:
    """Return why a vehicle cannot serve a stop (and its partner) even with no other; None when it can."""
    fleet, stops, depots = problem.fleet, problem.stops, problem.depots.size
    partner = int(stops.partner[stop])
    visits = [stop] if partner == NONE else [stop, partner] if stops.picks[stop] else [partner, stop]
    if len(visits) > int(fleet.most_stops[kind]):
        return "no_stops", {}
    place, length = int(fleet.depot[kind]), 0
    clock = int(fleet.shift_start[kind])
    busy = 0
    for visit in visits:
        there = depots + visit
        length += problem.length_between(place, there)
        busy += problem.time_between(place, there) + int(stops.service[visit])
        clock = max(clock + problem.time_between(place, there), int(stops.opens[visit]))
        if length >= NEVER:
            return "no_way", {}
        if clock > int(stops.closes[visit]):
            return "window_closed", {
                "closes": _clock(problem, int(stops.closes[visit])),
                "begin": _clock(problem, clock),
            }
        clock += int(stops.service[visit])
        place = there
    end = int(fleet.end[kind])
    if end != ANYWHERE:
        length += problem.length_between(place, end)
        if length >= NEVER:
            return "no_way", {}
        clock += problem.time_between(place, end)
        busy += problem.time_between(place, end)
    if clock > int(fleet.shift_end[kind]):
        ends = _clock(problem, int(fleet.shift_end[kind]))
        return "shift_short", {"ends": ends, "back": _clock(problem, clock)}
    if length > int(fleet.most_length[kind]):
        return "too_far", {"needed": length, "most": int(fleet.most_length[kind])}
    if busy > int(fleet.most_time[kind]):
        return "too_far", {"needed": busy, "most": int(fleet.most_time[kind])}
    return None


def _clock(problem: Problem, seconds: int) -> str:
    """Return a time of day, or the figure of a file."""
    if problem.units != "metres":
        whole, rest = divmod(seconds, problem.divisor)
        return str(whole) if problem.divisor == 1 else f"{whole}.{rest}"
    minutes = seconds // 60
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
