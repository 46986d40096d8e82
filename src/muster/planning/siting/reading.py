# SPDX-License-Identifier: Apache-2.0
"""Siting problems from JSON columns, from columns that the program has at hand, or files of the field."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from muster.planning._kernel.arrays import Bools, Floats, Longs
from muster.planning._kernel.files import read_text
from muster.planning._kernel.geodesy import FlatMap
from muster.planning._kernel.reading import Fields, whole_number
from muster.planning.contract import BadProblem
from muster.planning.siting.field_files import problem_from_text
from muster.planning.siting.problem import (
    MOST_COST,
    MOST_METRES,
    MOST_PEOPLE,
    UNLIMITED,
    Candidates,
    Points,
    Problem,
    require_lawful,
    require_size,
)
from muster.planning.siting.walking import Hours, hours_meet, in_order, straight_walks

_MOST_WEIGHT = 1_000
_MOST_MINUTES = 100_000


def make_problem(
    *,
    points: Mapping[str, Any],
    candidates: Mapping[str, Any],
    walks: Mapping[str, Any] | None = None,
    limit_m: int = 1_500,
    walk_permille: int = 1_000,
    count: int | None = None,
    may_split: bool = False,
    unserved_m: int | None = None,
    pins: Mapping[str, Any] | None = None,
) -> Problem:
    """Return a problem from columns. Raises BadProblem.

    Columns of points: people, and where wanted name, weight, x_m, y_m, from_min, to_min; of candidates:
    where wanted name, capacity, open_cost, x_m, y_m, per_hour, opens (lists of minutes from and to); of
    walks: point, candidate (numbers of rows), metres; without walks, straight lines count. `pins` has
    open, closed (names of candidates) and points (name -> candidate).
    """
    people = np.asarray(points["people"], np.int64)
    size = len(people)
    _require_length("points", points, "people")
    width = _count_candidates(candidates)
    require_size(size, width, 0)
    opens = _opens(candidates.get("opens"), width)
    site_table = Candidates(
        _names("candidates", candidates, width),
        _capacity(candidates, opens, width),
        np.asarray(candidates.get("open_cost", np.zeros(width)), np.int64),
    )
    point_table = Points(_names("points", points, size), people)
    point, site, metres = _walks(points, candidates, walks, size, width, limit_m, walk_permille)
    meets = _meets(points, opens, point, site, size)
    reached = np.zeros(size, np.bool_)
    reached[point] = True
    point, site, metres = point[meets], site[meets], metres[meets]
    served = np.zeros(size, np.bool_)
    served[point] = True
    unit = people * np.asarray(points.get("weight", np.ones(size)), np.int64)
    problem = Problem(
        point_table,
        site_table,
        in_order(size, point, site, unit[point] * metres),
        count=count,
        may_split=may_split,
        unserved=None if unserved_m is None else unit * unserved_m,
        closed_hours=frozenset(np.flatnonzero(reached & ~served).tolist()),
        **_pins(pins or {}, point_table, site_table),
    )
    require_lawful(problem)
    return problem


def _count_candidates(candidates: Mapping[str, Any]) -> int:
    lengths = {name: len(column) for name, column in candidates.items() if column is not None}
    if not lengths:
        raise BadProblem("name", "candidates", "planning.cure.present")
    _require_length("candidates", candidates, next(iter(lengths)))
    return next(iter(lengths.values()))


def _require_length(where: str, columns: Mapping[str, Any], of: str) -> None:
    given = {name: len(column) for name, column in columns.items() if column is not None}
    if len(set(given.values())) > 1:
        raise BadProblem(of, where, "planning.cure.same_length", fields=", ".join(sorted(given)))


def _names(where: str, columns: Mapping[str, Any], size: int) -> tuple[str, ...]:
    given = columns.get("name")
    names = tuple(str(number) for number in range(size)) if given is None else tuple(given)
    if len(set(names)) < len(names):
        twice = next(name for name, times in Counter(names).items() if times > 1)
        raise BadProblem("name", where, "planning.cure.once", name=twice)
    return names


def _opens(given: Sequence[Any] | None, size: int) -> tuple[Hours, ...] | None:
    if given is None:
        return None
    return tuple(tuple((int(start), int(end)) for start, end in hours) for hours in given) or ((),) * size


def _capacity(candidates: Mapping[str, Any], opens: Sequence[Hours] | None, size: int) -> Longs:
    given = candidates.get("capacity")
    capacity = np.full(size, UNLIMITED, np.int64) if given is None else np.asarray(given, np.int64)
    per_hour = candidates.get("per_hour")
    if per_hour is None:
        return capacity
    if opens is None:
        raise BadProblem("opens", "candidates", "planning.cure.present")
    minutes = np.asarray([sum(end - start for start, end in hours) for hours in opens], np.int64)
    return np.minimum(capacity, np.asarray(per_hour, np.int64) * minutes // 60)


def _walks(
    points: Mapping[str, Any],
    candidates: Mapping[str, Any],
    walks: Mapping[str, Any] | None,
    size: int,
    width: int,
    limit_m: int,
    walk_permille: int,
) -> tuple[Longs, Longs, Longs]:
    """Return point, candidate and metres of every pair within the limit."""
    if walks is None:
        for where, table in (("points", points), ("candidates", candidates)):
            for name in ("x_m", "y_m"):
                if table.get(name) is None:
                    raise BadProblem(name, where, "planning.cure.present")
        places = [
            (np.asarray(table["x_m"], np.float64), np.asarray(table["y_m"], np.float64))
            for table in (points, candidates)
        ]
        return straight_walks(places[0], places[1], limit_m=limit_m, walk_permille=walk_permille)
    _require_length("walks", walks, "point")
    point, candidate, metres = (
        np.asarray(walks[name], np.int64) for name in ("point", "candidate", "metres")
    )
    require_size(0, 0, len(point))
    for name, numbers, rows in (("point", point, size), ("candidate", candidate, width)):
        wrong = np.flatnonzero((numbers < 0) | (numbers >= rows))
        if len(wrong):
            place = f"{name}[{wrong[0]}]"
            raise BadProblem(place, "walks", "planning.cure.integer", lowest=0, highest=rows - 1)
    near = metres <= limit_m
    return point[near], candidate[near], metres[near]


def _meets(
    points: Mapping[str, Any], opens: Sequence[Hours] | None, point: Longs, candidate: Longs, size: int
) -> Bools:
    """Tell for each pair whether the site is open when the people can come."""
    if opens is None:
        return np.ones(len(point), np.bool_)
    start = np.asarray(points.get("from_min", np.zeros(size)), np.int64)
    end = np.asarray(points.get("to_min", np.full(size, _MOST_MINUTES)), np.int64)
    wrong = np.flatnonzero(start >= end)
    if len(wrong):
        raise BadProblem(f"to_min[{wrong[0]}]", "points", "planning.siting.ends_early")
    windows, number = np.unique(np.stack((start, end), axis=1), axis=0, return_inverse=True)
    return hours_meet(number.reshape(-1)[point], candidate, (windows[:, 0], windows[:, 1]), opens)


def _pins(pins: Mapping[str, Any], points: Points, candidates: Candidates) -> dict[str, Any]:
    site_of = {name: number for number, name in enumerate(candidates.names)}
    point_of = {name: number for number, name in enumerate(points.names)}

    def known(table: Mapping[str, int], name: str, where: str) -> int:
        if name not in table:
            raise BadProblem("", where, "planning.cure.known", name=name)
        return table[name]

    sent = {
        known(point_of, point, "pins.points"): known(site_of, site, f"pins.points.{point}")
        for point, site in pins.get("points", {}).items()
    }
    fixed: dict[str, Any] = {"sent": sent}
    for field, key in (("opened", "open"), ("closed", "closed")):
        fixed[field] = frozenset(known(site_of, name, f"pins.{key}") for name in pins.get(key, ()))
    return fixed


def read_problem(path: Path) -> Problem:
    """Read a problem file as `schema()` describes it, or a file of the field; raises BadProblem."""
    text = read_text(path)
    if not text.lstrip().startswith("{"):
        return problem_from_text(text, path.name)
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadProblem("", path.name, "planning.cure.valid_json", detail=str(error)) from error
    return problem_from_json(raw)


def problem_from_json(raw: Mapping[str, Any]) -> Problem:
    """Read a problem as `schema()` describes it; raises BadProblem."""
    fields = Fields.of(raw, "")
    points, candidates = fields.inner("points"), fields.inner("candidates")
    point_columns: dict[str, Any] = {
        "people": points.integers("people", 0, MOST_PEOPLE),
        **_columns(points, {"weight": _MOST_WEIGHT, "from_min": _MOST_MINUTES, "to_min": _MOST_MINUTES}),
    }
    limits = {"capacity": UNLIMITED, "open_cost": MOST_COST, "per_hour": MOST_PEOPLE}
    site_columns: dict[str, Any] = _columns(candidates, limits)
    if candidates.has("opens"):
        site_columns["opens"] = _hours(candidates)
    walks = None
    if fields.has("walks"):
        table = fields.inner("walks")
        walks = {name: table.integers(name, 0, MOST_METRES) for name in ("point", "candidate", "metres")}
    else:
        places = _places(points, candidates)
        point_columns |= {"x_m": places[0], "y_m": places[1]}
        site_columns |= {"x_m": places[2], "y_m": places[3]}
    return make_problem(
        points=point_columns,
        candidates=site_columns,
        walks=walks,
        limit_m=fields.integer("limit_m", 0, MOST_METRES, 1_500),
        walk_permille=fields.integer("walk_permille", 1_000, 10_000, 1_000),
        count=fields.integer("count") if fields.has("count") else None,
        may_split=fields.flag("may_split", otherwise=False),
        unserved_m=fields.integer("unserved_m", 0, MOST_METRES) if fields.has("unserved_m") else None,
        pins=_pin_names(fields) if fields.has("pins") else None,
    )


def _columns(fields: Fields, limits: Mapping[str, int]) -> dict[str, Any]:
    """Return the columns that are given: names, and whole numbers up to their limits."""
    columns: dict[str, Any] = {
        name: fields.integers(name, 0, most) for name, most in limits.items() if fields.has(name)
    }
    if fields.has("name"):
        columns["name"] = fields.texts("name", blank=False)
    return columns


def _hours(fields: Fields) -> list[list[tuple[int, int]]]:
    """Return the opening hours of each candidate; raises BadProblem where they end early or overlap."""
    rows = []
    for number, row in enumerate(fields.listed("opens")):
        place = f"opens[{number}]"
        if not isinstance(row, list):
            raise BadProblem(place, fields.where, "planning.cure.list")
        hours = []
        for pair in row:
            if not isinstance(pair, list) or len(pair) != 2:
                raise BadProblem(place, fields.where, "planning.siting.hours")
            hours.append(
                (
                    whole_number(pair[0], place, fields.where, 0, _MOST_MINUTES),
                    whole_number(pair[1], place, fields.where, 0, _MOST_MINUTES),
                )
            )
        hours.sort()
        ends = 0
        for start, end in hours:
            if end <= start or start < ends:
                raise BadProblem(place, fields.where, "planning.siting.hours")
            ends = end
        rows.append(hours)
    return rows


def _places(points: Fields, candidates: Fields) -> tuple[Floats, Floats, Floats, Floats]:
    """Return metres east and north of all points and candidates, also from degrees."""
    if not points.has("lon"):
        far = float(MOST_METRES)
        columns = [part.numbers(name, -far, far) for part in (points, candidates) for name in ("x_m", "y_m")]
        return columns[0], columns[1], columns[2], columns[3]
    degrees = [
        part.numbers(name, -most, most)
        for part in (points, candidates)
        for name, most in (("lon", 180.0), ("lat", 90.0))
    ]
    for part, lon, lat in ((points, degrees[0], degrees[1]), (candidates, degrees[2], degrees[3])):
        if len(lon) != len(lat):
            raise BadProblem("lon", part.where, "planning.cure.same_length", fields="lon, lat")
    if not len(degrees[2]):
        return degrees[0], degrees[1], degrees[2], degrees[3]
    flat = FlatMap.around(degrees[2], degrees[3])
    return *flat.place(degrees[0], degrees[1]), *flat.place(degrees[2], degrees[3])


def _pin_names(fields: Fields) -> dict[str, Any]:
    pins = fields.inner("pins")
    names: dict[str, Any] = {key: pins.texts(key, blank=False) for key in ("open", "closed") if pins.has(key)}
    if pins.has("points"):
        sent = pins.inner("points")
        names["points"] = {name: sent.text(name) for name in sent.raw}
    return names


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a problem file."""
    text = {"type": "string", "minLength": 1}
    texts = {"type": "array", "items": text}
    count = {"type": "integer", "minimum": 0}
    whole = {"type": "array", "items": count}
    numbers = {"type": "array", "items": {"type": "number"}}
    positions = {"x_m": numbers, "y_m": numbers, "lon": numbers, "lat": numbers}
    pair = {"type": "array", "items": count, "minItems": 2, "maxItems": 2}
    hours = {"type": "array", "items": {"type": "array", "items": pair}}

    def entry(required: list[str], **properties: Any) -> dict[str, Any]:
        return {"type": "object", "required": required, "properties": properties}

    windows = {"from_min": whole, "to_min": whole}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Muster siting problem",
        **entry(
            ["points", "candidates"],
            points=entry(["people"], name=texts, people=whole, weight=whole, **windows, **positions),
            candidates=entry(
                [], name=texts, capacity=whole, open_cost=whole, per_hour=whole, opens=hours, **positions
            ),
            walks=entry(["point", "candidate", "metres"], point=whole, candidate=whole, metres=whole),
            limit_m=count,
            walk_permille={"type": "integer", "minimum": 1_000, "maximum": 10_000},
            count=count,
            may_split={"type": "boolean"},
            unserved_m=count,
            pins=entry(
                [],
                open=texts,
                closed=texts,
                points={"type": "object", "additionalProperties": text},
            ),
        ),
    }
