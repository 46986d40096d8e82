# SPDX-License-Identifier: Apache-2.0
"""Many rows of a table in one go: Insert and update_rows.

The ORM's bulk_create converts each value through half a dozen calls, inside the transaction, and its
bulk_update builds one statement that grows with the square of the rows; .save() with a changed composite key
silently makes a second row. Here values are made ready before the transaction begins, and the database is
called once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from django.db import connection, models

from muster.storage.sealed import SealedField

Convert = Callable[[Any], Any]


class Insert:
    """Rows ready to be inserted; sealed fields are sealed here."""

    def __init__(self, model: type[models.Model], rows: Sequence[models.Model]) -> None:
        fields = [cast(Any, f) for f in model._meta.concrete_fields if f.column]
        names = ", ".join(f'"{f.column}"' for f in fields)
        self.sql = (
            f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({", ".join(["%s"] * len(fields))})'
        )
        readers = [_reader(f) for f in fields]
        self.values = [[read(row) for read in readers] for row in rows]

    def execute(self) -> None:
        """Raises IntegrityError as the ORM would."""
        if self.values:
            with connection.cursor() as cursor:
                cursor.executemany(self.sql, self.values)


def update_rows(
    model: type[models.Model], rows: Sequence[models.Model], *, columns: Sequence[str], key: Sequence[str]
) -> None:
    """Writes `columns` of each row back, found by `key`. The key itself is never changed."""
    if not rows:
        return
    fields = [cast(Any, model._meta.get_field(name)) for name in (*columns, *key)]
    sets = ", ".join(f'"{field.column}" = %s' for field in fields[: len(columns)])
    where = " AND ".join(f'"{field.column}" = %s' for field in fields[len(columns) :])
    readers = [_reader(field) for field in fields]
    values = [[read(row) for read in readers] for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(f'UPDATE "{model._meta.db_table}" SET {sets} WHERE {where}', values)


def _reader(field: Any) -> Convert:
    """row -> the value of a field as the database takes it."""
    name = field.attname
    if isinstance(field, SealedField):
        return lambda row: field.get_db_prep_save(field.pre_save(row, add=True), connection)
    convert = _converter(field)
    if convert is None:
        return lambda row: row.__dict__[name]
    return lambda row: convert(row.__dict__[name])


def _converter(field: Any) -> Convert | None:
    """How a value of this field is written; None: as it is."""
    sqlite = connection.vendor == "sqlite"
    if isinstance(field, models.UUIDField):
        return (lambda value: value.hex if value is not None else None) if sqlite else None
    if isinstance(field, models.DateTimeField):
        return _naive_text if sqlite else None
    if isinstance(field, models.IntegerField | models.CharField | models.FloatField | models.BooleanField):
        return None
    return lambda value: field.get_db_prep_save(value, connection)


def _naive_text(value: datetime | None) -> str | None:
    """As Django keeps a time in SQLite: UTC without its zone."""
    return None if value is None else str(value.astimezone(UTC).replace(tzinfo=None))
