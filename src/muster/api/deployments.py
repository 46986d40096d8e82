# SPDX-License-Identifier: Apache-2.0
"""Deployments at the desk (下沉): sent, found by the leader's code, counted, named, ticked off, gone home."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import File, Router, Schema
from ninja.files import UploadedFile

from muster.api.allowed import in_words, may
from muster.api.auth import AUTH, Caller, allow, operation
from muster.api.pages_of_rows import page_of
from muster.api.reinforcement import incident_now, known_affiliation
from muster.api.reinforcement_rows import deployment_cards, paths_of, timeline_of, why_not_over
from muster.base.errors import Refusal
from muster.incidents.packs import pack_of
from muster.incidents.services import incident_with_id
from muster.places.queries import area as area_with_id
from muster.register.names import mask_name
from muster.register.phones import mask_phone
from muster.responders.reinforcement import names as lists
from muster.responders.reinforcement import sending
from muster.responders.reinforcement.models import Deployment
from muster.responders.reinforcement.names import Kept
from muster.responders.reinforcement.queries import (
    deployed_heads,
    deployment_in_sight,
    deployment_of_code,
    deployment_received,
    deployments_in_sight,
    people_of,
)
from muster.responders.reinforcement.sending import Sent
from muster.responders.reinforcement.states import DEPLOYMENT_ENDED
from muster.trail.reveals import record_reveal

router = Router(tags=["reinforcement"], auth=AUTH)
LARGEST_FILE = 4 << 20
LONGEST_PASTE = 400_000


class Sending(Schema):
    """A unit sends people without an order."""

    area: int
    giver: int
    unit: str
    count: int
    starts_at: datetime
    ends_at: datetime
    affiliation: str = ""
    skill: str = ""
    leader: str = ""
    leader_phone: str = ""


class Counted(Schema):
    arrived: int | None = None
    engaged: int | None = None
    returned: int | None = None


class People(Schema):
    people: list[uuid.UUID]


class Paste(Schema):
    text: str


class Code(Schema):
    code: str


class Reveal(Schema):
    purpose: str
    person: uuid.UUID | None = None


PURPOSES = {"call", "visit", "verify", "emergency"}


@router.get("/deployments", operation_id="deployments_list")
@operation("deployments.list")
def list_deployments(
    request: HttpRequest, status: str = "open", area: int | None = None, cursor: str = "", limit: int = 100
) -> dict[str, Any]:
    """What came to the caller's areas and what they sent."""
    who, row = allow(request, "deployments.list")
    rows = deployments_in_sight(paths_of(who, row))
    if status == "open":
        rows = rows.exclude(status__in=DEPLOYMENT_ENDED)
    elif status == "ended":
        rows = rows.filter(status__in=DEPLOYMENT_ENDED)
    elif status != "all":
        rows = rows.filter(status=status[:12])
    if area is not None:
        rows = rows.filter(area_path__startswith=area_with_id(area).path)
    page, after = page_of(rows.order_by("id"), cursor, limit)
    return {"items": deployment_cards(page), "next": after, "count": rows.count()}


@router.post("/deployments", operation_id="deployments_send")
@operation("deployments.send")
def send(request: HttpRequest, body: Sending) -> dict[str, Any]:
    giver = area_with_id(body.giver)
    who, _ = allow(request, "deployments.send", path=giver.path)
    incident = incident_now(who)
    pack = pack_of(incident_with_id(incident))
    if body.skill and body.skill not in {one.code for one in pack.skills}:
        raise Refusal("order_skill_unknown", row=1, skill=body.skill[:40])
    sent = Sent(
        unit=body.unit, count=body.count, skill=body.skill, leader=body.leader,
        leader_phone=body.leader_phone, affiliation=known_affiliation(incident, body.affiliation),
    )  # fmt: skip
    made = sending.send_people(
        sent, incident=incident, to=area_with_id(body.area), giver=giver, starts_at=body.starts_at,
        ends_at=body.ends_at, by=who.user.id, at=who.at,
    )  # fmt: skip
    return {**deployment_cards([made])[0], "code": made.code}


