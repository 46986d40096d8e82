# SPDX-License-Identifier: Apache-2.0
"""Flags at the desk: records that count and should be looked at, by phone; seen, unseen again, taken back."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import msgspec
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from ninja import Router, Schema

from muster.api.auth import AUTH, Caller, allow, operation
from muster.api.desk_facts import incoming_from_desk
from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.flows.recording import record_as_one
from muster.storage.scoping import Scope
from muster.sync import flags
from muster.trail.models import Fact, Verdict, Waiting

router = Router(tags=["flags"], auth=AUTH)
MOST_AT_ONCE = 500


class Looked(Schema):
    """These records; or all of a phone, of one kind where it is named."""

    facts: list[uuid.UUID] = []
    device: uuid.UUID | None = None
    code: str = ""


class Corrected(Schema):
    """When it really was; not after it came in."""

    occurred_at: datetime


class Again(Schema):
    facts: list[uuid.UUID] = []


@router.get("/flags", operation_id="flags_phones")
@operation("held.list")
def list_phones(request: HttpRequest, seen: bool = False) -> dict[str, Any]:
    """Phones with records to look at, the newest first, with how many of each kind."""
    who, row = allow(request, "held.list")
    scope = who.scope(row)
    rows = flags.flags(scope).filter(resolved_at__isnull=False) if seen else flags.unseen(scope)
    phones = flags.phones_with_flags(rows, at=who.at)
    counts: dict[str, int] = {}
    for phone in phones:
        for code, many in phone.counts.items():
            counts[code] = counts.get(code, 0) + many
    items = flags.phone_rows(phones[: flags.MOST_PHONES])
    return {"items": items, "next": None, "count": len(phones), "counts": counts}


@router.get("/flags/phones/{device_id}", operation_id="flags_list")
@operation("held.list")
def list_flags(
    request: HttpRequest, device_id: uuid.UUID, code: str = "", seen: bool = False, cursor: str = ""
) -> dict[str, Any]:
    """Records of one phone that count and should be looked at, the newest first."""
    who, row = allow(request, "held.list")
    scope = who.scope(row)
    rows = flags.flags(scope).filter(device=device_id, resolved_at__isnull=not seen)
    if code:
        rows = rows.filter(code=code)
    page = list(_after(rows, cursor).order_by("-since", "-seq")[: flags.PAGE + 1])
    shown = page[: flags.PAGE]
    last = shown[-1] if len(page) > flags.PAGE else None
    return {
        "items": flags.flag_rows(shown, scope=scope),
        "next": f"{last.since.isoformat()}~{last.seq}" if last else None,
        "count": rows.count(),
    }


def _after(rows: QuerySet[Waiting], cursor: str) -> QuerySet[Waiting]:
    """Raises Refusal("cursor_bad")."""
    if not cursor:
        return rows
    since, _, seq = cursor.partition("~")
    try:
        moment, number = datetime.fromisoformat(since), int(seq)
    except ValueError as error:
        raise Refusal("cursor_bad") from error
    if moment.tzinfo is None or abs(number) >= 2**62:
        raise Refusal("cursor_bad")
    return rows.filter(Q(since__lt=moment) | Q(since=moment, seq__lt=number))


@router.post("/flags/seen", operation_id="flags_seen")
@operation("held.resolve")
def see(request: HttpRequest, body: Looked) -> dict[str, Any]:
    """Somebody has looked and leaves them as they are; at most 500 at once, `left` are still to look at."""
    who, scope = _worker(request)
    if body.device is None and not 1 <= len(body.facts) <= MOST_AT_ONCE:
        raise Refusal("batch_too_long", most=MOST_AT_ONCE, count=len(body.facts))
    rows = flags.unseen(scope)
    if body.device is not None:
        rows = rows.filter(device=body.device)
    if body.facts:
        rows = rows.filter(fact__in=body.facts)
    if body.code:
        rows = rows.filter(code=body.code[:40])
    seen = flags.see_flags(rows, by=who.user.id, at=who.at)
    return {"facts": seen, "left": rows.count()}


@router.post("/flags/unseen", operation_id="flags_unseen")
@operation("held.resolve")
def unsee(request: HttpRequest, body: Again) -> dict[str, Any]:
    """They are to be looked at again."""
    who, scope = _worker(request)
    if not 1 <= len(body.facts) <= MOST_AT_ONCE:
        raise Refusal("batch_too_long", most=MOST_AT_ONCE, count=len(body.facts))
    return {"count": flags.unsee_flags(flags.flags(scope), body.facts, by=who.user.id, at=who.at)}


@router.post("/flags/{fact_id}/withdraw", operation_id="flags_withdraw")
@operation("held.resolve")
def withdraw(request: HttpRequest, fact_id: uuid.UUID) -> dict[str, Any]:
    """Takes a record back by a further one, while its round is still recorded in."""
    who, scope = _worker(request)
    waiting, fact = _changeable(scope, fact_id)
    return _instead(who, scope, waiting, [_undo(fact)], how=flags.WITHDRAWN)


@router.post("/flags/{fact_id}/correct-time", operation_id="flags_correct")
@operation("held.resolve")
def correct_time(request: HttpRequest, fact_id: uuid.UUID, body: Corrected) -> dict[str, Any]:
    """The same record at the right moment, in the name of who made it; the one with the wrong time counts no
    more.
    """
    who, scope = _worker(request)
    waiting, fact = _changeable(scope, fact_id)
    if waiting.code not in flags.ABOUT_TIME or fact.actor is None:
        raise Refusal("flag_stays")
    moment = body.occurred_at
    if moment.tzinfo is None or not fact.received_at - flags.OLDEST <= moment <= fact.received_at:
        raise Refusal("flag_time_bad", received_at=fact.received_at.isoformat(timespec="minutes"))
    again = {
        "id": new_id(), "kind": fact.kind, "body": msgspec.json.decode(fact.body or "{}"),
        "subject": _subject(fact), "occurred_at": moment, "actor": fact.actor,
    }  # fmt: skip
    return _instead(who, scope, waiting, [_undo(fact), again], how=flags.CORRECTED)


def _changeable(scope: Scope, fact_id: uuid.UUID) -> tuple[Waiting, Fact]:
    """Raises Refusal not_found; flag_stays for what may not be changed here."""
    waiting = flags.unseen(scope).filter(fact=fact_id).first()
    if waiting is None:
        raise Refusal("not_found")
    fact = Fact.objects.filter(device=waiting.device, seq=waiting.seq, id=fact_id).first()
    # Of a second copy the one that counts is another.
    if fact is None or not flags.can_withdraw(waiting):
        raise Refusal("flag_stays")
    return waiting, fact


def _subject(fact: Fact) -> dict[str, Any]:
    return {"sub_district": fact.sub_district, fact.subject_type: fact.subject}


def _undo(fact: Fact) -> dict[str, Any]:
    body = {"round": fact.round, "fact": fact.id}
    return {"id": new_id(), "kind": "fact.undone", "body": body, "subject": _subject(fact)}


def _instead(
    who: Caller, scope: Scope, waiting: Waiting, told: list[dict[str, Any]], *, how: str
) -> dict[str, Any]:
    """Records what the desk says instead; all of it or nothing. Raises Refusal("flag_stays")."""
    facts = incoming_from_desk(told, incident=waiting.incident, actor=who.user.id, at=who.at, grids=None)
    for fact, one in zip(facts, told, strict=True):
        fact.actor = one.get("actor", who.user.id)
    rows = flags.unseen(scope).filter(device=waiting.device, seq=waiting.seq)
    try:
        record_as_one(facts, at=who.at, beside=lambda: flags.seeing(rows, by=who.user.id, at=who.at, how=how))
    except Refusal as refusal:
        raise Refusal("flag_stays") from refusal
    return {"verdict": Verdict.APPLIED, "code": ""}


def _worker(request: HttpRequest) -> tuple[Caller, Scope]:
    who, row = allow(request, "held.resolve")
    return who, who.scope(row)
