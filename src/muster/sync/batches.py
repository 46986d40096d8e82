# SPDX-License-Identifier: Apache-2.0
"""From a journalled batch to incoming facts: signature, lease, revocation, actor and scope are judged here.

The front door only asked whether the lease was once issued. What is wrong with a batch is kept with its
reason; nothing is dropped.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from muster.accounts.models import Device, DeviceKind, Lease
from muster.base.codes import Lease as Claims
from muster.base.codes import read_lease
from muster.base.crypto import TrustedKey, verify
from muster.base.errors import Refusal
from muster.intake.journal import JournalRow
from muster.storage.keys import keystore
from muster.sync.models import SiteReceipt
from muster.sync.site.adopting import adopt_lease
from muster.trail.incoming import Incoming, Ruling, flagged, held, quarantined

RECORDING_GRACE = timedelta(hours=24)
CLOCK_TOLERANCE = timedelta(minutes=10)
# A batch that does not say when it was signed may have been signed at any time.
ANY_TIME = timedelta(days=3650)
UNREADABLE = "unreadable"
LEASES_REMEMBERED = 1 << 16


class _Subject(msgspec.Struct):
    sub_district: Annotated[int, msgspec.Meta(ge=0, lt=2**62)]
    dwelling: uuid.UUID | None = None
    household: uuid.UUID | None = None
    person: uuid.UUID | None = None
    request: uuid.UUID | None = None
    trip: uuid.UUID | None = None
    responder: uuid.UUID | None = None

    @property
    def named(self) -> tuple[str, uuid.UUID] | None:
        if self.request is not None or self.trip is not None or self.responder is not None:
            told = (("request", self.request), ("trip", self.trip), ("responder", self.responder))
            served = [(what, one) for what, one in told if one is not None]
            alone = self.dwelling is None and self.household is None and self.person is None
            return served[0] if alone and len(served) == 1 else None
        if self.person is not None:
            return ("person", self.person) if self.dwelling is None and self.household is None else None
        if self.dwelling is not None:
            return ("dwelling", self.dwelling) if self.household is None else None
        return ("household", self.household) if self.household is not None else None


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


class _Signed(msgspec.Struct):
    sent_at: datetime


class _SoundBatch(msgspec.Struct):
    """A batch whose facts can all be read, as nearly every one."""

    device: uuid.UUID
    batch: uuid.UUID
    facts: list[_Fact]


_batch = msgspec.json.Decoder(_Batch)
_sound_batch = msgspec.json.Decoder(_SoundBatch)
_fact = msgspec.json.Decoder(_Fact)
_signed = msgspec.json.Decoder(_Signed)


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
    batch = _read_batch(row.body)
    if batch is None:
        return Judged(row, [], "envelope_bad")
    against, lease = _against_batch(row, batch, trusted, issued)
    telling = _Telling(row, batch.batch, lease, frozenset(lease.grids) if lease else frozenset(), against)
    if lease is not None and lease.revoked_at is not None and against is None:
        telling.behind = _clock_behind(row)
    if lease is not None:
        telling.bound_by(lease, issued)
    told: Sequence[_Fact | msgspec.Raw] = batch.facts
    facts = [_incoming(telling, number, fact) for number, fact in enumerate(told)]
    return Judged(row, facts)


def _read_batch(body: bytes) -> _Batch | _SoundBatch | None:
    """All facts at once where all can be read; else each as it came, so that one does not stop the others."""
    try:
        sound = _sound_batch.decode(body)
        if all(map(_is_sound, sound.facts)):
            return sound
    except (msgspec.ValidationError, msgspec.DecodeError):
        pass
    try:
        return _batch.decode(body)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return None


@dataclass(slots=True)
class _Telling:
    """What all facts of a batch share. behind: how far its phone's clock was behind at signing, or how long
    it was on its way; reckoned only for a phone that was taken back.
    """

    row: JournalRow
    batch: uuid.UUID
    lease: Lease | None
    grids: frozenset[int]
    against: Ruling | None
    behind: timedelta = timedelta(0)
    # Whose facts its phone may bring, None: anybody's; until when and of where its lease may speak.
    actors: frozenset[int] | None = None
    until: datetime | None = None
    homes: frozenset[int] = frozenset()

    def bound_by(self, lease: Lease, issued: Issued) -> None:
        """Once for all facts: an id is dear to hash, and a phone brings fifty at a time."""
        device = issued.devices.get(self.row.device)
        if device is None or device.kind != DeviceKind.SITE:
            self.actors = frozenset(one.int for one in issued.actors.get(self.row.device, ()))
        self.until = lease.expires_at + RECORDING_GRACE
        self.homes = frozenset(lease.sub_districts)


def _clock_behind(row: JournalRow) -> timedelta:
    """Between the phone's word of when it signed and the first house of ours that had the batch."""
    try:
        signed_at = _signed.decode(row.body or b"").sent_at
    except (msgspec.ValidationError, msgspec.DecodeError):
        return ANY_TIME
    if signed_at.tzinfo is None:
        return ANY_TIME
    held = SiteReceipt.objects.filter(batch=row.batch, device=row.device, sha256=row.sha256.hex())
    at_site = held.order_by("received_at").values_list("received_at", flat=True).first()
    behind = min(row.received_at, at_site or row.received_at) - signed_at
    return behind if behind > CLOCK_TOLERANCE else timedelta(0)