@router.post("/deployments/find", operation_id="deployments_find")
@operation("deployments.receive")
def find(request: HttpRequest, body: Code) -> dict[str, Any]:
    """The code that a leader shows on arrival, typed or scanned, opens the page where they are counted."""
    who, row = allow(request, "deployments.receive")
    return _page(deployment_of_code(body.code[:40], paths=paths_of(who, row)), who)


@router.get("/deployments/heads", operation_id="deployments_heads")
@operation("deployments.list")
def heads(request: HttpRequest, area: int, at: datetime | None = None) -> dict[str, Any]:
    """Who was sent here and was there at a time, by area and affiliation; kinds overlap: no sum."""
    place = area_with_id(area)
    who, _ = allow(request, "deployments.list", path=place.path)
    if at is not None and at.tzinfo is None:
        raise Refusal("input_bad")
    found = deployed_heads(incident_now(who), path=place.path, at=at or who.at)
    return {
        "as_of": at or who.at,
        "items": [
            {"area": one.area, "affiliation": one.affiliation, "count": one.count, "listed": one.listed}
            for one in found
        ],
        "next": None, "count": len(found),
    }  # fmt: skip


@router.get("/deployments/{deployment_id}", operation_id="deployments_read")
@operation("deployments.list")
def read(request: HttpRequest, deployment_id: uuid.UUID) -> dict[str, Any]:
    who, row = allow(request, "deployments.list")
    return _page(deployment_in_sight(deployment_id, paths=paths_of(who, row)), who)


def _page(row: Deployment, who: Caller) -> dict[str, Any]:
    sends = why_not_over(who, "deployments.send", row.giver_path)
    return {
        **deployment_cards([row])[0],
        "leader": mask_name(row.leader) if row.leader else "",
        "leader_phone": mask_phone(row.leader_phone) if row.leader_phone else None,
        # Who sends them hands the code to their leader; who receives them is to ask for it.
        "code": row.code if sends is None else None,
        "people": [
            {
                "id": one.id, "name": mask_name(one.name) if one.name else "",
                "phone": mask_phone(one.phone) if one.phone else None, "skill": one.skill,
                "arrived_at": one.arrived_at, "returned_at": one.returned_at, "responder": one.responder,
            }
            for one in people_of([row.id])
        ],
        "send": may(sends),
        "receive": may(why_not_over(who, "deployments.receive", row.area_path)),
        "timeline": timeline_of("Deployment", row.id),
    }  # fmt: skip


def _received(request: HttpRequest, deployment_id: uuid.UUID) -> tuple[Caller, Deployment]:
    who, row = allow(request, "deployments.receive")
    return who, deployment_received(deployment_id, paths=paths_of(who, row))


def _again(row: Deployment, who: Caller, **more: Any) -> dict[str, Any]:
    return {**_page(deployment_in_sight(row.id, paths=["/"]), who), **more}


@router.post("/deployments/{deployment_id}/count", operation_id="deployments_count")
@operation("deployments.receive")
def count(request: HttpRequest, deployment_id: uuid.UUID, body: Counted) -> dict[str, Any]:
    """So many are here, serve, have gone home: the number, not how many more."""
    who, row = _received(request, deployment_id)
    sending.count_people(
        row.id, arrived=body.arrived, engaged=body.engaged, returned=body.returned, by=who.user.id, at=who.at
    )
    return _again(row, who)


@router.post("/deployments/{deployment_id}/arrive", operation_id="deployments_arrive")
@operation("deployments.receive")
def arrive(request: HttpRequest, deployment_id: uuid.UUID, body: People) -> dict[str, Any]:
    who, row = _received(request, deployment_id)
    lists.tick_arrived(row.id, body.people[: lists.MOST_NAMES], by=who.user.id, at=who.at)
    return _again(row, who)


@router.post("/deployments/{deployment_id}/return", operation_id="deployments_return")
@operation("deployments.receive")
def go_home(request: HttpRequest, deployment_id: uuid.UUID, body: People) -> dict[str, Any]:
    who, row = _received(request, deployment_id)
    lists.tick_returned(row.id, body.people[: lists.MOST_NAMES], by=who.user.id, at=who.at)
    return _again(row, who)


def _for_names(request: HttpRequest, deployment_id: uuid.UUID) -> tuple[Caller, Deployment]:
    """Names come from who sends, or are written down where they arrive."""
    who, row = allow(request, "deployments.name")
    return who, deployment_in_sight(deployment_id, paths=paths_of(who, row))


@router.post("/deployments/{deployment_id}/names", operation_id="deployments_names")
@operation("deployments.name")
def add_names(request: HttpRequest, deployment_id: uuid.UUID, body: Paste) -> dict[str, Any]:
    """A pasted list: one person a line, name, phone, skill. Good lines go in, bad ones come back with why."""
    who, row = _for_names(request, deployment_id)
    if len(body.text) > LONGEST_PASTE:
        raise Refusal("names_too_many", most=lists.MOST_NAMES)
    return _kept(row, who, lists.cells_of_text(body.text))


@router.post("/deployments/{deployment_id}/names/file", operation_id="deployments_names_file")
@operation("deployments.name")
def add_names_of_file(
    request: HttpRequest, deployment_id: uuid.UUID, file: File[UploadedFile]
) -> dict[str, Any]:
    who, row = _for_names(request, deployment_id)
    if (file.size or 0) > LARGEST_FILE:
        raise Refusal("names_too_many", most=lists.MOST_NAMES)
    return _kept(row, who, lists.cells_of_file(file.read()))


def _kept(row: Deployment, who: Caller, cells: Any) -> dict[str, Any]:
    pack = pack_of(incident_with_id(row.incident))
    kept: Kept = lists.add_names(row.id, cells, pack=pack, by=who.user.id, at=who.at)
    told = [
        {"row": one.row, "field": one.field, **in_words(Refusal(one.code, **one.facts))}
        for one in kept.faulty[:200]
    ]
    return _again(row, who, added=kept.added, known=kept.known, faulty=told)


@router.post("/deployments/{deployment_id}/take-back", operation_id="deployments_take_back")
@operation("deployments.send")
def take_back(request: HttpRequest, deployment_id: uuid.UUID) -> dict[str, Any]:
    """The unit cannot send them after all."""
    who, row = allow(request, "deployments.send")
    paths = paths_of(who, row)
    found = deployment_in_sight(deployment_id, paths=paths)
    if not any(found.giver_path.startswith(path) for path in paths):
        raise Refusal("not_found")
    sending.take_back(found.id, by=who.user.id, at=who.at)
    return _again(found, who)


@router.post("/deployments/{deployment_id}/reveal", operation_id="deployments_reveal")
@operation("deployments.reveal")
def reveal(request: HttpRequest, deployment_id: uuid.UUID, body: Reveal) -> dict[str, Any]:
    """Name and number of the leader, or of one person on the list; kept as a disclosure."""
    who, row = allow(request, "deployments.reveal")
    found = deployment_in_sight(deployment_id, paths=paths_of(who, row))
    if body.purpose not in PURPOSES:
        raise Refusal("purpose_unknown_choice", purpose=body.purpose[:20])
    named = next((one for one in people_of([found.id]) if one.id == body.person), None)
    if body.person is not None and named is None:
        raise Refusal("deployed_person_unknown")
    record_reveal(
        body.person or found.id, field="phone", actor=who.user.id, role=who.role_for(row),
        operation="deployments.reveal", at=who.at, grid=None, purpose=body.purpose,
    )  # fmt: skip
    if named is not None:
        return {"name": named.name or "", "phone": named.phone}
    return {"name": found.leader or "", "phone": found.leader_phone}
