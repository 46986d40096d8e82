# SPDX-License-Identifier: Apache-2.0
"""Districting problems from lists of buildings: as JSON, or straight from the program's own tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from muster.planning._kernel.arrays import Floats, Ints, Longs
from muster.planning._kernel.files import read_text
from muster.planning._kernel.geodesy import FlatMap
from muster.planning._kernel.reading import Fields
from muster.planning.contract import BadProblem
from muster.planning.districting.adjacency import Gate, Ground, HardLine, build_links, lawful_links
from muster.planning.districting.graph_files import read_graph
from muster.planning.districting.problem import Level, Measure, Previous, Problem, require_lawful

_MOST_PEOPLE = 10_000_000
_FAR_M = 10_000_000.0

# A building drawn right on a hard line has to be on one side of it: all are moved by so little.
_NUDGE_M = (0.0137, 0.0071)


def read_problem(path: Path) -> Problem:
    """Read a problem file: JSON as `schema()` describes it, or a METIS graph; raises BadProblem."""
    text = read_text(path)
    if not text.lstrip().startswith("{"):
        return read_graph(text, path.name)
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadProblem("", path.name, "planning.cure.valid_json", detail=str(error)) from error
    return problem_from_json(raw)


def problem_from_json(raw: Mapping[str, Any]) -> Problem:
    """Read a problem as `schema()` describes it; raises BadProblem."""
    fields = Fields(raw)
    buildings = fields.inner("buildings")
    population = buildings.integers("population", 0, _MOST_PEOPLE)
    size = len(population)
    if size == 0:
        raise BadProblem("population", "buildings", "planning.cure.not_empty")
    flat, x, y = _positions(buildings)
    today = (
        [_texts(level, "grid_of", size) for level in fields.objects("today")] if fields.has("today") else []
    )
    return make_problem(
        population=population,
        workload=buildings.integers("workload", 0, _MOST_PEOPLE) if buildings.has("workload") else None,
        x_m=x,
        y_m=y,
        names=_texts(buildings, "name", size) if buildings.has("name") else None,
        community=_texts(buildings, "community", size) if buildings.has("community") else None,
        compound=_texts(buildings, "compound", size) if buildings.has("compound") else None,
        hard_lines=_hard_lines(fields, flat),
        gates=_gates(fields, flat),
        pairs=_pairs(fields, size),
        levels=[_level(level) for level in fields.objects("levels")],
        measure=Measure(fields.chosen("measure", tuple(Measure), Measure.POPULATION)),
        divide_large_compounds=fields.flag("divide_large_compounds", otherwise=False),
        tolerance_percent=fields.number("tolerance_percent", 0.1, 100.0, 3.0),
        today=today,
        pins=_pins(fields),
        kept=[str(name) for name in fields.listed("kept")] if fields.has("kept") else (),
    )


def make_problem(
    *,
    population: ArrayLike,
    levels: Sequence[Level],
    workload: ArrayLike | None = None,
    x_m: ArrayLike = (),
    y_m: ArrayLike = (),
    names: Sequence[str | None] | None = None,
    community: Sequence[str | None] | None = None,
    compound: Sequence[str | None] | None = None,
    hard_lines: Sequence[HardLine] = (),
    gates: Sequence[tuple[float, float, str]] = (),
    pairs: tuple[Longs, Longs] | None = None,
    measure: Measure = Measure.POPULATION,
    divide_large_compounds: bool = False,
    tolerance_percent: float = 3.0,
    today: Sequence[Sequence[str | None]] = (),
    pins: Mapping[str, str] | None = None,
    kept: Sequence[str] = (),
) -> Problem:
    """Return a problem from columns, one entry for each building, in any order.

    Without `pairs` (who is next to whom) the neighbours follow from the positions, the hard lines and the
    gates. `today` holds today's grid names of each level from the smallest up. Raises BadProblem.
    """
    people = np.asarray(population, np.int64)
    size = len(people)
    x, y = np.asarray(x_m, np.float64), np.asarray(y_m, np.float64)
    labels = _building_names(names, size)
    columns = {"workload": workload, "community": community, "compound": compound}
    columns |= {f"today[{number}]": level for number, level in enumerate(today)}
    _require_length(size, {name: column for name, column in columns.items() if column is not None})
    community_of, community_names = _numbered(community, size, empty=True)
    compound_of, compound_names = _numbered(compound, size, empty=False)
    if len(x) not in {0, size} or len(x) != len(y) or (len(x) == 0 and pairs is None):
        raise BadProblem("x_m", "buildings", "planning.districting.positions")
    if len(hard_lines) and len(x):
        x, y = x + _NUDGE_M[0], y + _NUDGE_M[1]
    ways_in = [Gate(e, n, compound_names.index(c)) for e, n, c in gates if c in compound_names]
    ground = Ground(x, y, community_of, compound_of, hard_lines, ways_in)
    number_of = {name: number for number, name in enumerate(labels)}
    pinned, pin_names = _pinned(pins or {}, number_of)
    problem = Problem(
        names=labels,
        population=people,
        workload=people if workload is None else np.asarray(workload, np.int64),
        x_m=x,
        y_m=y,
        community=community_of,
        community_names=community_names,
        compound=compound_of,
        compound_names=compound_names,
        links=build_links(ground) if pairs is None else lawful_links(ground, *pairs),
        levels=tuple(levels),
        measure=measure,
        hard_lines=tuple(hard_lines),
        divide_large_compounds=divide_large_compounds,
        tolerance_ppm=round(tolerance_percent * 10_000),
        previous=tuple(_previous(level, size) for level in today),
        pinned=pinned,
        pin_names=pin_names,
        kept=frozenset(kept),
    )
    require_lawful(problem)
    return problem


def _building_names(names: Sequence[str | None] | None, size: int) -> tuple[str, ...]:
    if names is None:
        return tuple(str(number) for number in range(1, size + 1))
    _require_length(size, {"name": names})
    labels = tuple(name or "" for name in names)
    seen: set[str] = set()
    for number, name in enumerate(labels):
        if name in seen:
            raise BadProblem("name", f"buildings[{number}]", "planning.cure.once", name=name)
        seen.add(name)
    return labels


def _require_length(size: int, columns: Mapping[str, Any]) -> None:
    for name, column in columns.items():
        if len(column) != size:
            fields = f"population, {name}"
            raise BadProblem(name, "buildings", "planning.cure.same_length", fields=fields)


def _numbered(labels: Sequence[str | None] | None, size: int, *, empty: bool) -> tuple[Ints, tuple[str, ...]]:
    """Return labels as numbers of names; an empty label is a name of its own or, if not `empty`, -1."""
    if labels is None:
        return (np.zeros(size, np.int32), ("",)) if empty else (np.full(size, -1, np.int32), ())
    names: dict[str, int] = {}
    number_of = np.full(size, -1, np.int32)
    for building, label in enumerate(labels):
        name = label or ""
        if name or empty:
            number_of[building] = names.setdefault(name, len(names))
    return number_of, tuple(names)


def _previous(labels: Sequence[str | None], size: int) -> Previous:
    grid_of, names = _numbered(labels, size, empty=False)
    return Previous(names, grid_of)


def _pinned(pins: Mapping[str, str], number_of: Mapping[str, int]) -> tuple[Ints | None, tuple[str, ...]]:
    if not pins:
        return None, ()
    names = tuple(sorted(set(pins.values())))
    pinned = np.full(len(number_of), -1, np.int32)
    for building, grid in pins.items():
        if building not in number_of:
            raise BadProblem("pins", "", "planning.cure.known", name=building)
        pinned[number_of[building]] = names.index(grid)
    return pinned, names


def _texts(fields: Fields, name: str, size: int) -> list[str | None]:
    values = fields.listed(name)
    for number, value in enumerate(values):
        if value is not None and not isinstance(value, str):
            raise BadProblem(f"{name}[{number}]", fields.where, "planning.cure.text")
    if len(values) != size:
        raise BadProblem(name, fields.where, "planning.cure.same_length", fields=f"population, {name}")
    return values


def _positions(fields: Fields) -> tuple[FlatMap | None, Floats, Floats]:
    """Return positions in metres, and the map that made them if they were given in degrees."""
    if fields.has("lon"):
        lon, lat = fields.numbers("lon", -180, 180), fields.numbers("lat", -90, 90)
        if len(lon) != len(lat) or not len(lon):
            raise BadProblem("lon", fields.where, "planning.cure.same_length", fields="lon, lat")
        flat = FlatMap.around(lon, lat)
        return flat, *flat.place(lon, lat)
    if not fields.has("x_m"):
        return None, np.zeros(0), np.zeros(0)
    return None, fields.numbers("x_m", -_FAR_M, _FAR_M), fields.numbers("y_m", -_FAR_M, _FAR_M)


def _hard_lines(fields: Fields, flat: FlatMap | None) -> list[HardLine]:
    if not fields.has("hard_lines"):
        return []
    lines = []
    for line in fields.objects("hard_lines"):
        points = line.listed("points")
        shape = np.zeros((0, 0))
        if all(isinstance(point, list) and len(point) >= 2 for point in points) and len(points) >= 2:
            try:
                shape = np.asarray([point[:2] for point in points], np.float64)
            except (TypeError, ValueError):
                shape = np.zeros((0, 0))
        if shape.ndim != 2 or len(shape) < 2 or not np.isfinite(shape).all():
            raise BadProblem("points", line.where, "planning.districting.line_points")
        x, y = flat.place(shape[:, 0], shape[:, 1]) if flat else (shape[:, 0], shape[:, 1])
        lines.append(HardLine(line.text("kind", ""), x, y))
    return lines


def _gates(fields: Fields, flat: FlatMap | None) -> list[tuple[float, float, str]]:
    if not fields.has("gates"):
        return []
    gates = []
    for gate in fields.objects("gates"):
        names = ("lon", "lat") if flat else ("x_m", "y_m")
        east, north = (gate.number(name, -_FAR_M, _FAR_M) for name in names)
        if flat:
            x, y = flat.place(np.asarray([east]), np.asarray([north]))
            east, north = float(x[0]), float(y[0])
        gates.append((east, north, gate.text("compound")))
    return gates


def _pairs(fields: Fields, size: int) -> tuple[Longs, Longs] | None:
    if not fields.has("links"):
        return None
    links = fields.inner("links")
    a, b = links.integers("a", 0, size - 1), links.integers("b", 0, size - 1)
    if len(a) != len(b):
        raise BadProblem("links", "", "planning.cure.same_length", fields="a, b")
    return a, b


def _level(fields: Fields) -> Level:
    count = fields.integer("count", 1) if fields.has("count") else None
    size = fields.integer("size", 1) if fields.has("size") else None
    return Level(fields.text("name"), count, size, fields.flag("across", otherwise=False))


def _pins(fields: Fields) -> dict[str, str]:
    if not fields.has("pins"):
        return {}
    pins = fields.inner("pins")
    return {building: pins.text(building) for building in pins.raw}


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a problem file."""
    texts = {"type": "array", "items": {"type": ["string", "null"]}}
    whole = {"type": "array", "items": {"type": "integer", "minimum": 0}}
    numbers = {"type": "array", "items": {"type": "number"}}
    positive = {"type": "integer", "minimum": 1}

    def entry(required: list[str], **properties: Any) -> dict[str, Any]:
        return {"type": "object", "required": required, "properties": properties}

    level = entry(
        ["name"], name={"type": "string"}, count=positive, size=positive, across={"type": "boolean"}
    )
    point = {"type": "array", "items": {"type": "number"}, "minItems": 2}
    line = entry(["points"], kind={"type": "string"}, points={"type": "array", "items": point, "minItems": 2})
    number = {"type": "number"}
    gate = entry(["compound"], compound={"type": "string"}, x_m=number, y_m=number, lon=number, lat=number)
    columns = {"name": texts, "population": whole, "workload": whole, "community": texts, "compound": texts}
    positions = {"x_m": numbers, "y_m": numbers, "lon": numbers, "lat": numbers}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Muster districting problem",
        **entry(
            ["buildings", "levels"],
            buildings=entry(["population"], **columns, **positions),
            links=entry(["a", "b"], a=whole, b=whole),
            hard_lines={"type": "array", "items": line},
            gates={"type": "array", "items": gate},
            levels={"type": "array", "items": level, "minItems": 1},
            measure={"enum": list(Measure)},
            divide_large_compounds={"type": "boolean"},
            tolerance_percent={"type": "number", "minimum": 0.1, "maximum": 100},
            today={"type": "array", "items": entry(["grid_of"], grid_of=texts)},
            pins={"type": "object", "additionalProperties": {"type": "string"}},
            kept={"type": "array", "items": {"type": "string"}},
        ),
    }
