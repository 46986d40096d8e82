# SPDX-License-Identifier: Apache-2.0
"""A routing problem: stops, depots, vehicles, the ways between them, and what a person fixed.

Lengths, times and costs are whole numbers. In a problem of Muster's own they are metres and seconds; in a
file of the field they are the units of that file, or tenths of them where its distances have one decimal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from muster.planning._kernel.arrays import Floats, Ints, Longs
from muster.planning.contract import BadProblem

MOST_STOPS = 50_000
MOST_PLACES_IN_TABLE = 4_000
MOST_VEHICLES = 100_000
MOST_SKILLS = 62
MOST_METRES = 10_000_000
MOST_SECONDS = 1_000_000_000
MOST_DEMAND = 1_000_000_000
MOST_COST = 1_000_000_000
# No limit; a length that stands for "no way leads there" (as the walking network gives it).
NEVER = 1 << 60
NO_WAY = 1_000_000_000
ANYWHERE = -1
MUST = -1
NONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Stops:
    """Stops as columns. Service begins from `opens` until `closes`; `skills` are bits.

    `penalty` is what leaving a stop out costs, MUST where it has to be served. `partner` is the other half of
    a pick-up with its delivery, `picks` tells which half this is.
    """

    names: tuple[str, ...]
    x: Floats
    y: Floats
    demand: Longs
    service: Longs
    opens: Longs
    closes: Longs
    skills: Longs
    penalty: Longs
    partner: Ints
    picks: NDArray[np.bool_]

    @property
    def size(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Depots:
    names: tuple[str, ...]
    x: Floats
    y: Floats

    @property
    def size(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """Kinds of vehicles (or teams) as columns; `end` is ANYWHERE where the tour ends at its last stop."""

    names: tuple[str, ...]
    depot: Ints
    end: Ints
    count: Longs
    capacity: Longs
    shift_start: Longs
    shift_end: Longs
    most_stops: Longs
    most_length: Longs
    most_time: Longs
    fixed_cost: Longs
    skills: Longs

    @property
    def size(self) -> int:
        return len(self.names)

    def vehicle_names(self, kind: int) -> list[str]:
        """Return the names of the vehicles of a kind: its own, with numbers when there are several."""
        count, name = int(self.count[kind]), self.names[kind]
        return [name] if count == 1 else [f"{name}-{number + 1}" for number in range(count)]


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """How long ways are: straight between points, or from tables (rows are depots, then stops).

    Straight: `scale` units for each unit of the plane, rounded to the nearest (`rounds`) or cut off. Time is
    length x pace[0] / pace[1], upwards.
    """

    scale: float = 1.0
    rounds: bool = True
    pace: tuple[int, int] = (1, 1)
    length: Ints | None = None
    time: Ints | None = None


@dataclass(frozen=True, slots=True)
class Pin:
    """What a person fixed of one vehicle: stops driven already, in this order, and stops that stay with it.

    `free_at` is when the vehicle is free after the last driven stop; None: as reckoned.
    """

    vehicle: str
    driven: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    free_at: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """`units` is "metres", or "file" for a file of the field; there `divisor` units are one of the file."""

    stops: Stops
    depots: Depots
    fleet: Fleet
    ways: Ways
    pins: tuple[Pin, ...] = ()
    skill_names: tuple[str, ...] = ()
    units: str = "metres"
    divisor: int = 1
    vehicle_of: dict[str, int] = field(default_factory=dict)  # pinned vehicle -> kind

    def length_between(self, a: int, b: int) -> int:
        """Return the way between two places: depots are numbered first, then stops."""
        if self.ways.length is not None:
            length = int(self.ways.length[a, b])
            return NEVER if length >= NO_WAY else length
        ax, ay = self.point(a)
        bx, by = self.point(b)
        far = math.sqrt((ax - bx) * (ax - bx) + (ay - by) * (ay - by)) * self.ways.scale
        return int(far + 0.5) if self.ways.rounds else int(far)

    def time_between(self, a: int, b: int) -> int:
        if self.ways.time is not None:
            time = int(self.ways.time[a, b])
            return NEVER if time >= NO_WAY else time
        length = self.length_between(a, b)
        return length if length >= NEVER else -(-length * self.ways.pace[0] // self.ways.pace[1])

    def point(self, place: int) -> tuple[float, float]:
        depots = self.depots.size
        if place < depots:
            return float(self.depots.x[place]), float(self.depots.y[place])
        return float(self.stops.x[place - depots]), float(self.stops.y[place - depots])


def pins(problem: Problem) -> dict[str, Pin]:
    """Return what a person fixed, by vehicle."""
    return {pin.vehicle: pin for pin in problem.pins}


def vehicle_kinds(fleet: Fleet, wanted: Sequence[str]) -> dict[str, int]:
    """Return the kind of each vehicle named; raises BadProblem for a name that no vehicle has."""
    found = {}
    for number, name in enumerate(wanted):
        for kind, stem in enumerate(fleet.names):
            count = int(fleet.count[kind])
            tail = name[len(stem) + 1 :]
            numbered = name.startswith(f"{stem}-") and tail.isascii() and tail.isdigit() and tail[0] != "0"
            if (count == 1 and name == stem) or (count > 1 and numbered and int(tail) <= count):
                found[name] = kind
                break
        else:
            raise BadProblem("vehicle", f"pins[{number}]", "planning.cure.known", name=name)
    return found


def require_lawful(problem: Problem) -> None:
    """Raise BadProblem when the problem is too large or its parts contradict each other."""
    stops = problem.stops
    if stops.size > MOST_STOPS:
        raise BadProblem("stops", "", "planning.routing.too_many_stops", stops=stops.size, limit=MOST_STOPS)
    vehicles = int(problem.fleet.count.sum()) if problem.fleet.size else 0
    if vehicles > MOST_VEHICLES:
        raise BadProblem(
            "vehicles", "", "planning.routing.too_many_vehicles", vehicles=vehicles, limit=MOST_VEHICLES
        )
    _require_names_once(problem.fleet)
    places = problem.depots.size + stops.size
    for name, table in (("distance_m", problem.ways.length), ("time_s", problem.ways.time)):
        if table is None:
            continue
        if places > MOST_PLACES_IN_TABLE:
            raise BadProblem(
                name, "", "planning.routing.too_many_places", places=places, limit=MOST_PLACES_IN_TABLE
            )
        if table.shape != (places, places):
            raise BadProblem(name, "", "planning.routing.table_size", places=places)
    for number in np.flatnonzero(stops.opens > stops.closes).tolist():
        where = f"stops[{number}] {stops.names[number]}"
        raise BadProblem("close_s", where, "planning.routing.window_order")
    for number in np.flatnonzero(problem.fleet.shift_start > problem.fleet.shift_end).tolist():
        where = f"vehicles[{number}] {problem.fleet.names[number]}"
        raise BadProblem("shift_end_s", where, "planning.routing.window_order")
    _require_lawful_pins(problem)


def _require_names_once(fleet: Fleet) -> None:
    """Raise BadProblem when a numbered vehicle of one kind is called like another kind."""
    count = dict(zip(fleet.names, fleet.count.tolist(), strict=True))
    for number, name in enumerate(fleet.names):
        stem, _, tail = name.rpartition("-")
        if tail.isascii() and tail.isdigit() and tail[0] != "0" and 1 < count.get(stem, 0) >= int(tail):
            raise BadProblem(f"name[{number}]", "vehicles", "planning.cure.once", name=name)


def _require_lawful_pins(problem: Problem) -> None:
    numbers = {name: number for number, name in enumerate(problem.stops.names)}
    seen: dict[str, str] = {}
    vehicles: set[str] = set()
    for place, pin in enumerate(problem.pins):
        where = f"pins[{place}]"
        if pin.vehicle in vehicles:
            raise BadProblem("vehicle", where, "planning.cure.once", name=pin.vehicle)
        vehicles.add(pin.vehicle)
        for name in (*pin.driven, *pin.stops):
            if name not in numbers:
                raise BadProblem("stops", where, "planning.cure.known", name=name)
            if name in seen:
                raise BadProblem("stops", where, "planning.cure.once", name=name)
            seen[name] = pin.vehicle
    for place, pin in enumerate(problem.pins):
        driven = {numbers[name]: order for order, name in enumerate(pin.driven)}
        for name in (*pin.driven, *pin.stops):
            stop = numbers[name]
            other = int(problem.stops.partner[stop])
            if other == NONE:
                continue
            partner = problem.stops.names[other]
            elsewhere = seen.get(partner, pin.vehicle) != pin.vehicle
            too_early = (
                stop in driven and not problem.stops.picks[stop] and driven.get(other, 1 << 30) > driven[stop]
            )
            if elsewhere or too_early:
                cure = "planning.routing.pair_pins"
                raise BadProblem("stops", f"pins[{place}]", cure, name=name, partner=partner)
