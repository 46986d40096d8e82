# SPDX-License-Identifier: Apache-2.0
"""A walking problem: a graph, places on it, and either a matrix of distances or a walk over stops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from muster.planning._kernel.files import read_json
from muster.planning._kernel.reading import Fields
from muster.planning.contract import BadProblem
from muster.planning.network.graph import UNREACHABLE, WalkGraph
from muster.planning.network.places import Places, at_nodes, snap
from muster.planning.network.road_files import roads_from_geojson
from muster.planning.network.road_graph import walk_graph


class Task(StrEnum):
    """What is asked: all distances from sources to targets, or a walk over stops."""

    DISTANCES = "distances"
    WALK = "walk"


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Places are named by their number; `fixed_first` are stops that a person has put at the beginning."""

    graph: WalkGraph
    places: Places
    names: tuple[str, ...]
    task: Task
    sources: tuple[int, ...] = ()
    targets: tuple[int, ...] = ()
    stops: tuple[int, ...] = ()
    start: int | None = None
    finish: int | None = None
    returns: bool = False
    fixed_first: tuple[int, ...] = field(default=())


def pins(problem: Problem) -> tuple[int, ...]:
    """Return the places whose part in the walk a person fixed: start, the stops fixed first, finish."""
    start = () if problem.start is None else (problem.start,)
    finish = () if problem.finish is None else (problem.finish,)
    return tuple(dict.fromkeys((*start, *problem.fixed_first, *finish)))


def read_problem(path: Path) -> Problem:
    """Read a problem file; raises BadProblem."""
    return problem_from_json(read_json(path))


def problem_from_json(raw: Mapping[str, Any]) -> Problem:
    """Read a problem as `schema()` describes it; raises BadProblem."""
    fields = Fields(raw)
    task = Task(fields.chosen("task", tuple(Task)))
    graph = _graph(fields)
    places, names = _places(fields, graph)
    number_of = {name: number for number, name in enumerate(names)}

    def listed(name: str) -> tuple[int, ...]:
        return tuple(_known(item, name, number_of) for item in fields.listed(name))

    def one(name: str) -> int | None:
        return _known(fields.take(name), name, number_of) if fields.has(name) else None

    if task is Task.DISTANCES:
        return Problem(graph, places, names, task, sources=listed("sources"), targets=listed("targets"))
    stops = listed("stops")
    for name, value in (("stops", stops),):
        if len(set(value)) < len(value):
            raise BadProblem(name, "", "planning.network.walk.twice")
    return Problem(
        graph,
        places,
        names,
        task,
        stops=stops,
        start=one("start"),
        finish=one("finish"),
        returns=fields.flag("returns", otherwise=False),
        fixed_first=listed("fixed_first") if fields.has("fixed_first") else (),
    )


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a problem file."""
    names = {"type": "array", "items": {"type": "string"}}
    numbers = {"type": "array", "items": {"type": "number"}}
    integers = {"type": "array", "items": {"type": "integer", "minimum": 0}}
    place = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "node": {"type": "integer", "minimum": 0},
            "lon": {"type": "number", "minimum": -180, "maximum": 180},
            "lat": {"type": "number", "minimum": -90, "maximum": 90},
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Muster network problem",
        "type": "object",
        "required": ["task", "places"],
        "properties": {
            "task": {"enum": list(Task)},
            "roads": {"type": "object", "description": "GeoJSON lines, WGS-84; instead of edges"},
            "nodes": {"type": "object", "properties": {"lon": numbers, "lat": numbers}},
            "edges": {
                "type": "object",
                "required": ["a", "b", "dm"],
                "properties": {"a": integers, "b": integers, "dm": integers},
                "description": "ends and length in decimetres of each piece of street",
            },
            "places": {"type": "array", "items": place},
            "sources": names,
            "targets": names,
            "stops": names,
            "start": {"type": "string"},
            "finish": {"type": "string"},
            "returns": {"type": "boolean"},
            "fixed_first": names,
        },
    }


def _graph(fields: Fields) -> WalkGraph:
    if fields.has("roads"):
        return walk_graph(roads_from_geojson(fields.take("roads"))).graph
    edges = fields.inner("edges")
    lon = lat = np.zeros(0)
    if fields.has("nodes"):
        nodes = fields.inner("nodes")
        lon, lat = nodes.numbers("lon", -180, 180), nodes.numbers("lat", -90, 90)
    a, b = edges.integers("a", 0, UNREACHABLE), edges.integers("b", 0, UNREACHABLE)
    size = len(lon) or int(max(a.max(initial=-1), b.max(initial=-1))) + 1
    return WalkGraph.from_edges(size, a, b, edges.integers("dm", 1, UNREACHABLE), lon=lon, lat=lat)


def _places(fields: Fields, graph: WalkGraph) -> tuple[Places, tuple[str, ...]]:
    listed = fields.objects("places")
    names = tuple(place.text("name") for place in listed)
    _require_once(names)
    on_nodes = [place.has("node") for place in listed]
    if all(on_nodes):
        return at_nodes([place.integer("node", 0, graph.size - 1) for place in listed]), names
    for place, on_node in zip(listed, on_nodes, strict=True):
        if on_node or not (place.has("lon") and place.has("lat")):
            raise BadProblem("node", place.where, "planning.network.place")
    lon = [place.number("lon", -180, 180) for place in listed]
    lat = [place.number("lat", -90, 90) for place in listed]
    return snap(graph, lon, lat), names


def _require_once(names: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name in seen:
            raise BadProblem("name", f"places[{i}]", "planning.cure.once", name=name)
        seen.add(name)


def _known(name: Any, field_name: str, number_of: Mapping[str, int]) -> int:
    if not isinstance(name, str) or name not in number_of:
        raise BadProblem(field_name, "", "planning.cure.known", name=str(name))
    return number_of[name]
