# SPDX-License-Identifier: Apache-2.0
"""Flags: records that count and that somebody should look at, by phone; seen by a person, and unseen again.

They stand among the waiting with the verdict FLAGGED until somebody has looked.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Min, Q, QuerySet

from muster.accounts.models import Device, Lease, User
from muster.base.errors import Refusal
from muster.campaigns.queries import recording_rounds
from muster.places.models import Dwelling, Grid
from muster.situation.inbox import FLAGS_WITHIN, MANY_FLAGS
from muster.storage.scoping import Scope
from muster.trail.incoming import ANCIENT
from muster.trail.models import Event, Fact, Verdict, Waiting
from muster.trail.queries import facts_with_keys

SEEN, WITHDRAWN, CORRECTED = "seen", "withdrawn", "corrected"
ABOUT_TIME = frozenset({"time_future", "time_ancient"})
# What is older than this would be doubted again.
OLDEST = ANCIENT
MOST_GROUPS = 5_000
MOST_PHONES = 200
PAGE = 50
# What a desk may take back of a round that is still recorded in.
WITHDRAWABLE = frozenset({"entry.outcome", "door.state", "person.moved", "contact.tried"})


@dataclass(slots=True)
class PhoneFlags:
    """What of one phone is to be looked at: how many of each kind, since when, and how many in this hour."""

    device: uuid.UUID
    counts: dict[str, int] = field(default_factory=dict)
    newest: datetime | None = None
    oldest: datetime | None = None
    within_hour: int = 0


def flags(scope: Scope) -> QuerySet[Waiting]:
    """Those of a scope, seen or not."""
    return Waiting.objects.filter(scope.condition(), verdict=Verdict.FLAGGED)


def unseen(scope: Scope) -> QuerySet[Waiting]:
    return flags(scope).filter(resolved_at__isnull=True)


def phones_with_flags(rows: QuerySet[Waiting], *, at: datetime) -> list[PhoneFlags]:
    """The phone whose last flag is newest first; one statement."""
    grouped = (
        rows.values("device", "code")
        .annotate(
            many=Count("seq"), newest=Max("since"), oldest=Min("since"),
            recent=Count("seq", filter=Q(since__gt=at - FLAGS_WITHIN)),
        )
        .order_by("-newest", "device", "code")
    )  # fmt: skip
    phones: dict[uuid.UUID, PhoneFlags] = {}
    for row in grouped[:MOST_GROUPS]:
        phone = phones.setdefault(row["device"], PhoneFlags(row["device"], newest=row["newest"]))
        phone.counts[row["code"]] = row["many"]
        phone.oldest = min(phone.oldest or row["oldest"], row["oldest"])
        phone.within_hour += row["recent"]
    return list(phones.values())


def phone_rows(phones: Sequence[PhoneFlags]) -> list[dict[str, Any]]:
    """Phones as the desk reads them, with whose they are."""
    ids = [phone.device for phone in phones]
    devices: dict[uuid.UUID, str] = dict(Device.objects.filter(id__in=ids).values_list("id", "name"))
    leases = Lease.objects.filter(device__in=ids).order_by("issued_at")
    holders: dict[uuid.UUID, str] = dict(leases.values_list("device_id", "actor__name"))
    return [
        {
            "device": {"id": phone.device, "name": devices.get(phone.device, "")},
            "actor": holders.get(phone.device, ""), "counts": phone.counts,
            "count": sum(phone.counts.values()), "newest": phone.newest, "oldest": phone.oldest,
            "within_hour": phone.within_hour, "many": phone.within_hour > MANY_FLAGS,
        }
        for phone in phones
    ]  # fmt: skip


def flag_rows(rows: Sequence[Waiting], *, scope: Scope) -> list[dict[str, Any]]:
    """Single flags: who recorded what, when, when it came in, where; and whether it can be taken back."""
    facts = {(fact.device, fact.seq): fact for fact in facts_with_keys((r.device, r.seq) for r in rows)}
    told = [(row, facts.get((row.device, row.seq))) for row in rows]
    people = {one for row, fact in told for one in (fact.actor if fact else None, row.resolved_by) if one}
    names: dict[uuid.UUID | None, str] = dict(User.objects.filter(id__in=people).values_list("id", "name"))
    grids = Grid.objects.in_bulk({row.grid for row in rows if row.grid is not None})
    doors = {_door(fact) for _, fact in told if fact is not None} - {None}
    labels: dict[uuid.UUID | None, str] = dict(
        Dwelling.objects.within(scope).filter(id__in=doors).values_list("id", "label")
    )
    recording = recording_rounds({row.round for row in rows if row.round is not None})
    return [
        {
            "id": row.fact, "kind": row.kind, "code": row.code, "since": row.since, "seq": row.seq,
            "round": row.round, "grid": _place(grids.get(row.grid or 0)),
            "actor": names.get(fact.actor, "") if fact else "",
            "door": labels.get(_door(fact), "") if fact else "", "value": fact.value if fact else "",
            "occurred_at": fact.occurred_at if fact else None,
            "received_at": fact.received_at if fact else None,
            "seen_at": row.resolved_at, "seen_by": names.get(row.resolved_by, ""),
            "resolution": row.resolution,
            "can_withdraw": row.resolved_at is None and row.kind in WITHDRAWABLE and row.round in recording,
        }
        for row, fact in told
    ]  # fmt: skip


def can_withdraw(row: Waiting) -> bool:
    """Only while its round is recorded in: what was signed is not changed behind the signature."""
    rounds = recording_rounds({row.round}) if row.round is not None else frozenset()
    return row.kind in WITHDRAWABLE and row.round in rounds


def _door(fact: Fact) -> uuid.UUID | None:
    return fact.subject if fact.subject_type == "dwelling" else fact.door


def _place(grid: Grid | None) -> dict[str, Any] | None:
    return {"id": grid.id, "name": grid.name, "name_en": grid.name_en} if grid is not None else None


def see_flags(
    rows: QuerySet[Waiting], *, by: uuid.UUID, at: datetime, how: str = SEEN, most: int = 500
) -> list[uuid.UUID]:
    """Somebody has looked; which ones, so that it can be undone. At most so many at once."""
    with transaction.atomic():
        locked = rows.filter(resolved_at__isnull=True).select_for_update()
        found = list(locked.order_by("-since", "-seq")[:most])
        _decide(found, how, by=by, at=at, resolved_at=at, resolved_by=by, resolution=how)
    return [row.fact for row in found]


def _decide(found: Sequence[Waiting], verb: str, *, by: uuid.UUID, at: datetime, **columns: Any) -> None:
    by_device: dict[uuid.UUID, list[int]] = defaultdict(list)
    for row in found:
        by_device[row.device].append(row.seq)
    for device, seqs in by_device.items():
        Waiting.objects.filter(device=device, seq__in=seqs).update(**columns)
    Event.objects.bulk_create(
        Event(
            at=at, incident=row.incident, actor=by, entity="Fact", entity_id=str(row.fact), verb=verb,
            reason=row.code,
        )
        for row in found
    )  # fmt: skip


@contextmanager
def seeing(rows: QuerySet[Waiting], *, by: uuid.UUID, at: datetime, how: str) -> Iterator[None]:
    """Beside what was recorded instead, in the same transaction: all of it or nothing.

    Raises:
        Refusal: "flag_stays" where somebody else was quicker.
    """
    if not see_flags(rows, by=by, at=at, how=how):
        raise Refusal("flag_stays")
    yield


def unsee_flags(rows: QuerySet[Waiting], facts: Collection[uuid.UUID], *, by: uuid.UUID, at: datetime) -> int:
    """They are to be looked at again. What was taken back stays taken back."""
    with transaction.atomic():
        seen = rows.filter(fact__in=facts, resolution=SEEN, resolved_at__isnull=False).select_for_update()
        found = list(seen)
        _decide(found, "unseen", by=by, at=at, resolved_at=None, resolved_by=None, resolution="")
    return len(found)
