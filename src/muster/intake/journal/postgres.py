# SPDX-License-Identifier: Apache-2.0
"""The journal in PostgreSQL: schema muster_intake, rows appended by COPY, one stream per connection.

A stream belongs to whoever holds its advisory lock, and only that session writes to it. Its only index is the
key (writer, n): it grows at its right edge, and a position cannot be given away twice.
"""

import struct
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.rows import TupleRow

from muster.base.crypto import Keystore
from muster.base.errors import Refusal
from muster.intake.journal.rows import (
    READ_BYTES,
    Entry,
    JournalRow,
    JournalUnavailable,
    SealedRow,
    open_row,
    seal_all,
    share_out,
)
from muster.intake.journal.segments import SEGMENT_BYTES, SEGMENT_ROWS, SUFFIX, write_segment

_Connection = psycopg.Connection[TupleRow]
_LOCK_CLASS = 0x4D55  # "MU": our advisory locks are (class, writer); (class, 0) guards set-up
_COLUMNS = "writer, n, received_at, device, batch, incident, lease, alg, signature, sha256, sealed"
_COPY = f"COPY muster_intake.journal ({_COLUMNS}) FROM STDIN (FORMAT BINARY)".encode()
_COPY_HEAD, _COPY_TAIL, _COPY_BYTES = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff", 1 << 20
# How many members; then each after its length: writer, n, received_at, three ids; the lease's length.
_ROW, _LENGTH = struct.Struct(">hiiiqiqi16si16si16si"), struct.Struct(">i")
_POSTGRES_EPOCH, _MICROSECOND = datetime(2000, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_SET_UP = (
    "CREATE SCHEMA IF NOT EXISTS muster_intake",
    """CREATE TABLE IF NOT EXISTS muster_intake.writer (
        id integer PRIMARY KEY, gone bigint NOT NULL DEFAULT 0, retired_at timestamptz)""",
    """CREATE TABLE IF NOT EXISTS muster_intake.journal (
        writer integer NOT NULL, n bigint NOT NULL, received_at timestamptz NOT NULL, device uuid NOT NULL,
        batch uuid NOT NULL, incident uuid NOT NULL, lease text NOT NULL, alg text NOT NULL,
        signature bytea NOT NULL, sha256 bytea NOT NULL, sealed bytea NOT NULL, PRIMARY KEY (writer, n))""",
    # Sealed bytes do not compress; the server need not try.
    "ALTER TABLE muster_intake.journal ALTER COLUMN sealed SET STORAGE EXTERNAL",
)
_FAR = (1 << 63) - 1
_CONNECT_WITHIN = 5
_ANSWER_WITHIN_MS = 10_000


class PostgresJournal:
    """One stream. Not for several threads: the group commit's thread owns it."""

    def __init__(self, address: str, keystore: Keystore) -> None:
        self._address = address
        self._keystore = keystore
        self._db: _Connection | None = None
        self._next = 1
        self.writer = 0

    def append(self, entries: Sequence[Entry]) -> list[int | Refusal]:
        kept_open = self._db is not None
        try:
            return self._append(entries)
        except psycopg.OperationalError as failure:
            # A connection that lay idle may have died of it (restart, failover, firewall): one fresh try. If
            # the first one did commit, its rows are there twice, which fold does not mind.
            if not kept_open or isinstance(failure, psycopg.errors.DiskFull):
                raise _unavailable(failure) from failure
        except psycopg.Error as failure:
            raise _unavailable(failure) from failure
        try:
            return self._append(entries)
        except psycopg.Error as failure:
            raise _unavailable(failure) from failure

    def _append(self, entries: Sequence[Entry]) -> list[int | Refusal]:
        try:
            db = self._db or self._resume()
            rows, answers = seal_all(self._keystore, entries, writer=self.writer, first=self._next)
            if rows:
                _copy_in(db, rows)
        except psycopg.Error:
            self.close()
            raise
        self._next += len(rows)
        return answers

    def close(self) -> None:
        if self._db is not None:
            with suppress(psycopg.Error):
                self._db.close()
            self._db = None

    def _resume(self) -> _Connection:
        db = _connect(self._address)
        try:
            _set_up(db)
            self.writer, self._next = _claim_stream(db)
        except BaseException:
            db.close()
            raise
        self._db = db
        return db


class PostgresReader:
    def __init__(self, address: str, keystore: Keystore) -> None:
        self._address = address
        self._keystore = keystore
        self._db: _Connection | None = None

    def writers(self) -> list[int]:
        return [row[0] for row in self._run("SELECT id FROM muster_intake.writer ORDER BY id")]

    def heads(self) -> dict[int, int]:
        rows = self._run(
            "SELECT id, greatest(gone, (SELECT max(n) FROM muster_intake.journal WHERE writer = id))"
            " FROM muster_intake.writer ORDER BY id"
        )
        return dict(rows)

    def read_after(
        self, positions: Mapping[int, int], limit: int, *, most_bytes: int = READ_BYTES
    ) -> list[JournalRow]:
        def read(writer: int, rows: int, size: int) -> list[SealedRow]:
            return self._rows_after(writer, positions.get(writer, 0), rows, size)

        rows = share_out(self.writers(), limit, most_bytes, read)
        return [open_row(self._keystore, row) for row in rows]

    def archive(self, positions: Mapping[int, int], into: Path) -> list[Path]:
        made = []
        for writer in self.writers():
            while rows := self._rows_after(writer, 0, SEGMENT_ROWS, SEGMENT_BYTES, positions.get(writer, 0)):
                path = into / str(writer) / f"{rows[0].n}{SUFFIX}"
                write_segment(path, rows)
                made.append(path)
                self._delete(writer, rows[-1].n)
        return made

    def prune(self, positions: Mapping[int, int]) -> int:
        return sum(self._delete(writer, positions.get(writer, 0)) for writer in self.writers())

    def close(self) -> None:
        if self._db is not None:
            with suppress(psycopg.Error):
                self._db.close()
            self._db = None

    def _rows_after(
        self, writer: int, position: int, limit: int, most_bytes: int, upto: int = _FAR
    ) -> list[SealedRow]:
        # The sum looks at sizes only; bodies that do not fit are never fetched.
        found = self._run(
            f"SELECT {_COLUMNS} FROM (SELECT *, sum(octet_length(sealed)) OVER (ORDER BY n) AS size,"
            " row_number() OVER (ORDER BY n) AS place FROM muster_intake.journal"
            " WHERE writer = %s AND n > %s AND n <= %s ORDER BY n LIMIT %s) stretch"
            " WHERE size <= %s OR place = 1 ORDER BY n",
            (writer, position, upto, limit, most_bytes),
        )
        return [SealedRow(*row) for row in found]

    def _delete(self, writer: int, upto: int) -> int:
        # `gone` remembers how far the stream had come: an emptied one must not begin at 1 again.
        ((rows,),) = self._run(
            "WITH deleted AS (DELETE FROM muster_intake.journal WHERE writer = %(writer)s AND n <= %(upto)s"
            " RETURNING n), noted AS (UPDATE muster_intake.writer"
            " SET gone = greatest(gone, (SELECT max(n) FROM deleted)) WHERE id = %(writer)s)"
            " SELECT count(*) FROM deleted",
            {"writer": writer, "upto": upto},
        )
        return int(rows)

    def _run(self, statement: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[TupleRow]:
        if self._db is None or self._db.closed:
            self._db = _connect(self._address)
            _set_up(self._db)
        try:
            return self._db.execute(statement, values, binary=True).fetchall()
        except psycopg.OperationalError:
            self.close()  # the next call connects anew
            raise


def retire_streams(address: str) -> list[int]:
    with _connect(address) as db:
        _set_up(db)
        rows = db.execute(
            "UPDATE muster_intake.writer SET retired_at = now() WHERE retired_at IS NULL RETURNING id"
        ).fetchall()
        return sorted(row[0] for row in rows)


def _unavailable(failure: psycopg.Error) -> JournalUnavailable:
    full = isinstance(failure, psycopg.errors.DiskFull)
    return JournalUnavailable("journal_full" if full else "journal_failed", cause=str(failure))


def _connect(address: str) -> _Connection:
    db = psycopg.connect(
        address,
        autocommit=True,
        connect_timeout=_CONNECT_WITHIN,
        tcp_user_timeout=_ANSWER_WITHIN_MS,
        application_name="muster intake",
    )
    db.execute(f"SET statement_timeout = {_ANSWER_WITHIN_MS}")
    (durable,) = db.execute("SHOW synchronous_commit").fetchone() or ("off",)
    if durable == "off":
        # An answer must not outrun the disk, whatever the server's default is.
        db.execute("SET synchronous_commit = on")
    return db


def _set_up(db: _Connection) -> None:
    if db.execute("SELECT to_regclass('muster_intake.journal')").fetchone() != (None,):
        return
    with db.transaction():
        db.execute("SELECT pg_advisory_xact_lock(%s, 0)", (_LOCK_CLASS,))
        for statement in _SET_UP:
            db.execute(statement)


def _claim_stream(db: _Connection) -> tuple[int, int]:
    """Take the lowest stream whose session is gone, or a new one; return it and its next n."""
    with db.transaction():
        db.execute("SELECT pg_advisory_xact_lock(%s, 0)", (_LOCK_CLASS,))
        streams = db.execute(
            "SELECT id, retired_at IS NOT NULL FROM muster_intake.writer ORDER BY id"
        ).fetchall()
        for writer, retired in streams:
            if not retired and _hold(db, writer):
                return writer, _next_n(db, writer)
        writer = max((row[0] for row in streams), default=0) + 1
        db.execute("INSERT INTO muster_intake.writer (id) VALUES (%s)", (writer,))
        _hold(db, writer)
        return writer, 1


def _hold(db: _Connection, writer: int) -> bool:
    return db.execute("SELECT pg_try_advisory_lock(%s, %s)", (_LOCK_CLASS, writer)).fetchone() == (True,)


def _next_n(db: _Connection, writer: int) -> int:
    row = db.execute(
        "SELECT greatest(gone, (SELECT max(n) FROM muster_intake.journal WHERE writer = id)) + 1"
        " FROM muster_intake.writer WHERE id = %s",
        (writer,),
    ).fetchone()
    return int(row[0]) if row else 1


def _copy_in(db: _Connection, rows: Sequence[SealedRow]) -> None:
    """One statement is one transaction (autocommit): the COPY's end is the commit.

    Straight through libpq: it waits for the interpreter's lock twice, where a cursor does six times. While
    the loop is busy each such wait may last five milliseconds.
    """
    conn = db.pgconn
    _demand(conn, conn.exec_(_COPY), ExecStatus.COPY_IN)
    packed = _packed(rows)
    for at in range(0, len(packed), _COPY_BYTES):
        conn.put_copy_data(packed[at : at + _COPY_BYTES])
    conn.put_copy_end()
    _demand(conn, conn.get_result(), ExecStatus.COMMAND_OK)
    conn.get_result()  # the end of the answer


def _demand(conn: psycopg.pq.abc.PGconn, result: psycopg.pq.abc.PGresult | None, status: ExecStatus) -> None:
    if result is not None and result.status == status:
        return
    if result is None or conn.status != ConnStatus.OK:
        raise psycopg.OperationalError(conn.get_error_message())
    raise psycopg.errors.error_from_result(result)


def _packed(rows: Sequence[SealedRow]) -> bytes:
    """Rows in PostgreSQL's binary COPY format."""
    parts = [_COPY_HEAD]
    for row in rows:
        lease, alg = row.lease.encode(), row.alg.encode()
        parts += (
            _ROW.pack(
                11, 4, row.writer, 8, row.n, 8, (row.received_at - _POSTGRES_EPOCH) // _MICROSECOND,
                16, row.device.bytes, 16, row.batch.bytes, 16, row.incident.bytes, len(lease),
            ),
            lease, _LENGTH.pack(len(alg)),
            alg, _LENGTH.pack(len(row.signature)),
            row.signature, _LENGTH.pack(len(row.sha256)),
            row.sha256, _LENGTH.pack(len(row.sealed)),
            row.sealed,
        )  # fmt: skip
    parts.append(_COPY_TAIL)
    return b"".join(parts)
