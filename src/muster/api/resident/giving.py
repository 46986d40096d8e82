# SPDX-License-Identifier: Apache-2.0
"""我能出一份力: food, a room, a car, goods, a hand; with the code who gives sees whether and how it is used.

Nobody who needs something is shown here: a desk brings the two together.
"""

from __future__ import annotations

import uuid
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.csrf import csrf_exempt

from muster.api.resident.visiting import Visit, form_number, typed, visit_of, word
from muster.base.codes import normalise_enrol_code
from muster.base.errors import Refusal
from muster.offers import services
from muster.offers.models import MOST_QUANTITY, HelpOffer
from muster.offers.queries import NOWHERE, matches_of, offer_with_code
from muster.offers.services import Given
from muster.offers.states import ENDED, GiverKind, MatchStatus
from muster.places.models import Area

LINES = {"what": 4000, "place": 500, "organisation": 200, "name": 80, "phone": 40, "quantity": 12}
DAYS = (1, 3, 7, 14, 30)
MOST_COMMUNITIES = 400


@csrf_exempt
def offer(request: HttpRequest) -> HttpResponse:
    """The form, and what is sent with it."""
    visit = visit_of(request)
    if visit.incident is None or visit.pack is None or not visit.pack.offer_categories:
        return visit.page("home", can_ask=bool(visit.pack and visit.pack.request_categories))
    if request.method != "POST":
        return visit.page("give", **_form(visit))
    if request.POST.get("website"):
        # Only a machine fills what nobody sees; it is told nothing new.
        return visit.page("give", **_form(visit))
    try:
        _, code = services.make_offer(
            _given(visit), incident=visit.incident.id, pack=visit.pack, sub_district=_sub_district(visit),
            by=None, at=visit.at, form=form_number(visit.request),
        )  # fmt: skip
    except Refusal as refusal:
        return visit.sorry(refusal, template="give", **_form(visit))
    return HttpResponseRedirect(f"/offer/{code}?new=1", status=303)


def _given(visit: Visit) -> Given:
    said = typed(visit.request, "quantity", 12).strip()
    days = typed(visit.request, "days", 4).strip()
    return Given(
        category=typed(visit.request, "category", 40), what=typed(visit.request, "what", 4000),
        quantity=int(said) if said.isascii() and said.isdigit() else (1 if not said else 0),
        place=typed(visit.request, "place", 500), giver_kind=typed(visit.request, "giver_kind", 20),
        organisation=typed(visit.request, "organisation", 200), name=typed(visit.request, "name", 80),
        phone=typed(visit.request, "phone", 40), language=visit.said.lang, starts_at=visit.at,
        ends_at=_last_moment(visit, int(days) if days.isascii() and days.isdigit() else DAYS[3]),
    )  # fmt: skip


def _last_moment(visit: Visit, days: int) -> datetime:
    """The end of the last day, where the incident is."""
    zone = ZoneInfo(visit.zone)
    last = (visit.at.astimezone(zone) + timedelta(days=min(max(days, 1), 180) - 1)).date()
    return datetime.combine(last, time(23, 59, 59), tzinfo=zone)


def _sub_district(visit: Visit) -> int:
    said = typed(visit.request, "community", 20)
    known = said.isascii() and said.isdecimal() and len(said) < 19
    community = Area.objects.filter(id=int(said)).first() if known else None
    return (community.sub_district or NOWHERE) if community else NOWHERE


def _form(visit: Visit) -> dict[str, Any]:
    assert visit.pack is not None
    lang, said = visit.said.lang, visit.request.POST
    communities = Area.objects.filter(level=visit.pack.areas.leaf).defer("geometry").order_by("code")
    return {
        "categories": [
            {
                "code": one.code, "name": word(one.name, lang), "unit": word(one.unit, lang),
                "chosen": said.get("category") == one.code,
            }
            for one in visit.pack.offer_categories
        ],
        "kinds": [
            {
                "code": kind, "name": visit.said[f"giver_{kind}"],
                "chosen": said.get("giver_kind", GiverKind.RESIDENT) == kind,
            }
            for kind in GiverKind.values
        ],
        "days": [
            {
                "days": n, "name": visit.said.say("give_days", days=n) if n > 1 else visit.said["give_day"],
                "chosen": said.get("days", "14") == str(n),
            }
            for n in DAYS
        ],
        "communities": [
            {
                "id": a.id, "name": (a.name_en or a.name) if lang == "en" else a.name,
                "chosen": said.get("community") == str(a.id),
            }
            for a in communities[:MOST_COMMUNITIES]
        ],
        "typed": {name: typed(visit.request, name, most) for name, most in LINES.items()},
        "most": MOST_QUANTITY, "form": form_number(visit.request) or str(uuid.uuid4()),
    }  # fmt: skip


@csrf_exempt
def mine(request: HttpRequest, code: str) -> HttpResponse:
    """With the code: how far it is, what of it helped, and taking it back."""
    visit = visit_of(request)
    try:
        row = offer_with_code(code[:40])
        code = normalise_enrol_code(code)
        if request.method == "POST" and request.POST.get("act") == "withdraw":
            services.withdraw(row.id, by=None, at=visit.at)
            return HttpResponseRedirect(f"/offer/{code}", status=303)
    except Refusal as refusal:
        return visit.sorry(refusal, template="give_find")
    return visit.page("give_mine", code=code, **_mine(visit, row))


@csrf_exempt
def find(request: HttpRequest) -> HttpResponse:
    """Who has a code types it."""
    visit = visit_of(request)
    said = typed(request, "code", 40)
    if request.method != "POST" or not said.strip():
        return visit.page("give_find")
    try:
        offer_with_code(said)
    except Refusal as refusal:
        return visit.sorry(refusal, template="give_find", typed=said)
    return HttpResponseRedirect(f"/offer/{''.join(c for c in said if c.isalnum())}", status=303)


def _mine(visit: Visit, row: HelpOffer) -> dict[str, Any]:
    lang = visit.said.lang
    category = (
        next((c for c in visit.pack.offer_categories if c.code == row.category), None) if visit.pack else None
    )
    unit = word(category.unit, lang) if category else ""
    over = row.ends_at <= visit.at and row.status not in ENDED
    given = matches_of([row.id])
    helped = sum(1 for one in given if one.status in {MatchStatus.GIVEN, MatchStatus.RETURNED})
    kept = sum(1 for one in given if one.status == MatchStatus.RESERVED)
    return {
        "received": visit.said.say("give_received", number=row.number),
        "what": f"{word(category.name, lang) if category else row.category} · {row.quantity} {unit}",
        "until": visit.said.say("give_until", time=visit.time(row.ends_at)),
        "state": visit.said["give_over" if over else f"give_{row.status}"],
        "helped": visit.said.say("give_helped", count=helped) if helped else "",
        "kept": visit.said.say("give_kept", count=kept) if kept else "",
        "answer": row.answer or "",
        "is_new": visit.request.GET.get("new") == "1",
        "can_withdraw": row.status not in ENDED and not over,
    }  # fmt: skip
