# SPDX-License-Identifier: Apache-2.0
"""Who am I, what may I do, in which incident; signing in and out; the one-click doors of a drill."""

from __future__ import annotations

from typing import Any

import msgspec
from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest
from django.middleware.csrf import get_token
from ninja import Router, Schema

from muster.accounts.models import User
from muster.accounts.policy import roles
from muster.api.allowed import operations_of
from muster.api.auth import AUTH, allow, caller, operation
from muster.base.errors import Refusal
from muster.incidents.models import Incident
from muster.incidents.packs import pack_of
from muster.incidents.services import current_incident
from muster.places.models import Area, Grid
from muster.sync.pull import incident_json
from muster.trail.kinds import schemas

router = Router(tags=["session"])


class SignIn(Schema):
    username: str
    password: str


class DemoDoor(Schema):
    role: str


def demo_logins() -> dict[str, Any]:
    """The one-click doors written by the demo; empty anywhere else."""
    path = settings.ENVIRONMENT.data / "demo.json"
    if not path.exists():
        return {}
    logins: dict[str, Any] = msgspec.json.decode(path.read_bytes()).get("logins", {})
    return logins


@router.get("/session", auth=None, operation_id="session_read")
@operation("session.read")
def read_session(request: HttpRequest) -> dict[str, Any]:
    from muster.base.clock import now

    incident = current_incident(now())
    answer: dict[str, Any] = {
        "user": None,
        "grants": [],
        "incident": incident_json(incident) if incident else None,
        "is_drill": bool(incident and incident.is_drill),
        "demo": bool(incident and incident.is_drill and demo_logins()),
        "csrf": get_token(request),
        "may": [],
        "modules": ["register", "campaigns", "grids", "imports", "held", "devices", "plans"],
        "pack": None,
    }
    if incident:
        pack = pack_of(incident)
        answer["pack"] = pack.to_json()
        answer["modules"] += list(pack.modules)
    if isinstance(request.user, User) and request.user.is_authenticated:
        who = caller(request)
        areas = {a.id: a for a in Area.objects.filter(id__in=[g.area for g in who.grants if g.area])}
        grids = {g.id: g for g in Grid.objects.filter(id__in=[g.grid for g in who.grants if g.grid])}
        names = roles()
        answer["may"] = operations_of(who)
        answer["user"] = {"id": who.user.id, "name": who.user.name, "lang": who.user.language, "title": ""}
        answer["grants"] = [
            {
                "role": g.role,
                "role_name": {"zh": names[g.role]["zh"], "en": names[g.role]["en"]},
                "area": {"id": a.id, "name": a.name, "name_en": a.name_en, "level": a.level}
                if (a := areas.get(g.area or 0))
                else None,
                "grid": {"id": grid.id, "name": grid.name, "name_en": grid.name_en}
                if (grid := grids.get(g.grid or 0))
                else None,
                "everywhere": g.area_path == "/",
            }
            for g in who.grants
        ]
        if answer["grants"]:
            first = answer["grants"][0]["role_name"]
            answer["user"]["title"] = first["zh"]
    return answer


@router.post("/session", auth=None, operation_id="session_sign_in")
@operation("session.read")
def sign_in(request: HttpRequest, body: SignIn) -> dict[str, Any]:
    user = authenticate(request, username=body.username, password=body.password)
    if user is None:
        raise Refusal("sign_in_failed")
    login(request, user)
    return read_session(request)


@router.delete("/session", auth=None, operation_id="session_sign_out")
@operation("session.read")
def sign_out(request: HttpRequest) -> dict[str, Any]:
    logout(request)
    return {"ok": True}


@router.post("/session/demo", auth=None, operation_id="session_demo")
@operation("session.read")
def enter_demo(request: HttpRequest, body: DemoDoor) -> dict[str, Any]:
    """One click into a role, in a drill only."""
    from muster.base.clock import now

    incident = current_incident(now())
    told = demo_logins().get(body.role)
    if incident is None or not incident.is_drill or told is None:
        raise Refusal("demo_only_in_drill")
    user = User.objects.get(username=told["username"])
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return read_session(request)


@router.get("/incidents", auth=AUTH, operation_id="incidents_list")
@operation("incidents.list")
def list_incidents(request: HttpRequest) -> dict[str, Any]:
    allow(request, "incidents.list")
    return {"items": [incident_json(i) for i in Incident.objects.order_by("-starts_at")], "next": None}


@router.get("/packs/current", auth=None, operation_id="packs_current")
@operation("packs.current")
def current_pack(request: HttpRequest) -> dict[str, Any]:
    from muster.base.clock import now

    incident = current_incident(now())
    if incident is None:
        raise Refusal("incident_unknown")
    return pack_of(incident).to_json()


@router.get("/facts", auth=None, operation_id="facts_schemas")
@operation("facts.schemas")
def fact_schemas(request: HttpRequest) -> dict[str, Any]:
    return {"v": 1, "kinds": schemas()}
