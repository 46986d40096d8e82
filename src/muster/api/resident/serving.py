# SPDX-License-Identifier: Apache-2.0
"""我的报到: how far it is, hours served, and the steps that are one's own to take."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest

from muster.api.resident.visiting import Visit, typed
from muster.base.errors import Refusal
from muster.flows.stepping_back import step_back
from muster.places.models import Area, Grid
from muster.register.names import mask_name
from muster.register.phones import mask_phone
from muster.responders import checking_in
from muster.responders.duty import minutes_served
from muster.responders.homes import Home
from muster.responders.models import Responder, SecondCheckIn
from muster.responders.placement.duties import accept, duty_of
from muster.responders.states import TRANSITIONS, ResponderStatus

S = ResponderStatus
# The steps that are one's own, in the order of the page: act -> status.
STEPS: dict[str, str] = {
    "on_duty": S.ON_DUTY, "standby": S.STANDBY, "resting": S.RESTING, "leave": S.UNAVAILABLE,
    "isolated": S.ISOLATED,
}  # fmt: skip
AWAY = frozenset({S.UNAVAILABLE, S.ISOLATED})
SAID = frozenset({"changed", "step_taken"})


def take_step(visit: Visit, row: Responder | SecondCheckIn, act: str) -> str:
    """What its sender wants with his check-in. Answers the word for what was done.

    Raises:
        Refusal: responder_step, responder_not_vetted, away_until_bad, responder_changed_meanwhile.
    """
    if act == "forget":
        return _forget(visit, row)
    if isinstance(row, SecondCheckIn):
        raise Refusal("responder_not_vetted")
    if act == "back" and row.status in AWAY:
        # Who had a place stands by for it; who had none waits for one.
        step_back(
            row, S.STANDBY if row.grid is not None else S.VETTED, by=row.user, at=visit.at, reason="own"
        )
    elif act == "accept_place":
        accept(row, at=visit.at)
    elif act in STEPS and row.vetted_at is not None:
        until = _away_until(visit) if act == "leave" else None
        step_back(row, STEPS[act], by=row.user, at=visit.at, reason="own", away_until=until)
    elif row.vetted_at is None:
        raise Refusal("responder_not_vetted")
    else:
        raise Refusal("responder_step", status=row.status, to=act[:20])
    return "step_taken"


def _forget(visit: Visit, row: Responder | SecondCheckIn) -> str:
    if isinstance(row, SecondCheckIn):
        row.delete()
        return "gone"
    if S.RELEASED in TRANSITIONS[row.status]:
        step_back(row, S.RELEASED, by=row.user, at=visit.at, reason="own")
    checking_in.forget(row, at=visit.at)
    return "gone"


def _away_until(visit: Visit) -> date | None:
    """A day from today on, or nothing."""
    said = typed(visit.request, "until", 20)
    if not said:
        return None
    today = visit.at.astimezone(ZoneInfo(visit.zone)).date()
    try:
        until = date.fromisoformat(said)
    except ValueError:
        raise Refusal("away_until_bad") from None
    if until < today or (until - today).days > 366:
        raise Refusal("away_until_bad")
    return until


def my_page(visit: Visit, row: Responder | SecondCheckIn, code: str) -> dict[str, Any]:
    """What the page of a code shows. A second check-in looks like one that waits."""
    said = visit.said
    shown: dict[str, Any] = {
        "code": code, "is_new": visit.request.GET.get("new") == "1", "told": _told(visit.request, said),
        "phone": visit.incident.phone if visit.incident else "",
    }  # fmt: skip
    if isinstance(row, SecondCheckIn):
        values = checking_in.second_values(row)
        home = Home.of_text(values["home"])
        return {
            **shown,
            "place": _place(None, home.grid, home.area, said.lang),
            "can_change": True, "standing": said["serve_REGISTERED"], "name": mask_name(values["name"]),
            "number": mask_phone(values["phone"]), "since": said.say("since", time=visit.time(row.at)),
        }  # fmt: skip
    row.refresh_from_db()
    steps = [act for act, to in STEPS.items() if row.vetted_at and to in TRANSITIONS[row.status]]
    steps = [act for act in steps if act not in {"leave", "isolated"}]
    may_leave = bool(row.vetted_at) and S.UNAVAILABLE in TRANSITIONS[row.status]
    return {
        **shown, "standing": said[f"serve_{row.status}"], "name": mask_name(row.name or ""),
        "number": mask_phone(row.phone or ""), "since": said.say("since", time=visit.time(row.status_since)),
        "declined": said[f"declined_{row.declined_reason}"] if row.declined_reason else "",
        "place": _place(row.grid, row.home_grid, row.home_area, said.lang), "duty": duty_text(row, visit),
        "has_place": row.grid is not None and row.status == S.ASSIGNED,
        "hours": _hours(visit, row) if row.vetted_at else "",
        "away": said.say("away_until", day=row.away_until) if row.away_until else "",
        "steps": [{"act": act, "word": said[f"act_{act}"]} for act in steps if row.status not in AWAY],
        "can_return": row.status in AWAY, "can_leave": may_leave,
        "can_isolate": bool(row.vetted_at) and S.ISOLATED in TRANSITIONS[row.status],
        "can_change": row.status not in {S.DECLINED, S.RELEASED},
    }  # fmt: skip


def duty_text(row: Responder, visit: Visit) -> str:
    """Where, with whom, for what, once he was placed; before that what a desk wrote."""
    if visit.incident is None or visit.pack is None:
        return row.duty
    lang = visit.said.lang
    duty = duty_of(row, pack=visit.pack, incident=visit.incident, lang=lang)
    return "\n".join(duty.lines(lang)) if duty else row.duty


def _told(request: HttpRequest, said: Any) -> str:
    asked = request.GET.get("said", "")
    return str(said[asked]) if asked in SAID else ""


def _hours(visit: Visit, row: Responder) -> str:
    minutes = minutes_served(row, at=visit.at)
    return visit.said.say("hours_served", hours=minutes // 60, minutes=minutes % 60)


def _place(serves: int | None, lives: int | None, named: int | None, lang: str) -> str:
    """Where he serves, or the community that he named."""
    grid = Grid.objects.select_related("area").filter(id=serves or lives or 0).first()
    if grid is not None:
        return f"{_called(grid.area, lang)} · {_called(grid, lang)}" if serves else _called(grid.area, lang)
    area = Area.objects.filter(id=named or 0).first()
    return _called(area, lang) if area else ""


def _called(place: Area | Grid, lang: str) -> str:
    return place.name_en if lang == "en" and place.name_en else place.name
