# SPDX-License-Identifier: Apache-2.0
"""Plain reads: many rows of a table as values or as model rows, without the ORM's price for each of them.

The ORM takes a value through three calls and a row through its model's __init__: 30 µs for a ledger entry.
Fold reads a few rows for each fact: this decides how fast a city's evening is worked off. Here a column
has one converter, chosen once; filters are conditions of plain SQL with their values.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec
from django.db import connection, models
from django.db.models.base import ModelState
from psycopg.types.json import Jsonb

M = TypeVar("M", bound=models.Model)
Convert = Callable[[Any], Any]
Condition = tuple[str, list[Any]]


def time_of(naive: datetime) -> datetime:
    """A time as Django keeps it in SQLite: UTC without its zone. (Its driver has read the text already.)"""
    return naive.replace(tzinfo=UTC)


def among(column: str, wanted: Collection[Any]) -> Condition:
    """column is one of these; nothing is never there."""
    if not wanted:
        return "1 = 0", []
    if connection.vendor == "postgresql":
        kind = _ARRAYS[next(kind for kind in _ARRAYS if isinstance(next(iter(wanted)), kind))]
        return f'"{column}" = ANY(%s::{kind}[])', [array_text(wanted)]
    marks = ",".join(["%s"] * len(wanted))
    if isinstance(next(iter(wanted)), uuid.UUID):
        return f'"{column}" IN ({marks})', [f"{value.int:032x}" for value in wanted]
    return f'"{column}" IN ({marks})', [_in_sqlite(value) for value in wanted]


_ARRAYS: dict[type, str] = {uuid.UUID: "uuid", str: "text", int: "bigint", datetime: "timestamptz"}


def array_text(values: Collection[Any]) -> str:
    """An array as PostgreSQL reads it; its driver takes each element through Python, a fifth of fold.

    All values are of the first one's kind, or None.
    """
    first = next((value for value in values if value is not None), 0)
    said = next((said for kind, said in _ELEMENTS.items() if isinstance(first, kind)), None)
    if said is None:
        raise TypeError(f"{type(first).__name__}: no plain value")
    return "{" + ",".join(["NULL" if value is None else said(value) for value in values]) + "}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


_ELEMENTS: dict[type, Callable[[Any], str]] = {
    uuid.UUID: lambda value: f"{value.int:032x}",
    str: _quoted,
    bool: lambda value: "true" if value else "false",  # before int, which it is too
    int: str,
    float: repr,
    date: lambda value: f'"{value.isoformat()}"',
    bytes: lambda value: f'"\\\\x{value.hex()}"',
    Jsonb: lambda value: _quoted((value.dumps or json.dumps)(value.obj)),
}


def equal(column: str, value: Any) -> Condition:
    return f'"{column}" = %s', [plain(value)]


def plain(value: Any) -> Any:
    """A value as the database's driver takes it."""
    return value if connection.vendor == "postgresql" else _in_sqlite(value)


