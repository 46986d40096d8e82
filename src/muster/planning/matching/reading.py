# SPDX-License-Identifier: Apache-2.0
"""Matching problems from files: JSON of columns, or a DIMACS minimum-cost flow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from muster.planning._kernel.arrays import Floats, Longs
from muster.planning._kernel.files import read_text
from muster.planning._kernel.geodesy import FlatMap
from muster.planning._kernel.reading import Fields
from muster.planning.contract import BadProblem
from muster.planning.matching.flow_files import FlowProblem, flow_from_text
from muster.planning.matching.making import Wanted, make_problem
from muster.planning.matching.problem import MOST_METRES, MOST_PEOPLE, Problem, Weights

_WEIGHTS = ("unfilled_m", "balance_m", "spare_m", "own_grid_m", "team_m")


def read_problem(path: Path) -> Problem | FlowProblem:
    """Read a problem file: JSON as `schema()` describes it, or DIMACS `.min`; raises BadProblem."""
    text = read_text(path)
    if not text.lstrip().startswith("{"):
        return flow_from_text(text, path.name)
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadProblem("", path.name, "planning.cure.valid_json", detail=str(error)) from error
    return problem_from_json(raw)


def problem_from_json(raw: Mapping[str, Any]) -> Problem:
    """Read a problem as `schema()` describes it; raises BadProblem."""
    fields = Fields(raw)
    responders, grids, posts = fields.inner("responders"), fields.inner("grids"), fields.inner("posts")
    walk = fields.inner("walk") if fields.has("walk") else None
    skills = _skill_lists(responders)
    names = _names(responders, "name") if responders.has("name") else None
    grid_names = _names(grids, "name")
    x, y, grid_x, grid_y = _positions(responders, grids, len(skills), len(grid_names), given=walk is not None)
    return make_problem(
        responders=names,
        skills=skills,
        x_m=x,
        y_m=y,
        home=_labels(responders, "home"),
        team=_labels(responders, "team"),
        reach_m=responders.integers("reach_m", 0, MOST_METRES) if responders.has("reach_m") else None,
        grids=grid_names,
        grid_x_m=grid_x,
        grid_y_m=grid_y,
        posts=Wanted(
            grid=_names(posts, "grid", once=False),
            skill=_names(posts, "skill", once=False),
            need=posts.integers("need", 0, MOST_PEOPLE),
            spare=posts.integers("spare", 0, MOST_PEOPLE) if posts.has("spare") else None,
        ),
        weights=_weights(fields),
        walk_permille=fields.integer("walk_permille", 1_000, 10_000, 1_000),
        walk_m=_table(walk) if walk else None,
        place=walk.integers("place", 0, MOST_PEOPLE) if walk and walk.has("place") else None,
        pins=_pins(fields),
        bars=_bars(fields),
    )


def _weights(fields: Fields) -> Weights:
    if not fields.has("weights"):
        return Weights()
    given = fields.inner("weights")
    worth = {name: given.integer(name, 0, MOST_METRES) for name in _WEIGHTS if given.has(name)}
    return Weights(**worth)


def _skill_lists(fields: Fields) -> list[list[str]]:
    held = fields.listed("skills")
    for who, names in enumerate(held):
        if not isinstance(names, list):
            raise BadProblem(f"skills[{who}]", fields.where, "planning.cure.list")
        for name in names:
            if not isinstance(name, str) or not name:
                raise BadProblem(f"skills[{who}]", fields.where, "planning.cure.text")
    return held


def _names(fields: Fields, name: str, *, once: bool = True) -> list[str]:
    values = fields.listed(name)
    for number, value in enumerate(values):
        if not isinstance(value, str) or not value:
            raise BadProblem(f"{name}[{number}]", fields.where, "planning.cure.text")
    if once and len(set(values)) < len(values):
        seen: set[str] = set()
        for value in values:
            if value in seen:
                raise BadProblem(name, fields.where, "planning.cure.once", name=value)
            seen.add(value)
    return values


def _labels(fields: Fields, name: str) -> list[str | None] | None:
    if not fields.has(name):
        return None
    values = fields.listed(name)
    for number, value in enumerate(values):
        if value is not None and not isinstance(value, str):
            raise BadProblem(f"{name}[{number}]", fields.where, "planning.cure.text")
    return values


def _positions(
    responders: Fields, grids: Fields, people: int, count: int, *, given: bool
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return positions in metres: as given, from degrees, or none where a table of walks is given."""
    if responders.has("lon"):
        lon, lat = responders.numbers("lon", -180, 180), responders.numbers("lat", -90, 90)
        grid_lon, grid_lat = grids.numbers("lon", -180, 180), grids.numbers("lat", -90, 90)
        for fields, pair in ((responders, (lon, lat)), (grids, (grid_lon, grid_lat))):
            if len(pair[0]) != len(pair[1]):
                raise BadProblem("lon", fields.where, "planning.cure.same_length", fields="lon, lat")
        if not len(grid_lon):
            return np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0)
        flat = FlatMap.around(grid_lon, grid_lat)
        return *flat.place(lon, lat), *flat.place(grid_lon, grid_lat)
    if given and not responders.has("x_m"):
        return np.zeros(people), np.zeros(people), np.zeros(count), np.zeros(count)
    far = float(MOST_METRES)
    columns = [fields.numbers(name, -far, far) for fields in (responders, grids) for name in ("x_m", "y_m")]
    return columns[0], columns[1], columns[2], columns[3]


