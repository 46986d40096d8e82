# SPDX-License-Identifier: Apache-2.0
"""From a journalled batch to incoming facts: signature, lease, revocation, actor and scope are judged here.

The front door only asked whether the lease was once issued. What is wrong with a batch is kept with its
reason; nothing is dropped.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from muster.accounts.models import Device, Lease
from muster.base.codes import read_lease
from muster.base.crypto import TrustedKey, verify
from muster.base.errors import Refusal
from muster.intake.journal import JournalRow
from muster.trail.incoming import Incoming, Ruling, flagged, held, quarantined

RECORDING_GRACE = timedelta(hours=24)
UNREADABLE = "unreadable"


class _Subject(msgspec.Struct):
    sub_district: Annotated[int, msgspec.Meta(ge=0, lt=2**62)]
    dwelling: uuid.UUID | None = None
    household: uuid.UUID | None = None
    person: uuid.UUID | None = None

    @property
    def named(self) -> tuple[str, uuid.UUID] | None:
        said = [
            (n, v)
            for n, v in (("dwelling", self.dwelling), ("household", self.household), ("person", self.person))
            if v
        ]
        return said[0] if len(said) == 1 else None


class _Fact(msgspec.Struct):
    v: int
    id: uuid.UUID
    seq: int
    kind: str
    actor: uuid.UUID
    occurred_at: datetime
    subject: _Subject
    body: msgspec.Raw


class _Batch(msgspec.Struct):
    device: uuid.UUID
    batch: uuid.UUID
    facts: list[msgspec.Raw]


_batch = msgspec.json.Decoder(_Batch)
_fact = msgspec.json.Decoder(_Fact)


@dataclass(slots=True)
class Judged:
    """A batch with its facts, or with the reason why it has none."""

    row: JournalRow
    facts: list[Incoming]
    code: str = ""


@dataclass(slots=True)
class Issued:
    """What is known here about the device and lease a batch came with."""

    devices: dict[uuid.UUID, Device]
    leases: dict[uuid.UUID, Lease]
    actors: dict[uuid.UUID, set[uuid.UUID]]


def judge_batches(rows: list[JournalRow], *, trusted: Iterable[TrustedKey]) -> list[Judged]:
    """Judges batches in order; reads devices and leases once for all of them."""
    trusted = list(trusted)
    issued = _read_issued({row.device for row in rows})
    return [_judge(row, trusted, issued) for row in rows]


def _read_issued(devices: set[uuid.UUID]) -> Issued:
    leases = list(Lease.objects.filter(device_id__in=devices))
    actors: dict[uuid.UUID, set[uuid.UUID]] = {}
    for lease in leases:
        actors.setdefault(lease.device_id, set()).add(lease.actor_id)
    return Issued(
        {d.id: d for d in Device.objects.filter(id__in=devices)},
        {lease.id: lease for lease in leases},
        actors,
    )


def _judge(row: JournalRow, trusted: list[TrustedKey], issued: Issued) -> Judged:
    if row.body is None:
        return Judged(row, [], row.fault or "body_unreadable")
    try:
        batch = _batch.decode(row.body)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return Judged(row, [], "envelope_bad")
    against, lease = _against_batch(row, batch, trusted, issued)
    facts = [
        _incoming(row, batch, number, raw, lease=lease, against=against, issued=issued)
        for number, raw in enumerate(batch.facts)
    ]
    return Judged(row, facts)


def _against_batch(
    row: JournalRow, batch: _Batch, trusted: list[TrustedKey], issued: Issued
) -> tuple[Ruling | None, Lease | None]:
    """What speaks against all facts of a batch, and the lease it came with."""
    try:
        claims = read_lease(row.lease, trusted)
    except Refusal:
        return quarantined("lease_forged"), None
    device, lease = issued.devices.get(row.device), issued.leases.get(claims.id)
    if device is None or device.public_key is None or batch.device != row.device:
        return quarantined("device_unknown"), lease
    if lease is None or claims.device != row.device:
        return quarantined("lease_forged"), lease
    if not verify(row.alg, device.public_key, row.body or b"", row.signature):
        return quarantined("bad_signature"), lease
    return None, lease


def _incoming(row: JournalRow, batch: _Batch, number: int, raw: msgspec.Raw, *, lease: Lease | None,
              against: Ruling | None, issued: Issued) -> Incoming:  # fmt: skip
    try:
        fact = _fact.decode(raw)
        named = fact.subject.named
        # A year at the end of the calendar cannot be written in UTC.
        fact.occurred_at.astimezone(UTC)
        readable = (
            named is not None
            and "\0" not in fact.kind
            and fact.occurred_at.tzinfo is not None
            and 0 <= fact.seq < 2**62
            and fact.v == 1
        )
    except (msgspec.ValidationError, msgspec.DecodeError, OverflowError):
        readable, named = False, None
    if not readable or named is None:
        return _unreadable(row, number, raw, against)
    offset = fact.occurred_at.utcoffset() or timedelta()
    incoming = Incoming(
        device=row.device,
        seq=fact.seq,
        id=fact.id,
        incident=row.incident,
        kind=fact.kind[:32],
        actor=fact.actor,
        occurred_at=fact.occurred_at,
        received_at=row.received_at,
        sub_district=fact.subject.sub_district,
        subject=named[1],
        subject_type=named[0],
        raw_body=bytes(fact.body),
        batch=batch.batch,
        offset_minutes=int(offset.total_seconds() // 60),
        ruling=against,
        grids=frozenset(lease.grids) if lease else frozenset(),
    )
    if incoming.ruling is None and lease is not None:
        incoming.ruling = _against_fact(incoming, lease, issued)
    return incoming


def _against_fact(fact: Incoming, lease: Lease, issued: Issued) -> Ruling | None:
    if fact.actor not in issued.actors.get(fact.device, set()):
        return quarantined("actor_not_on_device")
    if lease.revoked_at is not None and fact.occurred_at >= lease.revoked_at:
        return quarantined("lease_revoked")
    if fact.occurred_at > lease.expires_at + RECORDING_GRACE:
        return quarantined("lease_expired")
    if fact.sub_district not in lease.sub_districts:
        return quarantined("out_of_scope")
    return None


def _unreadable(row: JournalRow, number: int, raw: msgspec.Raw, against: Ruling | None) -> Incoming:
    """A fact whose own number cannot be read is kept under one that no device gives: below zero, by its place
    in the journal.
    """
    return Incoming(
        device=row.device,
        seq=-(row.n * 1000 + number) - 1,
        id=uuid.uuid5(row.batch, f"{row.writer}/{row.n}/{number}"),
        incident=row.incident,
        kind=UNREADABLE,
        actor=None,
        occurred_at=row.received_at,
        received_at=row.received_at,
        sub_district=0,
        subject=row.batch,
        subject_type="batch",
        raw_body=bytes(raw)[:20_000],
        batch=row.batch,
        ruling=against or held("bad_body"),
    )


__all__ = ["Judged", "flagged", "judge_batches"]
