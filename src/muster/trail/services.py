# SPDX-License-Identifier: Apache-2.0
"""Writes of the trail: facts with verdicts, events, disclosures, seals."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from muster.storage.keys import keystore
from muster.trail.fact_rows import FactRecord
from muster.trail.incoming import Incoming, Ruling
from muster.trail.models import Disclosure, Event, Fact, Seal, SecondCopy, Verdict, Waiting

SYSTEM = "system"


def keep_second_copy(incoming: Incoming, *, code: str, at: datetime) -> None:
    """Keeps a fact whose id or number was already taken by another body; kept once however often it comes.

    Somebody looks at it, unless what has this number waits for a person already.
    """
    _, is_new = SecondCopy.objects.get_or_create(
        device=incoming.device,
        seq=incoming.seq,
        fact=incoming.id,
        body_hash=incoming.body_hash,
        defaults={
            "incident": incoming.incident,
            "sub_district": incoming.sub_district,
            "purpose": str(incoming.incident),
            "received_at": at,
            "code": code,
            "body": incoming.raw_body.decode("utf-8", "replace"),
        },
    )
    if is_new:
        Waiting.objects.get_or_create(
            device=incoming.device,
            seq=incoming.seq,
            defaults={
                "fact": incoming.id,
                "incident": incoming.incident,
                "sub_district": incoming.sub_district,
                "kind": incoming.kind[:32],
                "subject": incoming.subject,
                "verdict": Verdict.FLAGGED,
                "code": code,
                "since": at,
            },
        )


def put_on_waiting_list(rows: Sequence[FactRecord]) -> None:
    """Held and quarantined facts stand in sight until applied or decided."""
    if not rows:
        return
    Waiting.objects.bulk_create(
        Waiting(
            device=f.device,
            seq=f.seq,
            fact=f.id,
            incident=f.incident,
            round=f.round,
            sub_district=f.sub_district,
            grid=f.grid,
            kind=f.kind,
            subject=f.subject,
            ref=f.ref,
            verdict=f.verdict,
            code=f.code,
            since=f.applied_at,
        )
        for f in rows
    )


def release_fact(fact: Fact, *, ruling: Ruling, at: datetime, subject: uuid.UUID, subject_type: str,
                 door: uuid.UUID | None, grid: int | None) -> None:  # fmt: skip
    """A held fact found its predecessor: it takes its place in the ledger; a doubted one stays in sight."""
    Fact.objects.filter(device=fact.device, seq=fact.seq, verdict=Verdict.HELD).update(
        verdict=ruling.verdict,
        code=ruling.code,
        applied_at=at,
        subject=subject,
        subject_type=subject_type,
        door=door,
        grid=grid,
    )
    waiting = Waiting.objects.filter(device=fact.device, seq=fact.seq)
    if ruling.verdict == Verdict.FLAGGED:
        waiting.update(verdict=ruling.verdict, code=ruling.code, grid=grid, since=at)
    else:
        waiting.delete()


def record_event(
    entity: str,
    entity_id: object,
    verb: str,
    *,
    at: datetime,
    actor: uuid.UUID | None,
    incident: uuid.UUID | None = None,
    from_state: str = "",
    to_state: str = "",
    reason: str = "",
    **facts: Any,
) -> None:
    """Writes down a change of state, inside the transaction that makes it. Facts are codes and numbers, no
    names.
    """
    Event.objects.create(
        at=at,
        incident=incident,
        actor=actor,
        entity=entity,
        entity_id=str(entity_id),
        verb=verb,
        from_state=from_state,
        to_state=to_state,
        reason=reason,
        facts=facts,
    )


def record_disclosures(
    subjects: Iterable[uuid.UUID | None],
    *,
    actor: uuid.UUID,
    role: str,
    operation: str,
    fields: str,
    at: datetime,
    grid: int | None = None,
    purpose: str = "",
    rows: int = 1,
) -> None:
    """Writes down who saw whose data. A list is one row per grid with its size; a revealed field is one per
    person.
    """
    Disclosure.objects.bulk_create(
        Disclosure(
            at=at,
            actor=actor,
            role=role,
            operation=operation,
            purpose=purpose,
            subject=subject,
            grid=grid,
            fields=fields,
            rows=rows,
        )
        for subject in subjects
    )


def seal_events(*, at: datetime, limit: int = 5000) -> Seal | None:
    """Signs the events since the last seal; each seal covers the one before it, so that none can be taken out
    unseen.
    """
    with transaction.atomic():
        events = list(Event.objects.filter(sealed_in__isnull=True).order_by("id")[:limit])
        if not events:
            return None
        last = Seal.objects.order_by("-number").first()
        number = last.number + 1 if last else 1
        previous = bytes(last.digest) if last else bytes(32)
        digest = digest_of_events(previous, events)
        seal = Seal.objects.create(
            number=number,
            at=at,
            count=len(events),
            previous=previous,
            digest=digest,
            signature=keystore().instance_key().sign(digest),
        )
        Event.objects.filter(id__in=[event.id for event in events]).update(sealed_in=number)
    return seal


def digest_of_events(previous: bytes, events: Iterable[Event]) -> bytes:
    hasher = hashlib.sha256(previous)
    for event in events:
        told = [
            str(event.id),
            event.at.isoformat(),
            str(event.incident),
            str(event.actor),
            event.entity,
            event.entity_id,
            event.verb,
            event.from_state,
            event.to_state,
            event.reason,
            event.facts,
        ]
        hasher.update(json.dumps(told, sort_keys=True, ensure_ascii=False).encode())
    return hasher.digest()
