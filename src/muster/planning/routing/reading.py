# SPDX-License-Identifier: Apache-2.0
"""Routing problems from JSON columns, from columns that the program has at hand, or from a VRPLIB file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from muster.planning._kernel.arrays import Floats, Ints, Longs
from muster.planning._kernel.files import read_text
from muster.planning._kernel.geodesy import FlatMap
from muster.planning._kernel.reading import MOST, Fields
from muster.planning.contract import BadProblem
from muster.planning.routing.problem import (
    ANYWHERE,
    MOST_COST,
    MOST_DEMAND,
    MOST_METRES,
    MOST_PLACES_IN_TABLE,
    MOST_SECONDS,
    MOST_SKILLS,
    MOST_STOPS,
    MOST_VEHICLES,
    MUST,
    NEVER,
    NO_WAY,
    NONE,
    Depots,
    Fleet,
    Pin,
    Problem,
    Stops,
    Ways,
    require_lawful,
    vehicle_kinds,
)
from muster.planning.routing.vrplib_files import problem_from_vrplib

_OPEN_END = "anywhere"


def read_problem(path: Path) -> Problem:
    """Read a problem file: JSON, or VRPLIB (`.vrp`). Raises BadProblem."""
    text = read_text(path)
    if not text.lstrip().startswith(("{", "[")):
        return problem_from_vrplib(text, path.name)
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadProblem("", path.name, "planning.cure.valid_json", detail=str(error)) from error
    if not isinstance(raw, dict):
        raise BadProblem("", path.name, "planning.cure.object")
    return problem_from_json(raw)


def problem_from_json(raw: Mapping[str, Any]) -> Problem:
    """Return a problem from a JSON object. Raises BadProblem."""
    fields = Fields(raw)
    stops, depots, vehicles = (fields.inner(name) for name in ("stops", "depots", "vehicles"))
    size = _size(stops, "stops", MOST_STOPS)
    many_depots = _size(depots, "depots", MOST_PLACES_IN_TABLE)
    kinds = _size(vehicles, "vehicles", MOST_VEHICLES)
    stop_names = _names(stops, size)
    depot_names = _names(depots, many_depots)
    vehicle_names = _names(vehicles, kinds)
    length, time = _table(fields, "distance_m"), _table(fields, "time_s")
    if time is not None and length is None:
        raise BadProblem("distance_m", "", "planning.cure.present")
    pace = (60, fields.integer("metres_per_minute", 1, 100_000, 70))
    if length is not None and time is None:
        time = _times(length, pace)
    places = _places(stops, depots, size, many_depots, needed=length is None)
    skills: dict[str, int] = {}
    needed, has = _bits(stops, size, skills), _bits(vehicles, kinds, skills)
    partner, picks = _pairs(fields, stop_names)
    problem = Problem(
        stops=Stops(
            names=stop_names,
            x=places[0],
            y=places[1],
            demand=_column(stops, "demand", size, 0, MOST_DEMAND, otherwise=0),
            service=_column(stops, "service_s", size, 0, MOST_SECONDS, otherwise=0),
            opens=_column(stops, "open_s", size, 0, MOST_SECONDS, otherwise=0),
            closes=_column(stops, "close_s", size, 0, MOST_SECONDS, otherwise=NEVER),
            skills=needed,
            penalty=_column(stops, "penalty", size, 0, MOST_COST, otherwise=MUST),
            partner=partner,
            picks=picks,
        ),
        depots=Depots(depot_names, places[2], places[3]),
        fleet=_fleet(vehicles, vehicle_names, depot_names, has),
        ways=Ways(
            scale=fields.integer("detour_permille", 1_000, 10_000, 1_000) / 1_000,
            pace=pace,
            length=length,
            time=time,
        ),
        pins=_pins(fields),
        skill_names=tuple(skills),
    )
    problem.vehicle_of.update(vehicle_kinds(problem.fleet, [pin.vehicle for pin in problem.pins]))
    _require_whole_pairs(problem)
    require_lawful(problem)
    return problem


def make_problem(
    *,
    stops: Mapping[str, Any],
    depots: Mapping[str, Any],
    vehicles: Mapping[str, Any],
    **settings: Any,
) -> Problem:
    """Return a problem from columns at hand; they are those of the JSON form (see `schema`).

    Columns may be numpy arrays. `settings`: pairs, distance_m, time_s, metres_per_minute, detour_permille,
    pins. Raises BadProblem.
    """
    return problem_from_json(
        {
            "stops": {name: _listed(column) for name, column in stops.items()},
            "depots": {name: _listed(column) for name, column in depots.items()},
            "vehicles": {name: _listed(column) for name, column in vehicles.items()},
            **{name: _listed(value) for name, value in settings.items() if value is not None},
        }
    )


def _listed(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _size(part: Fields, where: str, most: int) -> int:
    """Return how many rows a table of columns has; raises BadProblem when columns differ or are too long."""
    columns = {name: column for name, column in part.raw.items() if column is not None}
    for name, column in columns.items():
        if not isinstance(column, list):
            raise BadProblem(name, where, "planning.cure.list")
    sizes = {len(column) for column in columns.values()}
    if len(sizes) > 1:
        raise BadProblem("", where, "planning.cure.same_length", fields=", ".join(sorted(columns)))
    size = sizes.pop() if sizes else 0
    if where == "stops" and size > most:
        raise BadProblem("stops", "", "planning.routing.too_many_stops", stops=size, limit=most)
    if where == "depots" and size > most:
        raise BadProblem("depots", "", "planning.routing.too_many_places", places=size, limit=most)
    return size


def _names(part: Fields, size: int) -> tuple[str, ...]:
    if not part.has("name"):
        return tuple(str(number + 1) for number in range(size))
    seen: set[str] = set()
    for number, name in enumerate(part.listed("name")):
        if not (isinstance(name, str) and name):
            raise BadProblem(f"name[{number}]", part.where, "planning.cure.text")
        if name in seen:
            raise BadProblem(f"name[{number}]", part.where, "planning.cure.once", name=name)
        seen.add(name)
    return tuple(part.listed("name"))


def _column(part: Fields, name: str, size: int, lowest: int, highest: int, *, otherwise: int) -> Longs:
    """Return a column of whole numbers; null, or a column that is absent, means `otherwise`."""
    if not part.has(name):
        return np.full(size, otherwise, np.int64)
    values = part.listed(name)
    column = np.full(size, otherwise, np.int64)
    for number, value in enumerate(values):
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise BadProblem(
                f"{name}[{number}]", part.where, "planning.cure.integer", lowest=lowest, highest=highest
            )
        column[number] = value
    return column


def _places(
    stops: Fields, depots: Fields, size: int, many_depots: int, *, needed: bool
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return metres east and north of stops and depots, also from degrees."""
    if not needed and not stops.has("x_m") and not stops.has("lon"):
        return np.zeros(size), np.zeros(size), np.zeros(many_depots), np.zeros(many_depots)
    far = float(MOST_METRES)
    degrees = stops.has("lon") or depots.has("lon")
    first, second = (("lon", 180.0), ("lat", 90.0)) if degrees else (("x_m", far), ("y_m", far))
    columns = [
        part.numbers(name, -most, most) if part.has(name) or count else np.zeros(0)
        for part, count in ((stops, size), (depots, many_depots))
        for name, most in (first, second)
    ]
    if not degrees:
        return columns[0], columns[1], columns[2], columns[3]
    lon, lat = np.concatenate(columns[0::2]), np.concatenate(columns[1::2])
    if len(lon) == 0:
        return columns[0], columns[1], columns[2], columns[3]
    flat = FlatMap.around(lon, lat)
    x, y = flat.place(lon, lat)
    return x[:size], y[:size], x[size:], y[size:]


