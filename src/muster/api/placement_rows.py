# SPDX-License-Identifier: Apache-2.0
"""Placement as the API shows it: a plan in figures, grids with what they lack, people with their walk."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from muster.base.messages import text
from muster.packs import Pack
from muster.places.models import Area, Grid
from muster.register.names import mask_name
from muster.responders.models import Responder
from muster.responders.placement.duties import heads_of, meeting_places
from muster.responders.placement.models import PlacementGrid, PlacementPlan, PlacementSeat
from muster.responders.placement.states import ADOPTABLE, RETURNABLE

MOST_EXAMPLES = 10
_SHOWN = ("id", "sub_district", "purpose", "name", "skills", "cannot", "status", "affiliation", "unit")


def said(code: str, **facts: object) -> dict[str, Any]:
    """A reason in both languages."""
    return {"code": code, **{lang: text(code, lang, **facts) for lang in ("zh", "en")}}


def plans_json(plans: Sequence[PlacementPlan]) -> list[dict[str, Any]]:
    areas = {a.id: a for a in Area.objects.filter(id__in={plan.area for plan in plans})}
    return [short_json(plan, areas[plan.area]) for plan in plans]


def short_json(plan: PlacementPlan, area: Area) -> dict[str, Any]:
    told = plan.figures or {}
    return {
        "id": plan.id, "state": plan.state, "version": plan.version,
        "area": {"id": area.id, "name": area.name, "name_en": area.name_en},
        "reach_m": plan.reach_m, "seed": plan.seed, "made_at": plan.made_at, "after": plan.after,
        "progress": plan.progress, "adopted_at": plan.adopted_at, "taken_back_at": plan.taken_back_at,
        "problem": _problem(plan), "may_adopt": plan.state in ADOPTABLE,
        "may_take_back": plan.state in RETURNABLE,
        "needed": told.get("needed"), "missing": told.get("missing"), "placed": told.get("placed"),
    }  # fmt: skip


def _problem(plan: PlacementPlan) -> dict[str, Any] | None:
    if not plan.problem:
        return None
    try:
        return said(plan.problem, **plan.facts)
    except LookupError:
        return {"code": plan.problem, "zh": plan.problem, "en": plan.problem}


def plan_json(plan: PlacementPlan, pack: Pack) -> dict[str, Any]:
    """One plan whole: its figures, the worst off, the grids that lack most, why people are in reserve."""
    answer = short_json(plan, Area.objects.get(id=plan.area))
    if plan.figures is None:
        return {**answer, "figures": None, "short": [], "worst": [], "reserve": []}
    told = dict(plan.figures)
    worst, reserve = told.pop("worst"), told.pop("reserve")
    dropped = told.pop("dropped_pins", [])
    people = people_json({uuid.UUID(one["responder"]) for one in [*worst, *dropped]})
    names = grid_names({one["grid"] for one in [*worst, *dropped]})
    rows = PlacementGrid.objects.filter(plan=plan, missing__gt=0).order_by("-missing", "number")
    return {
        **answer,
        "figures": told,
        "objective": plan.objective, "bound": plan.bound, "digest": plan.digest,
        "short": grids_json(rows[:MOST_EXAMPLES], pack),
        "short_count": rows.count(),
        "worst": [
            {
                "responder": people.get(one["responder"]), "grid": names.get(one["grid"]),
                "walk_m": one["walk_m"],
            }
            for one in worst
        ],
        "reserve": [{"count": count, **said(code)} for code, count in sorted(reserve.items())],
        "dropped_pins": [
            {"responder": people.get(one["responder"]), "grid": names.get(one["grid"])} for one in dropped
        ],
        "wishes": {name: len(part) for name, part in plan.wishes.items()},
        "posts": posts_json(pack),
    }  # fmt: skip


def posts_json(pack: Pack) -> list[dict[str, Any]]:
    """The posts that a plan fills, in the pack's order and words."""
    words = {post.type: post for post in pack.posts}
    return [
        {
            "type": line.post, "skills": list(line.skills), "strains": list(line.strains),
            "name": {"zh": words[line.post].name.zh, "en": words[line.post].name.en},
            "duty": {"zh": words[line.post].duty.zh, "en": words[line.post].duty.en},
        }
        for line in pack.staffing
    ]  # fmt: skip


