# SPDX-License-Identifier: Apache-2.0
"""Teams at the desk, with members, posts and zones; temporary command units of areas."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest
from ninja import Router, Schema

from muster.api.asked import searched
from muster.api.auth import AUTH, Caller, allow, operation
from muster.api.placement_rows import people_json
from muster.base.errors import Refusal
from muster.incidents.models import Incident
from muster.incidents.services import current_incident
from muster.places.models import Area, CommandUnit
from muster.places.queries import area as area_with_id
from muster.places.services import end_command_unit, form_command_unit
from muster.responders.models import Responder
from muster.responders.teams import services
from muster.responders.teams.models import Team
from muster.responders.teams.queries import members_of, places_of, team_with_id
from muster.responders.teams.services import TeamWords
from muster.trail.services import record_disclosures

router = Router(tags=["teams"], auth=AUTH)
MOST = 200


class TeamIn(Schema):
    area: int
    kind: str
    name: str
    name_en: str = ""
    keeps_together: bool = False


class MembersIn(Schema):
    responders: list[uuid.UUID]


class HeadIn(Schema):
    responder: uuid.UUID


class PlaceIn(Schema):
    code: str
    place: str
    duty: str = ""
    holder: uuid.UUID | None = None


class HolderIn(Schema):
    holder: uuid.UUID | None = None


class UnitIn(Schema):
    area: int
    name: str
    head_name: str
    head_unit: str = ""
    phone: str = ""
    members: list[str] = []
    starts_at: datetime
    ends_at: datetime


def _incident(at: datetime) -> Incident:
    incident = current_incident(at)
    if incident is None:
        raise Refusal("no_incident")
    return incident


def _mine(who: Caller, roles: Collection[str]) -> Q:
    mine = Q(pk__in=[])
    for grant in who.grants:
        if grant.area_path and grant.role in roles:
            mine |= Q(area_path__startswith=grant.area_path)
    return mine


@router.get("/teams", operation_id="teams_list")
@operation("teams.read")
def list_teams(
    request: HttpRequest, area: int | None = None, kind: str = "", ended: bool = False, q: str = ""
) -> dict[str, Any]:
    who, row = allow(request, "teams.read")
    rows = Team.objects.filter(incident=_incident(who.at).id, ends_at__isnull=not ended)
    rows = rows.filter(_mine(who, row.roles)).order_by("kind", "name")
    if area is not None:
        rows = rows.filter(area_path__startswith=area_with_id(area).path)
    if kind:
        rows = rows.filter(kind=kind[:40])
    if q := searched(q):
        rows = rows.filter(Q(name__icontains=q) | Q(name_en__icontains=q))
    return {"items": _teams_json(list(rows[:MOST])), "next": None, "count": rows.count()}


def _teams_json(teams: Sequence[Team]) -> list[dict[str, Any]]:
    ids = [team.id for team in teams]
    members = Counter(dict(members_of(ids).order_by().values_list("team").annotate(n=Count("id"))))
    open_places = Counter(
        dict(
            places_of(ids).filter(holder__isnull=True).order_by().values_list("team").annotate(n=Count("id"))
        )
    )
    heads = people_json({team.head for team in teams if team.head})
    areas = {a.id: a for a in Area.objects.filter(id__in={team.area for team in teams})}
    return [
        {
            "id": team.id, "kind": team.kind, "name": team.name, "name_en": team.name_en,
            "area": {"id": team.area, "name": areas[team.area].name, "name_en": areas[team.area].name_en},
            "head": heads.get(str(team.head)), "members_count": members[team.id],
            "open_places": open_places[team.id], "keeps_together": team.keeps_together,
            "starts_at": team.starts_at, "ends_at": team.ends_at,
        }
        for team in teams
    ]  # fmt: skip


@router.post("/teams", operation_id="teams_make")
@operation("teams.change")
def make(request: HttpRequest, body: TeamIn) -> dict[str, Any]:
    area = area_with_id(body.area)
    who, _ = allow(request, "teams.change", path=area.path)
    team = services.make_team(
        area, incident=_incident(who.at), kind=body.kind, by=who.user.id, at=who.at,
        words=TeamWords(body.name, body.name_en, body.keeps_together),
    )  # fmt: skip
    return _team_json(team)


def _team(request: HttpRequest, team_id: uuid.UUID, name: str) -> tuple[Caller, Team, Any]:
    """Raises Refusal team_unknown, not_found for one out of sight."""
    team = team_with_id(team_id)
    who, row = allow(request, name, path=team.area_path)
    return who, team, row


@router.get("/teams/{team_id}", operation_id="teams_read")
@operation("teams.read")
def read(request: HttpRequest, team_id: uuid.UUID) -> dict[str, Any]:
    who, team, _ = _team(request, team_id, "teams.read")
    answer = _team_json(team)
    record_disclosures(
        [None], actor=who.user.id, role=next(iter(sorted(who.roles)), "none"), operation="teams.read",
        fields="name_masked", at=who.at, rows=len(answer["members"]),
    )  # fmt: skip
    return answer


def _team_json(team: Team) -> dict[str, Any]:
    members, places = list(members_of([team.id])), list(places_of([team.id]))
    people = people_json({m.responder for m in members})
    return {
        **_teams_json([team_with_id(team.id)])[0],
        "members": [
            {"since": m.since, "responder": people[str(m.responder)]}
            for m in members
            if str(m.responder) in people
        ],
        "places": [
            {
                "id": p.id, "code": p.code, "place": p.place, "duty": p.duty, "since": p.since,
                "holder": people.get(str(p.holder)) if p.holder else None,
            }
            for p in places
        ],
    }  # fmt: skip


@router.post("/teams/{team_id}/members", operation_id="teams_join")
@operation("teams.change")
def join(request: HttpRequest, team_id: uuid.UUID, body: MembersIn) -> dict[str, Any]:
    """People in the caller's sight join; others do not exist for him."""
    who, team, row = _team(request, team_id, "teams.change")
    scope = who.scope(row)
    known = Responder.objects.within(scope).filter(id__in=body.responders[: services.MOST_AT_ONCE + 1])
    seen = set(known.values_list("id", flat=True))
    for one in body.responders:
        if one not in seen:
            raise Refusal("responder_unknown", responder=str(one))
    services.add_members(team, body.responders, by=who.user.id, at=who.at)
    return _team_json(team)


