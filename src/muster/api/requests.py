# SPDX-License-Identifier: Apache-2.0
"""Requests at the desk: the queue, one request with all that happened, judging, placing, holding, ending."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema

from muster.accounts.models import User
from muster.api.asked import searched
from muster.api.auth import AUTH, allow, operation
from muster.api.request_rows import card, cards, in_sight, one_in_sight, person_json, picture_answer
from muster.base.errors import Refusal
from muster.incidents.packs import pack_of
from muster.incidents.services import current_incident, incident_with_id
from muster.places.models import Area, Grid
from muster.places.queries import area as area_with_id
from muster.places.queries import grid as grid_with_id
from muster.places.queries import small_grids_below
from muster.requests import services
from muster.requests.models import Contact, Note, Offer, Request
from muster.requests.pictures import names_for_desk, open_at_desk
from muster.requests.placing import pasted_drafts, place_of_door, place_of_text
from muster.requests.queries import items_of, phone_index
from muster.requests.states import ENDED, OPEN, WAITING, OfferStatus
from muster.responders.queries import responders_with_ids
from muster.trail.models import Event
from muster.trail.reveals import record_reveal
from muster.trail.services import record_disclosures

router = Router(tags=["requests"], auth=AUTH)
PAGE = 100
MOST = 500
LISTS = {"waiting": WAITING, "open": OPEN, "ended": ENDED}
REVEALABLE = {"name", "phone"}
PURPOSES = {"visit", "call", "verify", "request", "emergency"}


class Slip(Schema):
    """A request as a desk types it: one sentence and a number are enough."""

    category: str = ""
    urgency: str = ""
    text: str = ""
    place: str = ""
    dwelling: uuid.UUID | None = None
    grid: int | None = None
    name: str = ""
    phone: str = ""
    channel: str = "PHONE"
    language: str = "zh"
    person: uuid.UUID | None = None
    for_relative: bool = False
    cannot_call: bool = False
    needs_skill: str = ""
    answers: dict[str, Any] = {}
    # The slip's own number: sent twice, it is one request.
    form: str = ""


class Paste(Schema):
    text: str


class Reveal(Schema):
    field: str
    purpose: str


@router.get("/requests", operation_id="requests_list")
@operation("requests.list")
def list_requests(
    request: HttpRequest,
    status: str = "open",
    grid: int | None = None,
    area: int | None = None,
    urgency: str = "",
    category: str = "",
    q: str = "",
    cursor: str = "",
    limit: int = PAGE,
) -> dict[str, Any]:
    """The queue: life first, then by the clock that runs out soonest. `q`: a number or a phone."""
    who, rows = in_sight(request, "requests.list")
    if status in LISTS:
        rows = rows.filter(status__in=LISTS[status])
    elif status != "all":
        rows = rows.filter(status=status[:20])
    if grid is not None:
        rows = rows.filter(grid__in=small_grids_below(grid_with_id(grid)))
    if area is not None:
        below = area_with_id(area).path
        rows = rows.filter(
            Q(grid__in=Grid.objects.filter(area__path__startswith=below).values("id"))
            | Q(held_by_area__in=Area.objects.filter(path__startswith=below).values("id"))
            # Nobody knows yet where it is: it stands in every queue around, until somebody finds the door.
            | Q(grid__isnull=True, held_by_area__isnull=True)
        )
    if urgency:
        rows = rows.filter(urgency=urgency[:8])
    if category:
        rows = rows.filter(category=category[:40])
    if q := searched(q):
        digits = "".join(c for c in q if c.isdigit())
        rows = (
            rows.filter(phone_index=phone_index(q))
            if len(digits) > 6
            else rows.filter(number=int(digits or 0))
        )
    page, after = _page(rows.order_by("rank", "respond_by", "number"), cursor, limit)
    return {
        "items": cards(page, who),
        "next": after,
        "count": rows.count(),
        "waiting": rows.filter(status__in=WAITING).count(),
        "late": rows.filter(status__in=WAITING, respond_by__lt=who.at).count(),
    }


def _page(rows: Any, cursor: str, limit: int) -> tuple[list[Request], str | None]:
    """Keyset by (rank, respond_by, number). Raises Refusal("cursor_bad")."""
    limit = max(1, min(limit, MOST))
    if cursor:
        try:
            rank, moment, number = cursor.split("~")
            at = datetime.fromisoformat(moment)
            after = Q(rank__gt=int(rank)) | Q(rank=int(rank), respond_by__gt=at)
            rows = rows.filter(after | Q(rank=int(rank), respond_by=at, number__gt=int(number)))
        except (ValueError, OverflowError) as error:
            raise Refusal("cursor_bad") from error
    page = list(rows[: limit + 1])
    if len(page) <= limit:
        return page, None
    last = page[limit - 1]
    return page[:limit], f"{last.rank}~{last.respond_by.isoformat()}~{last.number}"


@router.post("/requests", operation_id="requests_raise")
@operation("requests.raise")
def raise_one(request: HttpRequest, body: Slip) -> dict[str, Any]:
    who, row = allow(request, "requests.raise", grid=grid_with_id(body.grid) if body.grid else None)
    incident = current_incident(who.at)
    if incident is None:
        raise Refusal("no_incident")
    pack = pack_of(incident)
    if body.dwelling is not None:
        where = place_of_door(body.dwelling, scope=who.scope(row))
    else:
        where = place_of_text(body.place, scope=who.scope(row), form=pack.address.form, grid=body.grid)
    if body.channel not in services.STAFF_CHANNELS:
        raise Refusal("request_channel", channel=body.channel[:20])
    said = services.Asked(
        category=body.category, urgency=body.urgency, text=body.text, place=body.place, name=body.name,
        phone=body.phone, language=body.language[:8], person=body.person, for_relative=body.for_relative,
        cannot_call=body.cannot_call, needs_skill=body.needs_skill[:40], answers=body.answers,
    )  # fmt: skip
    taken = services.raise_request(
        said, incident=incident.id, pack=pack, where=where, channel=body.channel, by=who.user.id, at=who.at,
        expires_days=pack.retention.requests, form=body.form[:36],
    )  # fmt: skip
    return {**card(taken.request, who), "tracking_code": taken.code, "repeat_of": taken.repeat_of}


@router.post("/requests/paste", operation_id="requests_paste")
@operation("requests.raise")
def paste(request: HttpRequest, body: Paste) -> dict[str, Any]:
    """Group-chat text becomes drafts, each with the door that it names; nothing is kept."""
    who, row = allow(request, "requests.raise")
    incident = current_incident(who.at)
    if incident is None:
        raise Refusal("no_incident")
    pack = pack_of(incident)
    drafts = pasted_drafts(body.text, form=pack.address.form, scope=who.scope(row))
    return {"items": [draft.to_json() for draft in drafts], "next": None, "count": len(drafts)}


@router.get("/requests/{request_id}", operation_id="requests_read")
@operation("requests.read")
def read_request(request: HttpRequest, request_id: uuid.UUID) -> dict[str, Any]:
    who, row = one_in_sight(request, "requests.read", request_id)
    items = items_of([row.id])
    offers = list(Offer.objects.filter(item__request_id=row.id).order_by("made_at"))
    people = responders_with_ids(
        {*(o.responder for o in offers), *(i.responder for i in items if i.responder)}
    )
    events = list(Event.objects.filter(entity="Request", entity_id=str(row.id)).order_by("at", "id")[:500])
    notes = list(Note.objects.across(reason="requests").filter(request_id=row.id).order_by("at"))
    calls = list(Contact.objects.filter(request_id=row.id).order_by("at"))
    users: dict[uuid.UUID | None, str] = dict(
        User.objects.filter(
            id__in={*(e.actor for e in events), *(n.by for n in notes), *(c.by for c in calls)} - {None}
        ).values_list("id", "name")
    )
    record_disclosures(
        [row.person], actor=who.user.id, role=next(iter(sorted(who.roles)), "none"),
        operation="requests.read", fields="text,place", at=who.at, grid=row.grid,
    )  # fmt: skip
    linked = Request.objects.across(reason="requests").filter(linked_to=row.id).order_by("number")
    return {
        **card(row, who),
        "text": row.text or "", "place": row.place or "",
        "answers": services.answers_of(row), "refused_text": row.refused_text or "",
        "hold_reason": row.hold_reason, "hold_until": row.hold_until, "cannot_call": row.cannot_call,
        "pictures": names_for_desk(row, pack=pack_of(incident_with_id(row.incident))),
        "held_by": _area_json(row.held_by_area), "transferred_at": row.transferred_at,
        "linked_to": row.linked_to, "refusal_by": row.refusal_by,
        "linked": [{"id": one.id, "number": one.number, "status": one.status} for one in linked[:50]],
        "items": [
            {
                "id": i.id, "status": i.status, "what": i.what or "", "needs_skill": i.needs_skill,
                "responder": person_json(people[i.responder]) if i.responder in people else None,
                "accepted_at": i.accepted_at, "on_site_at": i.on_site_at, "ended_at": i.ended_at,
                "outcome": i.outcome, "note": i.note or "", "photo": i.photo,
            }
            for i in items
        ],
        "offers": [
            {
                "id": o.id, "item": o.item_id, "responder": person_json(people.get(o.responder)),
                "made_at": o.made_at, "lease_until": o.lease_until, "walk_m": o.walk_m,
                "reasons": o.reasons, "decline_reason": o.decline_reason, "answered_at": o.answered_at,
                "status": OfferStatus.EXPIRED
                if o.status == OfferStatus.OFFERED and o.lease_until <= who.at
                else o.status,
            }
            for o in offers
        ],
        "notes": [
            {"at": n.at, "by": users.get(n.by, ""), "by_resident": n.by_resident, "text": n.text or ""}
            for n in notes
        ],
        "calls": [
            {"at": c.at, "by": users.get(c.by, ""), "by_resident": c.by_resident, "result": c.result}
            for c in calls
        ],
        "timeline": [
            {
                "at": e.at, "verb": e.verb, "by": users.get(e.actor, ""), "from": e.from_state,
                "to": e.to_state, "reason": e.reason, "facts": e.facts,
            }
            for e in events
        ],
    }  # fmt: skip


def _area_json(area: int | None) -> dict[str, Any] | None:
    """The desk that a request was passed to."""
    found = Area.objects.filter(id=area).first() if area else None
    return {"id": found.id, "name": found.name, "name_en": found.name_en} if found else None


@router.get("/requests/{request_id}/pictures/{name}", operation_id="requests_picture")
@operation("requests.read")
def read_picture(request: HttpRequest, request_id: uuid.UUID, name: str) -> HttpResponse:
    who, row = one_in_sight(request, "requests.read", request_id)
    shown = open_at_desk(row, name, pack=pack_of(incident_with_id(row.incident)))
    record_disclosures(
        [row.person or row.id], actor=who.user.id, role=next(iter(sorted(who.roles)), "none"),
        operation="requests.picture", fields="picture", at=who.at, grid=row.grid,
    )  # fmt: skip
    return picture_answer(shown)


@router.post("/requests/{request_id}/reveal", operation_id="requests_reveal")
@operation("requests.reveal")
def reveal(request: HttpRequest, request_id: uuid.UUID, body: Reveal) -> dict[str, Any]:
    who, row = one_in_sight(request, "requests.reveal", request_id)
    if body.field not in REVEALABLE:
        raise Refusal("field_not_revealable", field=body.field[:20])
    if body.purpose not in PURPOSES:
        raise Refusal("purpose_unknown_choice", purpose=body.purpose[:20])
    record_reveal(
        row.person or row.id, field=body.field, actor=who.user.id, role=next(iter(sorted(who.roles)), "none"),
        operation="requests.reveal", at=who.at, grid=row.grid, purpose=body.purpose,
    )  # fmt: skip
    return {"field": body.field, "value": getattr(row, body.field)}
