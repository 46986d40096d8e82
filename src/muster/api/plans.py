# SPDX-License-Identifier: Apache-2.0
"""Plans: divide an area into grids; look, move a building, adopt."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from muster.api.auth import AUTH, allow, operation
from muster.base.errors import Refusal
from muster.base.messages import text
from muster.base.terms import term
from muster.flows.regrid import Division, NewGrid, adopt_division
from muster.places.models import Area
from muster.places.queries import area as area_with_id
from muster.register import division_plans
from muster.register.models import DivisionPlan
from muster.register.plan_models import PlanState
from muster.situation.map_layers import collection, feature

router = Router(tags=["plans"], auth=AUTH)


class DivisionIn(Schema):
    area: int
    targets: dict[str, int] = {}
    measure: str = "population"
    seed: int = 0


class MoveIn(Schema):
    building: uuid.UUID
    to: str


@router.get("/plans", operation_id="plans_list")
@operation("plans.districting")
def list_plans(request: HttpRequest, area: int | None = None) -> dict[str, Any]:
    who, _ = allow(request, "plans.districting")
    rows = DivisionPlan.objects.order_by("-made_at").defer("proposal")
    if area is not None:
        rows = rows.filter(area_path__startswith=area_with_id(area).path)
    mine = [g.area_path for g in who.grants if g.area_path]
    items = [_short(p) for p in rows[:100] if any(p.area_path.startswith(path) for path in mine)]
    return {"items": items, "next": None, "count": len(items)}


def _short(plan: DivisionPlan) -> dict[str, Any]:
    area = Area.objects.get(id=plan.area)
    return {
        "id": plan.id,
        "state": plan.state,
        "area": {"id": area.id, "name": area.name, "name_en": area.name_en},
        "progress": plan.progress,
        "targets": plan.targets,
        "measure": plan.measure,
        "made_at": plan.made_at,
        "adopted_at": plan.adopted_at,
        "problem": plan.problem or None,
        "proposal": None,
        "today": None,
        "reasons": [],
        "gap": None,
    }


@router.post("/plans/districting", operation_id="plans_districting")
@operation("plans.districting")
def start_plan(request: HttpRequest, body: DivisionIn) -> dict[str, Any]:
    """Queues the plan; the worker solves it in a child process."""
    area = area_with_id(body.area)
    who, _ = allow(request, "plans.districting", path=area.path)
    plan = division_plans.queue_plan(
        area, targets=body.targets, measure=body.measure, by=who.user.id, at=who.at, seed=body.seed
    )
    return {"id": plan.id, "state": plan.state}


def _plan(request: HttpRequest, plan_id: uuid.UUID, name: str = "plans.districting") -> DivisionPlan:
    plan = DivisionPlan.objects.filter(id=plan_id).first()
    if plan is None:
        raise Refusal("not_found")
    allow(request, name, path=plan.area_path)
    return plan


@router.get("/plans/{plan_id}", operation_id="plans_read")
@operation("plans.districting")
def read_plan(request: HttpRequest, plan_id: uuid.UUID) -> dict[str, Any]:
    return plan_json(_plan(request, plan_id))


def plan_json(plan: DivisionPlan) -> dict[str, Any]:
    answer = _short(plan)
    if plan.proposal is None:
        return answer
    weights: dict[str, list[int]] = {}
    for g in plan.proposal["grids"]:
        weights.setdefault(g["level"], []).append(g["people"])
    worst, bound = plan.proposal["worst_ppm"], plan.proposal["bound_ppm"]
    return {
        **answer,
        "proposal": division_plans.figures_of(weights),
        "today": division_plans.today_figures(plan.area_path),
        "grids": [
            {k: g[k] for k in ("key", "level", "parent", "name", "name_en", "people", "buildings")}
            for g in plan.proposal["grids"]
        ],
        "worst": worst / 1_000_000,
        "bound": bound / 1_000_000,
        "gap": max(0, worst - bound) / 1_000_000,
        "moved_people": plan.proposal["moved_people"],
        "reasons": [reason_in_words(r) for r in plan.proposal["reasons"]],
    }


def reason_in_words(reason: dict[str, Any]) -> dict[str, Any]:
    """A reason's sentence in both languages; its code where it has none."""
    told: dict[str, Any] = {"code": reason["code"], "facts": reason["facts"]}
    for lang in ("zh", "en"):
        facts = dict(reason["facts"])
        try:
            if "level" in facts:
                facts["level"] = term(f"grid_level_{str(facts['level']).lower()}", lang)
            told[lang] = text(reason["code"], lang, **facts)
        except (LookupError, KeyError):
            told[lang] = reason["code"]
    return told


@router.get("/plans/{plan_id}/grids.geojson", operation_id="plans_grids")
@operation("plans.districting")
def plan_map(request: HttpRequest, plan_id: uuid.UUID, level: str = "SMALL") -> dict[str, Any]:
    plan = _plan(request, plan_id)
    grids = plan.proposal["grids"] if plan.proposal else []
    return collection(
        {
            **feature(
                g["geometry"],
                id=number,
                key=g["key"],
                name=g["name"],
                name_en=g["name_en"],
                total=g["people"],
                people=g["people"],
                centre=[g["lon"], g["lat"]],
            ),
            "id": number,
        }
        for number, g in enumerate(g for g in grids if g["level"] == level)
    )


@router.get("/plans/{plan_id}/buildings", operation_id="plans_buildings")
@operation("plans.districting")
def plan_buildings(request: HttpRequest, plan_id: uuid.UUID) -> dict[str, Any]:
    """building -> key of its small grid in the proposal; and the buildings with their people, to find one by
    address.
    """
    plan = _plan(request, plan_id)
    small_of: dict[str, str] = plan.proposal["small_of"] if plan.proposal else {}
    return {"small_of": small_of, "items": division_plans.buildings_of(plan, small_of)}


@router.post("/plans/{plan_id}/move", operation_id="plans_move")
@operation("plans.districting")
def move(request: HttpRequest, plan_id: uuid.UUID, body: MoveIn) -> dict[str, Any]:
    plan = _plan(request, plan_id)
    to = body.to
    if to.isdigit() and plan.proposal:
        small = [g["key"] for g in plan.proposal["grids"] if g["level"] == "SMALL"]
        to = small[int(to)] if int(to) < len(small) else to
    return plan_json(division_plans.move_building(plan, body.building, to))


@router.post("/plans/{plan_id}/adopt", operation_id="plans_adopt")
@operation("plans.adopt")
def adopt(request: HttpRequest, plan_id: uuid.UUID) -> dict[str, Any]:
    """Brings the proposal into force, also in the middle of a round: totals stay."""
    plan = _plan(request, plan_id, "plans.adopt")
    who, _ = allow(request, "plans.adopt", path=plan.area_path)
    division_plans.demand_adoptable(plan)
    proposal = division_plans.proposal_of(plan)
    grids = [
        NewGrid(g.key, g.level, g.parent, g.name, g.name_en, g.geometry, g.lon, g.lat) for g in proposal.grids
    ]
    moved = adopt_division(
        area_with_id(plan.area), Division(grids, proposal.small_of, proposal.walk), by=who.user.id, at=who.at
    )
    division_plans.mark_adopted(plan, by=who.user.id, at=who.at)
    return {
        "state": PlanState.ADOPTED,
        "buildings": moved.buildings,
        "doors": moved.doors,
        "persons": moved.persons,
        "made": moved.made,
        "retired": moved.retired,
    }
