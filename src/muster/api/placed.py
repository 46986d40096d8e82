# SPDX-License-Identifier: Apache-2.0
"""What somebody who was placed reads: on his phone where, with whom, for what; in his calendar the hours."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Router

from muster.api.auth import language, operation
from muster.api.phone_trips import holder
from muster.base.clock import now
from muster.base.errors import Refusal
from muster.base.messages import text
from muster.incidents.packs import pack_of
from muster.incidents.services import incident_with_id
from muster.responders.models import Responder
from muster.responders.placement.calendars import calendar_text, feed_of, open_feed, slots_of
from muster.responders.placement.duties import accept, duties_of

sync_router = Router(tags=["sync"])


@sync_router.get("/duty", auth=None, operation_id="duty_read", include_in_schema=True)
@operation("session.read")
def read_mine(request: HttpRequest) -> dict[str, Any]:
    """My place in both languages; none while I have none."""
    lease, me = holder(request)
    if me is None:
        return {"duty": None}
    incident = incident_with_id(lease.incident)
    told = {
        lang: duties_of([me], pack=pack_of(incident), incident=incident, lang=lang).get(me.id)
        for lang in ("zh", "en")
    }
    if told["zh"] is None or told["en"] is None:
        return {"duty": None}
    return {
        "duty": {
            "since": told["zh"].since, "accepted": told["zh"].accepted,
            "phone": told["zh"].head_phone,
            "lines": {lang: duty.lines(lang) for lang, duty in told.items() if duty is not None},
        }
    }  # fmt: skip


@sync_router.post("/duty/accept", auth=None, operation_id="duty_accept", include_in_schema=True)
@operation("session.read")
def accept_mine(request: HttpRequest) -> dict[str, Any]:
    """I have read it and will come."""
    _, me = holder(request)
    if me is None:
        raise Refusal("not_found")
    accept(me, at=now())
    return read_mine(request)


@sync_router.post("/duty/calendar", auth=None, operation_id="duty_calendar", include_in_schema=True)
@operation("session.read")
def my_calendar(request: HttpRequest) -> dict[str, Any]:
    """A new secret address of my calendar; one that was given out before answers no more."""
    _, me = holder(request)
    if me is None:
        raise Refusal("not_found")
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
