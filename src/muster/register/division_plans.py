# SPDX-License-Identifier: Apache-2.0
"""The life of a division plan: queued at a desk, solved in a child process, changed by hand, adopted."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from muster.base.errors import Refusal
from muster.places.models import Area, Building, Grid
from muster.places.states import GridLevel, GridStatus
from muster.register.models import DivisionPlan, Person
from muster.register.plan_models import PlanState
from muster.register.plans import DEFAULT_SIZES, Proposal, ProposedGrid, propose_division, redraw
from muster.trail.services import record_event

MEASURES = frozenset({"population", "workload"})


def queue_plan(
    area: Area, *, targets: Mapping[str, int], measure: str, by: uuid.UUID, at: datetime, seed: int = 0
) -> DivisionPlan:
    """Raises Refusal division_size_bad, division_measure_unknown."""
    sizes = {**DEFAULT_SIZES, **{k: v for k, v in targets.items() if k in DEFAULT_SIZES}}
    if not 0 < sizes["small"] <= sizes["medium"] <= sizes["large"] <= 10_000_000:
        raise Refusal("division_size_bad", **sizes)
    if measure not in MEASURES:
        raise Refusal("division_measure_unknown", measure=measure)
    return DivisionPlan.objects.create(
        area=area.id,
        area_path=area.path,
        targets=sizes,
        measure=measure,
        seed=seed,
        made_by=by,
        made_at=at,
        based_on=grids_in_force(area),
    )


def grids_in_force(area: Area) -> list[int]:
    rows = Grid.objects.filter(area__path__startswith=area.path, status=GridStatus.ACTIVE)
    return sorted(rows.values_list("id", flat=True))


def next_queued() -> DivisionPlan | None:
    return DivisionPlan.objects.filter(state=PlanState.QUEUED).order_by("made_at").first()


def queue_left_behind() -> int:
    """Plans whose process is gone begin anew. Called by the only worker, before it starts any."""
    return DivisionPlan.objects.filter(state=PlanState.RUNNING).update(state=PlanState.QUEUED, progress=None)


def solve_plan(plan_id: uuid.UUID) -> DivisionPlan:
    """Solves a queued plan here; called in a child that may be killed."""
    plan = DivisionPlan.objects.get(id=plan_id)
    DivisionPlan.objects.filter(id=plan_id).update(state=PlanState.RUNNING, progress={"done": 0, "total": 1})
    area = Area.objects.get(id=plan.area)

    def show(step: Any) -> None:
        DivisionPlan.objects.filter(id=plan_id).update(
            progress={"done": step.done, "total": step.total, "stage": step.stage}
        )

    try:
        proposal = propose_division(
            area, sizes=plan.targets, measure=plan.measure, seed=plan.seed, progress=show
        )
    except Refusal as refusal:
        fail_plan(plan_id, refusal.code)
        return DivisionPlan.objects.get(id=plan_id)
    DivisionPlan.objects.filter(id=plan_id).update(
        state=PlanState.READY, proposal=proposal_json(proposal), progress=None
    )
    return DivisionPlan.objects.get(id=plan_id)


def fail_plan(plan_id: uuid.UUID, problem: str) -> None:
    DivisionPlan.objects.filter(id=plan_id).exclude(state=PlanState.READY).update(
        state=PlanState.FAILED, problem=problem[:240]
    )


def move_building(plan: DivisionPlan, building: uuid.UUID, to: str) -> DivisionPlan:
    """A person puts a building into another small grid of the proposal.

    Raises:
        Refusal: "plan_not_ready", "building_unknown", "grid_unknown", "building_other_area".
    """
    if plan.state != PlanState.READY:
        raise Refusal("plan_not_ready", state=plan.state)
    proposal = proposal_of(plan)
    if building not in proposal.small_of:
        raise Refusal("building_unknown", building=str(building))
    if to not in {g.key for g in proposal.grids if g.level == GridLevel.SMALL}:
        raise Refusal("grid_unknown", grid=to)
    old = proposal.small_of[building]
    if sum(1 for key in proposal.small_of.values() if key == old) == 1 and old != to:
        raise Refusal("grid_would_be_empty", grid=old)
    proposal.small_of[building] = to
    plan.proposal = proposal_json(redraw(Area.objects.get(id=plan.area), proposal, plan.measure))
    plan.save(update_fields=["proposal"])
    return plan


def buildings_of(plan: DivisionPlan, small_of: Mapping[str, str]) -> list[dict[str, Any]]:
    """The buildings of a plan with address, people and the small grid they stand in, by street and walk."""
    living = Person.objects.across(reason="count").filter(
        dwelling__building__area__path__startswith=plan.area_path, lives_here=True, left_at__isnull=True
    )
    people = Counter(living.values_list("dwelling__building_id", flat=True))
    rows = Building.objects.filter(area__path__startswith=plan.area_path).select_related("compound")
    return [
        {
            "id": b.id,
            "name": b.name,
            "street": b.street,
            "compound": b.compound.name if b.compound else "",
            "grid": small_of[str(b.id)],
            "people": people[b.id],
        }
        for b in rows.order_by("street", "walk_order", "code")
        if str(b.id) in small_of
    ]


def demand_adoptable(plan: DivisionPlan) -> None:
    """A plan is adopted once, and only while the grids it was made for are still in force."""
    if plan.state != PlanState.READY:
        raise Refusal("plan_not_ready", state=plan.state)
    if grids_in_force(Area.objects.get(id=plan.area)) != plan.based_on:
        raise Refusal("plan_changed_meanwhile")


def mark_adopted(plan: DivisionPlan, *, by: uuid.UUID, at: datetime) -> None:
    with transaction.atomic():
        changed = DivisionPlan.objects.filter(id=plan.id, state=PlanState.READY).update(
            state=PlanState.ADOPTED, adopted_at=at, adopted_by=by
        )
        if not changed:
            raise Refusal("plan_changed_meanwhile")
        record_event("DivisionPlan", plan.id, "adopt", at=at, actor=by, area=plan.area)


def proposal_json(proposal: Proposal) -> dict[str, Any]:
    return {
        "grids": [
            {
                "key": g.key,
                "level": g.level,
                "parent": g.parent,
                "name": g.name,
                "name_en": g.name_en,
                "people": g.people,
                "buildings": g.buildings,
                "geometry": g.geometry,
                "lon": g.lon,
                "lat": g.lat,
            }
            for g in proposal.grids
        ],
        "small_of": {str(b): key for b, key in proposal.small_of.items()},
        "walk": {str(b): n for b, n in proposal.walk.items()},
        "worst_ppm": proposal.worst_ppm,
        "bound_ppm": proposal.bound_ppm,
        "moved_people": proposal.moved_people,
        "reasons": proposal.reasons,
    }


def proposal_of(plan: DivisionPlan) -> Proposal:
    raw = plan.proposal
    if raw is None:
        raise Refusal("plan_not_ready", state=plan.state)
    return Proposal(
        [ProposedGrid(**g) for g in raw["grids"]],
        {uuid.UUID(b): key for b, key in raw["small_of"].items()},
        {uuid.UUID(b): n for b, n in raw["walk"].items()},
        raw["worst_ppm"],
        raw["bound_ppm"],
        raw["moved_people"],
        raw["reasons"],
    )


def figures_of(weights_by_level: Mapping[str, list[int]]) -> dict[str, Any]:
    """How even a division is, level by level."""
    levels = []
    for level in (GridLevel.SMALL, GridLevel.MEDIUM, GridLevel.LARGE):
        weights = weights_by_level.get(level, [])
        if weights:
            mean = sum(weights) / len(weights)
            spread = max(abs(w - mean) for w in weights) / mean if mean else 0.0
            levels.append(
                {
                    "level": level,
                    "grids": len(weights),
                    "smallest": min(weights),
                    "mean": round(mean, 1),
                    "largest": max(weights),
                    "spread": round(spread, 4),
                }
            )
    return {
        "levels": levels,
        "cut_lines": 0,
        "loose_buildings": 0,
        "populations": sorted(weights_by_level.get(GridLevel.SMALL, [])),
    }


def today_figures(area_path: str) -> dict[str, Any] | None:
    """Today's grids, by the people who live in them."""
    grids = {g.id: g for g in Grid.objects.filter(area__path__startswith=area_path, status=GridStatus.ACTIVE)}
    if not grids:
        return None
    living = Person.objects.across(reason="count").filter(
        grid__in=list(grids), lives_here=True, left_at__isnull=True
    )
    people = Counter(living.values_list("grid", flat=True))
    weights: dict[str, list[int]] = {}
    for g in grids.values():
        if g.level == GridLevel.SMALL:
            weights.setdefault(g.level, []).append(people[g.id])
    for level in (GridLevel.MEDIUM, GridLevel.LARGE):
        above = Counter[int]()
        for g in grids.values():
            if g.level == GridLevel.SMALL:
                holder = _holder(g, level, grids)
                if holder is not None:
                    above[holder] += people[g.id]
        if above:
            weights[level] = list(above.values())
    return figures_of(weights)


def _holder(grid: Grid, level: str, grids: Mapping[int, Grid]) -> int | None:
    step = grids.get(grid.parent_id or 0)
    while step is not None:
        if step.level == level:
            return step.id
        step = grids.get(step.parent_id or 0)
    return None
