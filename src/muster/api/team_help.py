# SPDX-License-Identifier: Apache-2.0
"""Teams that help with a problem or a conflict, at the desk: asked, taken up, ended with an answer."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from muster.api.auth import AUTH, Caller, operation
from muster.api.request_rows import one_in_sight
from muster.base.errors import Refusal
from muster.places.models import Area
from muster.requests import team_help
from muster.requests.models import Request
from muster.responders.teams.models import Team

router = Router(tags=["requests"], auth=AUTH)
MOST_TEAMS = 300


class Ask(Schema):
    team: uuid.UUID


class Step(Schema):
    to: str


def _told(row: Request, who: Caller) -> dict[str, Any]:
    """Who helps and helped, and the teams that can be asked: those of the areas around this request."""
    given = team_help.help_of([row.id])
    standing = Team.objects.filter(incident=row.incident, ends_at__isnull=True).order_by("name")
    here = Area.objects.filter(id=row.sub_district).values_list("path", flat=True).first() or "/"
    can_help = [
        team for team in standing[:MOST_TEAMS]
        if here.startswith(team.area_path) or team.area_path.startswith(here)
    ]  # fmt: skip
    names = {team.id: team for team in Team.objects.filter(id__in={one.team for one in given})}
    return {
        "items": [
            {
                "id": one.id, "team": _team(names.get(one.team)), "asked_at": one.asked_at,
                "answer_by": one.answer_by, "taken_at": one.taken_at, "ended_at": one.ended_at,
                "is_solved": one.is_solved, "is_late": team_help.is_late(one, at=who.at),
            }
            for one in given
        ],
        "teams": [_team(team) for team in can_help],
        "next": None, "count": len(given),
    }  # fmt: skip


def _team(team: Team | None) -> dict[str, Any] | None:
    if team is None:
        return None
    return {"id": team.id, "name": team.name, "name_en": team.name_en or team.name, "kind": team.kind}


@router.get("/requests/{request_id}/team-help", operation_id="requests_team_help")
@operation("requests.read")
def read(request: HttpRequest, request_id: uuid.UUID) -> dict[str, Any]:
    who, row = one_in_sight(request, "requests.read", request_id)
    return _told(row, who)


@router.post("/requests/{request_id}/team-help", operation_id="requests_ask_team")
@operation("requests.work")
def ask(request: HttpRequest, request_id: uuid.UUID, body: Ask) -> dict[str, Any]:
    who, row = one_in_sight(request, "requests.work", request_id)
    team_help.ask_team(row.id, team=body.team, by=who.user.id, at=who.at)
    return _told(row, who)


@router.post("/requests/{request_id}/team-help/{help_id}", operation_id="requests_team_step")
@operation("requests.work")
def step(request: HttpRequest, request_id: uuid.UUID, help_id: uuid.UUID, body: Step) -> dict[str, Any]:
    """TAKEN_UP, SOLVED, NOT_SOLVED."""
    who, row = one_in_sight(request, "requests.work", request_id)
    if body.to == "TAKEN_UP":
        team_help.take_up(row.id, help_id, by=who.user.id, at=who.at)
    elif body.to in {"SOLVED", "NOT_SOLVED"}:
        team_help.end_help(row.id, help_id, is_solved=body.to == "SOLVED", by=who.user.id, at=who.at)
    else:
        raise Refusal("team_help_step", to=body.to[:20])
    return _told(row, who)
