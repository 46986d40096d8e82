# SPDX-License-Identifier: Apache-2.0
"""Who was placed and heard of it, and whom no message reaches: a list, cards to print, a tick."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from muster.api.auth import AUTH, Caller, allow, language, operation
from muster.api.pages_of_rows import page_of
from muster.api.placement_rows import grid_names, people_json, posts_json, said
from muster.api.responder_rows import role_of
from muster.base.errors import Refusal
from muster.incidents.models import Incident
from muster.incidents.packs import pack_of
from muster.incidents.services import current_incident
from muster.places.models import Grid
from muster.places.queries import area as area_with_id
from muster.register.phones import mask_phone
from muster.responders.form import SLOTS
from muster.responders.models import Responder
from muster.responders.placement.duties import duties_of
from muster.responders.placement.models import PlacementSeat
from muster.responders.placement.queries import open_assignments, plan_with_id
from muster.responders.placement.told import MOST_AT_ONCE, tell_by_hand, told_counts, untold_seats
from muster.storage.scoping import Scope
from muster.trail.services import record_disclosures

router = Router(tags=["placement"], auth=AUTH)
PAGE = 100
_CARD = (
    "id", "incident", "sub_district", "purpose", "name", "phone", "unit", "status", "free_times", "duty",
    "post", "grid",
)  # fmt: skip


class ToldIn(Schema):
    """seats: lines of the list. told false: it was a slip, they are still to be told."""

    seats: list[uuid.UUID]
    told: bool = True


@router.get("/placement/plans/{plan_id}/told", operation_id="placement_told")
@operation("placement.read")
def read_told(request: HttpRequest, plan_id: uuid.UUID) -> dict[str, Any]:
    """How many were told by phone and in the app, have read it or will come, must be told by hand."""
    plan = plan_with_id(plan_id)
    allow(request, "placement.read", path=plan.area_path)
    return told_counts(plan)


def _untold(request: HttpRequest, name: str, area: int | None) -> tuple[Caller, Scope, Incident, Any]:
    who, row = allow(request, name)
    incident = current_incident(who.at)
    if incident is None:
        raise Refusal("no_incident")
    scope = who.scope(row)
    rows = untold_seats(scope, incident=incident.id)
    if area is not None:
        below = Grid.objects.filter(area__path__startswith=area_with_id(area).path).values("id")
        rows = rows.filter(grid__in=below) | rows.filter(grid__isnull=True, old_grid__in=below)
    return who, scope, incident, rows


@router.get("/placement/untold", operation_id="placement_untold")
@operation("placement.untold")
def list_untold(
    request: HttpRequest, area: int | None = None, cursor: str = "", limit: int = PAGE
) -> dict[str, Any]:
    """Whom no message reaches, of all plans, grid by grid; names masked."""
    who, _, incident, rows = _untold(request, "placement.untold", area)
    page, after = page_of(rows, cursor, limit)
    record_disclosures(
        [None], actor=who.user.id, role=role_of(who), operation="placement.untold", fields="masked",
        at=who.at, rows=len(page),
    )  # fmt: skip
    return {
        "items": _lines(page), "next": after, "count": rows.count(), "posts": posts_json(pack_of(incident)),
    }  # fmt: skip


def _lines(rows: Sequence[PlacementSeat]) -> list[dict[str, Any]]:
    ids = {row.responder for row in rows}
    people, places = people_json(ids), open_assignments(list(ids))
    phones = _phones(ids)
    names = grid_names({place.grid for place in places.values()})
    return [
        {
            "id": row.id, "number": row.number, "plan": row.plan, "responder": people.get(str(row.responder)),
            "phone": mask_phone(phones.get(row.responder) or "") or None,
            "why": said(f"by_hand_{row.by_hand.lower()}"),
            "grid": names.get(places[row.responder].grid) if row.responder in places else None,
            "post": places[row.responder].post if row.responder in places else "",
        }
        for row in rows
    ]  # fmt: skip


def _phones(ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    rows = Responder.objects.across(reason="placement").filter(id__in=ids)
    return {row.id: row.phone or "" for row in rows.only("id", "sub_district", "purpose", "phone")}


@router.get("/placement/untold/cards", operation_id="placement_cards")
@operation("placement.print")
def print_cards(request: HttpRequest, area: int | None = None, cursor: str = "") -> dict[str, Any]:
    """The same list for paper, a card for each: name in full, where, with whom, for what, when."""
    who, _, incident, rows = _untold(request, "placement.print", area)
    page, after = page_of(rows, cursor, MOST_AT_ONCE)
    ids = [row.responder for row in page]
    record_disclosures(
        ids, actor=who.user.id, role=role_of(who), operation="placement.print", fields="name,phone",
        at=who.at, purpose="print",
    )  # fmt: skip
    lang = language(request)
    people = {p.id: p for p in Responder.objects.across(reason="placement").filter(id__in=ids).only(*_CARD)}
    duties = duties_of(list(people.values()), pack=pack_of(incident), incident=incident, lang=lang)
    times = {slot.code: slot.word(lang) for slot in SLOTS}
    return {
        "items": [
            {
                "id": row.id, "number": row.number, "name": people[row.responder].name or "",
                "unit": people[row.responder].unit,
                "phone": people[row.responder].phone or "",
                "lines": duties[row.responder].lines(lang) if row.responder in duties else [],
                "times": [times[one] for one in people[row.responder].free_times if one in times],
            }
            for row in page if row.responder in people
        ],
        "next": after, "count": rows.count(),
    }  # fmt: skip


@router.post("/placement/untold/told", operation_id="placement_tell")
@operation("placement.tell")
def tell(request: HttpRequest, body: ToldIn) -> dict[str, Any]:
    """Somebody has told them. How many were new to it."""
    if len(body.seats) > MOST_AT_ONCE:
        raise Refusal("people_too_many", most=MOST_AT_ONCE)
    who, scope, incident, rows = _untold(request, "placement.tell", None)
    changed = tell_by_hand(
        body.seats, scope=scope, incident=incident.id, told=body.told, by=who.user.id, at=who.at
    )
    return {"changed": changed, "left": rows.count()}
