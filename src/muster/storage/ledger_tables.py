# SPDX-License-Identifier: Apache-2.0
"""CreateLedger: the one way to make a ledger table.

On PostgreSQL the table is partitioned by round, so that a round can be dropped in milliseconds when its time
is over; on SQLite it is a plain table clustered by its key. Ledger tables have composite keys that contain
the sub-district, no foreign keys in or out and no triggers, so that the same schema can be distributed by
sub-district.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import connection, migrations, models


class CreateLedger(migrations.CreateModel):
    """Makes a ledger table; partitioned by `round` on PostgreSQL."""

    reversible = True

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        refuse_unfit_ledger(model)
        sql, params = schema_editor.table_sql(model)
        if schema_editor.connection.vendor == "postgresql":
            sql += " PARTITION BY LIST (round)"
        else:
            sql += " WITHOUT ROWID"
        schema_editor.execute(sql, params or None)
        schema_editor.deferred_sql.extend(schema_editor._model_indexes_sql(model))

    def describe(self) -> str:
        return f"Create ledger {self.name}"


def refuse_unfit_ledger(model: type[models.Model]) -> None:
    """Raises ValueError where a ledger table could not be distributed by sub-district or partitioned by
    round.
    """
    key = {field.name for field in model._meta.pk_fields}
    if not {"round", "sub_district"} <= key:
        raise ValueError(f"ledger {model.__name__}: its key holds round and sub_district, not {sorted(key)}")
    if any(field.is_relation for field in model._meta.get_fields()):
        raise ValueError(f"ledger {model.__name__}: no foreign keys in or out")


def partition_name(table: str, round_id: uuid.UUID) -> str:
    return f"{table}_{round_id.hex}"


def make_partition(model: type[models.Model], round_id: uuid.UUID) -> None:
    """Makes the partition of a round where the database has partitions; harmless when it is there."""
    if connection.vendor != "postgresql":
        return
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f'CREATE TABLE IF NOT EXISTS "{partition_name(table, round_id)}" '
            f"PARTITION OF \"{table}\" FOR VALUES IN ('{round_id}')"
        )


def drop_partition(model: type[models.Model], round_id: uuid.UUID) -> None:
    """Drops all rows of a round."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f'DROP TABLE IF EXISTS "{partition_name(table, round_id)}"')
        else:
            cursor.execute(f'DELETE FROM "{table}" WHERE round = %s', [round_id.hex])
