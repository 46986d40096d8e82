# SPDX-License-Identifier: Apache-2.0
"""What somebody who was placed reads: on his phone where, with whom, for what; in his calendar the hours."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Router, Schema

from muster.api.auth import AUTH, allow, language, operation
from muster.api.phone_trips import holder
from muster.base.clock import now
from muster.base.errors import Refusal
from muster.base.messages import text
from muster.flows import arriving
from muster.incidents.packs import pack_of
from muster.incidents.services import current_incident, incident_with_id
from muster.places.queries import grid as grid_with_id
from muster.responders.duty import minutes_served
from muster.responders.models import Responder
from muster.responders.placement.calendars import calendar_text, feed_of, open_feed, slots_of
from muster.responders.placement.duties import accept, duties_of

router = Router(tags=["responders"], auth=AUTH)
sync_router = Router(tags=["sync"])


@sync_router.get("/duty", auth=None, operation_id="duty_read", include_in_schema=True)
@operation("session.read")
def read_mine(request: HttpRequest) -> dict[str, Any]:
    """My place in both languages, none while I have none; whether I am there, and since when."""
    lease, me = holder(request)
    if me is None:
        return {"duty": None, "standing": None}
    can_arrive, can_leave = arriving.steps_of(me)
    standing = {
        "status": me.status, "since": me.status_since, "can_arrive": can_arrive, "can_leave": can_leave,
        "minutes": minutes_served(me, at=now()), "open_jobs": me.open_jobs, "grid": me.grid,
    }  # fmt: skip
    incident = incident_with_id(lease.incident)
    told = {
        lang: duties_of([me], pack=pack_of(incident), incident=incident, lang=lang).get(me.id)
        for lang in ("zh", "en")
    }
    if told["zh"] is None or told["en"] is None:
        return {"duty": None, "standing": standing}
    return {
        "standing": standing,
        "duty": {
            "since": told["zh"].since, "accepted": told["zh"].accepted,
            "phone": told["zh"].head_phone,
            "lines": {lang: duty.lines(lang) for lang, duty in told.items() if duty is not None},
        }
    }  # fmt: skip


def server_of(request: HttpRequest) -> Responder:
    """Who serves with this phone. Raises Refusal not_found where nobody does."""
    _, me = holder(request)
    if me is None:
        raise Refusal("not_found")
    return me


class Here(Schema):
    """code: what hangs at the post, scanned or typed; nothing where somebody only says it."""

    code: str = ""


@sync_router.post("/duty/here", auth=None, operation_id="duty_here", include_in_schema=True)
@operation("session.read")
def here(request: HttpRequest, body: Here) -> dict[str, Any]:
    """I am at my post."""
    me = server_of(request)
    shown = arriving.arrive(me, code=body.code[:40], at=now())
    return {**read_mine(request), "shown": shown}


@sync_router.post("/duty/leaving", auth=None, operation_id="duty_leaving", include_in_schema=True)
@operation("session.read")
def leaving(request: HttpRequest) -> dict[str, Any]:
    """I go home for today; how much goes to others, and at how many doors I still stand."""
    me = server_of(request)
    left = arriving.leave(me, at=now())
    return {**read_mine(request), "handed_on": len(left.items), "still_at": left.still_at}


@router.get("/grids/{grid_id}/post-code", operation_id="grids_post_code")
@operation("responders.read")
def read_post_code(request: HttpRequest, grid_id: int) -> dict[str, Any]:
    """The code that hangs at a grid's post, to be scanned or typed on arrival."""
    who, _ = allow(request, "responders.read", grid=grid_with_id(grid_id))
    incident = current_incident(who.at)
    if incident is None:
        raise Refusal("no_incident")
    return {"code": arriving.post_code(grid_id, incident=incident.id)}


@sync_router.post("/duty/accept", auth=None, operation_id="duty_accept", include_in_schema=True)
@operation("session.read")
def accept_mine(request: HttpRequest) -> dict[str, Any]:
    """I have read it and will come."""
    me = server_of(request)
    accept(me, at=now())
    return read_mine(request)


@sync_router.post("/duty/calendar", auth=None, operation_id="duty_calendar", include_in_schema=True)
@operation("session.read")
def my_calendar(request: HttpRequest) -> dict[str, Any]:
    """A new secret address of my calendar; one that was given out before answers no more."""
    me = server_of(request)
    return {"address": calendar_address(me, at=now())}


def calendar_address(person: Responder, *, at: datetime) -> str:
    return f"{settings.ENVIRONMENT.web_origin}/calendar/{open_feed(person, at=at)}.ics"


def calendar(request: HttpRequest, secret: str) -> HttpResponse:
    """The calendar behind a secret address; whoever guesses learns nothing, not even that he was near."""
    owner, at = feed_of(secret), now()
    person = Responder.objects.across(reason="own").filter(id=owner).first() if owner else None
    if person is None:
        raise Http404
    lang = language(request)
    told = calendar_text(
        slots_of(person, incident_with_id(person.incident), at=at), owner=person.id, at=at,
        name=text("calendar_name", lang), summary=text("calendar_slot", lang),
    )  # fmt: skip
    answer = HttpResponse(told, content_type="text/calendar; charset=utf-8")
    answer["Cache-Control"] = "private, max-age=600"
    return answer
