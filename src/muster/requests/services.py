# SPDX-License-Identifier: Apache-2.0
"""Writes of requests: taken in, judged, placed, held, passed on, ended, reopened. Work on them: `work`."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import Max

from muster.base.codes import make_enrol_code
from muster.base.errors import Refusal
from muster.packs.pack import Pack
from muster.packs.schema import RequestCategory
from muster.requests import telling
from muster.requests.models import Note, Request, WorkItem
from muster.requests.queries import (
    NOWHERE,
    code_index,
    code_of_form,
    earlier_open,
    items_of,
    phone_index,
    row_of_form,
)
from muster.requests.rules import (
    MANY_OPEN,
    clocks,
    demand_open,
    demand_transition,
    highest,
    repeat_of,
    status_of_items,
)
from muster.requests.states import (
    ITEM_FREE,
    RANK,
    Channel,
    RequestStatus,
    Urgency,
)
from muster.trail.services import record_event

LONGEST_TEXT = 2000
STAFF_CHANNELS = frozenset({Channel.PHONE, Channel.CHAT, Channel.COUNTER, Channel.WORKER, Channel.PROACTIVE})
LONGEST_HOLD = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Where:
    """The place of a request, as well as it is known: a door, a building, a grid, or nothing yet."""

    sub_district: int = NOWHERE
    grid: int | None = None
    building: uuid.UUID | None = None
    dwelling: uuid.UUID | None = None
    household: uuid.UUID | None = None
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody says when he asks. Everything but the category or a text may be missing."""

    category: str = ""
    urgency: str = ""
    text: str = ""
    place: str = ""
    name: str = ""
    phone: str = ""
    language: str = "zh"
    person: uuid.UUID | None = None
    for_relative: bool = False
    care_grant: uuid.UUID | None = None
    cannot_call: bool = False
    answers: dict[str, Any] = field(default_factory=dict)
    needs_skill: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """A request that was taken in. `code` is told once, to who asked; only its index is kept."""

    request: Request
    code: str
    repeat_of: uuid.UUID | None = None


def category_of(pack: Pack, code: str) -> RequestCategory:
    """Raises Refusal("request_category_unknown")."""
    for category in pack.request_categories:
        if category.code == (code or "other"):
            return category
    if not code and pack.request_categories:
        return pack.request_categories[-1]
    raise Refusal("request_category_unknown", category=code[:40])


def raise_request(
    asked: Asked,
    *,
    incident: uuid.UUID,
    pack: Pack,
    where: Where,
    channel: str,
    by: uuid.UUID | None,
    at: datetime,
    expires_days: int | None = None,
    form: str = "",
    suspect: bool = False,
) -> Taken:
    """Takes a request in. It is never refused for being a repeat, or one of many: it is linked and looked at.

    form: the number that the page gave to what is being sent. The same form sent twice, as by a double tap
        or after an answer that got lost, is one request with one code; with other words in it, it is another.
    suspect: a person should look first, as where very many came from one address; never said of a life.

    Raises:
        Refusal: request_empty, request_too_long, request_category_unknown, request_urgency_unknown.
    """
    if not asked.category and not asked.text.strip():
        raise Refusal("request_empty")
    if len(asked.text) > LONGEST_TEXT or len(asked.place) > LONGEST_TEXT:
        raise Refusal("request_too_long", most=LONGEST_TEXT)
    category = category_of(pack, asked.category)
    urgency = asked.urgency or category.urgency.upper()
    if urgency not in RANK:
        raise Refusal("request_urgency_unknown", urgency=urgency[:20])
    sent = row_of_form(form) if form else None
    if sent is not None and _says_the_same(sent, asked, category=category.code, urgency=urgency):
        return Taken(sent, code_of_form(form), sent.linked_to)
    phone = phone_index(asked.phone)
    earlier = earlier_open(incident=incident, dwelling=where.dwelling, phone=phone, at=at)
    same = repeat_of(
        category=category.code, dwelling=where.dwelling, phone_index=phone, at=at, earlier=earlier,
        place=asked.place,
    )  # fmt: skip
    many = suspect or len(earlier) >= MANY_OPEN
    until = clocks(category, urgency, at=at)
    code = code_of_form(form) if form and sent is None else make_enrol_code()
    row = Request(
        incident=incident, purpose=str(incident), tracking_index=code_index(code, what="tracking"),
        sub_district=where.sub_district, grid=where.grid, building=where.building, dwelling=where.dwelling,
        household=where.household, person=asked.person, lon=where.lon, lat=where.lat,
        category=category.code, urgency=urgency, rank=RANK[urgency], channel=channel, language=asked.language,
        text=asked.text.strip(), place=asked.place.strip(), name=asked.name.strip(),
        phone=asked.phone.strip(),
        phone_index=phone, spoken_word=f"{secrets.randbelow(10_000):04d}",
        answers=msgspec.json.encode(asked.answers).decode() if asked.answers else "",
        for_relative=asked.for_relative, care_grant=asked.care_grant, cannot_call=asked.cannot_call,
        is_spam=many and urgency != Urgency.LIFE, needs_skill=asked.needs_skill, route=category.route,
        made_at=at, made_by=by, respond_by=until.respond_by, finish_by=until.finish_by, linked_to=same,
        expires_on=(at + timedelta(days=expires_days)).date() if expires_days else None,
    )  # fmt: skip
    # What threatens a life keeps a clock of its own, also where somebody asked before.
    if same is not None and urgency != Urgency.LIFE:
        row.status, row.ended_at = RequestStatus.LINKED, at
    if urgency == Urgency.LIFE:
        row.escalation, row.escalated_at = 1, at
    if not _number_and_write(row, by=by, at=at):
        # The other of two taps was quicker.
        first = row_of_form(form)
        assert first is not None
        return Taken(first, code, first.linked_to)
    if urgency == Urgency.LIFE:
        telling.escalated(row, at=at)
    if same is not None:
        _count_repeat(same, urgency=urgency, pack=pack, at=at, by=by)
        _place_by_repeat(same, where, by=by, at=at)
    return Taken(row, code, same)