def _against_batch(
    row: JournalRow, batch: _Batch | _SoundBatch, trusted: list[TrustedKey], issued: Issued
) -> tuple[Ruling | None, Lease | None]:
    """What speaks against all facts of a batch, and the lease it came with."""
    try:
        claims = _leases.claims(row.lease, trusted)
    except Refusal:
        return quarantined("lease_forged"), None
    lease = issued.leases.get(claims.id) or _adopted(claims, row, issued)
    device = issued.devices.get(row.device)
    if device is None or device.public_key is None or batch.device != row.device:
        return quarantined("device_unknown"), lease
    if lease is None or claims.device != row.device:
        return quarantined("lease_forged"), lease
    if not verify(row.alg, device.public_key, row.body or b"", row.signature):
        return quarantined("bad_signature"), lease
    return None, lease


def _adopted(claims: Claims, row: JournalRow, issued: Issued) -> Lease | None:
    """A lease that another house of ours lent: from now on it is known here, and its device with it."""
    if claims.device != row.device or claims.instance == keystore().instance_key().instance:
        return None
    lease = adopt_lease(claims, at=row.received_at)
    if lease is not None:
        issued.leases[lease.id] = lease
        issued.devices[lease.device_id] = lease.device
        issued.actors.setdefault(lease.device_id, set()).add(lease.actor_id)
    return lease


class _ReadLeases:
    """Leases whose signature was checked: one phone sends a hundred batches under the same one."""

    def __init__(self) -> None:
        self._by: tuple[str, ...] = ()
        self._claims: dict[str, Claims] = {}

    def claims(self, token: str, trusted: list[TrustedKey]) -> Claims:
        """Raises Refusal for a lease that no trusted key signed."""
        by = tuple(key.kid for key in trusted)
        if by != self._by or len(self._claims) >= LEASES_REMEMBERED:
            self._by, self._claims = by, {}
        known = self._claims.get(token)
        if known is None:
            known = self._claims[token] = read_lease(token, trusted)
        return known


_leases = _ReadLeases()


def _incoming(telling: _Telling, number: int, raw: _Fact | msgspec.Raw) -> Incoming:
    if isinstance(raw, _Fact):
        fact = raw
    else:
        found = _fact_in(raw)
        if found is None:
            return _unreadable(telling.row, number, raw, telling.against)
        fact = found
    named = fact.subject.named
    assert named is not None
    offset = fact.occurred_at.utcoffset()
    incoming = Incoming(
        device=telling.row.device,
        seq=fact.seq,
        id=fact.id,
        incident=telling.row.incident,
        kind=fact.kind[:32],
        actor=fact.actor,
        occurred_at=fact.occurred_at,
        received_at=telling.row.received_at,
        sub_district=fact.subject.sub_district,
        subject=named[1],
        subject_type=named[0],
        raw_body=bytes(fact.body),
        batch=telling.batch,
        offset_minutes=int(offset.total_seconds() // 60) if offset else 0,
        ruling=telling.against,
        grids=telling.grids,
    )
    if incoming.ruling is None and telling.lease is not None:
        incoming.ruling = _against_fact(incoming, telling.lease, telling)
    return incoming


def _fact_in(raw: msgspec.Raw) -> _Fact | None:
    try:
        fact = _fact.decode(raw)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return None
    return fact if _is_sound(fact) else None


def _is_sound(fact: _Fact) -> bool:
    return (
        fact.v == 1
        and 0 <= fact.seq < 2**62
        and "\0" not in fact.kind
        and fact.subject.named is not None
        and _is_a_moment(fact.occurred_at)
    )


def _is_a_moment(at: datetime) -> bool:
    """A year at the end of the calendar may have no name in UTC."""
    if at.tzinfo is None:
        return False
    if 1 < at.year < 9999:
        return True
    try:
        at.astimezone(UTC)
    except OverflowError:
        return False
    return True


def _against_fact(fact: Incoming, lease: Lease, telling: _Telling) -> Ruling | None:
    """Nothing was recorded after it was here, whatever a fast clock says: receipt bounds the phone's word.

    A phone taken back may say that it recorded before. Where its clock, by how far it was behind when the
    batch was signed, puts that after, nobody can tell a slow clock from a batch that was long on its way:
    it counts, and somebody looks.
    """
    happened_at = min(fact.occurred_at, fact.received_at)
    if telling.actors is not None and (fact.actor is None or fact.actor.int not in telling.actors):
        return quarantined("actor_not_on_device")
    if lease.revoked_at is not None:
        if happened_at >= lease.revoked_at:
            return quarantined("lease_revoked")
        if happened_at + telling.behind >= lease.revoked_at:
            fact.doubt = flagged("clock_behind_revoked")
    if telling.until is not None and happened_at > telling.until:
        return quarantined("lease_expired")
    if fact.sub_district not in telling.homes:
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
