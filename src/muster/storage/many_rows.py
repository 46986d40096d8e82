# SPDX-License-Identifier: Apache-2.0
"""Many rows of a table in one go: Insert, bare, update_rows, update_unchanged.

The ORM's bulk_create converts each value through half a dozen calls, inside the transaction, and its
bulk_update builds one statement that grows with the square of the rows; .save() with a changed composite key
silently makes a second row. Here values are made ready before the transaction begins, and the database is
called once.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeVar, cast

from django.db import connection, models
from django.db.models.base import ModelState

from muster.storage.plain_reads import array_text, time_text
from muster.storage.sealed import SealedField
from muster.storage.writes import LostRace
from muster.storage.young_tables import by_place_alone

M = TypeVar("M", bound=models.Model)
Convert = Callable[[Any], Any]
Take = Callable[[Any], tuple[Any, ...]]
# The place of a field in its row, whether the whole row is needed to change it, and how it is changed.
Told = tuple[int, bool, Convert]
_PLAIN = (models.IntegerField, models.CharField, models.TextField, models.FloatField, models.BooleanField)


class Insert:
    """Rows ready to be inserted; sealed fields are sealed here. once_by: a unique column; a row whose value
    stands there already is passed over.
    """

    def __init__(self, model: type[models.Model], rows: Sequence[models.Model], *, once_by: str = "") -> None:
        self.sql, take, told = _insert_plan(model)
        if once_by:
            self.sql += f' ON CONFLICT ("{once_by}") DO NOTHING'
        self.values = _taken(rows, take, told)

    def execute(self) -> None:
        """Raises IntegrityError as the ORM would."""
        if self.values:
            with connection.cursor() as cursor:
                cursor.executemany(self.sql, self.values)


def bare(model: type[M], **values: Any) -> M:
    """A new row, without the price of the model's __init__: every column is named."""
    row = model.__new__(model)
    row.__dict__.update(values, _state=ModelState())
    return row


def update_rows(
    model: type[models.Model], rows: Sequence[models.Model], *, columns: Sequence[str], key: Sequence[str]
) -> None:
    """Writes `columns` of each row back, found by `key`. The key itself is never changed."""
    if not rows:
        return
    fields = [cast(Any, model._meta.get_field(name)) for name in (*columns, *key)]
    sets = ", ".join(f'"{field.column}" = %s' for field in fields[: len(columns)])
    where = " AND ".join(f'"{field.column}" = %s' for field in fields[len(columns) :])
    values = _values(fields, rows)
    with connection.cursor() as cursor:
        cursor.executemany(f'UPDATE "{model._meta.db_table}" SET {sets} WHERE {where}', values)


def update_unchanged(
    model: type[models.Model],
    rows: Sequence[models.Model],
    *,
    columns: Sequence[str],
    key: Sequence[str],
) -> None:
    """Writes `columns` back where the row's version is still the one before ours.

    Raises:
        LostRace: somebody else changed one of them; the transaction must not go on.
    """
    if not rows:
        return
    fields = [cast(Any, model._meta.get_field(name)) for name in (*columns, *key)]
    values = _values(fields, rows)
    for told, row in zip(values, rows, strict=True):
        told.append(cast(Any, row).version - 1)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            changed = _update_by_arrays(cursor, model, fields, len(columns), values)
        else:
            sets = ", ".join(f'"{field.column}" = %s' for field in fields[: len(columns)])
            where = " AND ".join(f'"{field.column}" = %s' for field in fields[len(columns) :])
            statement = f'UPDATE "{model._meta.db_table}" SET {sets} WHERE {where} AND version = %s'
            cursor.executemany(statement, values)
            changed = cursor.rowcount
    if changed != len(rows):
        raise LostRace(model.__name__)