def _says_the_same(row: Request, asked: Asked, *, category: str, urgency: str) -> bool:
    """Whether a form that comes again is the same form: not changed, and no more urgent than it stands."""
    if RANK[urgency] < row.rank or category != row.category:
        return False
    return (row.text or "", row.place or "", row.phone or "", row.name or "") == (
        asked.text.strip(), asked.place.strip(), asked.phone.strip(), asked.name.strip()
    )  # fmt: skip


def _number_and_write(row: Request, *, by: uuid.UUID | None, at: datetime) -> bool:
    """Gives the next number of the incident; two at once try again. False: this form is in already."""
    for _ in range(20):
        top = Request.objects.across(reason="count").filter(incident=row.incident).aggregate(n=Max("number"))
        row.number = (top["n"] or 0) + 1
        try:
            with transaction.atomic():
                row.save(force_insert=True)
                if row.status != RequestStatus.LINKED:
                    add_item(row, what="", needs_skill=row.needs_skill, at=at, by=None)
                record_event(
                    "Request", row.id, "raise", at=at, actor=by, incident=row.incident,
                    to_state=row.status, category=row.category, urgency=row.urgency, channel=row.channel,
                    grid=row.grid, linked_to=str(row.linked_to) if row.linked_to else None,
                )  # fmt: skip
        except IntegrityError:
            rows = Request.objects.across(reason="own").filter(tracking_index=row.tracking_index)
            if rows.exclude(id=row.id).exists():
                return False
            continue
        return True
    raise Refusal("request_busy")


def _count_repeat(
    request: uuid.UUID, *, urgency: str, pack: Pack, at: datetime, by: uuid.UUID | None
) -> None:
    """A repeat raises the urgency of what it repeats: to its own, and at least to urgent."""
    with transaction.atomic():
        row = Request.objects.across(reason="requests").select_for_update().get(id=request)
        row.repeats += 1
        raised = highest(row.urgency, urgency)
        if raised == Urgency.NORMAL:
            raised = Urgency.URGENT
        fields = ["repeats"]
        if raised != row.urgency:
            fields += _set_urgency(row, raised, pack=pack, at=at)
        row.save(update_fields=fields)
        record_event(
            "Request", row.id, "repeat", at=at, actor=by, incident=row.incident, urgency=row.urgency,
            repeats=row.repeats,
        )  # fmt: skip


def _place_by_repeat(request: uuid.UUID, where: Where, *, by: uuid.UUID | None, at: datetime) -> None:
    """Who asked from nowhere and says now which door it is has been found; a door that is known stays."""
    if where.dwelling is None:
        return
    rows = Request.objects.across(reason="requests").filter(id=request, grid__isnull=True)
    if rows.filter(dwelling__isnull=True).exists():
        place(request, where=where, by=by, at=at)


def _set_urgency(row: Request, urgency: str, *, pack: Pack, at: datetime) -> list[str]:
    """Sets urgency and clocks; a clock only ever comes nearer."""
    until = clocks(category_of(pack, row.category), urgency, at=at)
    row.urgency, row.rank = urgency, RANK[urgency]
    row.respond_by = min(row.respond_by, until.respond_by)
    row.finish_by = max(row.respond_by, min(row.finish_by, until.finish_by))
    if urgency == Urgency.LIFE and row.escalation == 0:
        row.escalation, row.escalated_at = 1, at
    return ["urgency", "rank", "respond_by", "finish_by", "escalation", "escalated_at"]


