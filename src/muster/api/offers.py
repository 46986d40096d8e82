# SPDX-License-Identifier: Apache-2.0
"""Offers of help at the desk: looked at against fraud, matched to requests and needs, given, returned."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from ninja import Router, Schema

from muster.api.auth import AUTH, Caller, allow, language, operation
from muster.api.pages_of_rows import page_of
from muster.api.reinforcement import incident_now
from muster.api.reinforcement_rows import timeline_of
from muster.api.request_rows import cards as request_cards
from muster.base.errors import Refusal
from muster.base.messages import text
from muster.flows.offer_matching import match, wanted_for
from muster.incidents.packs import pack_of
from muster.incidents.services import incident_with_id
from muster.offers import services
from muster.offers.models import HelpMatch, HelpOffer
from muster.offers.queries import matches_of, seen_by
from muster.offers.rules import checks_needed
from muster.offers.services import Given, category_of
from muster.offers.states import ENDED, OfferStatus
from muster.packs import Pack
from muster.places.models import Grid
from muster.places.queries import grid as grid_with_id
from muster.places.queries import sub_districts_of_grids
from muster.register.names import mask_name
from muster.register.phones import mask_phone
from muster.requests.queries import seen_by as requests_seen_by
from muster.storage.scoping import Scope
from muster.trail.reveals import record_reveal

router = Router(tags=["offers"], auth=AUTH)
REVEALABLE = {"name", "phone", "place"}
PURPOSES = {"call", "visit", "verify", "emergency"}


class Offering(Schema):
    """An offer as a desk types it in for somebody on the phone or at the counter."""

    category: str
    quantity: int = 1
    what: str = ""
    place: str = ""
    giver_kind: str = "RESIDENT"
    organisation: str = ""
    name: str = ""
    phone: str = ""
    grid: int
    starts_at: datetime | None = None
    ends_at: datetime | None = None


class Checks(Schema):
    checks: list[str]


class Text(Schema):
    text: str = ""


class Match(Schema):
    request: uuid.UUID | None = None
    need: uuid.UUID | None = None
    quantity: int = 1


class MatchStep(Schema):
    to: str


class Reveal(Schema):
    field: str
    purpose: str


def in_sight(request: HttpRequest, name: str) -> tuple[Caller, Scope, Any]:
    who, row = allow(request, name)
    scope = who.scope(row)
    near = set(sub_districts_of_grids(scope.grids).values()) if scope.grids else set()
    return who, scope, seen_by(scope, near=near)


def _one(request: HttpRequest, name: str, offer: uuid.UUID) -> tuple[Caller, Scope, HelpOffer, Pack]:
    """Raises Refusal("not_found") for what lies out of sight."""
    who, scope, rows = in_sight(request, name)
    found = rows.filter(id=offer).first()
    if found is None:
        raise Refusal("not_found")
    return who, scope, found, pack_of(incident_with_id(found.incident))


@router.get("/offers", operation_id="offers_list")
@operation("offers.list")
def list_offers(
    request: HttpRequest, status: str = "NEW", category: str = "", cursor: str = "", limit: int = 100
) -> dict[str, Any]:
    """status: NEW (to be looked at), usable, ended, all, or a status."""
    who, _, rows = in_sight(request, "offers.list")
    ended = Q(status__in=ENDED) | Q(ends_at__lte=who.at)
    if status == "usable":
        rows = rows.filter(status__in=[OfferStatus.OPEN, OfferStatus.NOTED], ends_at__gt=who.at)
    elif status == "ended":
        rows = rows.filter(ended)
    elif status != "all":
        rows = rows.filter(status=status[:12]).exclude(ends_at__lte=who.at)
    if category:
        rows = rows.filter(category=category[:40])
    page, after = page_of(rows.order_by("id"), cursor, limit)
    return {"items": offer_cards(page, who), "next": after, "count": rows.count()}


def offer_cards(rows: Sequence[HelpOffer], who: Caller) -> list[dict[str, Any]]:
    grids = {g.id: g for g in Grid.objects.filter(id__in={r.grid for r in rows if r.grid}).defer("geometry")}
    lang = who.language
    return [
        {
            "id": row.id, "number": row.number, "category": row.category, "giver_kind": row.giver_kind,
            "organisation": row.organisation, "what": row.what or "",
            "name": mask_name(row.name) if row.name else "",
            "phone": mask_phone(row.phone) if row.phone else None,
            "quantity": row.quantity, "left": row.left, "starts_at": row.starts_at, "ends_at": row.ends_at,
            "status": row.status, "is_over": row.ends_at <= who.at, "made_at": row.made_at,
            "grid": _grid(grids.get(row.grid or 0)),
            "warnings": [{"code": one, "text": text(one, lang)} for one in row.warnings],
            "version": row.version,
        }
        for row in rows
    ]  # fmt: skip


def _grid(grid: Grid | None) -> dict[str, Any] | None:
    return {"id": grid.id, "name": grid.name, "name_en": grid.name_en or grid.name} if grid else None


@router.post("/offers", operation_id="offers_make")
@operation("offers.vet")
def make(request: HttpRequest, body: Offering) -> dict[str, Any]:
    grid = grid_with_id(body.grid)
    who, _ = allow(request, "offers.vet", grid=grid)
    incident = incident_now(who)
    pack = pack_of(incident_with_id(incident))
    given = Given(
        category=body.category, quantity=body.quantity, what=body.what, place=body.place,
        giver_kind=body.giver_kind, organisation=body.organisation, name=body.name, phone=body.phone,
        starts_at=body.starts_at, ends_at=body.ends_at,
    )  # fmt: skip
    row, code = services.make_offer(
        given, incident=incident, pack=pack, sub_district=grid.sub_district, grid=grid.id, by=who.user.id,
        at=who.at,
    )  # fmt: skip
    return {**offer_cards([row], who)[0], "tracking_code": code}


@router.get("/offers/{offer_id}", operation_id="offers_read")
@operation("offers.list")
def read(request: HttpRequest, offer_id: uuid.UUID) -> dict[str, Any]:
    who, scope, row, pack = _one(request, "offers.list", offer_id)
    return _page(row, who, scope, pack)


def _page(row: HelpOffer, who: Caller, scope: Scope, pack: Pack) -> dict[str, Any]:
    category = category_of(pack, row.category)
    given = matches_of([row.id])
    near = set(sub_districts_of_grids(scope.grids).values()) if scope.grids else set()
    # Of what lies elsewhere a desk sees that it was given, not to whom.
    requests = requests_seen_by(scope, near=near).filter(id__in=[m.request for m in given if m.request])
    told = {one["id"]: one for one in request_cards(list(requests), who)}
    return {
        **offer_cards([row], who)[0],
        "answer": row.answer or "", "checks": row.checks, "is_lent": category.is_lent,
        "checks_needed": sorted(checks_needed(category, row.giver_kind)),
        "only_noted": category.only_noted,
        "matches": [_match(one, told.get(one.request)) for one in given],
        "timeline": timeline_of("HelpOffer", row.id),
    }  # fmt: skip


def _match(one: HelpMatch, request: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "id": one.id, "quantity": one.quantity, "status": one.status, "made_at": one.made_at,
        "given_at": one.given_at, "ended_at": one.ended_at, "request": request, "need": one.need,
    }  # fmt: skip


@router.get("/offers/{offer_id}/suggestions", operation_id="offers_suggest")
@operation("offers.match")
def suggest(request: HttpRequest, offer_id: uuid.UUID) -> dict[str, Any]:
    """Requests and needs in sight that it helps with, each with reasons; nothing is done by this."""
    who, scope, row, pack = _one(request, "offers.match", offer_id)
    found = wanted_for(row, scope=scope, pack=pack, at=who.at)
    told = {one["id"]: one for one in request_cards([w.request for w in found if w.request is not None], who)}
    services_of = {need.code: need.service for need in pack.needs}
    grids: dict[int, Grid] = {
        g.id: g for g in Grid.objects.filter(id__in={w.need.grid for w in found if w.need and w.need.grid})
    }
    lang = language(request, who.user)
    items = [
        {
            "request": told.get(one.request.id) if one.request else None,
            # Of a need only the service is shown, as at a door.
            "need": {
                "id": one.need.id, "service": services_of.get(one.need.kind, ""),
                "grid": _grid(grids.get(one.need.grid or 0)),
            } if one.need else None,
            "reasons": [{**why, "text": text(why["code"], lang, **why["facts"])} for why in one.reasons],
        }
        for one in found
    ]  # fmt: skip
    return {"items": items, "next": None, "count": len(items)}


@router.post("/offers/{offer_id}/accept", operation_id="offers_accept")
@operation("offers.vet")
def accept(request: HttpRequest, offer_id: uuid.UUID, body: Checks) -> dict[str, Any]:
    """Looked at: called back, and whatever else this kind of help asks for."""
    who, scope, row, pack = _one(request, "offers.vet", offer_id)
    done = services.accept(row.id, checks=body.checks[:10], pack=pack, by=who.user.id, at=who.at)
    return _page(done, who, scope, pack)


@router.post("/offers/{offer_id}/decline", operation_id="offers_decline")
@operation("offers.vet")
def decline(request: HttpRequest, offer_id: uuid.UUID, body: Text) -> dict[str, Any]:
    who, scope, row, pack = _one(request, "offers.vet", offer_id)
    return _page(services.decline(row.id, text=body.text, by=who.user.id, at=who.at), who, scope, pack)


@router.post("/offers/{offer_id}/withdraw", operation_id="offers_withdraw")
@operation("offers.vet")
def withdraw(request: HttpRequest, offer_id: uuid.UUID) -> dict[str, Any]:
    """The giver called and takes it back."""
    who, scope, row, pack = _one(request, "offers.vet", offer_id)
    return _page(services.withdraw(row.id, by=who.user.id, at=who.at), who, scope, pack)


@router.post("/offers/{offer_id}/match", operation_id="offers_match")
@operation("offers.match")
def match_one(request: HttpRequest, offer_id: uuid.UUID, body: Match) -> dict[str, Any]:
    who, scope, row, pack = _one(request, "offers.match", offer_id)
    match(
        row, request=body.request, need=body.need, quantity=body.quantity, scope=scope, pack=pack,
        by=who.user.id, at=who.at,
    )  # fmt: skip
    row.refresh_from_db()
    return _page(row, who, scope, pack)


@router.post("/offers/{offer_id}/matches/{match_id}", operation_id="offers_match_step")
@operation("offers.match")
def step(request: HttpRequest, offer_id: uuid.UUID, match_id: uuid.UUID, body: MatchStep) -> dict[str, Any]:
    """GIVEN, RETURNED, CANCELLED."""
    who, scope, row, pack = _one(request, "offers.match", offer_id)
    if match_id not in {one.id for one in matches_of([row.id])}:
        raise Refusal("not_found")
    services.step_match(match_id, to=body.to, pack=pack, by=who.user.id, at=who.at)
    row.refresh_from_db()
    return _page(row, who, scope, pack)


@router.post("/offers/{offer_id}/reveal", operation_id="offers_reveal")
@operation("offers.reveal")
def reveal(request: HttpRequest, offer_id: uuid.UUID, body: Reveal) -> dict[str, Any]:
    who, _, row, _ = _one(request, "offers.reveal", offer_id)
    if body.field not in REVEALABLE:
        raise Refusal("field_not_revealable", field=body.field[:20])
    if body.purpose not in PURPOSES:
        raise Refusal("purpose_unknown_choice", purpose=body.purpose[:20])
    record_reveal(
        row.id, field=body.field, actor=who.user.id, role=next(iter(sorted(who.roles)), "none"),
        operation="offers.reveal", at=who.at, grid=row.grid, purpose=body.purpose,
    )  # fmt: skip
    return {"field": body.field, "value": getattr(row, body.field) or ""}