def _update_by_arrays(
    cursor: Any, model: type[models.Model], fields: Sequence[Any], columns: int, rows: list[list[Any]]
) -> int:
    """One statement for the rows that share all of the key but its last part: executemany plans each row.

    The shared part stands in the statement itself, so that only the partition and shard it names are asked.
    """
    groups: dict[tuple[Any, ...], list[list[Any]]] = defaultdict(list)
    last = len(fields) - 1
    for row in rows:
        groups[tuple(row[columns:last])].append(row)
    names = [field.column for field in fields]
    kinds = [f"%s::{field.db_type(connection)}[]" for field in fields]
    sets = ", ".join(f'"{name}" = new."{name}"' for name in names[:columns])
    arrays = ", ".join([*kinds[:columns], kinds[last], "%s::integer[]", "%s::tid[]"])
    told = ", ".join([*(f'"{name}"' for name in (*names[:columns], names[last])), "version_before", "place"])
    shared = "".join(f'"{name}" = %s AND ' for name in names[columns:last])
    of_old = "".join(f'old."{name}" = %s AND ' for name in names[columns:last])
    # Each row is looked up by itself, then written where it lies: a planner without statistics of a young
    # partition would read the whole of it. Who is written by somebody between the two is lost: LostRace.
    look = (
        f"SELECT found.place FROM unnest({kinds[last]}, %s::integer[]) WITH ORDINALITY AS told(a, b, n)"
        f' CROSS JOIN LATERAL (SELECT ctid::text AS place FROM "{model._meta.db_table}" WHERE {shared}'
        f'"{names[last]}" = told.a AND version = told.b OFFSET 0) AS found ORDER BY told.n'
    )
    statement = (
        f'UPDATE "{model._meta.db_table}" AS old SET {sets} FROM unnest({arrays}) AS new({told})'
        f' WHERE {of_old}old.ctid = new.place AND old."{names[last]}" = new."{names[last]}"'
        " AND old.version = new.version_before"
    )
    changed = 0
    for key, group in groups.items():
        lists = [array_text(column) for column in zip(*group, strict=True)]
        cursor.execute(look, [lists[last], lists[last + 1], *key])
        places = [row[0] for row in cursor.fetchall()]
        if len(places) != len(group):
            return 0
        with by_place_alone(cursor):
            cursor.execute(statement, [*lists[:columns], *lists[last:], array_text(places), *key])
            changed += cursor.rowcount
    return changed


def _values(fields: Sequence[Any], rows: Sequence[models.Model]) -> list[list[Any]]:
    """The fields of each row as the database takes them: all taken out at once, a few of them changed."""
    if len(fields) < 2:
        return [[_reader(field)(row) for field in fields] for row in rows]
    return _taken(rows, *_taking(fields))


@lru_cache(maxsize=256)
def _insert_plan(model: type[models.Model]) -> tuple[str, Take, list[Told]]:
    """A table's statement and how its rows are read: found out once, also where rows come one by one."""
    fields = [cast(Any, f) for f in model._meta.concrete_fields if f.column]
    names = ", ".join(f'"{f.column}"' for f in fields)
    sql = f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({", ".join(["%s"] * len(fields))})'
    return sql, *_taking(fields)


def _taking(fields: Sequence[Any]) -> tuple[Take, list[Told]]:
    """How the fields of a row are taken out, and which of them are changed how."""
    changed = [(place, *_change(field)) for place, field in enumerate(fields)]
    take = itemgetter(*(field.attname for field in fields))
    return take, [(place, sealed, change) for place, sealed, change in changed if change is not None]


def _taken(rows: Sequence[models.Model], take: Take, told: Sequence[Told]) -> list[list[Any]]:
    values = []
    for row in rows:
        taken = list(take(row.__dict__))
        for place, sealed, change in told:
            if sealed:
                taken[place] = change(row)
            elif taken[place] is not None:
                taken[place] = change(taken[place])
        values.append(taken)
    return values


def _change(field: Any) -> tuple[bool, Convert | None]:
    """(does it need the whole row, how a value is changed or None)."""
    if isinstance(field, SealedField):
        return True, _reader(field)
    return False, _converter(field)


def _reader(field: Any) -> Convert:
    """row -> the value of a field as the database takes it."""
    name = field.attname
    if isinstance(field, SealedField):
        if connection.vendor == "sqlite":
            return lambda row: _as_blob(field.pre_save(row, add=True))
        return lambda row: field.get_db_prep_save(field.pre_save(row, add=True), connection)
    convert = _converter(field)
    if convert is None:
        return lambda row: row.__dict__[name]
    return lambda row: convert(row.__dict__[name])


def _converter(field: Any) -> Convert | None:
    """How a value of this field is written; None: as it is."""
    sqlite = connection.vendor == "sqlite"
    if isinstance(field, models.UUIDField):
        return (lambda value: None if value is None else f"{value.int:032x}") if sqlite else None
    if isinstance(field, models.DateTimeField):
        return _naive_text if sqlite else None
    if isinstance(field, _PLAIN):
        return None
    if sqlite and isinstance(field, models.JSONField):
        return lambda value: None if value is None else json.dumps(value, cls=field.encoder)
    return lambda value: field.get_db_prep_save(value, connection)


def _as_blob(sealed: bytes | None) -> bytes | None:
    return None if sealed is None else bytes(sealed)


def _naive_text(value: datetime | None) -> str | None:
    """As Django keeps a time in SQLite: UTC without its zone."""
    return None if value is None else time_text(value)
