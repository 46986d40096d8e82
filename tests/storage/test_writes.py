# SPDX-License-Identifier: Apache-2.0
"""What the database promises when it says committed, and the many-row writes that ledgers use."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction

from muster.base.ids import new_id
from muster.campaigns.models import LedgerEntry
from muster.campaigns.states import Origin
from muster.storage.ledger_tables import make_partition
from muster.storage.many_rows import Insert, update_rows
from muster.storage.writes import ROWS_PER_WRITE, chunks, many_short_writes

pytestmark = pytest.mark.django_db
KEY = ("round", "sub_district", "subject")
ROUND = new_id()


@pytest.fixture(autouse=True)
def partition() -> None:
    make_partition(LedgerEntry, ROUND)


def entry(**changes: object) -> LedgerEntry:
    told = {"round": ROUND, "sub_district": 1, "subject": new_id(), "origin": Origin.FROZEN,
            "origin_grid": 1, "origin_dwelling": new_id(), "grid": 1}  # fmt: skip
    return LedgerEntry(**{**told, **changes})


def test_committed_means_written_through() -> None:
    """WAL with synchronous NORMAL lost a fifth of what it had acknowledged when the power went."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            told = [
                cursor.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
            assert told == ["wal", 2, 1]
            assert settings.DATABASES["default"]["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
        else:
            cursor.execute("SHOW synchronous_commit")
            assert cursor.fetchone()[0] == "on"


def test_a_long_run_of_writes_lets_the_log_grow_for_its_time_only() -> None:
    def pages() -> int:
        with connection.cursor() as cursor:
            return int(cursor.execute("PRAGMA wal_autocheckpoint").fetchone()[0])

    if connection.vendor != "sqlite":
        return

    def fall_within() -> None:
        with many_short_writes():
            assert pages() == 20_000
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fall_within()

    assert pages() == 1_000


def test_chunks_are_short_and_lose_nothing() -> None:
    rows = list(range(2 * ROWS_PER_WRITE + 1))

    parts = list(chunks(rows))

    assert [len(part) for part in parts] == [ROWS_PER_WRITE, ROWS_PER_WRITE, 1]
    assert [row for part in parts for row in part] == rows


def test_insert_writes_what_the_orm_would_read() -> None:
    rows = [entry(attempts=n, outcome="没人应门"[:n]) for n in range(3)]

    Insert(LedgerEntry, rows).execute()

    kept = {row.subject: row for row in LedgerEntry.objects.all()}
    for row in rows:
        assert {f.attname: getattr(kept[row.subject], f.attname) for f in row._meta.concrete_fields} == {
            f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields
        }


def test_insert_of_a_row_that_is_there_is_an_integrity_error() -> None:
    row = entry()
    Insert(LedgerEntry, [row]).execute()

    with pytest.raises(IntegrityError), transaction.atomic():
        Insert(LedgerEntry, [row]).execute()


def test_update_rows_changes_the_named_columns_of_the_named_rows() -> None:
    one, other = entry(), entry()
    Insert(LedgerEntry, [one, other]).execute()
    one.cls, one.attempts, one.outcome = "DONE", 3, "done"

    update_rows(LedgerEntry, [one], columns=("cls", "attempts"), key=KEY)

    rows = LedgerEntry.objects.order_by("cls").values_list("subject", "cls", "attempts", "outcome")
    assert list(rows) == [(one.subject, "DONE", 3, ""), (other.subject, "OPEN", 0, "")]


def test_saving_with_a_changed_key_makes_a_second_row() -> None:
    """Why ledgers are never saved: this is what the ORM does, and why nothing here calls it."""
    row = entry()
    Insert(LedgerEntry, [row]).execute()
    moved = LedgerEntry.objects.get(subject=row.subject)
    moved.sub_district = 2

    moved.save()

    assert LedgerEntry.objects.filter(subject=row.subject).count() == 2