def add_item(
    request: Request, *, what: str, needs_skill: str, at: datetime, by: uuid.UUID | None
) -> WorkItem:
    """Adds a piece of work; a request has one from the beginning, children are added at the desk."""
    item = WorkItem(
        request=request, incident=request.incident, purpose=request.purpose,
        sub_district=request.sub_district, grid=request.grid, what=what, needs_skill=needs_skill, made_at=at,
    )  # fmt: skip
    item.save(force_insert=True)
    if by is not None:
        record_event("WorkItem", item.id, "add", at=at, actor=by, incident=request.incident,
                     request=str(request.id))  # fmt: skip
    return item


def locked(request: uuid.UUID) -> Request:
    """The row, held until the transaction ends. Raises Refusal("request_unknown")."""
    rows = Request.objects.across(reason="requests").select_for_update()
    row: Request | None = rows.filter(id=request).first()
    if row is None:
        raise Refusal("request_unknown")
    return row


def triage(
    request: uuid.UUID,
    *,
    pack: Pack,
    by: uuid.UUID | None,
    at: datetime,
    urgency: str = "",
    category: str = "",
    needs_skill: str | None = None,
    is_spam: bool | None = None,
) -> Request:
    """Somebody judged it. A lower urgency than before is written down beside the higher one that it was.

    Raises:
        Refusal: request_step, request_category_unknown, request_urgency_unknown.
    """
    if urgency and urgency not in RANK:
        raise Refusal("request_urgency_unknown", urgency=urgency[:20])
    with transaction.atomic():
        row = locked(request)
        before, was = row.status, row.urgency
        if category:
            row.category = category_of(pack, category).code
            row.route = category_of(pack, category).route
        if urgency and urgency != row.urgency:
            _set_urgency(row, urgency, pack=pack, at=at)
        if needs_skill is not None:
            row.needs_skill = needs_skill
            WorkItem.objects.across(reason="requests").filter(request_id=row.id, status__in=ITEM_FREE).update(
                needs_skill=needs_skill
            )
        if is_spam is not None:
            row.is_spam = is_spam
        if row.status == RequestStatus.NEW:
            row.status = RequestStatus.TRIAGED
        demand_open(row.status)
        row.triaged_at = row.triaged_at or at
        keep(row)
        record_event(
            "Request", row.id, "triage", at=at, actor=by, incident=row.incident, from_state=before,
            to_state=row.status, urgency=row.urgency, was=was, category=row.category,
        )  # fmt: skip
    return row


def place(request: uuid.UUID, *, where: Where, by: uuid.UUID | None, at: datetime) -> Request:
    """Somebody found the door. The sealed texts are sealed anew under the key of the new sub-district."""
    with transaction.atomic():
        row = locked(request)
        _move_seals(row, where.sub_district)
        row.grid, row.building, row.dwelling = where.grid, where.building, where.dwelling
        row.household, row.lon, row.lat = where.household, where.lon, where.lat
        keep(row)
        for item in items_of([row.id]):
            _move_seals(item, where.sub_district)
            item.grid = where.grid
            item.save()
        for note in Note.objects.across(reason="requests").filter(request_id=row.id):
            _move_seals(note, where.sub_district)
            note.grid = where.grid
            note.save()
        record_event("Request", row.id, "place", at=at, actor=by, incident=row.incident, grid=where.grid)
    return row


SEALED: dict[type, tuple[str, ...]] = {
    Request: ("text", "place", "name", "phone", "spoken_word", "answers", "refused_text"),
    WorkItem: ("what", "note"),
    Note: ("text",),
}


def _move_seals(row: Request | WorkItem | Note, sub_district: int) -> None:
    """Opens every sealed text under the old key, so that saving seals it under the new one."""
    for name in SEALED[type(row)]:
        setattr(row, name, getattr(row, name))
    row.sub_district = sub_district


def keep(row: Request) -> None:
    row.version += 1
    row.save()


def settle_status(row: Request, *, at: datetime) -> None:
    """Sets the status that follows from the work items; the row is held by the caller."""
    items = WorkItem.objects.across(reason="requests").filter(request_id=row.id)
    status = status_of_items(items.values_list("status", flat=True))
    if status != row.status:
        demand_transition(row.status, status)
        row.status = status
    row.hold_reason, row.hold_until = "", None
    if status == RequestStatus.ACCEPTED:
        row.accepted_at = row.accepted_at or at
    if status == RequestStatus.ON_SITE:
        row.accepted_at, row.on_site_at = row.accepted_at or at, row.on_site_at or at
    if status == RequestStatus.DONE:
        row.done_at = at


def answers_of(request: Request) -> dict[str, Any]:
    """What was answered to the category's questions."""
    said: dict[str, Any] = msgspec.json.decode(request.answers) if request.answers else {}
    return said
