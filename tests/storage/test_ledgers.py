# SPDX-License-Identifier: Apache-2.0
"""Ledger tables: made by CreateLedger alone, fit to be spread by sub-district, cut by round.

The catalogue is asked, not the models: what a database would distribute is what stands in it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import CreateModel
from django.test.utils import CaptureQueriesContext, isolate_apps

from muster.base.ids import new_id
from muster.campaigns.models import DoorEntry, LedgerEntry, RoundGrid
from muster.campaigns.services import freeze_round, plan_round
from muster.storage.ledger_tables import (
    CreateLedger,
    drop_partition,
    make_partition,
    partition_name,
    refuse_unfit_ledger,
)
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
LEDGERS = (LedgerEntry, DoorEntry, RoundGrid)
KEY = {"round", "sub_district"}
TABLES = re.compile(r'"(campaigns_(?:ledgerentry|doorentry))"')


def made_as_ledgers() -> set[type[models.Model]]:
    operations = [
        (app, operation)
        for (app, _), migration in MigrationLoader(None).disk_migrations.items()
        for operation in migration.operations
    ]
    return {apps.get_model(app, one.name) for app, one in operations if isinstance(one, CreateLedger)}


def unfit_tables() -> Iterator[str]:
    """What in the database's own catalogue would keep a ledger table from being distributed."""
    with connection.cursor() as cursor:
        for model in LEDGERS:
            table = model._meta.db_table
            for name, told in connection.introspection.get_constraints(cursor, table).items():
                if (told["primary_key"] or told["unique"]) and not set(told["columns"]) >= KEY:
                    yield f"{table}: {name} is unique without the key"
                if told["foreign_key"]:
                    yield f"{table}: {name} is a foreign key"
            yield from (f"{table}: trigger {name}" for name in triggers(cursor, table))
        for model in apps.get_models():
            relations = connection.introspection.get_relations(cursor, model._meta.db_table)
            for _column, target in relations.items():
                if target[1] in {ledger._meta.db_table for ledger in LEDGERS}:
                    yield f"{model._meta.db_table} points into {target[1]}"


def triggers(cursor: object, table: str) -> list[str]:
    if connection.vendor == "sqlite":
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table])  # type: ignore[attr-defined]
    else:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = %s::regclass", [table]
        )  # type: ignore[attr-defined]
    return [row[0] for row in cursor.fetchall()]  # type: ignore[attr-defined]


def test_ledgers_are_made_by_create_ledger_and_nothing_else_is() -> None:
    assert made_as_ledgers() == set(LEDGERS)


def test_no_keyed_table_was_made_as_an_ordinary_one() -> None:
    """A model whose key holds the round is a ledger: an ordinary CreateModel would leave it in one piece."""
    ordinary = [
        f"{app}.{operation.name}"
        for (app, _), migration in MigrationLoader(None).disk_migrations.items()
        for operation in migration.operations
        if isinstance(operation, CreateModel)
        and not isinstance(operation, CreateLedger)
        and any("round" in getattr(field, "field_names", ()) for _, field in operation.fields)
    ]

    assert ordinary == []


def test_catalogue_lets_every_ledger_be_distributed() -> None:
    assert list(unfit_tables()) == []


def test_a_trigger_on_a_ledger_would_be_seen() -> None:
    """Negative control."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("CREATE TRIGGER astray AFTER INSERT ON campaigns_ledgerentry BEGIN SELECT 1; END")
        else:
            cursor.execute(
                "CREATE FUNCTION nothing() RETURNS trigger AS 'BEGIN RETURN NEW; END' LANGUAGE plpgsql"
            )
            cursor.execute(
                "CREATE TRIGGER astray AFTER INSERT ON campaigns_ledgerentry"
                " FOR EACH ROW EXECUTE FUNCTION nothing()"
            )

    assert list(unfit_tables()) == ["campaigns_ledgerentry: trigger astray"]


def test_a_unique_index_without_the_key_would_be_seen() -> None:
    """Negative control (PostgreSQL refuses such an index on a partitioned table by itself)."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL refuses it by itself")
    with connection.cursor() as cursor:
        cursor.execute("CREATE UNIQUE INDEX astray ON campaigns_doorentry (subject)")

    assert list(unfit_tables()) == ["campaigns_doorentry: astray is unique without the key"]