def _table(walk: Fields) -> Longs:
    rows = walk.listed("metres")
    table = [
        Fields({"row": row}, f"walk.metres[{n}]").integers("row", 0, MOST_METRES)
        for n, row in enumerate(rows)
    ]
    if len({len(row) for row in table}) > 1:
        raise BadProblem("metres", walk.where, "planning.cure.same_length", fields="metres")
    return np.stack(table) if table else np.zeros((0, 0), np.int64)


def _pins(fields: Fields) -> dict[str, tuple[str, str | None]]:
    if not fields.has("pins"):
        return {}
    pins = fields.inner("pins")
    fixed: dict[str, tuple[str, str | None]] = {}
    for who in pins.raw:
        seat = pins.inner(who)
        fixed[who] = (seat.text("grid"), seat.text("skill") if seat.has("skill") else None)
    return fixed


def _bars(fields: Fields) -> list[tuple[str, str]]:
    if not fields.has("bars"):
        return []
    return [(bar.text("responder"), bar.text("grid")) for bar in fields.objects("bars")]


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a problem file."""
    text = {"type": "string", "minLength": 1}
    texts = {"type": "array", "items": text}
    labels = {"type": "array", "items": {"type": ["string", "null"]}}
    whole = {"type": "array", "items": {"type": "integer", "minimum": 0}}
    numbers = {"type": "array", "items": {"type": "number"}}
    metres = {"type": "integer", "minimum": 0, "maximum": MOST_METRES}

    def entry(required: list[str], **properties: Any) -> dict[str, Any]:
        return {"type": "object", "required": required, "properties": properties}

    positions = {"x_m": numbers, "y_m": numbers, "lon": numbers, "lat": numbers}
    responders = entry(
        ["skills"],
        name=texts,
        skills={"type": "array", "items": texts},
        home=labels,
        team=labels,
        reach_m=whole,
        **positions,
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Muster matching problem",
        **entry(
            ["responders", "grids", "posts"],
            responders=responders,
            grids=entry(["name"], name=texts, **positions),
            posts=entry(["grid", "skill", "need"], grid=texts, skill=texts, need=whole, spare=whole),
            weights=entry([], **dict.fromkeys(_WEIGHTS, metres)),
            walk_permille={"type": "integer", "minimum": 1_000, "maximum": 10_000},
            walk=entry(["metres"], place=whole, metres={"type": "array", "items": whole}),
            pins={"type": "object", "additionalProperties": entry(["grid"], grid=text, skill=text)},
            bars={"type": "array", "items": entry(["responder", "grid"], responder=text, grid=text)},
        ),
    }
