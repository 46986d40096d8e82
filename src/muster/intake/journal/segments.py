# SPDX-License-Identifier: Apache-2.0
"""The journal as SQLite files, journal/<writer>/<first n>.sqlite3: one writer each, WAL, synchronous=FULL.

A full segment is checkpointed, leaves WAL mode and is never written again; the last one of a folder is open.
"""

import errno
import fcntl
import os
import shutil
import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from muster.base.crypto import Keystore
from muster.base.errors import Refusal
from muster.intake.durable import make_folder, sync_folder
from muster.intake.journal.rows import Entry, JournalUnavailable, SealedRow, seal_all

SEGMENT_ROWS = 20_000
SEGMENT_BYTES = 128 << 20
LEAST_ROOM = 1 << 20
SUFFIX = ".sqlite3"
RETIRED = "retired"
_LOCK = "lock"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

TABLE = """CREATE TABLE IF NOT EXISTS journal (
    n INTEGER PRIMARY KEY, received_at INTEGER NOT NULL, device BLOB NOT NULL, batch BLOB NOT NULL,
    incident BLOB NOT NULL, lease TEXT NOT NULL, alg TEXT NOT NULL, signature BLOB NOT NULL,
    sha256 BLOB NOT NULL, sealed BLOB NOT NULL)"""
_INSERT = "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class SegmentJournal:
    """One stream. Not for several threads: the group commit's thread owns it."""

    def __init__(
        self,
        root: Path,
        keystore: Keystore,
        *,
        segment_rows: int = SEGMENT_ROWS,
        segment_bytes: int = SEGMENT_BYTES,
        synchronous: str = "FULL",
    ) -> None:
        self._keystore = keystore
        self._segment_rows, self._segment_bytes = segment_rows, segment_bytes
        self._synchronous = synchronous
        self._root = root
        self.writer = 0
        self._lock: int | None = None
        self._db: sqlite3.Connection | None = None
        self._next = 1
        self._first = 1
        self._bytes = 0
        self._start_new = False

    def append(self, entries: Sequence[Entry]) -> list[int | Refusal]:
        try:
            if self._db is None:
                self._resume()
            rows, answers = seal_all(self._keystore, entries, writer=self.writer, first=self._next)
            if rows:
                self._commit(rows)
        except (sqlite3.Error, OSError) as failure:
            code = _code_of(failure, self._root)
            self._give_up(code)
            raise JournalUnavailable(code, cause=str(failure)) from failure
        if self._next - self._first >= self._segment_rows or self._bytes >= self._segment_bytes:
            self._end_segment()
        return answers

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock, self.writer = None, 0

    @property
    def _folder(self) -> Path:
        return self._root / str(self.writer)

    def _commit(self, rows: Sequence[SealedRow]) -> None:
        db = self._db or self._begin_segment()
        db.execute("BEGIN")
        db.executemany(_INSERT, map(columns, rows))
        db.execute("COMMIT")
        self._next += len(rows)
        self._bytes += sum(len(row.sealed) + len(row.lease) for row in rows)

    def _begin_segment(self) -> sqlite3.Connection:
        path = self._folder / f"{self._next}{SUFFIX}"
        self._db = _connect(path, self._synchronous)
        sync_folder(self._folder)
        self._first, self._bytes, self._start_new = self._next, 0, False
        return self._db

    def _end_segment(self) -> None:
        # The rows are committed and will be answered; a failure here concerns only the tidiness of the file.
        if self._db is not None:
            self._db.close()
            self._db = None
        self._start_new = True
        _seal_files(segment_files(self._folder))

    def _resume(self) -> None:
        """Find out from the files where the stream ends; after a failure nothing remembered counts."""
        if self._lock is None:
            self.writer, self._lock = _claim_writer(self._root)
        files = segment_files(self._folder)
        if not files:
            return
        _seal_files(files[:-1])
        self._first, path = files[-1]
        with closing(open_segment(path)) as db:
            last = last_n(db)
        self._next, self._bytes = (last or self._first - 1) + 1, path.stat().st_size
        if last is None or not (self._start_new or is_sealed(path)):
            self._db = _connect(path, self._synchronous)

    def _give_up(self, code: str) -> None:
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.rollback()
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None
        # After an I/O error the kernel may have dropped pages that this file still shows: write it no more.
        self._start_new = self._start_new or code != "journal_full"


def retire_segments(root: Path) -> list[int]:
    writers = stream_numbers(root)
    for writer in writers:
        (root / str(writer) / RETIRED).touch()
        sync_folder(root / str(writer))
    return writers


