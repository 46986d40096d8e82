# SPDX-License-Identifier: Apache-2.0
"""替家人求助: with the code that an elder gave, a relative asks for him and sees how far each request is."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from operator import itemgetter
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from muster.api.resident.family_trips import trips_of_grant
from muster.api.resident.visiting import (
    Visit,
    category_word,
    form_of,
    raise_for,
    to_track,
    typed,
    visit_of,
)
from muster.base.codes import normalise_enrol_code
from muster.base.errors import Refusal
from muster.requests import services
from muster.requests.care import is_of_a_page, seen_by_grant
from muster.requests.models import CareGrant, Request
from muster.requests.queries import care_grant_of_code, items_of, main_request
from muster.requests.services import Asked, Where
from muster.trail.services import record_disclosures

VISITS = ("visit", "relative")
CARE_DAYS = timedelta(days=30)


@csrf_exempt
def relative(request: HttpRequest) -> HttpResponse:
    """替家人求助: with the code that the elder gave; only how far each request is."""
    visit = visit_of(request)
    said = request.POST.get("care", "")[:40]
    if request.method != "POST" or visit.incident is None or visit.pack is None:
        return visit.page("relative")
    try:
        grant = care_grant_of_code(_care_code(said), at=visit.at)
        if request.POST.get("act") in {"ask", "visit"}:
            return to_track(_ask_for(visit, grant).code, new=True)
    except Refusal as refusal:
        return visit.sorry(refusal, template="relative", typed=said)
    record_disclosures(
        [grant.person], actor=grant.id, role="relative", operation="relative.look", fields="status",
        at=visit.at, grid=grant.grid, purpose="care",
    )  # fmt: skip
    return visit.page(
        "relative", care=said, requests=_all_of(visit, grant), visit_form=str(uuid.uuid4()), **form_of(visit)
    )


def _care_code(said: str) -> str:
    try:
        return normalise_enrol_code(said)
    except Refusal:
        raise Refusal("care_grant_unknown") from None


def _ask_for(visit: Visit, grant: CareGrant) -> services.Taken:
    assert visit.pack is not None
    wanted = typed(visit.request, "category", 40)
    if visit.request.POST.get("act") == "visit":
        known = {c.code for c in visit.pack.request_categories}
        wanted = next((code for code in VISITS if code in known), "")
    asked = Asked(
        category=wanted, urgency=typed(visit.request, "urgency", 8),
        text=typed(visit.request, "text", 4000) or visit.said["visit"],
        name=grant.relative_name or "", phone=typed(visit.request, "phone", 40), language=visit.said.lang,
        person=grant.person, for_relative=True, care_grant=grant.id,
    )  # fmt: skip
    where = Where(sub_district=grant.sub_district, grid=grant.grid, dwelling=grant.dwelling)
    return raise_for(visit, asked, where)


def _all_of(visit: Visit, grant: CareGrant) -> list[dict[str, Any]]:
    return [*_of_grant(visit, grant), *trips_of_grant(visit, grant)]


def _of_grant(visit: Visit, grant: CareGrant) -> list[dict[str, Any]]:
    rows = list(seen_by_grant(grant, since=visit.at - CARE_DAYS).order_by("-made_at")[:20])
    found = _found(visit, grant, rows)
    return [
        {
            "category": category_word(visit.pack, row.category, visit.said.lang),
            "step": visit.said[f"step_{main_request(row).status}"],
            "time": visit.said.say("asked_at", time=visit.time(row.made_at)),
            "found": found.get(row.id, ""),
        }
        for row in rows
    ]


def _found(visit: Visit, grant: CareGrant, rows: Sequence[Request]) -> dict[uuid.UUID, str]:
    """What a visit found: seen and well, needs help, not seen. Of a door that was only named on a page, not
    before somebody met there who asked: else a stranger would learn that nobody is at home.
    """
    first = Request.objects.across(reason="own").filter(id=grant.origin, done_at__isnull=False)
    if is_of_a_page(grant) and not first.exists():
        return {}
    items = items_of([row.id for row in rows if row.category in VISITS])
    ended = sorted(((one.ended_at, one) for one in items if one.ended_at and one.outcome), key=itemgetter(0))
    return {one.request_id: visit.said[f"visit_{one.outcome}"] for _, one in ended}
