# SPDX-License-Identifier: Apache-2.0
"""Many rows at once: sealed before the transaction, written in it by one prepared statement.

The ORM seals cell by cell inside the transaction and builds a statement for every forty rows; with 100,000
persons that is the difference between seconds and a minute of holding the pen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

from muster.base.crypto import seal_many
from muster.storage.keys import keystore
from muster.storage.sealed import Sealed, SealedField
from muster.storage.writes import LostRace

_AT_ONCE = 500  # parameters of one statement


def seal_rows(rows: Sequence[models.Model]) -> None:
    """Seal every open text of these rows of one table."""
    if not rows:
        return
    model = type(rows[0])
    for field in model._meta.concrete_fields:
        if isinstance(field, SealedField):
            _seal_field(field, rows)


def _seal_field(field: SealedField, rows: Sequence[models.Model]) -> None:
    by_key: dict[tuple[str, int], list[models.Model]] = defaultdict(list)
    for row in rows:
        value = row.__dict__.get(field.attname)
        if value in (None, ""):
            row.__dict__[field.attname] = None
        elif not isinstance(value, Sealed):
            known: Any = row
            by_key[known.purpose, known.sub_district].append(row)
    for (purpose, sub_district), some in by_key.items():
        pairs = [(str(row.__dict__[field.attname]), field.context_of(row)) for row in some]
        sealed = seal_many(keystore(), pairs, purpose=purpose, sub_district=sub_district, klass=field.klass)
        for row, text in zip(some, sealed, strict=True):
            row.__dict__[field.attname] = Sealed(text)


def insert_rows(rows: Sequence[models.Model], *, twice_is_once: bool = False) -> None:
    """Write new rows of one table. twice_is_once: a row that is there already stays as it is."""
    if not rows:
        return
    model = type(rows[0])
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    ending = " ON CONFLICT DO NOTHING" if twice_is_once else ""
    with connection.cursor() as cursor:
        cursor.executemany(
            f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({marks}){ending}',
            _values(rows, fields),
        )


def change_rows(
    rows: Sequence[models.Model], columns: Sequence[str], *, guard: str = "", was: Sequence[Any] = ()
) -> None:
    """Write some columns of known rows back. guard: a column that must still say what it said when it was
    read.

    Raises LostRace when a row has changed since, or is gone.
    """
    if not rows:
        return
    model = type(rows[0])
    fields: list[Any] = [model._meta.get_field(name) for name in columns]
    key: Any = model._meta.pk
    where = f'"{key.column}" = %s' + (f' AND "{guard}" = %s' if guard else "")
    sets = ", ".join(f'"{field.column}" = %s' for field in fields)
    values = _values(rows, [*fields, key])
    if guard:
        values = [[*row, old] for row, old in zip(values, was, strict=True)]
    with connection.cursor() as cursor:
        cursor.executemany(f'UPDATE "{model._meta.db_table}" SET {sets} WHERE {where}', values)
        if cursor.rowcount != len(values):
            raise LostRace(model.__name__)


def keys_where_in(model: type[models.Model], column: str, values: Collection[object]) -> list[Any]:
    """Primary keys of the rows with one of these values in a column, by a plain statement.

    Most lookups of an import find nothing; the ORM spends more on asking than the database on answering.
    """
    field: Any = model._meta.get_field(column.removesuffix("_id") if column.endswith("_id") else column)
    key: Any = model._meta.pk
    wanted = [_as_stored(field, value) for value in values]
    found: list[Any] = []
    with connection.cursor() as cursor:
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            marks = ", ".join(["%s"] * len(some))
            sql = f'SELECT "{key.column}" FROM "{model._meta.db_table}" WHERE "{field.column}" IN ({marks})'
            cursor.execute(sql, some)
            found += [key.to_python(row[0]) for row in cursor.fetchall()]
    return found


def pairs_where_in(
    model: type[models.Model], column: str, values: Collection[object]
) -> list[tuple[Any, Any]]:
    """(primary key as the database has it, value) of the rows with one of these values in a column."""
    field: Any = model._meta.get_field(column.removesuffix("_id") if column.endswith("_id") else column)
    key: Any = model._meta.pk
    meant = {_as_stored(field, value): value for value in values}
    wanted, found = list(meant), list[tuple[Any, Any]]()
    with connection.cursor() as cursor:
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            marks = ", ".join(["%s"] * len(some))
            cursor.execute(
                f'SELECT "{key.column}", "{field.column}" FROM "{model._meta.db_table}"'
                f' WHERE "{field.column}" IN ({marks})',
                some,
            )
            found += [(id_, meant[_plain_value(value)]) for id_, value in cursor.fetchall()]
    return found


def _as_stored(field: Any, value: Any) -> Any:
    # Some drivers wrap bytes in a thing of their own, which is not what comes back.
    if isinstance(field, models.BinaryField):
        return bytes(value)
    return field.get_db_prep_value(value, connections[DEFAULT_DB_ALIAS])


def _plain_value(value: Any) -> Any:
    return bytes(value) if isinstance(value, (bytearray, memoryview)) else value


# What every driver takes as it is; asking the field about each cell of these costs more than writing them.
_PLAIN = (models.CharField, models.IntegerField, models.BooleanField)


def _values(rows: Sequence[models.Model], fields: Sequence[Any]) -> list[list[Any]]:
    # Straight from the row's dictionary: asking for a sealed attribute would open it again.
    backend = connections[DEFAULT_DB_ALIAS]  # `connection` looks itself up at every touch
    columns: list[list[Any]] = []
    for field in fields:
        cells = [row.__dict__[field.attname] for row in rows]
        if isinstance(field, models.BinaryField):
            cells = [None if cell is None else bytes(cell) for cell in cells]
        elif not isinstance(field, _PLAIN):
            prepare = field.get_db_prep_save
            cells = [prepare(cell, backend) for cell in cells]
        columns.append(cells)
    return [list(values) for values in zip(*columns, strict=True)]
