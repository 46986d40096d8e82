# SPDX-License-Identifier: Apache-2.0
"""Placement at the desk: propose who serves where, look, move, ban, propose again, adopt, take back."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import F, Q
from django.http import HttpRequest
from ninja import Router, Schema

from muster.api.asked import searched
from muster.api.auth import AUTH, Caller, allow, operation
from muster.api.placement_rows import grids_json, plan_json, plans_json, seats_json, sheet_json, short_json
from muster.base.errors import Refusal
from muster.flows.placement import ask_adopt, ask_take_back
from muster.incidents.packs import pack_of
from muster.incidents.services import current_incident, incident_with_id
from muster.packs import Pack
from muster.places.models import Area, Grid
from muster.places.queries import MOST_ID
from muster.places.queries import area as area_with_id
from muster.responders.models import Responder
from muster.responders.placement import services
from muster.responders.placement.models import PlacementGrid, PlacementPlan, PlacementSeat
from muster.responders.placement.queries import plan_with_id, seats_of, seats_within, stale_seats
from muster.responders.placement.states import SeatState
from muster.storage.sealed import reveal_column
from muster.trail.services import record_disclosures

router = Router(tags=["placement"], auth=AUTH)
PAGE, MOST = 100, 500
_EXAMPLES = 20
_FAR_M = 1_000


class ProposeIn(Schema):
    area: int
    reach_m: int = 3_000
    seed: int = 1


class MoveIn(Schema):
    """grid none: into reserve."""

    responder: uuid.UUID
    grid: int | None = None
    post: str = ""


class BanIn(Schema):
    responder: uuid.UUID
    grid: int


class FreeIn(Schema):
    responder: uuid.UUID


class AdoptIn(Schema):
    """version: of the plan that was looked at. area: a part of the plan's; none: all of it."""

    version: int
    area: int | None = None
    without_changed: bool = False


class TakeBackIn(Schema):
    version: int


@router.get("/placement/plans", operation_id="placement_list")
@operation("placement.read")
def list_plans(request: HttpRequest, area: int | None = None) -> dict[str, Any]:
    """Plans of the incident in force, the newest first."""
    who, row = allow(request, "placement.read")
    incident = current_incident(who.at)
    rows = PlacementPlan.objects.order_by("-made_at").defer("proof", "wishes")
    rows = rows.filter(incident=incident.id) if incident else rows.none()
    if area is not None:
        rows = rows.filter(area_path__startswith=area_with_id(area).path)
    mine = Q(pk__in=[])
    for grant in who.grants:
        if grant.area_path and grant.role in row.roles:
            mine |= Q(area_path__startswith=grant.area_path)
    found = list(rows.filter(mine)[:PAGE])
    return {"items": plans_json(found), "next": None, "count": len(found)}


@router.post("/placement/plans", operation_id="placement_propose")
@operation("placement.change")
def propose(request: HttpRequest, body: ProposeIn) -> dict[str, Any]:
    """Asks for a proposal; the worker solves it in a process of its own."""
    area = area_with_id(body.area)
    who, _ = allow(request, "placement.change", path=area.path)
    incident = current_incident(who.at)
    if incident is None:
        raise Refusal("no_incident")
    plan = services.queue_plan(
        area, incident=incident, by=who.user.id, at=who.at, reach_m=body.reach_m, seed=body.seed
    )
    return short_json(plan, area)


def _plan(request: HttpRequest, plan_id: uuid.UUID, name: str) -> tuple[Caller, PlacementPlan, Pack]:
    """Raises Refusal placement_unknown, not_found for one out of sight."""
    plan = plan_with_id(plan_id)
    who, _ = allow(request, name, path=plan.area_path)
    return who, plan, pack_of(incident_with_id(plan.incident))


@router.get("/placement/plans/{plan_id}", operation_id="placement_read")
@operation("placement.read")
def read_plan(request: HttpRequest, plan_id: uuid.UUID) -> dict[str, Any]:
    _, plan, pack = _plan(request, plan_id, "placement.read")
    return plan_json(plan, pack)


@router.get("/placement/plans/{plan_id}/grids", operation_id="placement_grids")
@operation("placement.read")
def list_grids(
    request: HttpRequest, plan_id: uuid.UUID, only: str = "", q: str = "", cursor: str = "", limit: int = PAGE
) -> dict[str, Any]:
    """Grids of the plan in their order. only: short."""
    _, plan, pack = _plan(request, plan_id, "placement.read")
    rows = PlacementGrid.objects.filter(plan=plan)
    if only == "short":
        rows = rows.filter(missing__gt=0)
    if q := searched(q):
        rows = rows.filter(
            grid__in=Grid.objects.filter(Q(name__icontains=q) | Q(code__icontains=q)).values("id")
        )
    page, after = _page(rows, cursor, limit)
    return {"items": grids_json(page, pack), "next": after, "count": rows.count()}