def _in_sqlite(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return value.hex
    return time_text(value) if isinstance(value, datetime) else value


def time_text(at: datetime) -> str:
    """As Django keeps a time in SQLite: UTC without its zone."""
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(" ")[:-6]


def read_values(
    model: type[models.Model], columns: Sequence[str], *conditions: Condition, most: int | None = None
) -> Iterator[tuple[Any, ...]]:
    """The named columns of the rows that meet all conditions, or of as many of them as wanted."""
    names = _names(model, columns)
    where = " AND ".join(sql for sql, _ in conditions)
    asked = f'SELECT {names} FROM "{model._meta.db_table}" WHERE {where}{f" LIMIT {most}" if most else ""}'
    yield from _read(model, columns, asked, [v for _, values in conditions for v in values])


def read_pairs(
    model: type[models.Model],
    columns: Sequence[str],
    pair: tuple[str, str],
    wanted: Collection[tuple[Any, Any]],
    *conditions: Condition,
) -> Iterator[tuple[Any, ...]]:
    """The named columns of the rows whose `pair` of columns is one of these and that meet all conditions.

    Each pair is looked up by itself: a planner that knows little of a young table must not read it whole.
    """
    if not wanted:
        return
    names, table = _names(model, columns), model._meta.db_table
    where = "".join(f" AND {sql}" for sql, _ in conditions)
    more = [v for _, values in conditions for v in values]
    if connection.vendor == "postgresql":
        lists = list(zip(*wanted, strict=True))
        kinds = [_ARRAYS[next(kind for kind in _ARRAYS if isinstance(each[0], kind))] for each in lists]
        asked = (
            f"SELECT found.* FROM unnest(%s::{kinds[0]}[], %s::{kinds[1]}[]) AS told(a, b) CROSS JOIN LATERAL"
            f' (SELECT {names} FROM "{table}" WHERE "{pair[0]}" = told.a AND "{pair[1]}" = told.b{where}'
            " OFFSET 0) AS found"
        )
        yield from _read(model, columns, asked, [*(array_text(each) for each in lists), *more])
        return
    marks = ",".join(["(%s, %s)"] * len(wanted))
    asked = (
        f'WITH told(a, b) AS (VALUES {marks}) SELECT {names} FROM told CROSS JOIN "{table}"'
        f' WHERE "{pair[0]}" = told.a AND "{pair[1]}" = told.b{where}'
    )
    yield from _read(model, columns, asked, [*(_in_sqlite(v) for each in wanted for v in each), *more])


def read_each(
    model: type[models.Model],
    columns: Sequence[str],
    column: str,
    wanted: Collection[Any],
    *conditions: Condition,
) -> Iterator[tuple[Any, ...]]:
    """As read_values with `among`, but each of the wanted is looked up by itself, as in read_pairs."""
    if not wanted:
        return
    if connection.vendor != "postgresql":
        yield from read_values(model, columns, among(column, wanted), *conditions)
        return
    kind = _ARRAYS[next(kind for kind in _ARRAYS if isinstance(next(iter(wanted)), kind))]
    where = "".join(f" AND {sql}" for sql, _ in conditions)
    asked = (
        f"SELECT found.* FROM unnest(%s::{kind}[]) AS told(a) CROSS JOIN LATERAL"
        f' (SELECT {_names(model, columns)} FROM "{model._meta.db_table}" WHERE "{column}" = told.a{where}'
        " OFFSET 0) AS found"
    )
    yield from _read(
        model, columns, asked, [array_text(wanted), *(v for _, told in conditions for v in told)]
    )


def _names(model: type[models.Model], columns: Sequence[str]) -> str:
    return ", ".join(f'"{cast(Any, model._meta.get_field(name)).column}"' for name in columns)


def _read(
    model: type[models.Model], columns: Sequence[str], asked: str, values: Sequence[Any]
) -> Iterator[tuple[Any, ...]]:
    fields = [model._meta.get_field(name) for name in columns]
    converts = [_converter(cast(Hashable, type(field)), connection.vendor) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(asked, values)
        rows = cursor.fetchall()
    if not rows or not any(converts):
        yield from rows
        return
    listed = [
        convert(values) if convert is not None else values
        for convert, values in zip(converts, zip(*rows, strict=True), strict=True)
    ]
    yield from zip(*listed, strict=True)


def read_rows(model: type[M], *conditions: Condition, columns: Sequence[str] = ()) -> list[M]:
    """Whole rows of a table of plain columns, as the ORM would give them; or these columns of them only."""
    names = columns or _all_names(model)
    return _as_rows(model, names, read_values(model, names, *conditions))


def read_rows_each(model: type[M], column: str, wanted: Collection[Any], *conditions: Condition) -> list[M]:
    """Whole rows whose `column` is one of these, each looked up by itself."""
    names = _all_names(model)
    return _as_rows(model, names, read_each(model, names, column, wanted, *conditions))


def _all_names(model: type[models.Model]) -> list[str]:
    return [cast(Any, field).attname for field in model._meta.concrete_fields if field.column]


def _as_rows(model: type[M], names: Sequence[str], told: Iterator[tuple[Any, ...]]) -> list[M]:
    state, rows = _read_from(connection.alias), []
    for values in told:
        row = model.__new__(model)
        row.__dict__.update(zip(names, values, strict=True), _state=state)
        rows.append(row)
    return rows


def _read_from(alias: str) -> ModelState:
    state = ModelState()
    state.adding, state.db = False, alias
    return state


@lru_cache(maxsize=64)
def _converter(field: Any, vendor: str) -> Convert | None:
    """How the values of such a column are read, all at once; None: as they come."""
    if issubclass(field, models.JSONField):  # both databases give its text
        return _each(msgspec.json.decode)
    if vendor == "postgresql":
        return _each(bytes) if issubclass(field, models.BinaryField) else None
    if issubclass(field, models.UUIDField):
        return _uuids_of
    if issubclass(field, models.DateTimeField):
        return _each(time_of)
    if issubclass(field, models.BooleanField):
        return _each(bool)
    return None


def _uuids_of(texts: Sequence[str | None]) -> list[uuid.UUID | None]:
    return msgspec.convert(texts, list[uuid.UUID | None])


def _each(convert: Convert) -> Convert:
    return lambda values: [None if value is None else convert(value) for value in values]


__all__ = [
    "among",
    "equal",
    "plain",
    "read_each",
    "read_pairs",
    "read_rows",
    "read_rows_each",
    "read_values",
    "time_of",
    "time_text",
]
