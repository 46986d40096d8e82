# SPDX-License-Identifier: Apache-2.0
"""Requests as the API shows them: what a caller sees, one of them, cards of the queue, people beside them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse

from muster.accounts.policy import Row
from muster.api.auth import Caller, allow
from muster.base.errors import Refusal
from muster.places.models import Area, Dwelling, Grid
from muster.places.queries import sub_districts_of_grids
from muster.register.names import mask_name
from muster.register.phones import mask_phone
from muster.requests.models import Request
from muster.requests.queries import seen_by
from muster.requests.states import ENDED, WAITING, RequestStatus
from muster.responders.models import Responder


def in_sight(request: HttpRequest, name: str) -> tuple[Caller, Any]:
    who, row = allow(request, name)
    scope = who.scope(row)
    near = set(sub_districts_of_grids(scope.grids).values()) if scope.grids else set()
    return who, seen_by(scope, near=near, areas=_areas(who, row))


def _areas(who: Caller, row: Row) -> Any:
    """The areas of the grants that a policy row asks for, and all below; read inside the query itself."""
    paths = {g.area_path for g in who.grants if g.area_path and ("*" in row.roles or g.role in row.roles)}
    below = [Q(path__startswith=path) for path in sorted(paths)]
    return Area.objects.filter(reduce(or_, below)).values("id") if below else ()


def one_in_sight(request: HttpRequest, name: str, request_id: uuid.UUID) -> tuple[Caller, Request]:
    """Raises Refusal("not_found") for what lies out of sight."""
    who, rows = in_sight(request, name)
    found = rows.filter(id=request_id).first()
    if found is None:
        raise Refusal("not_found")
    return who, found


def person_json(one: Responder | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "id": one.id, "name": one.name or "", "phone": mask_phone(one.phone) if one.phone else None,
        "skills": one.skills, "open_jobs": one.open_jobs, "most_jobs": one.most_jobs, "status": one.status,
    }  # fmt: skip


def picture_answer(shown: bytes) -> HttpResponse:
    """A picture for the eyes of who asked: kept by no browser, shown as nothing but a picture."""
    answer = HttpResponse(shown, content_type="image/jpeg")
    answer["Cache-Control"] = "no-store"
    answer["Content-Disposition"] = "inline"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def card(row: Request, who: Caller) -> dict[str, Any]:
    return cards([row], who)[0]


def cards(rows: Sequence[Request], who: Caller) -> list[dict[str, Any]]:
    """Cards of the queue: what, where, by when; who asked is masked."""
    doors = dict(
        Dwelling.objects.across(reason="requests")
        .filter(id__in={row.dwelling for row in rows if row.dwelling})
        .values_list("id", "label")
    )
    grids = {g.id: g for g in Grid.objects.filter(id__in={row.grid for row in rows if row.grid})}
    return [_shown(row, who, doors.get(row.dwelling, ""), grids.get(row.grid or 0)) for row in rows]


def _shown(row: Request, who: Caller, door: str, grid: Grid | None) -> dict[str, Any]:
    waits = row.status in WAITING and row.respond_by < who.at
    runs = row.status not in ENDED and row.status != RequestStatus.DONE and row.finish_by < who.at
    return {
        "id": row.id, "number": row.number, "category": row.category, "urgency": row.urgency,
        "status": row.status, "channel": row.channel, "language": row.language, "made_at": row.made_at,
        "respond_by": row.respond_by, "finish_by": row.finish_by, "done_at": row.done_at,
        "is_late": waits or runs,
        "grid": {"id": grid.id, "name": grid.name, "name_en": grid.name_en} if grid else None,
        "dwelling": row.dwelling, "door": door, "lon": row.lon, "lat": row.lat,
        "name": mask_name(row.name) if row.name else "",
        "phone": mask_phone(row.phone) if row.phone else None,
        "for_relative": row.for_relative, "repeats": row.repeats, "reopened": row.reopened,
        "escalation": row.escalation, "is_spam": row.is_spam, "needs_skill": row.needs_skill,
        "held_by_area": row.held_by_area, "solved": row.solved, "version": row.version,
    }  # fmt: skip