@router.get("/placement/plans/{plan_id}/seats", operation_id="placement_seats")
@operation("placement.read")
def list_seats(
    request: HttpRequest, plan_id: uuid.UUID, grid: int | None = None, only: str = "", q: str = "",
    cursor: str = "", limit: int = PAGE,
) -> dict[str, Any]:  # fmt: skip
    """People of the plan, masked. only: moved, new, reserve, pinned, far, skipped. q: a part of a name."""
    who, plan, _ = _plan(request, plan_id, "placement.read")
    rows = seats_of(plan)
    if grid is not None:
        rows = rows.filter(grid=grid if 0 < grid < MOST_ID else 0)
    rows = _only(rows, only, plan)
    if q := searched(q):
        rows = rows.filter(responder__in=_named(rows, q))
    page, after = _page(rows, cursor, limit)
    record_disclosures(
        [None], actor=who.user.id, role=next(iter(sorted(who.roles)), "none"), operation="placement.read",
        fields="name_masked", at=who.at, grid=grid if grid and 0 < grid < MOST_ID else None, rows=len(page),
    )  # fmt: skip
    return {"items": seats_json(page, plan.wishes), "next": after, "count": rows.count()}


@router.get("/placement/plans/{plan_id}/sheet", operation_id="placement_sheet")
@operation("placement.print")
def print_sheet(
    request: HttpRequest, plan_id: uuid.UUID, grid: int | None = None, cursor: str = ""
) -> dict[str, Any]:
    """The plan for paper, grid by grid, with names in full: who printed it is written down."""
    who, plan, pack = _plan(request, plan_id, "placement.print")
    rows = seats_of(plan).filter(grid__isnull=False)
    if grid is not None:
        rows = rows.filter(grid=grid if 0 < grid < MOST_ID else 0)
    page, after = _page(rows, cursor, MOST)
    people = [row.responder for row in page]
    record_disclosures(
        people, actor=who.user.id, role=next(iter(sorted(who.roles)), "none"), operation="placement.print",
        fields="name", at=who.at, purpose="print",
    )  # fmt: skip
    return {**sheet_json(page, pack), "next": after, "count": rows.count()}


def _only(rows: Any, only: str, plan: PlacementPlan) -> Any:
    narrowed = {
        "moved": Q(old_grid__isnull=False) & ~Q(grid=F("old_grid")),
        "new": Q(old_grid__isnull=True, grid__isnull=False),
        "reserve": Q(grid__isnull=True),
        "far": Q(walk_m__gt=_FAR_M),
        "skipped": Q(state__in=[SeatState.SKIPPED, SeatState.KEPT]),
    }
    if only == "pinned":
        wishes = plan.wishes
        barred = {who for who, _ in wishes.get("bars", [])}
        return rows.filter(responder__in={*wishes.get("pins", {}), *wishes.get("out", []), *barred})
    return rows.filter(narrowed[only]) if only in narrowed else rows


def _named(rows: Any, q: str) -> list[uuid.UUID]:
    """People of these seats whose name has this part; names are opened in one go."""
    people = Responder.objects.across(reason="placement").filter(id__in=rows.values("responder"))
    sealed = list(people.values_list("id", "name"))
    names = reveal_column(Responder, "name", sealed)
    return [row[0] for row, name in zip(sealed, names, strict=True) if name and q in name][:MOST]


def _page(rows: Any, cursor: str, limit: int) -> tuple[list[Any], str | None]:
    """Keyset by number. Raises Refusal("cursor_bad")."""
    limit = max(1, min(limit, MOST))
    if cursor:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
            raise Refusal("cursor_bad")
        rows = rows.filter(number__gt=int(cursor))
    page = list(rows.order_by("number")[: limit + 1])
    return page[:limit], str(page[limit - 1].number) if len(page) > limit else None


# ---- changed by hand ------------------------------------------------------------------------------


def _changed(plan: PlacementPlan, seat: PlacementSeat) -> dict[str, Any]:
    fresh = plan_with_id(plan.id)
    return {"version": fresh.version, "figures": fresh.figures, "seat": seats_json([seat], fresh.wishes)[0]}


