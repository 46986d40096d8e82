# SPDX-License-Identifier: Apache-2.0
"""Raw rows: a few columns of many rows as the database keeps them, found one by one, and written back.

For the set-based way of fold. Ids are 32 hexadecimal digits in both databases, times are what the database
compares: texts in SQLite, moments in PostgreSQL. No object is made of a row's ids, which costs more than
reading the row. Every row is looked up by itself: a planner that has no statistics of a young partition
otherwise reads the whole of it for each block (measured: 290 µs a row instead of 14 in a round of 100,000).
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from django.db import connection, models

from muster.storage.plain_reads import Condition, array_text, time_text
from muster.storage.young_tables import by_place_alone

Row = tuple[Any, ...]
PLACE = "ctid"


def hex_of(one: uuid.UUID) -> str:
    return f"{one.int:032x}"


def moments() -> Callable[[datetime], Any]:
    """How a time becomes one as the database compares it with its own."""
    return _as_it_is if connection.vendor == "postgresql" else time_text


def _as_it_is(at: datetime) -> datetime:
    return at


def raw_rows(
    model: type[models.Model], columns: Sequence[str], column: str, wanted: Collection[str], *also: Condition
) -> list[Row]:
    """The named columns of the rows whose `column` (an id) is one of these and that meet all conditions."""
    if not wanted:
        return []
    said, table = _said(model, tuple(columns), connection.vendor), model._meta.db_table
    where, values = _all_of(also)
    if connection.vendor == "postgresql":
        asked = (
            f"SELECT found.* FROM unnest(%s::uuid[]) AS told(a) CROSS JOIN LATERAL"
            f' (SELECT {said} FROM "{table}" WHERE "{column}" = told.a{where} OFFSET 0) AS found'
        )
        return _fetched(asked, [_listed(wanted), *values])
    marks = ",".join(["%s"] * len(wanted))
    return _fetched(f'SELECT {said} FROM "{table}" WHERE "{column}" IN ({marks}){where}', [*wanted, *values])


def _all_of(also: Sequence[Condition]) -> tuple[str, list[Any]]:
    """The conditions as the rest of a WHERE, and their values."""
    return "".join(f" AND {sql}" for sql, _ in also), [value for _, told in also for value in told]


def raw_pairs(
    model: type[models.Model],
    columns: Sequence[str],
    pair: tuple[str, str],
    wanted: Collection[tuple[str, Any]],
    *also: Condition,
) -> list[Row]:
    """As raw_rows, by an id and a moment."""
    if not wanted:
        return []
    said, table = _said(model, tuple(columns), connection.vendor), model._meta.db_table
    where, values = _all_of(also)
    if connection.vendor == "postgresql":
        ids, moments = zip(*wanted, strict=True)
        asked = (
            "SELECT found.* FROM unnest(%s::uuid[], %s::timestamptz[]) AS told(a, b) CROSS JOIN LATERAL"
            f' (SELECT {said} FROM "{table}" WHERE "{pair[0]}" = told.a AND "{pair[1]}" = told.b{where}'
            " OFFSET 0) AS found"
        )
        return _fetched(asked, [_listed(ids), array_text(moments), *values])
    marks = ",".join(["(%s, %s)"] * len(wanted))
    asked = (
        f'WITH told(a, b) AS (VALUES {marks}) SELECT {said} FROM told CROSS JOIN "{table}"'
        f' WHERE "{pair[0]}" = told.a AND "{pair[1]}" = told.b{where}'
    )
    return _fetched(asked, [*(value for each in wanted for value in each), *values])


def places_of_rows() -> tuple[str, ...]:
    """What else to read of a row that will be written back: where it lies, on PostgreSQL."""
    return (PLACE,) if connection.vendor == "postgresql" else ()


def write_back(
    model: type[models.Model], columns: Sequence[str], shared: Sequence[str], rows: Sequence[Sequence[Any]]
) -> int:
    """Writes rows back whose version is still the one they were read with; answers how many those were.

    A row is: the values of `columns`, then of the key (`shared` and at last `subject`), then the version
    before, then where it lies. Its version is raised by one.
    """
    if not rows:
        return 0
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            return _write_by_place(cursor, model, columns, shared, rows)
        sets = ", ".join(f'"{name}" = %s' for name in columns)
        where = " AND ".join(f'"{name}" = %s' for name in (*shared, "subject", "version"))
        asked = f'UPDATE "{model._meta.db_table}" SET version = version + 1, {sets} WHERE {where}'
        cursor.executemany(asked, rows)
        return cast(int, cursor.rowcount)


def _write_by_place(
    cursor: Any, model: type[models.Model], columns: Sequence[str], shared: Sequence[str], rows: Any
) -> int:
    """One statement for the rows that share all of the key but the subject: it names partition and shard."""
    first, last = len(columns), len(columns) + len(shared)
    groups: dict[tuple[Any, ...], list[Sequence[Any]]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[first:last])].append(row)
    names = [*columns, "subject", "version_before", "place"]
    kinds = [cast(Any, model._meta.get_field(name)).db_type(connection) for name in (*columns, "subject")]
    kinds += ["integer", "tid"]
    sets = ", ".join(f'"{name}" = new."{name}"' for name in columns)
    arrays = ", ".join(f"%s::{kind}[]" for kind in kinds)
    told = ", ".join(f'"{name}"' for name in names)
    where = "".join(f'old."{name}" = %s AND ' for name in shared)
    asked = (
        f'UPDATE "{model._meta.db_table}" AS old SET version = old.version + 1, {sets}'
        f" FROM unnest({arrays}) AS new({told}) WHERE {where}old.ctid = new.place"
        ' AND old."subject" = new."subject" AND old.version = new.version_before'
    )
    changed = 0
    with by_place_alone(cursor):
        for key, group in groups.items():
            lists = [array_text(values) for values in zip(*group, strict=True)]
            cursor.execute(asked, [*lists[:first], *lists[last:], *key])
            changed += cursor.rowcount
    return changed


def _listed(ids: Collection[str]) -> str:
    return "{" + ",".join(ids) + "}"


@lru_cache(maxsize=64)
def _said(model: type[models.Model], columns: tuple[str, ...], vendor: str) -> str:
    return ", ".join(_column(model, name, vendor) for name in columns)


def _column(model: type[models.Model], name: str, vendor: str) -> str:
    if name == PLACE:
        return "ctid::text"
    field = cast(Any, model._meta.get_field(name))
    if vendor == "postgresql":
        return f"encode(uuid_send(\"{name}\"), 'hex')" if isinstance(field, models.UUIDField) else f'"{name}"'
    # Said as an expression a time stays the text it is: the driver would read each one.
    return f"\"{name}\" || ''" if isinstance(field, models.DateTimeField) else f'"{name}"'


def _fetched(asked: str, values: Sequence[Any]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(asked, values)
        return cast(list[Row], cursor.fetchall())


__all__ = ["hex_of", "moments", "places_of_rows", "raw_pairs", "raw_rows", "write_back"]
