# SPDX-License-Identifier: Apache-2.0
"""The day player's controls, in a drill only. The player itself is another process; they meet in one small
file.
"""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja import Router, Schema

from muster.api.auth import operation
from muster.base.clock import now
from muster.base.errors import Refusal
from muster.incidents.services import current_incident

router = Router(tags=["drill"])
SPEEDS = (1, 5, 20, 60, 120, 300)


class Control(Schema):
    action: str
    speed: int | None = None


def _folder() -> Any:
    return settings.ENVIRONMENT.data / "drill"


def _demand_drill() -> None:
    incident = current_incident(now())
    if incident is None or not incident.is_drill or not _folder().exists():
        raise Refusal("demo_only_in_drill")


def _read(name: str) -> dict[str, Any]:
    path = _folder() / name
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told


@router.get("/drill", auth=None, operation_id="drill_read")
@operation("drill.control")
def read_drill(request: HttpRequest) -> dict[str, Any]:
    """What the player is doing, as it last told."""
    _demand_drill()
    wish = _read("wish.json")
    told = {"state": "STARTING", "speed": 20, "workers": [], "log": [], **_read("state.json")}
    demo = _read("../demo.json")
    codes = {name: demo.get(name, "") for name in ("tracking_code", "care_code")}
    return {**told, **codes, "wish": wish, "figures": _figures()}


def _figures() -> Any:
    """The published figures of the round that is being played; none before its first snapshot."""
    return _read(f"../live/{_read('../demo.json').get('round')}.json").get("total")


@router.post("/drill", auth=None, operation_id="drill_control")
@operation("drill.control")
def control_drill(request: HttpRequest, body: Control) -> dict[str, Any]:
    """pause · resume · speed."""
    _demand_drill()
    wish = _read("wish.json")
    match body.action:
        case "pause":
            wish["paused"] = True
        case "resume":
            wish["paused"] = False
        case "speed":
            if body.speed not in SPEEDS:
                raise Refusal("drill_speed_unknown", speed=body.speed)
            wish["speed"] = body.speed
        case _:
            raise Refusal("not_found")
    fresh = _folder() / "wish.new"
    fresh.write_text(json.dumps(wish), encoding="utf-8")
    fresh.replace(_folder() / "wish.json")
    return read_drill(request)