def grids_json(rows: Collection[PlacementGrid], pack: Pack) -> list[dict[str, Any]]:
    names = grid_names({row.grid for row in rows})
    order = [line.post for line in pack.staffing]
    return [
        {
            "id": row.grid, "grid": names.get(row.grid), "needed": row.needed, "placed": row.placed,
            "today": row.today, "missing": row.missing, "walk_m": row.walk_m,
            "lines": [_line(post, row.lines[post]) for post in sorted(row.lines, key=_rank(order))],
        }
        for row in rows
    ]  # fmt: skip


def _rank(order: Sequence[str]) -> Any:
    return lambda post: (order.index(post) if post in order else len(order), post)


def _line(post: str, line: Sequence[Any]) -> dict[str, Any]:
    need, placed, held, reason, holders, within = line
    return {
        "post": post, "need": need, "placed": placed, "held": held,
        "missing": max(0, need - placed - held),
        "reason": said(reason, holders=holders, within=within) if reason else None,
    }  # fmt: skip


def grid_names(ids: Collection[int | None]) -> dict[int | None, dict[str, Any]]:
    rows = Grid.objects.filter(id__in=[i for i in ids if i is not None])
    return {
        row.id: {"id": row.id, "name": row.name, "name_en": row.name_en, "centre": _centre(row)}
        for row in rows
    }


def _centre(grid: Grid) -> list[float] | None:
    return None if grid.lon is None or grid.lat is None else [grid.lon, grid.lat]


def people_json(ids: Collection[uuid.UUID]) -> dict[str, dict[str, Any]]:
    """Responders by id, their names masked."""
    rows = Responder.objects.across(reason="placement").filter(id__in=ids)
    return {
        str(row.id): {
            "id": row.id, "name": mask_name(row.name), "skills": row.skills, "status": row.status,
            "cannot": row.cannot, "affiliation": row.affiliation, "unit": row.unit,
        }
        for row in rows.only(*_SHOWN)
    }  # fmt: skip


def sheet_json(rows: Sequence[PlacementSeat], pack: Pack) -> dict[str, Any]:
    """Lines for paper, in the order of the grids; each grid with its head and where it meets."""
    ids = {row.responder for row in rows}
    people = Responder.objects.across(reason="placement").filter(id__in=ids)
    names = {one.id: one.name or "" for one in people.only("id", "sub_district", "purpose", "name")}
    grids = {row.grid for row in rows if row.grid is not None}
    meets, heads = meeting_places(grids), heads_of(grids)
    told = grid_names(grids)
    return {
        "items": [
            {"grid": row.grid, "post": row.post, "name": names.get(row.responder, ""), "walk_m": row.walk_m}
            for row in rows
        ],
        "grids": [
            {
                **told[grid], "meet": meets.get(grid, ""),
                "head": heads[grid].holder_name if grid in heads else "",
                "phone": heads[grid].phone if grid in heads else "",
            }
            for grid in sorted(grids) if grid in told
        ],
        "posts": posts_json(pack),
    }  # fmt: skip


def seats_json(rows: Sequence[PlacementSeat], wishes: Mapping[str, Any]) -> list[dict[str, Any]]:
    people = people_json({row.responder for row in rows})
    names = grid_names({g for row in rows for g in (row.grid, row.old_grid, row.home_grid)})
    bars = wishes.get("bars", [])
    out = set(wishes.get("out", []))
    return [
        {
            "id": row.id, "number": row.number, "responder": people.get(str(row.responder)),
            "grid": names.get(row.grid), "post": row.post, "walk_m": row.walk_m,
            "home": names.get(row.home_grid), "today": names.get(row.old_grid), "today_post": row.old_post,
            "is_new": row.old_grid is None, "moves": row.old_grid is not None and row.old_grid != row.grid,
            "pinned": row.pinned, "left_out": str(row.responder) in out,
            "barred": [grid for who, grid in bars if who == str(row.responder)],
            "state": row.state, "reason": said(row.reason) if row.reason else None,
        }
        for row in rows
    ]  # fmt: skip
