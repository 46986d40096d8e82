# SPDX-License-Identifier: Apache-2.0
"""The journal: the front door's write-ahead log. One row is one batch, sealed by its incident's key.

Nouns: writer (one intake process and its stream), n (a row's number in its stream: 1, 2, 3 in commit order),
position (the last n of a writer that fold has taken), segment (a stretch of a stream, closed when full).
"""

from pathlib import Path

from muster.base.crypto import Keystore
from muster.intake.journal.rows import Entry, Journal, JournalReader, JournalRow, JournalUnavailable
from muster.intake.journal.segment_reader import SegmentReader
from muster.intake.journal.segments import SegmentJournal, retire_segments

__all__ = [
    "Entry",
    "Journal",
    "JournalReader",
    "JournalRow",
    "JournalUnavailable",
    "is_postgres",
    "open_archive",
    "open_journal",
    "open_reader",
    "retire_writers",
]

_FOLDER = "journal"


def is_postgres(source: Path | str) -> bool:
    return isinstance(source, str) and source.startswith(("postgres://", "postgresql://"))


def open_journal(source: Path | str, keystore: Keystore) -> Journal:
    """Open a stream to append to; blocks no other writer. `source`: data folder, or postgresql:// address."""
    if is_postgres(source):
        from muster.intake.journal.postgres import PostgresJournal

        return PostgresJournal(str(source), keystore)
    return SegmentJournal(Path(source) / _FOLDER, keystore)


def open_reader(source: Path | str, keystore: Keystore) -> JournalReader:
    """Open the journal for fold. Reading never blocks a writer."""
    if is_postgres(source):
        from muster.intake.journal.postgres import PostgresReader

        return PostgresReader(str(source), keystore)
    return SegmentReader(Path(source) / _FOLDER, keystore)


def open_archive(folder: Path, keystore: Keystore) -> JournalReader:
    """Open what `archive` put into a folder."""
    return SegmentReader(folder, keystore)


def retire_writers(source: Path | str) -> list[int]:
    """End all streams; the next intake starts a new one. A restore calls this with no intake running.

    A journal brought back from a copy may end before fold's positions do: rows numbered on from there would
    be taken for folded ones.
    """
    if is_postgres(source):
        from muster.intake.journal.postgres import retire_streams

        return retire_streams(str(source))
    return retire_segments(Path(source) / _FOLDER)
