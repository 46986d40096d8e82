# SPDX-License-Identifier: Apache-2.0
"""Hours at the desk (服务时长): who has served how long, who is over, and relief by one act."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import F
from django.http import HttpRequest
from ninja import Router, Schema

from muster.api.auth import AUTH, Caller, allow, language, operation
from muster.api.reinforcement import incident_now
from muster.base.errors import Refusal
from muster.base.messages import text
from muster.flows.relieving import relieve
from muster.places.models import Grid
from muster.register.names import mask_name
from muster.responders.duty import minutes_served
from muster.responders.hours import (
    LONGEST_MINUTES,
    SOON_MINUTES,
    minutes_of_duty,
    reliefs_for,
)
from muster.responders.models import Responder
from muster.responders.sight import seen_by
from muster.responders.states import SERVING, ResponderStatus

router = Router(tags=["people"], auth=AUTH)
MOST = 500
MOST_RELIEFS = 2_000


class Relief(Schema):
    relief: uuid.UUID | None = None


def _in_sight(request: HttpRequest, name: str) -> tuple[Caller, Any]:
    who, row = allow(request, name)
    return who, seen_by(who.scope(row), incident=incident_now(who))


@router.get("/hours", operation_id="hours_list")
@operation("hours.list")
def list_hours(request: HttpRequest, show: str = "on_duty", limit: int = 200) -> dict[str, Any]:
    """Who serves, longest first. show: on_duty, over (only who should be relieved), all who have a place."""
    who, rows = _in_sight(request, "hours.list")
    rows = rows.filter(status__in=SERVING) if show == "all" else rows.filter(status=ResponderStatus.ON_DUTY)
    people = list(
        rows.defer("phone", "branch", "limits", "home_text").order_by(
            F("on_duty_since").asc(nulls_last=True), "id"
        )[:MOST_RELIEFS]
    )
    told = [(minutes_of_duty(one, at=who.at), one) for one in people]
    over = sum(1 for minutes, _ in told if minutes >= LONGEST_MINUTES)
    if show == "over":
        told = [pair for pair in told if pair[0] >= LONGEST_MINUTES]
    told.sort(key=lambda pair: (-pair[0], pair[1].id))
    shown = told[: max(1, min(limit, MOST))]
    reliefs = _reliefs(who, [one for minutes, one in shown if minutes >= SOON_MINUTES])
    grids = _grids({one.grid for _, one in shown})
    lang = language(request, who.user)
    return {
        "as_of": who.at, "limit_minutes": LONGEST_MINUTES, "over": over,
        "items": [
            {
                **_person(one), "grid": grids.get(one.grid), "status": one.status,
                "on_duty_since": one.on_duty_since, "minutes": minutes,
                "minutes_served": minutes_served(one, at=who.at), "open_jobs": one.open_jobs,
                "is_over": minutes >= LONGEST_MINUTES, "is_soon": minutes >= SOON_MINUTES,
                "reliefs": [
                    {
                        **_person(found.responder), "status": found.responder.status,
                        "reasons": [{"code": code, "text": text(code, lang)} for code in found.reasons],
                    }
                    for found in reliefs.get(one.id, [])
                ],
            }
            for minutes, one in shown
        ],
        "next": None, "count": len(told),
    }  # fmt: skip


def _person(one: Responder) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": mask_name(one.name) if one.name else "",
        "skills": one.skills,
        "unit": one.unit,
    }


def _grids(ids: set[int | None]) -> dict[int | None, dict[str, Any]]:
    rows = Grid.objects.filter(id__in=[one for one in ids if one is not None])
    return {
        one.id: {"id": one.id, "name": one.name, "name_en": one.name_en or one.name}
        for one in rows.only("id", "name", "name_en")
    }


def _reliefs(who: Caller, weary: list[Responder]) -> dict[uuid.UUID, Any]:
    """Suggestions for each, from those of the same sub-districts who stand by or have a place."""
    if not weary:
        return {}
    rows = Responder.objects.across(reason="dispatch").filter(
        incident=weary[0].incident, sub_district__in={one.sub_district for one in weary},
        status__in=[ResponderStatus.STANDBY, ResponderStatus.ASSIGNED],
    )  # fmt: skip
    people = list(rows.defer("phone", "branch", "limits", "home_text").order_by("id")[:MOST_RELIEFS])
    homes: dict[int, list[Responder]] = {}
    for one in people:
        homes.setdefault(one.sub_district, []).append(one)
    return {one.id: reliefs_for(one, homes.get(one.sub_district, []), at=who.at) for one in weary}


@router.post("/hours/{responder}/relieve", operation_id="hours_relieve")
@operation("hours.relieve")
def relieve_one(request: HttpRequest, responder: uuid.UUID, body: Relief) -> dict[str, Any]:
    """He rests; what he was asked goes to others, his relief takes over where one is named."""
    who, rows = _in_sight(request, "hours.relieve")
    row = rows.filter(id=responder).first()
    if row is None:
        raise Refusal("not_found")
    relief = None
    if body.relief is not None:
        relief = (
            Responder.objects.across(reason="dispatch")
            .filter(id=body.relief, incident=row.incident, sub_district=row.sub_district)
            .first()
        )
        if relief is None:
            raise Refusal("relief_not_free")
    done = relieve(row, relief=relief, by=who.user.id, at=who.at)
    return {
        "id": row.id, "status": ResponderStatus.RESTING, "items": len(done.items), "offers": done.offers,
        "asked": done.asked, "still_at": done.still_at,
    }  # fmt: skip
