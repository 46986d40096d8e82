# SPDX-License-Identifier: Apache-2.0
"""What a site's own desk recorded, as batches for the city: signed with the site's key, under its own lease.

A phone's batch exists before the site does anything with it; a desk writes straight into the ledger, so its
batches are made here. The city judges them like any other.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec

from muster.accounts.models import Device, DeviceKind
from muster.base import codes
from muster.base.crypto import SigningKey
from muster.base.ids import new_id
from muster.intake.journal import JournalRow
from muster.sync.models import HomeCity, Passage
from muster.trail.models import Fact

# No writer of a journal has this number: it marks how far our own desk's records have been passed on.
DESK = -1
MOST_FACTS = 200
# A record may commit after one that was numbered later.
OVERLAP = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DeskRecords:
    """Answers what is new, batch by batch; what was said before is said again after a restart, harmlessly."""

    def __init__(self, *, key: SigningKey) -> None:
        self._key = key
        self._said: set[tuple[uuid.UUID, int]] = set()

    def waiting(self) -> list[Fact]:
        own = Device.objects.filter(kind__in=[DeviceKind.DESK, DeviceKind.IMPORT], incident__isnull=True)
        mark = Passage.objects.filter(writer=DESK).values_list("position", flat=True).first()
        rows = Fact.objects.filter(device__in=own.values("id"), actor__isnull=False).order_by(
            "applied_at", "seq"
        )
        if mark is not None:
            rows = rows.filter(applied_at__gt=_moment(mark) - OVERLAP)
        return [fact for fact in rows if (fact.device, fact.seq) not in self._said]

    def next_batch(self, home: HomeCity, *, at: datetime) -> tuple[JournalRow, list[Fact]] | None:
        """The next handful of one device, ready to be sent; None where nothing waits."""
        waiting = self.waiting()
        if not waiting:
            return None
        device = waiting[0].device
        facts = [fact for fact in waiting if fact.device == device][:MOST_FACTS]
        return self._row(home, device, facts, at=at), facts

    def _row(self, home: HomeCity, device: uuid.UUID, facts: Sequence[Fact], *, at: datetime) -> JournalRow:
        batch = new_id()
        body = msgspec.json.encode(
            {"v": 1, "device": device, "batch": batch, "sent_at": at, "facts": [_told(f) for f in facts]}
        )
        return JournalRow(
            writer=DESK, n=0, received_at=at, device=device, batch=batch, incident=home.incident,
            lease=self._lease(home, device, facts, at=at), alg="Ed25519", signature=self._key.sign(body),
            sha256=hashlib.sha256(body).digest(), body=body,
        )  # fmt: skip

    def _lease(self, home: HomeCity, device: uuid.UUID, facts: Sequence[Fact], *, at: datetime) -> str:
        """As of the first of the records: a site that has ended still hands in what it took before."""
        first = min(fact.received_at for fact in facts)
        last = max(fact.occurred_at for fact in facts)
        lease = codes.Lease(
            id=uuid.uuid5(device, f"{first.isoformat()}|{last.isoformat()}"), instance=self._key.instance,
            device=device, actor=str(facts[0].actor), incident=home.incident, areas=(),
            grids=tuple(home.grids), issued_at=first, expires_at=max(last, first), epoch=1, key=self._key.jwk,
        )  # fmt: skip
        return codes.make_lease(self._key, lease)

    def passed(self, facts: Sequence[Fact]) -> None:
        """The city has its receipt given for these."""
        self._said |= {(fact.device, fact.seq) for fact in facts}
        latest = max(fact.applied_at for fact in facts)
        kept = Passage.objects.filter(writer=DESK).values_list("position", flat=True).first() or 0
        position = max(kept, int((latest - _EPOCH) / timedelta(microseconds=1)))
        Passage.objects.update_or_create(writer=DESK, defaults={"position": position})


def _moment(mark: int) -> datetime:
    return _EPOCH + timedelta(microseconds=mark)


def _told(fact: Fact) -> dict[str, Any]:
    zone = timezone(timedelta(minutes=fact.offset_minutes))
    return {
        "v": 1,
        "id": fact.id,
        "seq": fact.seq,
        "kind": fact.kind,
        "actor": fact.actor,
        "occurred_at": fact.occurred_at.astimezone(zone),
        "subject": {"sub_district": fact.sub_district, fact.subject_type: fact.subject},
        "body": msgspec.Raw((fact.body or "{}").encode()),
    }