@router.delete("/teams/{team_id}/members/{responder}", operation_id="teams_leave")
@operation("teams.change")
def leave(request: HttpRequest, team_id: uuid.UUID, responder: uuid.UUID) -> dict[str, Any]:
    who, team, _ = _team(request, team_id, "teams.change")
    services.remove_member(team, responder, by=who.user.id, at=who.at)
    return _team_json(team)


@router.post("/teams/{team_id}/head", operation_id="teams_head")
@operation("teams.change")
def head(request: HttpRequest, team_id: uuid.UUID, body: HeadIn) -> dict[str, Any]:
    who, team, _ = _team(request, team_id, "teams.change")
    services.set_head(team, body.responder, by=who.user.id, at=who.at)
    return _team_json(team)


@router.post("/teams/{team_id}/places", operation_id="teams_add_place")
@operation("teams.change")
def add_place(request: HttpRequest, team_id: uuid.UUID, body: PlaceIn) -> dict[str, Any]:
    who, team, _ = _team(request, team_id, "teams.change")
    services.add_place(
        team, code=body.code, place=body.place, duty=body.duty, holder=body.holder, by=who.user.id, at=who.at
    )
    return _team_json(team)


@router.post("/teams/{team_id}/places/{place}", operation_id="teams_give_place")
@operation("teams.change")
def give_place(request: HttpRequest, team_id: uuid.UUID, place: uuid.UUID, body: HolderIn) -> dict[str, Any]:
    who, team, _ = _team(request, team_id, "teams.change")
    services.give_place(team, place, holder=body.holder, by=who.user.id, at=who.at)
    return _team_json(team)


