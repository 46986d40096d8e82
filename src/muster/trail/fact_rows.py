# SPDX-License-Identifier: Apache-2.0
"""Fact rows: facts on their way into the table, sealed and converted before the transaction begins.

A row here is no model row: making one costs as much as all the rest. Its members are the table's columns, in
their order; a test holds the two together.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from django.db import connection

from muster.base.crypto import seal_many
from muster.storage.keys import keystore
from muster.storage.plain_reads import time_text
from muster.storage.sealed import seal_context
from muster.trail import kinds
from muster.trail.incoming import Incoming, Ruling
from muster.trail.models import Fact

_TABLE, _KLASS = Fact._meta.db_table, "free_text"


class FactRecord(msgspec.Struct):
    """One row of the fact table; `body` is still to be read."""

    device: uuid.UUID
    seq: int
    id: uuid.UUID
    batch: uuid.UUID | None
    incident: uuid.UUID
    round: uuid.UUID | None
    kind: str
    actor: uuid.UUID | None
    occurred_at: datetime
    offset_minutes: int
    received_at: datetime
    applied_at: datetime
    sub_district: int
    grid: int | None
    subject: uuid.UUID
    subject_type: str
    door: uuid.UUID | None
    value: str
    ref: uuid.UUID | None
    purpose: str
    body: str
    body_hash: bytes
    verdict: str
    code: str


COLUMNS = FactRecord.__struct_fields__
_BODY, _PURPOSE, _HOME = (COLUMNS.index(name) for name in ("body", "purpose", "sub_district"))
_UUIDS = [place for place, name in enumerate(COLUMNS) if "UUID" in str(FactRecord.__annotations__[name])]
_TIMES = [COLUMNS.index(name) for name in ("occurred_at", "received_at", "applied_at")]
_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
INSERT = f'INSERT INTO "{_TABLE}" ({_NAMES}) VALUES ({", ".join(["%s"] * len(COLUMNS))})'
COPY = f'COPY "{_TABLE}" ({_NAMES}) FROM STDIN (FORMAT BINARY)'
_TYPES = {"UUIDField": "uuid", "BigIntegerField": "int8", "SmallIntegerField": "int2", "CharField": "text",
          "DateTimeField": "timestamptz", "SealedField": "bytea", "BinaryField": "bytea"}  # fmt: skip


def fact_row(incoming: Incoming, *, ruling: Ruling, at: datetime, door: uuid.UUID | None, grid: int | None,
             subject: uuid.UUID | None = None, subject_type: str | None = None) -> FactRecord:  # fmt: skip
    """The row of a fact with its verdict."""
    body = incoming.body
    return FactRecord(
        incoming.device,
        incoming.seq,
        incoming.id,
        incoming.batch,
        incoming.incident,
        incoming.round,
        incoming.kind[:32],
        incoming.actor,
        incoming.occurred_at,
        incoming.offset_minutes,
        incoming.received_at,
        at,
        incoming.sub_district,
        grid,
        subject or incoming.subject,
        subject_type or incoming.subject_type,
        door,
        kinds.value_of(body) if body is not None else "",
        kinds.ref_of(body) if body is not None else None,
        purpose_of(incoming.incident),
        incoming.raw_body.decode("utf-8", "replace"),
        incoming.body_hash,
        ruling.verdict,
        ruling.code,
    )


@lru_cache(maxsize=256)
def purpose_of(incident: uuid.UUID) -> str:
    return str(incident)


class FactRows:
    """Rows ready to be written; what they say is sealed here."""

    def __init__(self, records: Sequence[FactRecord]) -> None:
        sealed = sealed_bodies([(r.incident, r.sub_district, r.body, r.device, r.seq) for r in records])
        rows = [list(msgspec.structs.astuple(record)) for record in records]
        sqlite = connection.vendor == "sqlite"
        for row, body in zip(rows, sealed, strict=True):
            row[_BODY] = body
            if sqlite:
                for place in _UUIDS:
                    if row[place] is not None:
                        row[place] = f"{row[place].int:032x}"
                for place in _TIMES:
                    row[place] = time_text(row[place])
        self._rows = rows

    def execute(self) -> None:
        """Raises IntegrityError as the ORM would."""
        if not self._rows:
            return
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                self._copy(cursor)
            else:
                cursor.executemany(INSERT, self._rows)

    def _copy(self, cursor: Any) -> None:
        types = [_TYPES[type(Fact._meta.get_field(name)).__name__] for name in COLUMNS]
        with connection.wrap_database_errors, cursor.copy(COPY) as copy:
            copy.set_types(types)
            for row in self._rows:
                copy.write_row(row)


def sealed_bodies(
    told: Sequence[tuple[uuid.UUID, int, str, uuid.UUID, int]],
) -> list[bytes | None]:
    """What each fact says, sealed with the key of its incident and sub-district; nothing for nothing.

    told: (incident, sub-district, text, device, number); the last two are the row that it is bound to.
    """
    places: dict[tuple[int, int], list[int]] = defaultdict(list)
    for place, one in enumerate(told):
        if one[2]:
            places[one[0].int, one[1]].append(place)
    answer: list[bytes | None] = [None] * len(told)
    contexts: dict[int, bytes] = {}
    for (_, home), those in places.items():
        pairs = [(told[p][2], _context(contexts, told[p][3], told[p][4])) for p in those]
        purpose = purpose_of(told[those[0]][0])
        sealed = seal_many(keystore(), pairs, purpose=purpose, sub_district=home, klass=_KLASS)
        for place, body in zip(those, sealed, strict=True):
            answer[place] = body
    return answer


def _context(of_devices: dict[int, bytes], device: uuid.UUID, seq: int) -> bytes:
    """seal_context of a fact's row; a device's own text costs more than all the rest and is made once."""
    known = of_devices.get(device.int)
    if known is None:
        before, _, after = seal_context(_TABLE, "body", (device, 0)).rpartition(b"0")
        known = of_devices[device.int] = before + b"%d" + after
    return known % seq
