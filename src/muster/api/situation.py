# SPDX-License-Identifier: Apache-2.0
"""Map layers, inbox, live snapshot."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from muster.accounts.policy import row_for
from muster.api.auth import AUTH, Caller, allow, operation
from muster.api.reinforcement_rows import paths_of
from muster.api.rounds import round_in_reach
from muster.base.errors import Refusal
from muster.base.messages import text
from muster.campaigns.queries import round_with_kind
from muster.incidents.services import current_incident
from muster.places.models import Grid
from muster.places.queries import area as area_with_id
from muster.places.queries import grid as grid_with_id
from muster.places.queries import small_grids_below
from muster.situation.inbox import inbox_items
from muster.situation.live import live_path, snapshot
from muster.situation.map_layers import base_layer, building_layer, grid_layer
from muster.situation.serving_inbox import (
    offers_to_look_at,
    orders_to_approve,
    people_asked_for,
    people_over_hours,
    people_to_tell,
    teams_that_do_not_answer,
)
from muster.situation.watch_inbox import looks_over_budget, records_that_differ
from muster.storage.scoping import Scope

router = Router(tags=["situation"], auth=AUTH)


@router.get("/map/base.geojson", operation_id="map_base")
@operation("map.read")
def base(request: HttpRequest, area: int | None = None) -> dict[str, Any]:
    allow(request, "map.read")
    return base_layer(area_with_id(area) if area is not None else None)


@router.get("/map/grids.geojson", operation_id="map_grids")
@operation("map.read")
def grids(
    request: HttpRequest, area: int | None = None, level: str = "SMALL", round: uuid.UUID | None = None
) -> dict[str, Any]:
    who, row = allow(request, "map.read")
    place = area_with_id(area) if area is not None else None
    return grid_layer(place, level, round_with_kind(round) if round else None, scope=who.scope(row))


@router.get("/map/buildings.geojson", operation_id="map_buildings")
@operation("map.read")
def buildings(
    request: HttpRequest, grid: int | None = None, area: int | None = None, round: uuid.UUID | None = None
) -> dict[str, Any]:
    who, row = allow(request, "map.read")
    scope = who.scope(row)
    if grid is not None:
        found = grid_with_id(grid)
        allow(request, "map.read", grid=found)
        chosen = list(Grid.objects.filter(id__in=small_grids_below(found)))
    elif area is not None:
        rows = Grid.objects.filter(
            area__path__startswith=area_with_id(area).path, level="SMALL", status="ACTIVE"
        )
        chosen = [g for g in rows if scope.allows(sub_district=g.sub_district, grid=g.id)]
    else:
        raise Refusal("say_grid_or_area")
    return building_layer(chosen, round_with_kind(round) if round else None, scope=scope)


@router.get("/inbox", operation_id="inbox")
@operation("inbox")
def inbox(request: HttpRequest) -> dict[str, Any]:
    who, row = allow(request, "inbox")
    judges = scope_for(who, "duplicates.judge")
    items = [*_watched(who), *inbox_items(who.scope(row), at=who.at, judges=judges), *_serving(who)]
    for one in items:
        one["title"] = {lang: text(f"inbox_{one['kind']}", lang, **_told(one, lang)) for lang in ("zh", "en")}
        one["action"] = {
            "code": one["action"],
            **{lang: text(f"action_{one['action']}", lang) for lang in ("zh", "en")},
        }
    return {"items": items, "next": None, "count": len(items)}


def _watched(who: Caller) -> list[dict[str, Any]]:
    """Alarms, each where the caller may look into it."""
    looks, phones = scope_for(who, "register.disclosures"), scope_for(who, "devices.list")
    return [
        *(looks_over_budget(looks, reader=who.user.id, at=who.at) if looks is not None else []),
        *(records_that_differ(phones, at=who.at) if phones is not None else []),
    ]


def _serving(who: Caller) -> list[dict[str, Any]]:
    """What waits about people who serve and what is given, each where the caller may do it."""
    incident = current_incident(who.at)
    if incident is None:
        return []
    told: dict[str, Any] = {"incident": incident.id, "at": who.at}
    hours, offers = scope_for(who, "hours.relieve"), scope_for(who, "offers.vet")
    problems, tells = scope_for(who, "requests.work"), scope_for(who, "placement.tell")
    return [
        *orders_to_approve(_paths_for(who, "reinforcement.approve"), user=who.user.id, **told),
        *people_asked_for(_paths_for(who, "reinforcement.fill"), **told),
        *(people_over_hours(hours, **told) if hours is not None else []),
        *(people_to_tell(tells, **told) if tells is not None else []),
        *(offers_to_look_at(offers, **told) if offers is not None else []),
        *(teams_that_do_not_answer(problems, **told) if problems is not None else []),
    ]


def _paths_for(who: Caller, name: str) -> list[str]:
    try:
        return paths_of(who, row_for(name, who.roles))
    except Refusal:
        return []


def scope_for(who: Caller, name: str) -> Scope | None:
    """Where the caller may do this; None where the table gives him no row."""
    try:
        return who.scope(row_for(name, who.roles))
    except Refusal:
        return None


def _told(item: dict[str, Any], lang: str) -> dict[str, Any]:
    facts = {k: v[lang] if isinstance(v, dict) else v for k, v in item["facts"].items()}
    return {**facts, "count": item["count"] or 0}


@router.get("/live/{round_id}.json", operation_id="live")
@operation("live")
def live(request: HttpRequest, round_id: uuid.UUID) -> HttpResponse:
    """The snapshot of a round; 304 while nothing changed."""
    who, row = allow(request, "live")
    round_ = round_in_reach(request, round_id)
    path = live_path(round_id)
    content = (
        path.read_bytes() if path.exists() else json.dumps(snapshot(round_, at=who.at), default=str).encode()
    )
    scope = who.scope(row)
    if not scope.everything:
        content = _cut(content, scope)
    tag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    if request.headers.get("If-None-Match") == tag:
        return HttpResponse(status=304, headers={"ETag": tag})
    return HttpResponse(
        content, content_type="application/json", headers={"ETag": tag, "Cache-Control": "private, no-cache"}
    )


def _cut(content: bytes, scope: Scope) -> bytes:
    """Only the grids of the caller's scope; the total stays, it is a published figure."""
    raw = json.loads(content)
    homes = dict(Grid.objects.filter(id__in=[int(g) for g in raw["grids"]]).values_list("id", "sub_district"))
    raw["grids"] = {
        g: row for g, row in raw["grids"].items() if scope.allows(sub_district=homes.get(int(g)), grid=int(g))
    }
    return json.dumps(raw).encode()
