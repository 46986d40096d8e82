# SPDX-License-Identifier: Apache-2.0
"""Incoming, Ruling: a fact on its way into the ledger, and what was decided about it."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from muster.trail import kinds
from muster.trail.models import Verdict

FUTURE = timedelta(minutes=10)
ANCIENT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict with its code from the published list."""

    verdict: str
    code: str = ""

    @property
    def counts(self) -> bool:
        return self.verdict in (Verdict.APPLIED, Verdict.FLAGGED)


APPLIED = Ruling(Verdict.APPLIED)
DUPLICATE = Ruling(Verdict.DUPLICATE)


def held(code: str) -> Ruling:
    return Ruling(Verdict.HELD, code)


def flagged(code: str) -> Ruling:
    return Ruling(Verdict.FLAGGED, code)


def quarantined(code: str) -> Ruling:
    return Ruling(Verdict.QUARANTINED, code)


@dataclass(slots=True)
class Incoming:
    """One fact as it came, with what is known about its way here.

    ruling None: nothing against it so far. doubt: it counts, and somebody should look. grids: where its lease
    lets it speak of; None: anywhere. by_house: the house's own act says it, after somebody's judgement; it
    was weighed before.
    """

    device: uuid.UUID
    seq: int
    id: uuid.UUID
    incident: uuid.UUID
    kind: str
    actor: uuid.UUID | None
    occurred_at: datetime
    received_at: datetime
    sub_district: int
    subject: uuid.UUID
    subject_type: str
    raw_body: bytes
    batch: uuid.UUID | None = None
    offset_minutes: int = 0
    from_desk: bool = False
    by_house: bool = False
    grids: frozenset[int] | None = None
    ruling: Ruling | None = None
    doubt: Ruling | None = None
    body: kinds.Body | None = None
    round: uuid.UUID | None = None
    body_hash: bytes = field(default=b"")

    def __post_init__(self) -> None:
        if not self.body_hash:
            text = b"|".join(
                [self.kind.encode(), self.subject.bytes, self.occurred_at.isoformat().encode(), self.raw_body]
            )
            self.body_hash = hashlib.sha256(text).digest()

    def read(self) -> None:
        """Reads the body; what does not fit is held with its reason, never dropped."""
        if self.kind not in kinds.KINDS:
            self._hold("unknown_kind")
            return
        if b"\\u0000" in self.raw_body:
            # No text holds it in PostgreSQL; what is held lies sealed, as it came.
            self._hold("bad_body")
            return
        try:
            self.body = kinds.read_body(self.kind, self.raw_body)
        except (msgspec.ValidationError, msgspec.DecodeError):
            self._hold("bad_body")
            return
        # Work on a request and a trip to care belong to no round, whatever a phone says.
        self.round = None if isinstance(self.body, kinds.ServiceBody) else self.body.round
        if self.subject_type not in kinds.SUBJECT_TYPES[self.kind]:
            self._hold("bad_body")

    def doubt_time(self) -> Ruling:
        """APPLIED, or FLAGGED where the device's clock cannot be right, or is not to be taken at its word."""
        if self.occurred_at > self.received_at + FUTURE:
            return flagged("time_future")
        if self.occurred_at < self.received_at - ANCIENT:
            return flagged("time_ancient")
        return self.doubt or APPLIED

    def may_speak_of(self, grid: int | None) -> bool:
        return self.grids is None or grid is None or grid in self.grids

    def _hold(self, code: str) -> None:
        if self.ruling is None:
            self.ruling = held(code)