@router.post("/placement/plans/{plan_id}/move", operation_id="placement_move")
@operation("placement.change")
def move(request: HttpRequest, plan_id: uuid.UUID, body: MoveIn) -> dict[str, Any]:
    """Puts somebody into another grid, or into reserve; he stays there when it is proposed again."""
    who, plan, _ = _plan(request, plan_id, "placement.change")
    grid = body.grid if body.grid is None or 0 < body.grid < MOST_ID else 0
    seat = services.move_person(
        plan, body.responder, grid=grid, post=body.post[:40], by=who.user.id, at=who.at
    )
    return _changed(plan, seat)


@router.post("/placement/plans/{plan_id}/ban", operation_id="placement_ban")
@operation("placement.change")
def ban(request: HttpRequest, plan_id: uuid.UUID, body: BanIn) -> dict[str, Any]:
    who, plan, _ = _plan(request, plan_id, "placement.change")
    grid = body.grid if 0 < body.grid < MOST_ID else 0
    seat = services.ban_person(plan, body.responder, grid, by=who.user.id, at=who.at)
    return _changed(plan, seat)


@router.post("/placement/plans/{plan_id}/free", operation_id="placement_free")
@operation("placement.change")
def free(request: HttpRequest, plan_id: uuid.UUID, body: FreeIn) -> dict[str, Any]:
    who, plan, _ = _plan(request, plan_id, "placement.change")
    seat = services.free_person(plan, body.responder, by=who.user.id, at=who.at)
    return _changed(plan, seat)


@router.post("/placement/plans/{plan_id}/again", operation_id="placement_again")
@operation("placement.change")
def again(request: HttpRequest, plan_id: uuid.UUID) -> dict[str, Any]:
    """A new proposal with everything that was asked for by hand in this one; little else changes."""
    who, plan, _ = _plan(request, plan_id, "placement.change")
    made = services.propose_again(plan, by=who.user.id, at=who.at)
    return short_json(made, Area.objects.get(id=made.area))


# ---- adopted, taken back --------------------------------------------------------------------------


@router.get("/placement/plans/{plan_id}/change", operation_id="placement_preview")
@operation("placement.adopt")
def preview(request: HttpRequest, plan_id: uuid.UUID, area: int | None = None) -> dict[str, Any]:
    """What adopting would change, in the whole or in a part, and who has changed since the plan was made."""
    _, plan, _ = _plan(request, plan_id, "placement.adopt")
    part = area_with_id(area) if area is not None else Area.objects.get(id=plan.area)
    if not part.path.startswith(plan.area_path):
        raise Refusal("placement_area_outside")
    rows = seats_within(plan, part.path).filter(state=SeatState.PROPOSED)
    stale = [seat.id for seat in stale_seats(plan, part.path)]
    shown = list(seats_of(plan).filter(id__in=stale[:_EXAMPLES]).order_by("number"))
    return {
        "version": plan.version,
        "area": {"id": part.id, "name": part.name, "name_en": part.name_en},
        "people": rows.count(),
        "new": rows.filter(old_grid__isnull=True, grid__isnull=False).count(),
        "moved": rows.filter(old_grid__isnull=False, grid__isnull=False).exclude(grid=F("old_grid")).count(),
        "stay": rows.filter(grid=F("old_grid")).count(),
        "stood_down": rows.filter(old_grid__isnull=False, grid__isnull=True).count(),
        "changed": len(stale),
        "changed_people": seats_json(shown, plan.wishes),
    }


@router.post("/placement/plans/{plan_id}/adopt", operation_id="placement_adopt")
@operation("placement.adopt")
def adopt(request: HttpRequest, plan_id: uuid.UUID, body: AdoptIn) -> dict[str, Any]:
    """Brings the plan, or a part of it, into force; the worker writes it in short steps."""
    who, plan, _ = _plan(request, plan_id, "placement.adopt")
    part = area_with_id(body.area) if body.area is not None else Area.objects.get(id=plan.area)
    ask_adopt(
        plan, area=part, version=body.version, without_changed=body.without_changed, by=who.user.id, at=who.at
    )
    fresh = plan_with_id(plan.id)
    return short_json(fresh, Area.objects.get(id=fresh.area))


@router.post("/placement/plans/{plan_id}/take-back", operation_id="placement_take_back")
@operation("placement.adopt")
def take_back(request: HttpRequest, plan_id: uuid.UUID, body: TakeBackIn) -> dict[str, Any]:
    """Puts everybody back where he was before the plan, unless he is on duty already."""
    who, plan, _ = _plan(request, plan_id, "placement.adopt")
    ask_take_back(plan, version=body.version, by=who.user.id, at=who.at)
    fresh = plan_with_id(plan.id)
    return short_json(fresh, Area.objects.get(id=fresh.area))
