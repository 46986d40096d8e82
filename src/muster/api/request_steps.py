# SPDX-License-Identifier: Apache-2.0
"""Steps of a request at the desk: judged, placed, held, passed on, linked, refused, answered, reopened."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from muster.api.auth import AUTH, allow, operation
from muster.api.request_rows import card, one_in_sight
from muster.base.errors import Refusal
from muster.incidents.packs import pack_of
from muster.incidents.services import incident_with_id
from muster.places.models import Grid
from muster.places.queries import area as area_with_id
from muster.requests import services, steps
from muster.requests.placing import place_of_door
from muster.requests.states import ENDED

router = Router(tags=["requests"], auth=AUTH)


class Triage(Schema):
    urgency: str = ""
    category: str = ""
    needs_skill: str | None = None
    is_spam: bool | None = None


class Place(Schema):
    dwelling: uuid.UUID


class Hold(Schema):
    reason: str
    until: datetime


class Text(Schema):
    text: str = ""


class Transfer(Schema):
    area: int


class Link(Schema):
    to: uuid.UUID


class Answer(Schema):
    result: str


class Piece(Schema):
    what: str = ""
    needs_skill: str = ""


@router.post("/requests/{request_id}/triage", operation_id="requests_triage")
@operation("requests.work")
def triage(request: HttpRequest, request_id: uuid.UUID, body: Triage) -> dict[str, Any]:
    who, row = one_in_sight(request, "requests.work", request_id)
    pack = pack_of(incident_with_id(row.incident))
    done = services.triage(
        row.id, pack=pack, by=who.user.id, at=who.at, urgency=body.urgency, category=body.category,
        needs_skill=body.needs_skill, is_spam=body.is_spam,
    )  # fmt: skip
    return card(done, who)


@router.post("/requests/{request_id}/place", operation_id="requests_place")
@operation("requests.work")
def place(request: HttpRequest, request_id: uuid.UUID, body: Place) -> dict[str, Any]:
    who, row = one_in_sight(request, "requests.work", request_id)
    _, said = allow(request, "requests.work")
    where = place_of_door(body.dwelling, scope=who.scope(said))
    return card(services.place(row.id, where=where, by=who.user.id, at=who.at), who)


@router.post("/requests/{request_id}/hold", operation_id="requests_hold")
@operation("requests.work")
def hold(request: HttpRequest, request_id: uuid.UUID, body: Hold) -> dict[str, Any]:
    who, row = one_in_sight(request, "requests.work", request_id)
    if body.until.tzinfo is None:
        raise Refusal("hold_until_bad", days=steps.LONGEST_HOLD.days)
    done = steps.hold(row.id, reason=body.reason, until=body.until, by=who.user.id, at=who.at)
    return card(done, who)


@router.post("/requests/{request_id}/resume", operation_id="requests_resume")
@operation("requests.work")
def resume(request: HttpRequest, request_id: uuid.UUID) -> dict[str, Any]:
    who, row = one_in_sight(request, "requests.work", request_id)
    return card(steps.resume(row.id, by=who.user.id, at=who.at), who)


@router.post("/requests/{request_id}/escalate", operation_id="requests_escalate")
@operation("requests.work")
def escalate(request: HttpRequest, request_id: uuid.UUID, body: Text) -> dict[str, Any]:
    who, row = one_in_sight(request, "requests.work", request_id)
    return card(steps.escalate(row.id, by=who.user.id, at=who.at, reason=body.text), who)


@router.post("/requests/{request_id}/transfer", operation_id="requests_transfer")
@operation("requests.work")
def transfer(request: HttpRequest, request_id: uuid.UUID, body: Transfer) -> dict[str, Any]:
    who, row = one_in_sight(request, "requests.work", request_id)
    to = area_with_id(body.area)
    own = Grid.objects.filter(id=row.grid).values_list("area_id", flat=True).first() if row.grid else None
    done = steps.transfer(row.id, to_area=to.id, from_area=own, by=who.user.id, at=who.at)
    return card(done, who)


@router.post("/requests/{request_id}/link", operation_id="requests_link")
@operation("requests.work")
def link(request: HttpRequest, request_id: uuid.UUID, body: Link) -> dict[str, Any]:
    who, row = one_in_sight(request, "requests.work", request_id)
    _, main = one_in_sight(request, "requests.work", body.to)
    return card(steps.link(row.id, to=main.id, by=who.user.id, at=who.at), who)


@router.post("/requests/{request_id}/withdraw", operation_id="requests_withdraw")
@operation("requests.work")
def withdraw(request: HttpRequest, request_id: uuid.UUID) -> dict[str, Any]:
    who, row = one_in_sight(request, "requests.work", request_id)
    return card(steps.withdraw(row.id, by=who.user.id, at=who.at), who)


@router.post("/requests/{request_id}/reopen", operation_id="requests_reopen")
@operation("requests.work")
def reopen(request: HttpRequest, request_id: uuid.UUID) -> dict[str, Any]:
    who, row = one_in_sight(request, "requests.work", request_id)
    return card(steps.reopen(row.id, by=who.user.id, at=who.at), who)


@router.post("/requests/{request_id}/answer", operation_id="requests_answer")
@operation("requests.work")
def answer(request: HttpRequest, request_id: uuid.UUID, body: Answer) -> dict[str, Any]:
    """What a call-back gave: SOLVED, NOT_SOLVED, NO_ANSWER."""
    who, row = one_in_sight(request, "requests.work", request_id)
    done = steps.answer_solved(row.id, result=body.result, by=who.user.id, by_resident=False, at=who.at)
    return card(done, who)


@router.post("/requests/{request_id}/notes", operation_id="requests_note")
@operation("requests.work")
def note(request: HttpRequest, request_id: uuid.UUID, body: Text) -> dict[str, Any]:
    who, row = one_in_sight(request, "requests.work", request_id)
    steps.add_note(row, text=body.text, by=who.user.id, at=who.at)
    return {"ok": True}


@router.post("/requests/{request_id}/items", operation_id="requests_piece")
@operation("requests.work")
def add_piece(request: HttpRequest, request_id: uuid.UUID, body: Piece) -> dict[str, Any]:
    """A further piece of work: a child item that somebody else may do."""
    who, row = one_in_sight(request, "requests.work", request_id)
    if row.status in ENDED:
        raise Refusal("request_ended", status=row.status)
    made = steps.add_piece(row.id, what=body.what, needs_skill=body.needs_skill, by=who.user.id, at=who.at)
    return {"id": made.id}


@router.post("/requests/{request_id}/refuse", operation_id="requests_refuse")
@operation("requests.work")
def propose_refusal(request: HttpRequest, request_id: uuid.UUID, body: Text) -> dict[str, Any]:
    who, row = one_in_sight(request, "requests.work", request_id)
    done = steps.propose_refusal(row.id, reason=body.text, by=who.user.id, at=who.at)
    return card(done, who)


@router.post("/requests/{request_id}/refuse/approve", operation_id="requests_approve_refusal")
@operation("requests.approve_refusal")
def approve_refusal(request: HttpRequest, request_id: uuid.UUID) -> dict[str, Any]:
    who, row = one_in_sight(request, "requests.approve_refusal", request_id)
    if row.refusal_by is None:
        raise Refusal("refusal_not_proposed")
    done = steps.refuse(
        row.id, reason=row.refused_text or "", by=row.refusal_by, approved_by=who.user.id, at=who.at
    )
    return card(done, who)