def _table(fields: Fields, name: str) -> Ints | None:
    if not fields.has(name):
        return None
    rows = fields.listed(name)
    if len(rows) > MOST_PLACES_IN_TABLE:
        raise BadProblem(
            name, "", "planning.routing.too_many_places", places=len(rows), limit=MOST_PLACES_IN_TABLE
        )
    table = np.zeros((len(rows), len(rows)), np.int32)
    for number, row in enumerate(rows):
        one = Fields({name: row}, f"{name}[{number}]")
        values = one.integers(name, 0, NO_WAY)
        if len(values) != len(rows):
            raise BadProblem(f"{name}[{number}]", "", "planning.routing.table_size", places=len(rows))
        table[number] = values
    return table


def _times(length: Ints, pace: tuple[int, int]) -> Ints:
    time = -(-length.astype(np.int64) * pace[0] // pace[1])
    return np.where(length >= NO_WAY, NO_WAY, np.minimum(time, NO_WAY)).astype(np.int32)


def _bits(part: Fields, size: int, known: dict[str, int]) -> Longs:
    """Return lists of skills as bits; skills are numbered as they come."""
    column = np.zeros(size, np.int64)
    if not part.has("skills"):
        return column
    for number, words in enumerate(part.listed("skills")):
        if words is None:
            continue
        if not isinstance(words, list):
            raise BadProblem(f"skills[{number}]", part.where, "planning.cure.list")
        for word in words:
            if not (isinstance(word, str) and word):
                raise BadProblem(f"skills[{number}]", part.where, "planning.cure.text")
            bit = known.setdefault(word, len(known))
            if bit >= MOST_SKILLS:
                raise BadProblem("skills", part.where, "planning.routing.too_many_skills", limit=MOST_SKILLS)
            column[number] |= 1 << bit
    return column


def _fleet(part: Fields, names: tuple[str, ...], depots: tuple[str, ...], skills: Longs) -> Fleet:
    size = len(names)
    if size and not depots:
        raise BadProblem("depots", "", "planning.cure.not_empty")
    numbers = {name: number for number, name in enumerate(depots)}
    start, end = np.zeros(size, np.int32), np.zeros(size, np.int32)
    given = part.listed("depot") if part.has("depot") else [None] * size
    ends = part.listed("end") if part.has("end") else [None] * size
    for kind in range(size):
        start[kind] = _depot(given[kind], f"depot[{kind}]", numbers, 0)
        end[kind] = (
            ANYWHERE
            if ends[kind] == _OPEN_END
            else _depot(ends[kind], f"end[{kind}]", numbers, int(start[kind]))
        )

    def column(name: str, most: int, otherwise: int, least: int = 0) -> Longs:
        return _column(part, name, size, least, most, otherwise=otherwise)

    return Fleet(
        names=names,
        depot=start,
        end=end,
        count=column("count", MOST_VEHICLES, 1),
        capacity=column("capacity", MOST, NEVER),
        shift_start=column("shift_start_s", MOST_SECONDS, 0),
        shift_end=column("shift_end_s", MOST_SECONDS, NEVER),
        most_stops=column("max_stops", MOST_STOPS, NEVER),
        most_length=column("max_distance_m", MOST, NEVER),
        most_time=column("max_time_s", MOST_SECONDS, NEVER),
        fixed_cost=column("fixed_cost", MOST_COST, 0),
        skills=skills,
    )


def _depot(name: Any, field: str, numbers: Mapping[str, int], otherwise: int) -> int:
    if name is None:
        return otherwise
    if not isinstance(name, str):
        raise BadProblem(field, "vehicles", "planning.cure.text")
    if name not in numbers:
        raise BadProblem(field, "vehicles", "planning.cure.known", name=name)
    return numbers[name]


def _pairs(fields: Fields, names: tuple[str, ...]) -> tuple[Ints, np.ndarray]:
    partner, picks = np.full(len(names), NONE, np.int32), np.zeros(len(names), np.bool_)
    if not fields.has("pairs"):
        return partner, picks
    numbers = {name: number for number, name in enumerate(names)}
    for row, pair in enumerate(fields.listed("pairs")):
        if not (isinstance(pair, list) and len(pair) == 2):
            raise BadProblem(f"pairs[{row}]", "", "planning.routing.pair_form")
        for name in pair:
            if not isinstance(name, str) or name not in numbers:
                raise BadProblem(f"pairs[{row}]", "", "planning.cure.known", name=str(name))
            if partner[numbers[name]] != NONE:
                raise BadProblem(f"pairs[{row}]", "", "planning.cure.once", name=name)
        pickup, delivery = numbers[pair[0]], numbers[pair[1]]
        if pickup == delivery:
            raise BadProblem(f"pairs[{row}]", "", "planning.cure.once", name=pair[0])
        partner[pickup], partner[delivery] = delivery, pickup
        picks[pickup] = True
    return partner, picks


def _require_whole_pairs(problem: Problem) -> None:
    """The delivery takes the amount, and the penalty, of its pick-up; raises BadProblem where they differ."""
    stops = problem.stops
    for pickup in np.flatnonzero(stops.picks).tolist():
        delivery = int(stops.partner[pickup])
        if stops.demand[delivery] not in {0, stops.demand[pickup]}:
            where = f"stops[{delivery}] {stops.names[delivery]}"
            raise BadProblem(
                "demand", where, "planning.routing.pair_amount", amount=int(stops.demand[pickup])
            )
        stops.demand[delivery] = stops.demand[pickup]
        if (stops.penalty[pickup] == MUST) != (stops.penalty[delivery] == MUST):
            where = f"stops[{delivery}] {stops.names[delivery]}"
            raise BadProblem("penalty", where, "planning.routing.pair_penalty")


def _pins(fields: Fields) -> tuple[Pin, ...]:
    if not fields.has("pins"):
        return ()
    found = []
    for one in fields.objects("pins"):
        free_at = one.integer("free_at_s", 0, MOST_SECONDS) if one.has("free_at_s") else None
        pin = Pin(one.text("vehicle"), _texts(one, "driven"), _texts(one, "stops"), free_at)
        if free_at is not None and not pin.driven:
            raise BadProblem("free_at_s", one.where, "planning.routing.free_without_driven")
        found.append(pin)
    return tuple(found)


def _texts(one: Fields, name: str) -> tuple[str, ...]:
    if not one.has(name):
        return ()
    values: Sequence[Any] = one.listed(name)
    for number, value in enumerate(values):
        if not isinstance(value, str):
            raise BadProblem(f"{name}[{number}]", one.where, "planning.cure.text")
    return tuple(values)
