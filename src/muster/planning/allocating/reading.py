# SPDX-License-Identifier: Apache-2.0
"""Allocating problems from JSON columns, or from columns that the program has at hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from muster.planning._kernel.files import read_json
from muster.planning._kernel.reading import Fields
from muster.planning.allocating.making import make_problem
from muster.planning.allocating.problem import (
    MOST_METRES,
    MOST_PACK,
    MOST_UNITS,
    MOST_WEIGHT,
    Problem,
)
from muster.planning.contract import BadProblem

_FAR = float(100 * MOST_METRES)
_TEXTS = ("name", "source", "item", "area", "by", "limit", "given")
_WHOLE = {
    "pack": (1, MOST_PACK),
    "units": (0, MOST_UNITS),
    "least": (0, MOST_UNITS),
    "weight": (1, MOST_WEIGHT),
    "metres": (0, MOST_METRES),
    "extra_m": (0, MOST_METRES),
    "amount": (0, 1 << 50),
    "each": (0, MOST_UNITS),
    "packs": (1, MOST_UNITS),
}
_NUMBERS = {"x_m": (-_FAR, _FAR), "y_m": (-_FAR, _FAR), "lon": (-180.0, 180.0), "lat": (-90.0, 90.0)}
_PLACE = ("x_m", "y_m", "lon", "lat")
# Tables: columns that must be there, columns that may.
_TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "items": (("name",), ("pack", "weight")),
    "sources": (("name",), _PLACE),
    "areas": (("name",), ("weight", *_PLACE)),
    "stock": (("source", "item", "units"), ()),
    "needs": (("area", "item", "units"), ("least", "weight")),
    "lanes": (("source", "area", "metres"), ()),
    "stand_ins": (("item", "by"), ("extra_m",)),
    "limits": (("name", "amount"), ()),
    "uses": (("limit", "source", "item", "each"), ()),
    "pins": (("area", "item", "source", "packs"), ("given",)),
}
_REQUIRED = ("items", "sources", "areas", "stock", "needs")


def read_problem(path: Path) -> Problem:
    """Read a problem file as `schema()` describes it; raises BadProblem."""
    return problem_from_json(read_json(path))


def problem_from_json(raw: Mapping[str, Any]) -> Problem:
    """Read a problem as `schema()` describes it; raises BadProblem."""
    fields = Fields(raw)
    for name in raw:
        if name not in _TABLES and name not in {"reach_m", "detour_permille"}:
            allowed = ", ".join((*_TABLES, "reach_m", "detour_permille"))
            raise BadProblem(name, "", "planning.cure.one_of", allowed=allowed)
    tables = {
        name: _table(fields.inner(name), name) for name in _TABLES if name in _REQUIRED or fields.has(name)
    }
    return make_problem(
        **tables,
        reach_m=fields.integer("reach_m", 0, MOST_METRES) if fields.has("reach_m") else None,
        detour_permille=fields.integer("detour_permille", 1_000, 10_000, 1_000),
    )


def _table(fields: Fields, name: str) -> dict[str, Any]:
    must, may = _TABLES[name]
    for column in fields.raw:
        if column not in (*must, *may):
            raise BadProblem(column, name, "planning.cure.one_of", allowed=", ".join((*must, *may)))
    return {
        column: _column(fields, column) for column in (*must, *may) if column in must or fields.has(column)
    }


def _column(fields: Fields, column: str) -> Any:
    if column in _WHOLE:
        return fields.integers(column, *_WHOLE[column])
    if column in _NUMBERS:
        return fields.numbers(column, *_NUMBERS[column])
    values = fields.listed(column)
    for number, value in enumerate(values):
        if not (isinstance(value, str) and value):
            raise BadProblem(f"{column}[{number}]", fields.where, "planning.cure.text")
    return values


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a problem file."""

    def column(name: str) -> dict[str, Any]:
        if name in _TEXTS:
            return {"type": "array", "items": {"type": "string", "minLength": 1}}
        if name in _WHOLE:
            low, high = _WHOLE[name]
            return {"type": "array", "items": {"type": "integer", "minimum": low, "maximum": high}}
        low_number, high_number = _NUMBERS[name]
        return {"type": "array", "items": {"type": "number", "minimum": low_number, "maximum": high_number}}

    properties: dict[str, Any] = {
        name: {
            "type": "object",
            "required": list(must),
            "additionalProperties": False,
            "properties": {part: column(part) for part in (*must, *may)},
        }
        for name, (must, may) in _TABLES.items()
    }
    properties["reach_m"] = {"type": "integer", "minimum": 0, "maximum": MOST_METRES}
    properties["detour_permille"] = {"type": "integer", "minimum": 1_000, "maximum": 10_000}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Muster allocating problem",
        "type": "object",
        "required": list(_REQUIRED),
        "additionalProperties": False,
        "properties": properties,
    }
