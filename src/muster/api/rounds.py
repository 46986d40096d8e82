# SPDX-License-Identifier: Apache-2.0
"""Rounds: life, coverage, missing list, certificate, recording at a desk."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpRequest
from ninja import Router, Schema

from muster.api.allowed import freeze_progress, may, round_steps, why_not
from muster.api.auth import AUTH, Caller, allow, caller, operation
from muster.api.desk_facts import incoming_from_desk
from muster.base.errors import Refusal
from muster.campaigns import certificates, services
from muster.campaigns.models import Campaign, Round
from muster.campaigns.queries import (
    MISSING,
    accounts_of_round,
    certificate_in_force,
    round_with_kind,
)
from muster.flows.recording import record_facts
from muster.incidents.models import Incident
from muster.incidents.packs import pack_of
from muster.places.models import Area, Building, Grid
from muster.places.queries import area as area_with_id
from muster.places.queries import grid as grid_with_id
from muster.places.queries import grid_named, small_grids_below
from muster.situation.buildings import building_page, stairwells
from muster.situation.coverage import coverage_of_area, coverage_of_grid
from muster.situation.missing import missing_page
from muster.storage.scoping import Scope
from muster.sync.pull import round_json
from muster.trail.services import record_disclosures

router = Router(tags=["rounds"], auth=AUTH)
STEPS = {
    "freeze": services.ask_freeze,
    "open": services.open_round,
    "start-closing": services.start_closing,
    "close": services.close_round,
    "reopen": services.reopen_round,
    "certify": certificates.certify_round,
}


class DeskFact(Schema):
    id: uuid.UUID
    kind: str
    subject: dict[str, Any]
    body: dict[str, Any]
    occurred_at: datetime | None = None


class DeskFacts(Schema):
    facts: list[DeskFact]


class RoundIn(Schema):
    campaign: uuid.UUID
    name: str = ""
    opens_at: datetime | None = None
    closes_at: datetime | None = None


class Signing(Schema):
    reservations: str = ""


def full_round_json(round_: Round) -> dict[str, Any]:
    return {
        **round_json(round_), "incident": round_.incident, "area": round_.area, "frozen_at": round_.frozen_at,
        "opened_at": round_.opened_at, "closed_at": round_.closed_at,
    }  # fmt: skip


def watched_round_json(round_: Round, who: Caller) -> dict[str, Any]:
    """One round as its page shows it: also how far freezing is, and which step the caller may take."""
    return {
        **full_round_json(round_),
        "freezing": freeze_progress(round_),
        "steps": round_steps(who, round_),
    }


@router.get("/rounds", operation_id="rounds_list")
@operation("rounds.read")
def list_rounds(request: HttpRequest, status: str = "", campaign: uuid.UUID | None = None) -> dict[str, Any]:
    who, _ = allow(request, "rounds.read")
    rows = Round.objects.select_related("campaign__kind").order_by("-id")
    if status:
        rows = rows.filter(status=status)
    if campaign is not None:
        rows = rows.filter(campaign=campaign)
    visible = [r for r in rows if touches(r, who)]
    return {"items": [full_round_json(r) for r in visible], "next": None, "count": len(visible)}


def touches(round_: Round | Campaign, who: Caller) -> bool:
    """A round or campaign is seen by those whose area it lies in or who work in one of its grids."""
    if any(
        g.area_path and (g.area_path.startswith(round_.area_path) or round_.area_path.startswith(g.area_path))
        for g in who.grants
    ):
        return True
    grids = [g.grid for g in who.grants if g.grid is not None]
    return bool(grids) and Grid.objects.filter(id__in=grids, area__path__startswith=round_.area_path).exists()


def round_in_reach(request: HttpRequest, round_id: uuid.UUID) -> Round:
    round_ = round_with_kind(round_id)
    if not touches(round_, caller(request)):
        raise Refusal("not_found")
    return round_


@router.post("/rounds", operation_id="rounds_plan")
@operation("rounds.run")
def add_round(request: HttpRequest, body: RoundIn) -> dict[str, Any]:
    campaign = Campaign.objects.select_related("kind").filter(id=body.campaign).first()
    if campaign is None:
        raise Refusal("campaign_unknown", campaign=str(body.campaign))
    who, _ = allow(request, "rounds.run", path=campaign.area_path)
    name = body.name.strip()[:120] or f"{campaign.name} {campaign.rounds.count() + 1}"
    return full_round_json(
        services.plan_round(
            campaign, name=name, at=who.at, by=who.user.id, opens_at=body.opens_at, closes_at=body.closes_at
        )
    )


@router.get("/rounds/{round_id}", operation_id="rounds_read")
@operation("rounds.read")
def read_round(request: HttpRequest, round_id: uuid.UUID) -> dict[str, Any]:
    who, _ = allow(request, "rounds.read")
    return watched_round_json(round_in_reach(request, round_id), who)


@router.get("/rounds/{round_id}/coverage", operation_id="rounds_coverage")
@operation("rounds.coverage")
def read_coverage(
    request: HttpRequest, round_id: uuid.UUID, area: int | None = None, grid: int | None = None
) -> dict[str, Any]:
    who, row = allow(request, "rounds.coverage")
    round_ = round_in_reach(request, round_id)
    if grid is not None:
        found = grid_with_id(grid)
        allow(request, "rounds.coverage", grid=found)
        return coverage_of_grid(round_, found, at=who.at)
    place = area_with_id(area if area is not None else round_.area)
    return coverage_of_area(round_, place, scope=who.scope(row), at=who.at)


@router.get("/rounds/{round_id}/missing", operation_id="rounds_missing")
@operation("rounds.missing")
def read_missing(
    request: HttpRequest,
    round_id: uuid.UUID,
    grid: str = "",
    area: int | None = None,
    building: uuid.UUID | None = None,
    cls: str = "",
    cursor: str = "",
    limit: int = 100,
) -> dict[str, Any]:
    who, row = allow(request, "rounds.missing")
    round_ = round_in_reach(request, round_id)
    scope = who.scope(row)
    if grid:
        found = grid_named(grid)
        allow(request, "rounds.missing", grid=found)
        grids = small_grids_below(found)
    else:
        grids = _small_grids(area_with_id(area).path if area is not None else round_.area_path, scope)
    classes = [c for c in cls.split(",") if c] or list(MISSING)
    page = missing_page(
        round_,
        accounts_of_round(round_.id, grids),
        scope=scope,
        pack=pack_of(Incident.objects.get(id=round_.incident)),
        classes=classes,
        building=building,
        cursor=cursor or None,
        limit=max(1, min(limit, 500)),
    )
    record_disclosures(
        [None],
        actor=who.user.id,
        role=who.role_for(row),
        operation="rounds.missing",
        fields="masked",
        at=who.at,
        grid=grids[0] if len(grids) == 1 else None,
        rows=len(page["items"]),
    )
    return page


@router.post("/rounds/{round_id}/facts", operation_id="rounds_record")
@operation("rounds.record")
def record(request: HttpRequest, round_id: uuid.UUID, body: DeskFacts) -> dict[str, Any]:
    """What a desk records is a fact too: same validator, same service, same ledger."""
    who, row = allow(request, "rounds.record")
    round_ = round_in_reach(request, round_id)
    if not 1 <= len(body.facts) <= 500:
        raise Refusal("batch_too_long", most=500, count=len(body.facts))
    scope = who.scope(row)
    grids = (
        None
        if scope.everything
        else frozenset(Grid.objects.filter(scope_condition(scope)).values_list("id", flat=True))
    )
    facts = incoming_from_desk(
        [msgspec.convert(f.dict(), dict) for f in body.facts],
        incident=round_.incident,
        actor=who.user.id,
        at=who.at,
        grids=grids,
    )
    rulings = record_facts(facts, at=who.at)
    return {
        "verdicts": [
            {"id": f.id, "verdict": r.verdict, "code": r.code} for f, r in zip(facts, rulings, strict=True)
        ]
    }


@router.get("/rounds/{round_id}/buildings", operation_id="rounds_buildings")
@operation("rounds.coverage")
def read_buildings(
    request: HttpRequest,
    round_id: uuid.UUID,
    grid: int | None = None,
    area: int | None = None,
    cursor: str = "",
    limit: int = 200,
) -> dict[str, Any]:
    """Building by building, of a grid, an area, or the whole round as far as the caller sees it."""
    who, row = allow(request, "rounds.coverage")
    round_ = round_in_reach(request, round_id)
    scope = who.scope(row)
    if grid is not None:
        found = grid_with_id(grid)
        allow(request, "rounds.coverage", grid=found)
        grids = small_grids_below(found)
    else:
        grids = _small_grids(area_with_id(area).path if area is not None else round_.area_path, scope)
    accounts = accounts_of_round(round_.id, grids)
    return building_page(round_, accounts, scope=scope, cursor=cursor, limit=max(1, min(limit, 500)))


def _small_grids(path: str, scope: Scope) -> list[int]:
    rows = Grid.objects.filter(area__path__startswith=path, level="SMALL").values_list("id", "sub_district")
    return [g for g, sub in rows if scope.allows(sub_district=sub, grid=g)]


@router.get("/buildings/{building_id}/stairwell", operation_id="rounds_stairwell")
@operation("register.list")
def read_stairwell(
    request: HttpRequest, building_id: uuid.UUID, round: uuid.UUID | None = None
) -> dict[str, Any]:
    building = Building.objects.select_related("area").filter(id=building_id).first()
    if building is None:
        raise Refusal("not_found")
    who, row = allow(request, "register.list")
    scope = who.scope(row)
    if not scope.allows(sub_district=building.sub_district, grid=building.grid):
        raise Refusal("not_found")
    return stairwells(building, round_with_kind(round) if round else None, scope=scope)


@router.get("/rounds/{round_id}/grids/{grid_id}/certificate", operation_id="rounds_certificate")
@operation("rounds.certificate")
def read_certificate(request: HttpRequest, round_id: uuid.UUID, grid_id: int) -> dict[str, Any]:
    grid = grid_with_id(grid_id)
    who, _ = allow(request, "rounds.certificate", grid=grid)
    return certificate_json(round_in_reach(request, round_id), grid, who)


@router.post("/rounds/{round_id}/grids/{grid_id}/certificate", operation_id="rounds_certify")
@operation("rounds.certify")
def sign(request: HttpRequest, round_id: uuid.UUID, grid_id: int, body: Signing) -> dict[str, Any]:
    """Signed by the grid's head, also with reservations."""
    grid = grid_with_id(grid_id)
    who, _ = allow(request, "rounds.certify", grid=grid)
    round_ = round_in_reach(request, round_id)
    draft = _draft(round_, grid, who.at)
    before = certificate_in_force(round_.id, grid.id)
    if before is not None and bytes(before.entries_hash) != draft.entries_hash and not draft.obstacles:
        # What was signed is no longer true: the new signature takes its place, the old one stays in sight.
        certificates.withdraw_certificate(before, by=who.user.id, at=who.at)
    certificates.sign_certificate(
        round_,
        grid.id,
        draft=draft,
        by=who.user.id,
        name=who.user.name,
        reservations=body.reservations.strip()[:2000],
        at=who.at,
    )
    return certificate_json(round_, grid, who)