@router.delete("/teams/{team_id}/places/{place}", operation_id="teams_end_place")
@operation("teams.change")
def end_place(request: HttpRequest, team_id: uuid.UUID, place: uuid.UUID) -> dict[str, Any]:
    who, team, _ = _team(request, team_id, "teams.change")
    services.end_place(team, place, by=who.user.id, at=who.at)
    return _team_json(team)


@router.post("/teams/{team_id}/end", operation_id="teams_end")
@operation("teams.change")
def end(request: HttpRequest, team_id: uuid.UUID) -> dict[str, Any]:
    who, team, _ = _team(request, team_id, "teams.change")
    services.end_team(team, by=who.user.id, at=who.at)
    return _team_json(team)


# ---- temporary command units ----------------------------------------------------------------------


@router.get("/command-units", operation_id="command_units_list")
@operation("command_units.read")
def list_units(request: HttpRequest, area: int | None = None) -> dict[str, Any]:
    """Units of the incident, those that stand first. `stands` is computed now."""
    who, row = allow(request, "command_units.read")
    rows = CommandUnit.objects.filter(incident=_incident(who.at).id).select_related("area")
    mine = Q(pk__in=[])
    for grant in who.grants:
        if grant.area_path and grant.role in row.roles:
            mine |= Q(area__path__startswith=grant.area_path)
    rows = rows.filter(mine)
    if area is not None:
        rows = rows.filter(area__path__startswith=area_with_id(area).path)
    items = [unit_json(one, at=who.at) for one in rows.order_by("-ends_at", "name")[:MOST]]
    return {"items": items, "next": None, "count": rows.count()}


def unit_json(one: CommandUnit, *, at: datetime) -> dict[str, Any]:
    return {
        "id": one.id, "name": one.name, "head_name": one.head_name, "head_unit": one.head_unit,
        "phone": one.phone, "members": [m.get("name", "") for m in one.members],
        "area": {"id": one.area_id, "name": one.area.name, "name_en": one.area.name_en},
        "starts_at": one.starts_at, "ends_at": one.ends_at, "stands": one.starts_at <= at < one.ends_at,
    }  # fmt: skip


@router.post("/command-units", operation_id="command_units_form")
@operation("command_units.change")
def form(request: HttpRequest, body: UnitIn) -> dict[str, Any]:
    """A unit with its head and members, from when until when; never without an end."""
    area = area_with_id(body.area)
    who, _ = allow(request, "command_units.change", path=area.path)
    for field, value in (("name", body.name), ("head_name", body.head_name)):
        if not value.strip():
            raise Refusal("name_missing", field=field)
    for field, moment in (("starts_at", body.starts_at), ("ends_at", body.ends_at)):
        if moment.tzinfo is None:
            raise Refusal("moment_without_zone", field=field)
    made = form_command_unit(
        area, incident=_incident(who.at).id, name=body.name.strip()[:120],
        head_name=body.head_name.strip()[:80], head_unit=body.head_unit.strip()[:120],
        phone=body.phone.strip()[:40],
        members=[{"name": one.strip()[:80]} for one in body.members[:100] if one.strip()],
        starts_at=body.starts_at, ends_at=body.ends_at, by=who.user.id, at=who.at,
    )  # fmt: skip
    return unit_json(made, at=who.at)


@router.post("/command-units/{unit_id}/end", operation_id="command_units_end")
@operation("command_units.change")
def end_unit(request: HttpRequest, unit_id: uuid.UUID) -> dict[str, Any]:
    unit = CommandUnit.objects.select_related("area").filter(id=unit_id).first()
    if unit is None:
        raise Refusal("not_found")
    who, _ = allow(request, "command_units.change", path=unit.area.path)
    end_command_unit(unit, by=who.user.id, at=who.at)
    return unit_json(unit, at=who.at)