def test_a_ledger_without_sub_district_in_its_key_is_refused() -> None:
    with isolate_apps("muster.campaigns"):

        class NoHome(models.Model):
            pk = models.CompositePrimaryKey("round", "subject")
            round = models.UUIDField()
            subject = models.UUIDField()

            class Meta:
                app_label = "campaigns"

        with pytest.raises(ValueError, match="round and sub_district"):
            refuse_unfit_ledger(NoHome)


def test_a_ledger_with_a_foreign_key_is_refused() -> None:
    with isolate_apps("muster.campaigns"):

        class Bound(models.Model):
            pk = models.CompositePrimaryKey("round", "sub_district")
            round = models.UUIDField()
            sub_district = models.BigIntegerField()
            other = models.ForeignKey("self", on_delete=models.CASCADE)

            class Meta:
                app_label = "campaigns"

        with pytest.raises(ValueError, match="no foreign keys"):
            refuse_unfit_ledger(Bound)


@pytest.mark.parametrize("model", LEDGERS)
def test_the_ledgers_of_the_house_are_fit(model: type[models.Model]) -> None:
    """Negative control of the two refusals."""
    refuse_unfit_ledger(model)


def second_round(world: World) -> uuid.UUID:
    more = plan_round(world.round.campaign, name="第二轮", at=NOON, by=None)
    return freeze_round(more, by=None, at=NOON).id


def test_dropping_a_round_leaves_the_others() -> None:
    world = make_world(doors=2, people=1)
    other = second_round(world)
    before = LedgerEntry.objects.filter(round=world.round.id).count()

    for ledger in LEDGERS:
        drop_partition(ledger, other)

    assert [ledger.objects.filter(round=other).count() for ledger in LEDGERS] == [0, 0, 0]
    assert LedgerEntry.objects.filter(round=world.round.id).count() == before == 8


def test_a_round_has_partitions_of_its_own_on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no partitions: the table is clustered by its key")
    world = make_world(doors=2, people=1)
    make_partition(LedgerEntry, world.round.id)  # again is harmless

    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")
        found = {row[0] for row in cursor.fetchall()}
        cursor.execute(f'SELECT count(*) FROM "{partition_name("campaigns_ledgerentry", world.round.id)}"')
        rows = cursor.fetchone()[0]

    assert {partition_name(ledger._meta.db_table, world.round.id) for ledger in LEDGERS} <= found
    assert rows == 8


def keyless(statements: list[str]) -> list[str]:
    """Statements on entries or doors that would be asked of every shard: they do not carry the key."""
    found = []
    for sql in statements:
        if not TABLES.search(sql):
            continue
        where = sql.partition(" WHERE ")[2]
        carries = re.match(r"(?:\d+ times: )?INSERT", sql) or ("round" in where and "sub_district" in where)
        if not carries:
            found.append(sql[:200])
    return found


def changes_key(statements: list[str]) -> list[str]:
    moved = re.compile(r'UPDATE "campaigns_\w+" SET .*"(?:round|sub_district|subject)" =.* WHERE ')
    return [sql[:200] for sql in statements if moved.search(sql)]


def test_recording_carries_the_key_in_every_ledger_statement_and_never_changes_it() -> None:
    world = make_world(doors=3, people=1)
    person, target = world.persons[0], world.dwellings[-1]
    found = new_id()

    with CaptureQueriesContext(connection) as captured:
        world.record(
            world.outcome(person, "done"),
            world.fact("person.found", world.dwellings[1].id, "dwelling", person=str(found), name="演新"),
            world.fact("person.moved", person.id, minutes=1,
                       to={"sub_district": target.sub_district, "dwelling": str(target.id)}),
            world.fact("door.state", world.dwellings[2].id, "dwelling", state="VACANT"),
        )  # fmt: skip
    statements = [query["sql"] for query in captured]

    assert sum(bool(TABLES.search(sql)) for sql in statements) >= 5
    assert keyless(statements) == []
    assert changes_key(statements) == []


def test_a_statement_without_the_key_would_be_seen() -> None:
    """Negative control."""
    world = make_world(doors=1, people=1)
    with CaptureQueriesContext(connection) as captured:
        list(LedgerEntry.objects.filter(round=world.round.id, grid=1))
        LedgerEntry.objects.filter(round=world.round.id, sub_district=1).update(sub_district=2)
    statements = [query["sql"] for query in captured]

    assert len(keyless(statements)) == 1
    assert len(changes_key(statements)) == 1
