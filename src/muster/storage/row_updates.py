# SPDX-License-Identifier: Apache-2.0
"""update_rows: many rows of a table with a composite key, one statement each, sent together.

The ORM has no such thing: .save() with a changed composite key silently makes a second row, and bulk_update
builds one statement that grows with the square of the rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, models


def update_rows(
    model: type[models.Model], rows: Sequence[models.Model], *, columns: Sequence[str], key: Sequence[str]
) -> None:
    """Writes `columns` of each row back, found by `key`. The key itself is never changed."""
    if not rows:
        return
    fields = [model._meta.get_field(name) for name in columns]
    keys = [model._meta.get_field(name) for name in key]
    sets = ", ".join(f'"{field.column}" = %s' for field in fields)  # type: ignore[union-attr]
    where = " AND ".join(f'"{field.column}" = %s' for field in keys)  # type: ignore[union-attr]
    values = [
        [field.get_db_prep_save(getattr(row, field.name), connection) for field in (*fields, *keys)]  # type: ignore[union-attr]
        for row in rows
    ]
    with connection.cursor() as cursor:
        cursor.executemany(f'UPDATE "{model._meta.db_table}" SET {sets} WHERE {where}', values)
