# SPDX-License-Identifier: Apache-2.0
"""People who serve, at the desk: who checked in, yes or no to each, where everybody stands, head counts."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from ninja import Router, Schema

from muster.api.asked import searched
from muster.api.auth import AUTH, Caller, allow, operation
from muster.api.pages_of_rows import page_of
from muster.api.responder_rows import cards, place_json, role_of, whole
from muster.base.errors import Refusal
from muster.base.messages import text
from muster.flows.stepping_back import LeftBehind, step_back
from muster.incidents.models import Incident
from muster.incidents.packs import pack_of
from muster.incidents.services import current_incident
from muster.places.models import Area, Grid
from muster.places.queries import area as area_with_id
from muster.places.queries import grid as grid_with_id
from muster.places.queries import small_grids_below
from muster.responders import vetting
from muster.responders.heads import head_counts
from muster.responders.models import Responder
from muster.responders.sight import LISTS, doubles_of, found_by, seen_by
from muster.responders.states import ResponderStatus
from muster.trail.reveals import record_reveal
from muster.trail.services import record_disclosures

router = Router(tags=["people"], auth=AUTH)
PAGE = 100
REVEALABLE = {"name", "phone", "branch", "limits", "home_text"}
PURPOSES = {"visit", "call", "verify", "request", "emergency"}


class Accept(Schema):
    is_adult: bool = False
    certificates_seen: list[str] = []


class AcceptMany(Schema):
    ids: list[uuid.UUID]


class Decline(Schema):
    reason: str


class Step(Schema):
    to: str
    until: date | None = None


class Certificates(Schema):
    seen: list[str]


class Second(Schema):
    take_over: bool


class Reveal(Schema):
    field: str
    purpose: str


def _in_sight(request: HttpRequest, name: str) -> tuple[Caller, Any, Incident]:
    who, row = allow(request, name)
    incident = current_incident(who.at)
    if incident is None:
        raise Refusal("no_incident")
    return who, seen_by(who.scope(row), incident=incident.id), incident


def _one_in_sight(request: HttpRequest, name: str, responder: uuid.UUID) -> tuple[Caller, Responder]:
    """Raises Refusal("not_found") for who is out of sight."""
    who, rows, _ = _in_sight(request, name)
    found: Responder | None = rows.filter(id=responder).first()
    if found is None:
        raise Refusal("not_found")
    return who, found


@router.get("/responders", operation_id="responders_list")
@operation("responders.list")
def list_responders(
    request: HttpRequest,
    status: str = "all",
    area: int | None = None,
    grid: int | None = None,
    skill: str = "",
    affiliation: str = "",
    suspect: bool | None = None,
    q: str = "",
    cursor: str = "",
    limit: int = PAGE,
) -> dict[str, Any]:
    """Who checked in, the first first. `status`: a list (waiting, vetted, serving, away, to_replace, ended)
    or one status; `q`: part of a name, a phone, an own number.
    """
    who, seen, incident = _in_sight(request, "responders.list")
    rows = _narrowed(seen, area=area, grid=grid, skill=skill, affiliation=affiliation, suspect=suspect)
    if q := searched(q):
        rows = found_by(rows, q)
    in_list = LISTS.get(status, Q(status=status[:12]))
    page, after = page_of(rows.filter(in_list).order_by("id"), cursor, limit)
    record_disclosures(
        [None], actor=who.user.id, role=role_of(who), operation="responders.list", fields="masked", at=who.at,
        grid=grid, rows=len(page),
    )  # fmt: skip
    return {
        "items": cards(page, who, among=seen, pack=pack_of(incident)), "next": after,
        "count": rows.filter(in_list).count(),
        "counts": {name: rows.filter(one).count() for name, one in LISTS.items() if name != "all"},
    }  # fmt: skip


def _narrowed(
    rows: Any, *, area: int | None, grid: int | None, skill: str, affiliation: str, suspect: bool | None
) -> Any:
    if grid is not None:
        small = small_grids_below(grid_with_id(grid))
        rows = rows.filter(Q(grid__in=small) | Q(grid__isnull=True, home_grid__in=small))
    if area is not None:
        below = Area.objects.filter(path__startswith=area_with_id(area).path).values("id")
        grids = Grid.objects.filter(area__in=below).values("id")
        home = Q(home_grid__in=grids) | Q(home_grid__isnull=True, home_area__in=below)
        rows = rows.filter(Q(grid__in=grids) | Q(grid__isnull=True) & home)
    if skill:
        rows = rows.filter(skills__icontains=f'"{skill[:40]}"')
    if affiliation:
        rows = rows.filter(affiliations__icontains=f'"{affiliation[:40]}"')
    if suspect is not None:
        rows = rows.filter(is_suspect=suspect)
    return rows


@router.get("/responders/heads", operation_id="responders_heads")
@operation("responders.heads")
def read_heads(request: HttpRequest, area: int | None = None, at: datetime | None = None) -> dict[str, Any]:
    """How many of each affiliation stood where, as of a moment. Affiliations overlap: there is no total."""
    who, row = allow(request, "responders.heads")
    incident = current_incident(who.at)
    if incident is None:
        raise Refusal("no_incident")
    of = area_with_id(area) if area is not None else None
    moment = min(at, who.at) if at is not None and at.tzinfo is not None else who.at
    counts = head_counts(incident=incident.id, of=of, at=moment, scope=who.scope(row))
    shown = [one for one in counts if one.by or one.unlisted or one.area is not None]
    return {
        "at": moment, "may_overlap": True, "next": None, "count": len(shown),
        "items": [
            {
                "area": place_json(one.area),
                "by": [{"affiliation": code, **kinds} for code, kinds in sorted(one.by.items())],
                "unlisted": [{"affiliation": c, "people": n} for c, n in sorted(one.unlisted.items())],
            }
            for one in shown
        ],
    }  # fmt: skip


@router.post("/responders/accept", operation_id="responders_accept_many")
@operation("responders.vet")
def accept_many(request: HttpRequest, body: AcceptMany) -> dict[str, Any]:
    """Yes to several at once; who needs a second look is left, with the reason."""
    who, rows, _ = _in_sight(request, "responders.vet")
    if len(body.ids) > vetting.MOST_AT_ONCE:
        raise Refusal("people_too_many", most=vetting.MOST_AT_ONCE)
    some = list(rows.filter(id__in=set(body.ids)))
    doubtful = doubles_of(some, among=rows)
    accepted, left = vetting.accept_many(some, by=who.user.id, at=who.at, doubtful=doubtful)
    gone = set(body.ids) - {row.id for row in some}
    told = [(one.responder, one.code) for one in left] + [(id_, "not_found") for id_ in sorted(gone)]
    return {
        "accepted": accepted,
        "left": [{"id": id_, "code": code, "why": _why(code, who.language)} for id_, code in told],
    }  # fmt: skip


def _why(code: str, lang: str) -> str:
    facts = {"status": "", "to": ""} if code == "responder_step" else {}
    return text(code, lang, **facts)


@router.get("/responders/{responder}", operation_id="responders_read")
@operation("responders.read")
def read_responder(request: HttpRequest, responder: uuid.UUID) -> dict[str, Any]:
    who, row = _one_in_sight(request, "responders.read", responder)
    record_disclosures(
        [row.id], actor=who.user.id, role=role_of(who), operation="responders.read", fields="masked",
        at=who.at, grid=row.grid,
    )  # fmt: skip
    return whole(row, who)


@router.post("/responders/{responder}/accept", operation_id="responders_accept")
@operation("responders.vet")
def accept(request: HttpRequest, responder: uuid.UUID, body: Accept) -> dict[str, Any]:
    who, row = _one_in_sight(request, "responders.vet", responder)
    vetting.accept(
        row, by=who.user.id, at=who.at, is_adult=body.is_adult, certificates_seen=body.certificates_seen[:40]
    )
    return whole(row, who)


@router.post("/responders/{responder}/decline", operation_id="responders_decline")
@operation("responders.vet")
def decline(request: HttpRequest, responder: uuid.UUID, body: Decline) -> dict[str, Any]:
    who, row = _one_in_sight(request, "responders.vet", responder)
    vetting.decline(row, reason=body.reason, by=who.user.id, at=who.at)
    return whole(row, who)


@router.post("/responders/{responder}/certificates", operation_id="responders_certificates")
@operation("responders.vet")
def certificates(request: HttpRequest, responder: uuid.UUID, body: Certificates) -> dict[str, Any]:
    who, row = _one_in_sight(request, "responders.vet", responder)
    vetting.note_certificates(row, body.seen[:40], by=who.user.id, at=who.at)
    return whole(row, who)


@router.post("/responders/{responder}/seconds/{second}", operation_id="responders_second")
@operation("responders.vet")
def decide_second(
    request: HttpRequest, responder: uuid.UUID, second: uuid.UUID, body: Second
) -> dict[str, Any]:
    who, row = _one_in_sight(request, "responders.vet", responder)
    vetting.decide_second(row, second, take_over=body.take_over, by=who.user.id, at=who.at)
    return whole(row, who)


DESK_STEPS = frozenset(
    {
        ResponderStatus.ON_DUTY, ResponderStatus.STANDBY, ResponderStatus.RESTING, ResponderStatus.ISOLATED,
        ResponderStatus.UNAVAILABLE, ResponderStatus.RELEASED, ResponderStatus.VETTED,
    }
)  # fmt: skip


@router.post("/responders/{responder}/step", operation_id="responders_step")
@operation("responders.duty")
def take_step(request: HttpRequest, responder: uuid.UUID, body: Step) -> dict[str, Any]:
    """A change of duty told to the desk; what he had in hand goes on without him, and is named."""
    who, row = _one_in_sight(request, "responders.duty", responder)
    if body.to not in DESK_STEPS:
        raise Refusal("responder_step", status=row.status, to=body.to[:20])
    left = step_back(row, body.to, by=who.user.id, at=who.at, reason="desk", away_until=body.until)
    return {**whole(row, who), "left_behind": _left_json(left)}


def _left_json(left: LeftBehind) -> dict[str, Any]:
    grid = Grid.objects.filter(id=left.grid or 0).first()
    return {"items": list(left.items), "offers": left.offers, "grid": place_json(grid), "post": left.post}


@router.post("/responders/{responder}/reveal", operation_id="responders_reveal")
@operation("responders.reveal")
def reveal(request: HttpRequest, responder: uuid.UUID, body: Reveal) -> dict[str, Any]:
    who, row = _one_in_sight(request, "responders.reveal", responder)
    if body.field not in REVEALABLE:
        raise Refusal("field_not_revealable", field=body.field[:20])
    if body.purpose not in PURPOSES:
        raise Refusal("purpose_unknown_choice", purpose=body.purpose[:20])
    record_reveal(
        row.id, field=body.field, actor=who.user.id, role=role_of(who), operation="responders.reveal",
        at=who.at, grid=row.grid, purpose=body.purpose,
    )  # fmt: skip
    return {"field": body.field, "value": getattr(row, body.field)}
