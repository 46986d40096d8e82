# SPDX-License-Identifier: Apache-2.0
"""Quiet people at the desk: whom to call, what came of it; and what an elder lets a relative hear."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from muster.api.auth import AUTH, Caller, allow, operation
from muster.api.request_rows import card
from muster.base.errors import Refusal
from muster.incidents.models import Incident
from muster.incidents.packs import pack_of
from muster.incidents.services import current_incident
from muster.places.models import Dwelling
from muster.register.models import Person
from muster.register.names import mask_name
from muster.register.phones import mask_phone
from muster.requests import calling
from muster.requests.calling import Quiet
from muster.requests.care import give_care_grant, revoke_care_grant
from muster.requests.models import CareGrant
from muster.requests.placing import place_of_door
from muster.requests.states import Channel
from muster.storage.scoping import Scope
from muster.trail.services import record_disclosures

router = Router(tags=["requests"], auth=AUTH)
GIVEN = {Channel.PHONE, Channel.COUNTER, Channel.WORKER}
MOST = 200


class Call(Schema):
    """result: WELL, HELP, NO_ANSWER. text: what help is needed, in a sentence."""

    result: str
    text: str = ""


class Grant(Schema):
    """given: how the elder said yes: PHONE, COUNTER (here), WORKER (at the door)."""

    dwelling: uuid.UUID
    person: uuid.UUID | None = None
    relative_name: str
    relative_phone: str = ""
    given: str = Channel.PHONE


@router.get("/calls", operation_id="calls_list")
@operation("requests.work")
def list_calls(request: HttpRequest) -> dict[str, Any]:
    """Who is due to be called, the longest overdue first."""
    who, scope, incident = _desk(request, "requests.work")
    quiet, count = calling.quiet_people(
        incident.id, pack=pack_of(incident), scope=scope, at=who.at, limit=MOST
    )
    doors = _doors([one.person for one in quiet])
    record_disclosures(
        [one.person.id for one in quiet], actor=who.user.id, role=next(iter(sorted(who.roles)), "none"),
        operation="calls.list", fields="masked", at=who.at,
    )  # fmt: skip
    return {"items": [_quiet_json(one, doors) for one in quiet], "next": None, "count": count}


@router.post("/calls/{person_id}", operation_id="calls_record")
@operation("requests.work")
def record_call(request: HttpRequest, person_id: uuid.UUID, body: Call) -> dict[str, Any]:
    """What a call gave; where it asks for something, the request that was made of it."""
    who, scope, incident = _desk(request, "requests.work")
    person = _person(person_id, scope)
    called = calling.record_call(
        person, incident=incident.id, pack=pack_of(incident), result=body.result, text=body.text,
        by=who.user.id, at=who.at,
    )  # fmt: skip
    return {
        "id": called.call.id,
        "result": called.call.result,
        "request": card(called.taken.request, who) if called.taken else None,
    }


@router.get("/care-grants", operation_id="care_grants_list")
@operation("requests.work")
def list_grants(request: HttpRequest, dwelling: uuid.UUID) -> dict[str, Any]:
    """Relatives whom somebody of this door lets hear how requests go; those taken back too."""
    _, scope, incident = _desk(request, "requests.work")
    where = place_of_door(dwelling, scope=scope)
    rows = CareGrant.objects.across(reason="requests").filter(incident=incident.id, dwelling=where.dwelling)
    items = [_grant_json(row) for row in rows.order_by("-given_at")[:MOST]]
    return {"items": items, "next": None, "count": len(items)}


@router.post("/care-grants", operation_id="care_grants_give")
@operation("requests.work")
def give(request: HttpRequest, body: Grant) -> dict[str, Any]:
    """Notes that an elder said yes; the code for the relative is told once, here."""
    who, scope, incident = _desk(request, "requests.work")
    if body.given not in GIVEN:
        raise Refusal("care_grant_given_how", given=body.given[:20])
    if not body.relative_name.strip():
        raise Refusal("care_grant_to_whom")
    person = _person(body.person, scope).id if body.person is not None else None
    grant, code = give_care_grant(
        incident=incident.id, where=place_of_door(body.dwelling, scope=scope), person=person,
        relative_name=body.relative_name[:80], relative_phone=body.relative_phone[:40], through=body.given,
        by=who.user.id, at=who.at,
    )  # fmt: skip
    return {**_grant_json(grant), "code": code}


@router.post("/care-grants/{grant_id}/revoke", operation_id="care_grants_revoke")
@operation("requests.work")
def revoke(request: HttpRequest, grant_id: uuid.UUID) -> dict[str, Any]:
    """Taken back; the code opens nothing from now on."""
    who, scope, _ = _desk(request, "requests.work")
    grant = CareGrant.objects.within(scope).filter(id=grant_id).first()
    if grant is None:
        raise Refusal("care_grant_unknown")
    revoke_care_grant(grant.id, by=who.user.id, at=who.at)
    grant.refresh_from_db()
    return _grant_json(grant)


def _desk(request: HttpRequest, name: str) -> tuple[Caller, Scope, Incident]:
    who, row = allow(request, name)
    incident = current_incident(who.at)
    if incident is None:
        raise Refusal("no_incident")
    return who, who.scope(row), incident


def _person(person: uuid.UUID, scope: Scope) -> Person:
    """Raises Refusal("not_found") for somebody out of sight."""
    found: Person | None = Person.objects.within(scope).filter(id=person).first()
    if found is None:
        raise Refusal("not_found")
    return found


def _doors(people: list[Person]) -> dict[uuid.UUID | None, str]:
    rows = Dwelling.objects.across(reason="requests").filter(id__in={one.dwelling_id for one in people})
    return dict(rows.values_list("id", "label"))


def _quiet_json(one: Quiet, doors: dict[uuid.UUID | None, str]) -> dict[str, Any]:
    person = one.person
    return {
        "person": person.id, "name": mask_name(person.name or ""),
        "phone": mask_phone(person.phone) if person.phone else None, "grid": person.grid,
        "dwelling": person.dwelling_id, "door": doors.get(person.dwelling_id, ""),
        "services": list(one.services), "heard_at": one.heard_at, "due_at": one.due_at,
        "unanswered": one.unanswered,
    }  # fmt: skip


def _grant_json(row: CareGrant) -> dict[str, Any]:
    return {
        "id": row.id, "relative": row.relative_name or "", "given": row.given_through,
        "given_at": row.given_at, "ends_at": row.ends_at, "revoked_at": row.revoked_at,
    }  # fmt: skip
