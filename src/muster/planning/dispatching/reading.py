# SPDX-License-Identifier: Apache-2.0
"""Dispatching problems from JSON columns, or from columns that the program has at hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from muster.planning._kernel.arrays import Floats, Longs
from muster.planning._kernel.files import read_json
from muster.planning._kernel.geodesy import FlatMap
from muster.planning._kernel.reading import Fields
from muster.planning.contract import BadProblem
from muster.planning.dispatching.problem import (
    MOST_JOBS,
    MOST_METRES,
    MOST_TRAITS,
    Problem,
    Requests,
    Responders,
    Weights,
    require_lawful,
)

_WEIGHTS = ("load_m", "own_grid_m", "unserved_m")


def make_problem(
    *,
    responders: Mapping[str, Any],
    requests: Mapping[str, Any],
    weights: Weights | None = None,
    walk_permille: int = 1_000,
    declined: Iterable[tuple[str, str]] = (),
    pins: Mapping[str, str] | None = None,
) -> Problem:
    """Return a problem from columns. Raises BadProblem.

    Columns of responders: x_m, y_m, and where wanted name, traits (lists of words), load, capacity, grid;
    of requests: x_m, y_m, and where wanted name, needs, avoids (lists of words), grid, urgency.
    """
    people, wanted = _column_sizes("responders", responders), _column_sizes("requests", requests)
    traits = _trait_names(responders.get("traits"), requests.get("needs"), requests.get("avoids"))
    bit_of = {name: bit for bit, name in enumerate(traits)}
    grids: dict[str, int] = {}
    problem = Problem(
        responders=Responders(
            names=_names("responders", responders.get("name"), people),
            x_m=_metres(responders["x_m"]),
            y_m=_metres(responders["y_m"]),
            traits=_bits(responders.get("traits"), bit_of, people),
            load=_whole(responders.get("load"), people, otherwise=0),
            capacity=_whole(responders.get("capacity"), people, otherwise=1),
            grid=_grids(responders.get("grid"), grids, people),
        ),
        requests=Requests(
            names=_names("requests", requests.get("name"), wanted),
            x_m=_metres(requests["x_m"]),
            y_m=_metres(requests["y_m"]),
            needs=_bits(requests.get("needs"), bit_of, wanted),
            avoids=_bits(requests.get("avoids"), bit_of, wanted),
            grid=_grids(requests.get("grid"), grids, wanted),
            urgency=_whole(requests.get("urgency"), wanted, otherwise=1),
        ),
        traits=traits,
        weights=weights or Weights(),
        walk_permille=walk_permille,
    )
    problem = _with_pairs(problem, declined, pins or {})
    require_lawful(problem)
    return problem


def _with_pairs(problem: Problem, declined: Iterable[tuple[str, str]], pins: Mapping[str, str]) -> Problem:
    request_of = {name: number for number, name in enumerate(problem.requests.names)}
    responder_of = {name: number for number, name in enumerate(problem.responders.names)}

    def known(number_of: Mapping[str, int], name: str, where: str) -> int:
        if name not in number_of:
            raise BadProblem("", where, "planning.cure.known", name=name)
        return number_of[name]

    pairs = {
        (known(request_of, request, "declined"), known(responder_of, responder, "declined"))
        for request, responder in declined
    }
    fixed = {known(request_of, q, "pins"): known(responder_of, r, f"pins.{q}") for q, r in pins.items()}
    return Problem(
        problem.responders,
        problem.requests,
        problem.traits,
        problem.weights,
        problem.walk_permille,
        tuple(sorted(pairs)),
        fixed,
    )


def _column_sizes(where: str, columns: Mapping[str, Any]) -> int:
    for name in ("x_m", "y_m"):
        if columns.get(name) is None:
            raise BadProblem(name, where, "planning.cure.present")
    given = {name: len(column) for name, column in columns.items() if column is not None}
    if len(set(given.values())) > 1:
        fields = ", ".join(sorted(given))
        raise BadProblem("x_m", where, "planning.cure.same_length", fields=fields)
    return given["x_m"]


def _names(where: str, given: Sequence[str] | None, size: int) -> tuple[str, ...]:
    names = tuple(str(i) for i in range(size)) if given is None else tuple(given)
    if len(set(names)) < len(names):
        seen: set[str] = set()
        for name in names:
            if name in seen:
                raise BadProblem("name", where, "planning.cure.once", name=name)
            seen.add(name)
    return names


def _metres(column: ArrayLike) -> Longs:
    return np.rint(np.asarray(column, np.float64)).astype(np.int64)


def _whole(column: ArrayLike | None, size: int, *, otherwise: int) -> Longs:
    return np.full(size, otherwise, np.int64) if column is None else np.array(column, np.int64)


def _trait_names(*columns: Sequence[Sequence[str]] | None) -> tuple[str, ...]:
    names = sorted({name for column in columns if column is not None for words in column for name in words})
    if len(names) > MOST_TRAITS:
        raise BadProblem("traits", "", "planning.dispatching.too_many_traits", limit=MOST_TRAITS)
    return tuple(names)


def _bits(column: Sequence[Sequence[str]] | None, bit_of: Mapping[str, int], size: int) -> Longs:
    if column is None:
        return np.zeros(size, np.int64)
    return np.asarray([sum(1 << bit_of[name] for name in set(words)) for words in column], np.int64)


def _grids(column: Sequence[str | None] | None, known: dict[str, int], size: int) -> Longs:
    numbers = np.full(size, -1, np.int64)
    for entry, name in enumerate(column or ()):
        if name:
            numbers[entry] = known.setdefault(name, len(known))
    return numbers


def read_problem(path: Path) -> Problem:
    """Read a problem file as `schema()` describes it; raises BadProblem."""
    return problem_from_json(read_json(path))


def problem_from_json(raw: Mapping[str, Any]) -> Problem:
    """Read a problem as `schema()` describes it; raises BadProblem."""
    fields = Fields(raw)
    responders, requests = fields.inner("responders"), fields.inner("requests")
    places = _places(responders, requests)
    weights = Weights()
    if fields.has("weights"):
        given = fields.inner("weights")
        weights = Weights(**{n: given.integer(n, 0, MOST_METRES) for n in _WEIGHTS if given.has(n)})
    people: dict[str, Any] = {
        "x_m": places[0],
        "y_m": places[1],
        "name": _texts(responders, "name"),
        "traits": _words(responders, "traits"),
        "load": responders.integers("load", 0, MOST_JOBS) if responders.has("load") else None,
        "capacity": responders.integers("capacity", 0, MOST_JOBS) if responders.has("capacity") else None,
        "grid": _texts(responders, "grid", empty=True),
    }
    wanted: dict[str, Any] = {
        "x_m": places[2],
        "y_m": places[3],
        "name": _texts(requests, "name"),
        "needs": _words(requests, "needs"),
        "avoids": _words(requests, "avoids"),
        "grid": _texts(requests, "grid", empty=True),
        "urgency": requests.integers("urgency", 1, 100) if requests.has("urgency") else None,
    }
    declined = []
    if fields.has("declined"):
        declined = [(pair.text("request"), pair.text("responder")) for pair in fields.objects("declined")]
    fixed = {}
    if fields.has("pins"):
        pins = fields.inner("pins")
        fixed = {name: pins.text(name) for name in pins.raw}
    return make_problem(
        responders=people,
        requests=wanted,
        weights=weights,
        walk_permille=fields.integer("walk_permille", 1_000, 10_000, 1_000),
        declined=declined,
        pins=fixed,
    )


def _places(responders: Fields, requests: Fields) -> tuple[Floats, Floats, Floats, Floats]:
    """Return metres east and north of all responders and requests, also from degrees."""
    if not responders.has("lon") and not requests.has("lon"):
        far = float(MOST_METRES)
        columns = [part.numbers(n, -far, far) for part in (responders, requests) for n in ("x_m", "y_m")]
        return columns[0], columns[1], columns[2], columns[3]
    degrees = [
        part.numbers(name, -most, most)
        for part in (responders, requests)
        for name, most in (("lon", 180.0), ("lat", 90.0))
    ]
    for part, lon, lat in ((responders, degrees[0], degrees[1]), (requests, degrees[2], degrees[3])):
        if len(lon) != len(lat):
            raise BadProblem("lon", part.where, "planning.cure.same_length", fields="lon, lat")
    lon, lat = np.concatenate(degrees[0::2]), np.concatenate(degrees[1::2])
    if not len(lon):
        return degrees[0], degrees[1], degrees[2], degrees[3]
    flat = FlatMap.around(lon, lat)
    return *flat.place(degrees[0], degrees[1]), *flat.place(degrees[2], degrees[3])


def _texts(fields: Fields, name: str, *, empty: bool = False) -> list[Any] | None:
    if not fields.has(name):
        return None
    return fields.texts(name, blank=False, empty=empty)


def _words(fields: Fields, name: str) -> list[list[str]] | None:
    return fields.word_lists(name, blank=False) if fields.has(name) else None


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a problem file."""
    text = {"type": "string", "minLength": 1}
    texts = {"type": "array", "items": text}
    labels = {"type": "array", "items": {"type": ["string", "null"]}}
    words = {"type": "array", "items": texts}
    whole = {"type": "array", "items": {"type": "integer", "minimum": 0}}
    numbers = {"type": "array", "items": {"type": "number"}}
    metres = {"type": "integer", "minimum": 0, "maximum": MOST_METRES}
    positions = {"x_m": numbers, "y_m": numbers, "lon": numbers, "lat": numbers}

    def entry(required: list[str], **properties: Any) -> dict[str, Any]:
        return {"type": "object", "required": required, "properties": properties}

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Muster dispatching problem",
        **entry(
            ["responders", "requests"],
            responders=entry(
                [], name=texts, traits=words, load=whole, capacity=whole, grid=labels, **positions
            ),
            requests=entry(
                [], name=texts, needs=words, avoids=words, grid=labels, urgency=whole, **positions
            ),
            weights=entry([], **dict.fromkeys(_WEIGHTS, metres)),
            walk_permille={"type": "integer", "minimum": 1_000, "maximum": 10_000},
            declined={
                "type": "array",
                "items": entry(["request", "responder"], request=text, responder=text),
            },
            pins={"type": "object", "additionalProperties": text},
        ),
    }
