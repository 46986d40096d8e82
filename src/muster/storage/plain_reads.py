# SPDX-License-Identifier: Apache-2.0
"""Plain reads: many rows of a table as values or as model rows, without the ORM's price for each of them.

The ORM takes a value through three calls and a row through its model's __init__: 30 µs for a ledger entry.
Fold reads a few rows for each fact: this decides how fast a city's evening is worked off. Here a column
has one converter, chosen once; filters are conditions of plain SQL with their values.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar, cast

from django.db import connection, models
from django.db.models.base import ModelState

M = TypeVar("M", bound=models.Model)
Convert = Callable[[Any], Any]
Condition = tuple[str, list[Any]]

_new_uuid = uuid.UUID.__new__
_set = object.__setattr__
_SAFE = uuid.SafeUUID.unknown


def uuid_of(text: str) -> uuid.UUID:
    """As uuid.UUID(hex=…) for what the database wrote itself: 32 digits, nothing else."""
    made = _new_uuid(uuid.UUID)
    _set(made, "int", int(text, 16))
    _set(made, "is_safe", _SAFE)
    return made


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


def array_text(values: Iterable[Any]) -> str:
    """An array as PostgreSQL reads it; its driver takes each element through Python, a fifth of fold."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, uuid.UUID):
        return f"{value.int:032x}"
    if isinstance(value, str):
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}"'
    if isinstance(value, datetime):
        return f'"{value.isoformat()}"'
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{type(value).__name__}: no plain value")
    return str(value)


def equal(column: str, value: Any) -> Condition:
    return f'"{column}" = %s', [plain(value)]


def either(*conditions: Condition) -> Condition:
    return f"({' OR '.join(sql for sql, _ in conditions)})", [v for _, values in conditions for v in values]


def plain(value: Any) -> Any:
    """A value as the database's driver takes it."""
    return value if connection.vendor == "postgresql" else _in_sqlite(value)


def _in_sqlite(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return value.hex
    return time_text(value) if isinstance(value, datetime) else value


def time_text(at: datetime) -> str:
    """As Django keeps a time in SQLite: UTC without its zone."""
    return str((at if at.tzinfo is UTC else at.astimezone(UTC)).replace(tzinfo=None))


def read_values(
    model: type[models.Model], columns: Sequence[str], *conditions: Condition, distinct: bool = False
) -> Iterator[tuple[Any, ...]]:
    """The named columns of the rows that meet all conditions."""
    fields = [cast(Any, model._meta.get_field(name)) for name in columns]
    converts = [_converter(cast(Hashable, type(field)), connection.vendor) for field in fields]
    names = ", ".join(f'"{field.column}"' for field in fields)
    where = " AND ".join(sql for sql, _ in conditions)
    asked = f'SELECT {"DISTINCT " if distinct else ""}{names} FROM "{model._meta.db_table}" WHERE {where}'
    with connection.cursor() as cursor:
        cursor.execute(asked, [v for _, values in conditions for v in values])
        rows = cursor.fetchall()
    changed = [(place, convert) for place, convert in enumerate(converts) if convert is not None]
    if not changed:
        yield from rows
        return
    for row in rows:
        values = list(row)
        for place, convert in changed:
            if values[place] is not None:
                values[place] = convert(values[place])
        yield tuple(values)


def read_rows(model: type[M], *conditions: Condition) -> list[M]:
    """Whole rows of a table of plain columns, as the ORM would give them."""
    names = [cast(Any, field).attname for field in model._meta.concrete_fields if field.column]
    state, rows = _read_from(connection.alias), []
    for values in read_values(model, names, *conditions):
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
    """How a value of such a column is read; None: as it comes."""
    if issubclass(field, models.JSONField):
        raise TypeError(f"{field.__name__}: not a plain column")
    if vendor == "postgresql":
        return bytes if issubclass(field, models.BinaryField) else None
    if issubclass(field, models.UUIDField):
        return uuid_of
    if issubclass(field, models.DateTimeField):
        return time_of
    if issubclass(field, models.BooleanField):
        return bool
    return None


__all__ = ["among", "either", "equal", "plain", "read_rows", "read_values", "time_of", "time_text", "uuid_of"]
