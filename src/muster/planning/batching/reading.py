# SPDX-License-Identifier: Apache-2.0
"""Batching problems from JSON columns, or from columns that the program has at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from muster.planning._kernel.arrays import Floats, Ints, Longs
from muster.planning._kernel.files import read_json
from muster.planning._kernel.geodesy import FlatMap
from muster.planning._kernel.reading import Fields
from muster.planning.batching.choosing import choices_of
from muster.planning.batching.problem import (
    MOST_METRES,
    MOST_PEOPLE,
    Problem,
    Sites,
    Slots,
    Units,
    require_lawful,
)
from muster.planning.contract import BadProblem

_MOST_LANES = 1_000
_MOST_MINUTES = 100_000


def make_problem(
    *,
    units: Mapping[str, Any],
    sites: Mapping[str, Any],
    slots: Mapping[str, Any],
    reach_m: int = 1_000,
    site_choices: int = 4,
    walk_permille: int = 1_000,
    stagger_min: int = 10,
    pins: Mapping[str, tuple[str, str]] | None = None,
) -> Problem:
    """Return a problem from columns. Raises BadProblem.

    Columns of units: x_m, y_m, people, and where wanted name, building, slots (lists of names they can come
    in; all when absent), sites and walk_m (lists: which sites, and how far); of sites: x_m, y_m, lanes
    (a number, or one for each slot), name; of slots: name, start_min, minutes. A unit goes to one of
    `site_choices` nearest sites within `reach_m`, or to the nearest of all when none is within.
    """
    slot_table = Slots(
        tuple(slots["name"]),
        np.asarray(slots["start_min"], np.int64),
        np.asarray(slots["minutes"], np.int64),
    )
    if not slot_table.size:
        raise BadProblem("slots", "", "planning.cure.not_empty")
    _require_once("slots", slot_table.names)
    _require_length("slots", slots, "name")
    site_table = Sites(
        _names("sites", sites, len(sites["x_m"])),
        np.asarray(sites["x_m"], np.float64),
        np.asarray(sites["y_m"], np.float64),
        _lanes(sites["lanes"], slot_table.size),
    )
    if not site_table.size:
        raise BadProblem("sites", "", "planning.cure.not_empty")
    _require_length("sites", sites, "x_m")
    _require_length("units", units, "people")
    size = len(units["people"])
    building, buildings = _labels(units.get("building"), size)
    unit_table = Units(
        _names("units", units, size),
        np.asarray(units["x_m"], np.float64),
        np.asarray(units["y_m"], np.float64),
        np.asarray(units["people"], np.int64),
        building,
        buildings,
    )
    choices = choices_of(
        unit_table,
        site_table,
        slot_table,
        slots_of=units.get("slots"),
        sites_of=units.get("sites"),
        walk_m=units.get("walk_m"),
        reach_m=reach_m,
        site_choices=site_choices,
        walk_permille=walk_permille,
    )
    fixed = _pins(pins or {}, unit_table, site_table, slot_table)
    problem = Problem(unit_table, site_table, slot_table, choices, stagger_min, fixed)
    require_lawful(problem)
    return problem


def _require_once(where: str, names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise BadProblem("name", where, "planning.cure.once", name=name)
        seen.add(name)


def _require_length(where: str, columns: Mapping[str, Any], of: str) -> None:
    given = {name: len(column) for name, column in columns.items() if column is not None}
    if len(set(given.values())) > 1:
        raise BadProblem(of, where, "planning.cure.same_length", fields=", ".join(sorted(given)))


def _names(where: str, columns: Mapping[str, Any], size: int) -> tuple[str, ...]:
    given = columns.get("name")
    names = tuple(str(i) for i in range(size)) if given is None else tuple(given)
    _require_once(where, names)
    return names


def _lanes(given: Sequence[Any], slots: int) -> Ints:
    rows = list(given)
    table = [[int(row)] * slots if isinstance(row, int | np.integer) else list(row) for row in rows]
    for site, row in enumerate(table):
        if len(row) != slots:
            raise BadProblem(f"lanes[{site}]", "sites", "planning.cure.same_length", fields="slots, lanes")
    return np.asarray(table, np.int32).reshape(-1, slots)


def _labels(given: Sequence[str | None] | None, size: int) -> tuple[Ints, tuple[str, ...]]:
    numbers = np.full(size, -1, np.int32)
    known: dict[str, int] = {}
    for unit, name in enumerate(given or ()):
        if name:
            numbers[unit] = known.setdefault(name, len(known))
    return numbers, tuple(known)


def _pins(pins: Mapping[str, tuple[str, str]], units: Units, sites: Sites, slots: Slots) -> dict[int, int]:
    unit_of, site_of, slot_of = (
        {name: number for number, name in enumerate(table.names)} for table in (units, sites, slots)
    )
    fixed = {}
    for name, (site, slot) in pins.items():
        for known, wanted in ((unit_of, name), (site_of, site), (slot_of, slot)):
            if wanted not in known:
                raise BadProblem("", f"pins.{name}", "planning.cure.known", name=wanted)
        fixed[unit_of[name]] = site_of[site] * slots.size + slot_of[slot]
    return fixed


def read_problem(path: Path) -> Problem:
    """Read a problem file as `schema()` describes it; raises BadProblem."""
    return problem_from_json(read_json(path))


def problem_from_json(raw: Mapping[str, Any]) -> Problem:
    """Read a problem as `schema()` describes it; raises BadProblem."""
    fields = Fields(raw)
    units, sites, slots = fields.inner("units"), fields.inner("sites"), fields.inner("slots")
    places = _places(units, sites)
    unit_columns: dict[str, Any] = {
        "x_m": places[0],
        "y_m": places[1],
        "people": units.integers("people", 0, MOST_PEOPLE),
        "name": _texts(units, "name"),
        "building": _texts(units, "building", empty=True),
        "slots": _word_lists(units, "slots"),
        "sites": _word_lists(units, "sites"),
        "walk_m": _number_lists(units, "walk_m"),
    }
    site_columns = {
        "x_m": places[2],
        "y_m": places[3],
        "name": _texts(sites, "name"),
        "lanes": _lane_rows(sites),
    }
    slot_columns = {
        "name": _texts(slots, "name") or _missing("name", "slots"),
        "start_min": slots.integers("start_min", 0, _MOST_MINUTES),
        "minutes": slots.integers("minutes", 1, _MOST_MINUTES),
    }
    fixed = {}
    if fields.has("pins"):
        pins = fields.inner("pins")
        fixed = {name: (pins.inner(name).text("site"), pins.inner(name).text("slot")) for name in pins.raw}
    return make_problem(
        units=unit_columns,
        sites=site_columns,
        slots=slot_columns,
        reach_m=fields.integer("reach_m", 0, MOST_METRES, 1_000),
        site_choices=fields.integer("site_choices", 1, 1_000, 4),
        walk_permille=fields.integer("walk_permille", 1_000, 10_000, 1_000),
        stagger_min=fields.integer("stagger_min", 0, 120, 10),
        pins=fixed,
    )


def _missing(name: str, where: str) -> list[str]:
    raise BadProblem(name, where, "planning.cure.present")


def _lane_rows(sites: Fields) -> list[Any]:
    rows = sites.listed("lanes")
    table: list[Any] = []
    for number, row in enumerate(rows):
        one = Fields({"lanes": row if isinstance(row, list) else [row]}, f"sites.lanes[{number}]")
        lanes = one.integers("lanes", 0, _MOST_LANES)
        table.append(lanes.tolist() if isinstance(row, list) else int(lanes[0]))
    return table


def _places(units: Fields, sites: Fields) -> tuple[Floats, Floats, Floats, Floats]:
    """Return metres east and north of all units and sites, also from degrees."""
    if not units.has("lon"):
        far = float(MOST_METRES)
        columns = [part.numbers(name, -far, far) for part in (units, sites) for name in ("x_m", "y_m")]
        return columns[0], columns[1], columns[2], columns[3]
    degrees = [
        part.numbers(name, -most, most)
        for part in (units, sites)
        for name, most in (("lon", 180.0), ("lat", 90.0))
    ]
    for part, lon, lat in ((units, degrees[0], degrees[1]), (sites, degrees[2], degrees[3])):
        if len(lon) != len(lat):
            raise BadProblem("lon", part.where, "planning.cure.same_length", fields="lon, lat")
    if not len(degrees[2]):
        raise BadProblem("sites", "", "planning.cure.not_empty")
    flat = FlatMap.around(degrees[2], degrees[3])
    return *flat.place(degrees[0], degrees[1]), *flat.place(degrees[2], degrees[3])


def _texts(fields: Fields, name: str, *, empty: bool = False) -> list[Any] | None:
    if not fields.has(name):
        return None
    return fields.texts(name, blank=False, empty=empty)


def _word_lists(fields: Fields, name: str) -> list[list[str]] | None:
    return fields.word_lists(name) if fields.has(name) else None


def _number_lists(fields: Fields, name: str) -> list[Longs] | None:
    if not fields.has(name):
        return None
    rows = fields.listed(name)
    return [
        Fields({"walk_m": row}, f"{fields.where}.{name}[{n}]").integers("walk_m", 0, MOST_METRES)
        for n, row in enumerate(rows)
    ]


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a problem file."""
    text = {"type": "string", "minLength": 1}
    texts = {"type": "array", "items": text}
    labels = {"type": "array", "items": {"type": ["string", "null"]}}
    lists = {"type": "array", "items": texts}
    whole = {"type": "array", "items": {"type": "integer", "minimum": 0}}
    numbers = {"type": "array", "items": {"type": "number"}}
    count = {"type": "integer", "minimum": 0}
    positions = {"x_m": numbers, "y_m": numbers, "lon": numbers, "lat": numbers}

    def entry(required: list[str], **properties: Any) -> dict[str, Any]:
        return {"type": "object", "required": required, "properties": properties}

    lanes = {"type": "array", "items": {"anyOf": [count, whole]}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Muster batching problem",
        **entry(
            ["units", "sites", "slots"],
            units=entry(
                ["people"],
                name=texts,
                building=labels,
                people=whole,
                slots=lists,
                sites=lists,
                walk_m={"type": "array", "items": whole},
                **positions,
            ),
            sites=entry(["lanes"], name=texts, lanes=lanes, **positions),
            slots=entry(["name", "start_min", "minutes"], name=texts, start_min=whole, minutes=whole),
            reach_m=count,
            site_choices={"type": "integer", "minimum": 1},
            walk_permille={"type": "integer", "minimum": 1_000, "maximum": 10_000},
            stagger_min={"type": "integer", "minimum": 0, "maximum": 120},
            pins={"type": "object", "additionalProperties": entry(["site", "slot"], site=text, slot=text)},
        ),
    }