def _draft(round_: Round, grid: Grid, at: datetime) -> certificates.Draft:
    incident = Incident.objects.get(id=round_.incident)
    return certificates.draft_certificate(
        round_,
        grid.id,
        grid_name=grid.name,
        grid_name_en=grid.name_en,
        time_zone=incident.time_zone,
        phone=incident.phone,
        at=at,
    )


def certificate_json(round_: Round, grid: Grid, who: Caller) -> dict[str, Any]:
    signed = certificate_in_force(round_.id, grid.id)
    draft = _draft(round_, grid, who.at)
    area: Area = grid.area
    return {
        "round": {
            "id": round_.id,
            "name": round_.name,
            "status": round_.status,
            "campaign": round_.campaign.name,
        },
        "grid": {
            "id": grid.id,
            "name": grid.name,
            "name_en": grid.name_en,
            "code": grid.code,
            "area": {"name": area.name, "name_en": area.name_en},
        },
        "state": "SIGNED" if signed else "READY" if not draft.obstacles else "NOT_READY",
        "obstacles": list(draft.obstacles),
        "sign": may(why_not(who, "rounds.certify", grid=grid)),
        "text": {
            "zh": signed.text_zh if signed else draft.text_zh,
            "en": signed.text_en if signed else draft.text_en,
        },
        "figures": signed.figures if signed else draft.figures,
        "now": draft.figures,
        "open": draft.figures["open"],
        "unexplained": draft.figures["open"] + draft.figures["unreached"],
        "signed": {
            "by": signed.signed_name,
            "at": signed.signed_at,
            "reservations": signed.reservations,
            "hash": bytes(signed.entries_hash).hex(),
            "signature": bytes(signed.signature).hex(),
        }
        if signed
        else None,
        "still_matches": bool(signed and bytes(signed.entries_hash) == draft.entries_hash),
    }


# Last: a path with a free word in it would answer for those that name theirs.
@router.post("/rounds/{round_id}/{step}", operation_id="rounds_step")
@operation("rounds.run")
def take_step(request: HttpRequest, round_id: uuid.UUID, step: str) -> dict[str, Any]:
    """freeze · open · start-closing · close · reopen · certify."""
    round_ = round_in_reach(request, round_id)
    who, _ = allow(request, "rounds.run", path=round_.area_path)
    act = STEPS.get(step)
    if act is None:
        raise Refusal("not_found")
    return watched_round_json(act(round_, by=who.user.id, at=who.at), who)


def scope_condition(scope: Any) -> Any:
    from django.db.models import Q

    return Q(sub_district__in=scope.sub_districts) | Q(id__in=scope.grids)
