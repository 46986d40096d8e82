# SPDX-License-Identifier: Apache-2.0
"""Contact: when each device was last heard, and whether a number of its series is missing.

A device numbers its facts 1, 2, 3 …; whatever was recorded and is not here shows as a gap. Batches may
overtake one another, so a gap is an alarm only after a while (`trail.queries.numbers_missing`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from muster.accounts.models import Device
from muster.storage.plain_reads import plain
from muster.trail.models import Fact, NumberWatch

_HEARD = (
    f'UPDATE "{Device._meta.db_table}" SET last_contact_at = %s, facts_seen = %s,'
    " last_seq = CASE WHEN last_seq < %s THEN %s ELSE last_seq END WHERE id = %s"
)
_FOLLOWING = f'SELECT seq FROM "{Fact._meta.db_table}" WHERE device = %s AND seq > %s ORDER BY seq LIMIT %s'
_BEYOND = f'SELECT count(*), max(seq) FROM "{Fact._meta.db_table}" WHERE device = %s AND seq > %s'
# What is known of each device's series, and what is here beyond it.
_WATCHED = (
    " SELECT told.device, coalesce(watch.whole_upto, 0), watch.gap_since,"
    f' (SELECT count(*) FROM "{Fact._meta.db_table}" AS fact WHERE fact.device = told.device'
    " AND fact.seq > coalesce(watch.whole_upto, 0)),"
    f' (SELECT max(seq) FROM "{Fact._meta.db_table}" AS fact WHERE fact.device = told.device)'
    f' FROM told LEFT JOIN "{NumberWatch._meta.db_table}" AS watch ON watch.device = told.device'
)
_WATCH = (
    f'INSERT INTO "{NumberWatch._meta.db_table}" (device, whole_upto, highest, missing, gap_since)'
    " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (device) DO UPDATE SET whole_upto = excluded.whole_upto,"
    " highest = excluded.highest, missing = excluded.missing, gap_since = excluded.gap_since"
)
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is here of a device's series."""

    whole_upto: int
    highest: int
    missing: int


def note_contact(heard: Iterable[tuple[uuid.UUID, datetime]]) -> None:
    """Inside the transaction of the facts, after them. heard: (device, when it was last heard)."""
    last = {plain(device): at for device, at in sorted(heard)}
    if not last:
        return
    contacts: list[tuple[Any, ...]] = []
    watches: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        marks = ",".join(["(%s)"] * len(last))
        cursor.execute(f"WITH told(device) AS (VALUES {marks}){_WATCHED}", list(last))
        for key, whole, gap_since, beyond, highest in cursor.fetchall():
            if highest is not None and highest - whole == beyond:
                found = Numbers(highest, highest, 0)
            else:
                found = _count(cursor, key, whole)
            since = (gap_since or last[key]) if found.missing else None
            watches.append((key, found.whole_upto, found.highest, found.missing, plain_time(since)))
            here = found.highest - found.missing
            contacts.append((plain(last[key]), here, found.highest, found.highest, key))
        cursor.executemany(_WATCH, watches)
        cursor.executemany(_HEARD, contacts)


def plain_time(at: datetime | None) -> Any:
    return None if at is None else plain(at) if at.tzinfo is not None else str(at)


def _count(cursor: Any, key: object, whole: int) -> Numbers:
    """Goes on from where the series was whole; what lies behind a gap is only counted."""
    while True:
        cursor.execute(_FOLLOWING, [key, whole, _AT_ONCE])
        rows = [int(row[0]) for row in cursor.fetchall()]
        run = 0
        while run < len(rows) and rows[run] == whole + run + 1:
            run += 1
        whole += run
        if run < len(rows):
            cursor.execute(_BEYOND, [key, whole])
            ((beyond, highest),) = cursor.fetchall()
            return Numbers(whole, int(highest), int(highest) - whole - int(beyond))
        if len(rows) < _AT_ONCE:
            return Numbers(whole, whole, 0)
