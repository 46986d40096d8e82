# SPDX-License-Identifier: Apache-2.0
"""Reads of facts: which are known, which decide the state of a subject or a door, which wait."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from muster.trail.incoming import Incoming
from muster.trail.models import Fact, Verdict, Waiting

COUNTING = (Verdict.APPLIED, Verdict.FLAGGED)
COLUMNS = ("id", "kind", "value", "actor", "occurred_at", "ref", "subject", "door", "device", "round")


@dataclass(frozen=True, slots=True)
class KnownFact:
    device: uuid.UUID
    seq: int
    id: uuid.UUID
    body_hash: bytes


@dataclass(frozen=True, slots=True)
class FactRow:
    """The plain columns of a counting fact."""

    id: uuid.UUID
    kind: str
    value: str
    actor: uuid.UUID | None
    occurred_at: datetime
    ref: uuid.UUID | None
    subject: uuid.UUID
    door: uuid.UUID | None
    device: uuid.UUID
    round: uuid.UUID | None


def known_facts(incoming: Sequence[Incoming]) -> list[KnownFact]:
    """Facts already kept that share a device and a number, or a device and an id, with these."""
    found: list[KnownFact] = []
    by_device: dict[uuid.UUID, list[Incoming]] = defaultdict(list)
    for fact in incoming:
        by_device[fact.device].append(fact)
    for device, facts in by_device.items():
        same = Q(device=device) & (Q(seq__in=[f.seq for f in facts]) | Q(id__in=[f.id for f in facts]))
        rows = Fact.objects.filter(same).values_list("device", "seq", "id", "body_hash")
        found.extend(KnownFact(d, s, i, bytes(h)) for d, s, i, h in rows)
    return found


def facts_about(round_id: uuid.UUID, *, subjects: Collection[uuid.UUID]) -> list[FactRow]:
    """Every counting fact about these subjects in a round."""
    if not subjects:
        return []
    rows = Fact.objects.filter(round=round_id, subject__in=subjects, verdict__in=COUNTING).values_list(
        *COLUMNS
    )
    return [FactRow(*row) for row in rows]


def facts_at(round_id: uuid.UUID, *, doors: Collection[uuid.UUID]) -> list[FactRow]:
    """Every counting fact recorded at these doors in a round."""
    if not doors:
        return []
    rows = Fact.objects.filter(round=round_id, door__in=doors, verdict__in=COUNTING).values_list(*COLUMNS)
    return [FactRow(*row) for row in rows]


def facts_with_ids(
    round_id: uuid.UUID, ids: Collection[uuid.UUID], *, device: uuid.UUID | None = None
) -> list[FactRow]:
    """Counting facts by id; an undo names its fact this way."""
    if not ids:
        return []
    rows = Fact.objects.filter(round=round_id, id__in=ids, verdict__in=COUNTING)
    if device is not None:
        rows = rows.filter(device=device)
    return [FactRow(*row) for row in rows.values_list(*COLUMNS)]


def waiting_for(incident: uuid.UUID, keys: Iterable[uuid.UUID]) -> list[Fact]:
    """Held facts that may be applied now that these subjects or facts exist."""
    held = Waiting.objects.filter(incident=incident, verdict=Verdict.HELD, resolved_at__isnull=True)
    wanted = set(keys)
    if not wanted or not held.exists():
        return []
    pairs = held.filter(Q(subject__in=wanted) | Q(ref__in=wanted)).values_list("device", "seq")
    return facts_with_keys(pairs)


def facts_with_keys(pairs: Iterable[tuple[uuid.UUID, int]]) -> list[Fact]:
    by_device: dict[uuid.UUID, list[int]] = defaultdict(list)
    for device, seq in pairs:
        by_device[device].append(seq)
    return [f for device, seqs in by_device.items() for f in Fact.objects.filter(device=device, seq__in=seqs)]
