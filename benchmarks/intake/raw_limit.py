# SPDX-License-Identifier: Apache-2.0
"""What the database alone takes: the same sealed rows, in groups of the same size, one commit each.

No HTTP, no checks, no sealing: the peer by which the front door's figures are ratios.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from muster.base import clock, ids
from muster.intake.journal.postgres import PostgresJournal, _copy_in
from muster.intake.journal.rows import SealedRow
from muster.intake.journal.segments import SegmentJournal, columns
from tests.intake.house import House

_SECONDS = 2.0


def raw_rows_per_second(
    house: House, source: Path | str, *, body_bytes: int, group: int, lease: str
) -> float:
    """Rows a second over a couple of seconds into a stream of its own."""
    journal = (
        PostgresJournal(source, house.keystore)
        if isinstance(source, str)
        else SegmentJournal(source / "raw", house.keystore)
    )
    journal.append([])
    commit: Callable[[Sequence[SealedRow]], None]
    if isinstance(journal, PostgresJournal):
        db = journal._db
        assert db is not None
        commit = lambda rows: _copy_in(db, rows)  # noqa: E731
    else:
        commit = lambda rows: _insert(journal, rows)  # noqa: E731
    with closing(journal):
        n, began = 1, time.perf_counter()
        while time.perf_counter() - began < _SECONDS:
            commit([_row(house, journal.writer, n + i, body_bytes, lease) for i in range(group)])
            n += group
        return (n - 1) / (time.perf_counter() - began)


def _insert(journal: SegmentJournal, rows: Sequence[SealedRow]) -> None:
    db = journal._db or journal._begin_segment()
    db.execute("BEGIN")
    db.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", map(columns, rows))
    db.execute("COMMIT")


_NOISE = os.urandom(1 << 20)
_ID = ids.new_id()


def _row(house: House, writer: int, n: int, size: int, lease: str) -> SealedRow:
    return SealedRow(
        writer,
        n,
        clock.now(),
        _ID,
        _ID,
        house.incident,
        lease,
        "ES256",
        _NOISE[:64],
        _NOISE[:32],
        _NOISE[:size],
    )
