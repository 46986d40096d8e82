# SPDX-License-Identifier: Apache-2.0
"""PlainRows: the rows of a block of plain facts on their way into the table, without a record for each.

The same columns as fact_rows.FactRecord. For SQLite one tuple a fact, for PostgreSQL one buffer in its own
binary format, so that the driver looks at none of the values.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.db import connection

from muster.storage.raw_rows import hex_of, moments
from muster.trail.fact_rows import COLUMNS, COPY, INSERT, purpose_of, sealed_bodies
from muster.trail.incoming import APPLIED, Incoming

_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TAIL = b"\xff\xff"
_EPOCH, _MICROSECOND = datetime(2000, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_NOTHING = struct.pack(">i", -1)
# Each value comes after its length. How many columns, device, number, id.
_BEGINS = struct.Struct(">hi16siqi16s")
_ID, _LENGTH = struct.Struct(">i16s"), struct.Struct(">i")
# When it happened, by how many minutes its clock was off UTC, received, applied; sub-district, grid, subject.
_WHEN, _WHERE = struct.Struct(">iqihiqiq"), struct.Struct(">iqiqi16s")


class PlainRow(msgspec.Struct):
    """A fact that is applied as it came; ids as hexadecimal digits, `at` as the database compares it."""

    fact: Incoming
    id: str
    subject: str
    at: Any
    grid: int
    door: str | None
    value: str


class PlainRows:
    """Sealed and converted before the transaction begins."""

    def __init__(self, rows: Sequence[PlainRow], *, at: datetime) -> None:
        facts = [row.fact for row in rows]
        bodies = sealed_bodies(
            [
                (f.incident, f.sub_district, f.raw_body.decode("utf-8", "replace"), f.device, f.seq)
                for f in facts
            ]
        )
        self._copied = _packed(rows, bodies, at) if connection.vendor == "postgresql" else b""
        self._rows = [] if self._copied else _tuples(rows, bodies, at)

    def execute(self) -> None:
        """Raises IntegrityError as the ORM would."""
        if not self._rows and not self._copied:
            return
        with connection.cursor() as cursor:
            if self._copied:
                with connection.wrap_database_errors, cursor.copy(COPY) as copy:
                    copy.write(self._copied)
            else:
                cursor.executemany(INSERT, self._rows)


class _Hexed(dict[int, str]):
    """Ids that come again and again: devices, batches, rounds; and incidents as purposes."""

    def __init__(self) -> None:
        self._purposes: dict[int, str] = {}

    def of(self, one: uuid.UUID | None) -> str | None:
        if one is None:
            return None
        known = self.get(one.int)
        if known is None:
            known = self[one.int] = hex_of(one)
        return known

    def purpose(self, incident: uuid.UUID) -> str:
        known = self._purposes.get(incident.int)
        if known is None:
            known = self._purposes[incident.int] = purpose_of(incident)
        return known


def _tuples(rows: Sequence[PlainRow], bodies: Sequence[bytes | None], at: datetime) -> list[tuple[Any, ...]]:
    memory, moment_of, told = _Hexed(), moments(), []
    applied = moment_of(at)
    hexed, purpose = memory.of, memory.purpose
    received: Any = None
    shown: Any = None
    verdict = APPLIED.verdict
    for row, body in zip(rows, bodies, strict=True):
        f = row.fact
        if f.received_at is not received:
            received, shown = f.received_at, moment_of(f.received_at)
        told.append(
            (
                hexed(f.device), f.seq, row.id, hexed(f.batch), hexed(f.incident), hexed(f.round), f.kind,
                hexed(f.actor), row.at, f.offset_minutes, shown, applied, f.sub_district, row.grid,
                row.subject, f.subject_type, row.door, row.value, None, purpose(f.incident), body,
                f.body_hash, verdict, APPLIED.code,
            )
        )  # fmt: skip
    return told


class _Packing:
    """What comes again and again, packed once."""

    def __init__(self) -> None:
        self._ids: dict[int, bytes] = {}
        self._texts: dict[str, bytes] = {}
        self._purposes: dict[int, bytes] = {}

    def id(self, one: uuid.UUID | None) -> bytes:
        if one is None:
            return _NOTHING
        known = self._ids.get(one.int)
        if known is None:
            known = self._ids[one.int] = _ID.pack(16, one.bytes)
        return known

    def purpose(self, incident: uuid.UUID) -> bytes:
        known = self._purposes.get(incident.int)
        if known is None:
            known = self._purposes[incident.int] = self.text(purpose_of(incident))
        return known

    def text(self, text: str) -> bytes:
        known = self._texts.get(text)
        if known is None:
            said = text.encode()
            known = self._texts[text] = _LENGTH.pack(len(said)) + said
        return known


def _packed(rows: Sequence[PlainRow], bodies: Sequence[bytes | None], at: datetime) -> bytes:
    if not rows:
        return b""
    packing, applied = _Packing(), _microseconds(at)
    packed_id, packed_text = packing.id, packing.text
    verdict = packed_text(APPLIED.verdict) + packed_text(APPLIED.code)
    received: Any = None
    since = 0
    pieces = [_HEAD]
    for row, body in zip(rows, bodies, strict=True):
        f = row.fact
        if f.received_at is not received:
            received, since = f.received_at, _microseconds(f.received_at)
        pieces += (
            _BEGINS.pack(len(COLUMNS), 16, f.device.bytes, 8, f.seq, 16, bytes.fromhex(row.id)),
            packed_id(f.batch), packed_id(f.incident), packed_id(f.round), packed_text(f.kind),
            packed_id(f.actor),
            _WHEN.pack(8, _microseconds(f.occurred_at), 2, f.offset_minutes, 8, since, 8, applied),
            _WHERE.pack(8, f.sub_district, 8, row.grid, 16, bytes.fromhex(row.subject)),
            packed_text(f.subject_type),
            _NOTHING if row.door is None else _ID.pack(16, bytes.fromhex(row.door)),
            packed_text(row.value), _NOTHING, packing.purpose(f.incident),
            _NOTHING if body is None else _LENGTH.pack(len(body)) + body,
            _LENGTH.pack(len(f.body_hash)), f.body_hash, verdict,
        )  # fmt: skip
    pieces.append(_TAIL)
    return b"".join(pieces)


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND
