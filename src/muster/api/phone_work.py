# SPDX-License-Identifier: Apache-2.0
"""Work on a phone (接单): what I am asked, what I have, what I may take; the lease is the key."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema

from muster.accounts.models import Lease
from muster.api.auth import operation
from muster.api.devices import lease_of
from muster.api.request_rows import picture_answer
from muster.base.clock import now
from muster.base.errors import Refusal
from muster.incidents.packs import pack_of
from muster.incidents.services import incident_with_id
from muster.places.models import Building, Dwelling
from muster.places.queries import sub_districts_of_grids
from muster.register.phones import mask_phone
from muster.requests import work
from muster.requests.models import Offer, WorkItem
from muster.requests.pictures import names_of, open_picture
from muster.requests.queries import item_with_id, jobs_of, offers_to, pool_of
from muster.requests.states import ITEM_TAKEN
from muster.responders.models import Responder
from muster.responders.placement.duties import first_name
from muster.responders.queries import responder_with_id
from muster.responders.services import responder_for_worker
from muster.trail.services import record_disclosures

sync_router = Router(tags=["sync"])


class Finish(Schema):
    outcome: str
    note: str = ""
    photo: str = ""
    left_to_do: str = ""


class Decline(Schema):
    reason: str


@sync_router.get("/jobs", auth=None, operation_id="jobs_list", include_in_schema=True)
@operation("session.read")
def list_work(request: HttpRequest) -> dict[str, Any]:
    """What I am asked, what I have, what I may take: the lease is the key."""
    lease, me = _me(request)
    at = now()
    offers = offers_to(me.id, at=at)
    jobs = jobs_of(me.id)
    pool = pool_of(lease.grids, skills=me.skills)
    return {
        "me": {"id": me.id, "status": me.status, "open_jobs": me.open_jobs, "most_jobs": me.most_jobs},
        "offers": [
            {**shown, "lease_until": o.lease_until, "walk_m": o.walk_m, "reasons": o.reasons}
            for o, shown in zip(offers, _shown([o.item for o in offers], lease), strict=True)
        ],
        "jobs": _jobs(jobs, lease),
        "pool": _shown(pool, lease),
    }


@sync_router.post("/jobs/{item_id}/accept", auth=None, operation_id="jobs_accept", include_in_schema=True)
@operation("session.read")
def accept(request: HttpRequest, item_id: uuid.UUID) -> dict[str, Any]:
    """Takes it; who comes second hears that somebody has it, and gets the next one to look at."""
    lease, me = _me(request)
    _demand_mine(item_id, lease, me)
    try:
        item = work.accept(item_id, responder=me.id, at=now(), by=lease.actor_id)
    except Refusal as refusal:
        raise _with_name(refusal) from None
    record_disclosures(
        [item.request.person or item.request_id], actor=lease.actor_id, role="responder",
        operation="work.accept", fields="text,place,phone", at=now(), grid=item.grid, purpose="request",
    )  # fmt: skip
    return _jobs([item], lease)[0]


@sync_router.get("/jobs/{item_id}/holder", auth=None, operation_id="jobs_holder", include_in_schema=True)
@operation("session.read")
def read_holder(request: HttpRequest, item_id: uuid.UUID) -> dict[str, Any]:
    """Who has a piece of work that I had wanted, by first name; nobody, where it is free or over."""
    lease, me = _me(request)
    _demand_mine(item_id, lease, me)
    item = item_with_id(item_id)
    holder = responder_with_id(item.responder) if item.responder not in (None, me.id) else None
    return {"number": item.request.number, "name": first_name(holder.name or "") if holder else ""}


@sync_router.post("/jobs/{item_id}/decline", auth=None, operation_id="jobs_decline", include_in_schema=True)
@operation("session.read")
def decline(request: HttpRequest, item_id: uuid.UUID, body: Decline) -> dict[str, Any]:
    lease, me = _me(request)
    work.decline(item_id, responder=me.id, reason=body.reason, at=now(), by=lease.actor_id)
    return {"ok": True}


@sync_router.post("/jobs/{item_id}/arrive", auth=None, operation_id="jobs_arrive", include_in_schema=True)
@operation("session.read")
def arrive(request: HttpRequest, item_id: uuid.UUID) -> dict[str, Any]:
    lease, me = _me(request)
    return _jobs([work.arrive(item_id, responder=me.id, at=now(), by=lease.actor_id)], lease)[0]


@sync_router.post("/jobs/{item_id}/finish", auth=None, operation_id="jobs_finish", include_in_schema=True)
@operation("session.read")
def finish(request: HttpRequest, item_id: uuid.UUID, body: Finish) -> dict[str, Any]:
    lease, me = _me(request)
    item = work.finish(
        item_id, responder=me.id, outcome=body.outcome, note=body.note, photo=body.photo,
        left_to_do=body.left_to_do, at=now(), by=lease.actor_id,
    )  # fmt: skip
    return {"id": item.id, "status": item.status, "outcome": item.outcome}


@sync_router.post("/jobs/{item_id}/release", auth=None, operation_id="jobs_release", include_in_schema=True)
@operation("session.read")
def release(request: HttpRequest, item_id: uuid.UUID) -> dict[str, Any]:
    lease, me = _me(request)
    item = work.release(item_id, responder=me.id, at=now(), by=lease.actor_id)
    return {"id": item.id, "status": item.status}


@sync_router.get(
    "/jobs/{item_id}/pictures/{name}", auth=None, operation_id="jobs_picture", include_in_schema=True
)
@operation("session.read")
def show_picture(request: HttpRequest, item_id: uuid.UUID, name: str) -> HttpResponse:
    """A picture of what I have accepted, while I have it."""
    lease, me = _me(request)
    item = item_with_id(item_id)
    if item.responder != me.id or item.status not in ITEM_TAKEN:
        raise Refusal("item_not_yours")
    shown = open_picture(item.request, name)
    record_disclosures(
        [item.request.person or item.request_id], actor=lease.actor_id, role="responder",
        operation="work.picture", fields="picture", at=now(), grid=item.grid, purpose="request",
    )  # fmt: skip
    return picture_answer(shown)


def _me(request: HttpRequest) -> tuple[Lease, Responder]:
    """Who holds the phone, as somebody who serves. Raises Refusal lease_revoked, lease_expired."""
    lease, at = lease_of(request), now()
    if lease.revoked_at is not None or lease.device.revoked_at is not None:
        raise Refusal("lease_revoked")
    if lease.expires_at <= at:
        raise Refusal("lease_expired")
    grid = lease.grids[0]
    me = responder_for_worker(
        incident=lease.incident, user=lease.actor_id, name=lease.actor.name,
        sub_district=sub_districts_of_grids([grid]).get(grid, 0), grid=grid, at=at,
    )  # fmt: skip
    return lease, responder_with_id(me.id)


def _with_name(refusal: Refusal) -> Refusal:
    """Who was quicker, by first name: the two of them work in the same streets."""
    if refusal.code != "item_taken" or "responder" not in refusal.facts:
        return refusal
    quicker = responder_with_id(uuid.UUID(str(refusal.facts["responder"])))
    name = first_name(quicker.name or "")
    return Refusal("item_taken_by", name=name) if name else refusal


def _demand_mine(item: uuid.UUID, lease: Lease, me: Responder) -> None:
    """What I was never asked and what lies outside my grids does not exist for me."""
    asked = Offer.objects.filter(item_id=item, responder=me.id).exists()
    if not asked and item_with_id(item).grid not in lease.grids:
        raise Refusal("item_unknown")


def _shown(items: Sequence[WorkItem], lease: Lease) -> list[dict[str, Any]]:
    """Before it is accepted: what kind, how urgent, which building; no name, no door, no phone."""
    pack = pack_of(incident_with_id(lease.incident))
    kinds = {c.code: {"zh": c.name.zh, "en": c.name.en} for c in pack.request_categories}
    buildings: dict[uuid.UUID | None, str] = dict(
        Building.objects.filter(id__in={i.request.building for i in items if i.request.building}).values_list(
            "id", "name"
        )
    )
    return [
        {
            "id": item.id, "request": item.request_id, "number": item.request.number,
            "category": item.request.category, "urgency": item.request.urgency,
            "category_name": kinds.get(item.request.category), "needs_skill": item.needs_skill,
            "grid": item.grid, "sub_district": item.sub_district,
            "building": buildings.get(item.request.building, ""),
            "respond_by": item.request.respond_by, "finish_by": item.request.finish_by,
            "language": item.request.language, "made_at": item.request.made_at,
        }
        for item in items
    ]  # fmt: skip


def _jobs(items: Sequence[WorkItem], lease: Lease) -> list[dict[str, Any]]:
    """After it is accepted, until it is done: the door, what was said, and the word that opens it."""
    doors: dict[uuid.UUID | None, str] = dict(
        Dwelling.objects.across(reason="requests")
        .filter(id__in={i.request.dwelling for i in items if i.request.dwelling})
        .values_list("id", "label")
    )
    return [
        {
            **shown, "status": item.status, "accepted_at": item.accepted_at,
            "on_site_at": item.on_site_at, "dwelling": item.request.dwelling,
            "door": doors.get(item.request.dwelling, ""), "text": item.request.text or "",
            "what": item.what or "", "place": item.request.place or "", "name": item.request.name or "",
            "phone": mask_phone(item.request.phone) if item.request.phone else None,
            "spoken_word": item.request.spoken_word, "pictures": names_of(item.request_id),
        }
        for item, shown in zip(items, _shown(items, lease), strict=True)
    ]  # fmt: skip