def stream_numbers(root: Path) -> list[int]:
    if not root.is_dir():
        return []
    return sorted(int(path.name) for path in root.iterdir() if path.name.isdigit() and path.is_dir())


def segment_files(folder: Path) -> list[tuple[int, Path]]:
    """Return (first n, path) of a stream's segments in order; the last one is open."""
    names = (path for path in folder.glob(f"*{SUFFIX}") if path.stem.isdigit())
    return sorted((int(path.stem), path) for path in names)


def columns(row: SealedRow) -> tuple[object, ...]:
    return (
        row.n,
        (row.received_at - _EPOCH) // _MICROSECOND,
        row.device.bytes,
        row.batch.bytes,
        row.incident.bytes,
        row.lease,
        row.alg,
        row.signature,
        row.sha256,
        row.sealed,
    )


def row_of(writer: int, values: Sequence[object]) -> SealedRow:
    n, received_at, device, batch, incident, lease, alg, signature, sha256, sealed = values
    return SealedRow(
        writer,
        int(str(n)),
        _EPOCH + int(str(received_at)) * _MICROSECOND,
        uuid.UUID(bytes=_bytes(device)),
        uuid.UUID(bytes=_bytes(batch)),
        uuid.UUID(bytes=_bytes(incident)),
        str(lease),
        str(alg),
        _bytes(signature),
        _bytes(sha256),
        _bytes(sealed),
    )


def write_segment(path: Path, rows: Iterable[SealedRow]) -> None:
    """Write a closed segment in one go (archives), whole or not at all."""
    make_folder(path.parent)
    draft = path.with_suffix(".part")
    draft.unlink(missing_ok=True)
    with closing(sqlite3.connect(draft, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous=FULL")
        db.execute("BEGIN")
        db.execute(TABLE)
        db.executemany(_INSERT, map(columns, rows))
        db.execute("COMMIT")
    draft.rename(path)
    sync_folder(path.parent)


def open_segment(path: Path) -> sqlite3.Connection:
    """Open a segment to read. Not `mode=ro`: after a crash somebody must be able to recover its WAL."""
    db = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, isolation_level=None, timeout=10)
    db.execute("PRAGMA query_only=ON")
    return db


def has_table(db: sqlite3.Connection) -> bool:
    """Say whether a segment got as far as its table: a crash may leave a file without one."""
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = 'journal'").fetchone() is not None


def last_n(db: sqlite3.Connection) -> int | None:
    last: int | None = db.execute("SELECT max(n) FROM journal").fetchone()[0] if has_table(db) else None
    return last


def is_sealed(path: Path) -> bool:
    """Say whether a segment has ended and is whole in its one file."""
    return path.stat().st_mode & 0o200 == 0 and not path.with_name(f"{path.name}-wal").exists()


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes | memoryview):
        raise TypeError("not bytes")
    return bytes(value)


def _claim_writer(root: Path) -> tuple[int, int]:
    """Take the lowest stream that no living process holds; the kernel lets go of the lock when we die."""
    writer = 0
    while True:
        writer += 1
        folder = root / str(writer)
        make_folder(folder)
        if (folder / RETIRED).exists():
            continue
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            continue
        sync_folder(folder)
        return writer, handle


def _connect(path: Path, synchronous: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute(f"PRAGMA synchronous={synchronous}")
        db.execute("PRAGMA wal_autocheckpoint=4000")
        db.execute(TABLE)
    except BaseException:
        db.close()
        raise
    return db


def _seal_files(files: Sequence[tuple[int, Path]]) -> None:
    """Bring ended segments into one immutable file each; one that a reader has open has to wait."""
    for _, path in files:
        if is_sealed(path):
            continue
        with suppress(sqlite3.Error), closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as db:
            db.execute("PRAGMA synchronous=FULL")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            (mode,) = db.execute("PRAGMA journal_mode=DELETE").fetchone()
            if mode == "delete":
                path.chmod(0o440)


def _code_of(failure: Exception, root: Path) -> str:
    told = getattr(failure, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    no_room = isinstance(failure, OSError) and failure.errno in (errno.ENOSPC, errno.EDQUOT)
    # On a full disk SQLite may fail at many places (it cannot even open): look at the disk itself, too.
    return "journal_full" if told or no_room or _room(root) < LEAST_ROOM else "journal_failed"


def _room(root: Path) -> int:
    try:
        return shutil.disk_usage(root).free
    except OSError:
        return LEAST_ROOM
