# SPDX-License-Identifier: Apache-2.0
"""A round of which the database has counted nothing yet: fold reads the rows it asks for, not all of them.

On a table without statistics PostgreSQL takes a round for one row; an evening that opens with a freeze of a
million people cannot wait until it knows better.
"""

from __future__ import annotations

import uuid

import pytest
from django.db import connection

from muster.campaigns.models import LedgerEntry
from muster.campaigns.states import Origin
from muster.flows import recording
from muster.storage.ledger_tables import partition_name
from tests.support.world import World, make_world

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no partitions"),
]
OTHERS = 3_000


@pytest.fixture
def world() -> World:
    world = make_world(doors=2, people=2)
    person = world.persons[0]
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            round=world.round.id, sub_district=person.sub_district, subject=uuid.uuid4(),
            origin=Origin.FROZEN,
            origin_grid=person.grid or 0, origin_dwelling=world.dwellings[0].id, grid=person.grid,
        )
        for _ in range(OTHERS)
    )  # fmt: skip
    return world


def rows_read(world: World) -> int:
    """Entries that were read in this transaction, in whichever way."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0) FROM pg_stat_xact_user_tables"
            " WHERE relname = %s",
            [partition_name(LedgerEntry._meta.db_table, world.round.id)],
        )
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("in_blocks", [True, False])
def test_a_young_round_is_not_read_whole(
    world: World, monkeypatch: pytest.MonkeyPatch, *, in_blocks: bool
) -> None:
    monkeypatch.setattr(recording, "IN_BLOCKS", in_blocks)
    facts = [world.outcome(person, "done", minutes=n) for n, person in enumerate(world.persons)]
    before = rows_read(world)

    world.record(*facts)

    assert rows_read(world) - before <= 8 * len(facts)


def test_reading_it_whole_would_be_seen(world: World) -> None:
    """Negative control."""
    before = rows_read(world)

    assert sum(1 for e in LedgerEntry.objects.filter(round=world.round.id) if e.grid) >= OTHERS

    assert rows_read(world) - before >= OTHERS
