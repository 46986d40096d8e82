# SPDX-License-Identifier: Apache-2.0
"""Home, and asking for help."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from muster.api.resident.visiting import Visit, form_of, raise_for, send_pictures, to_track, typed, visit_of
from muster.base.errors import Refusal
from muster.places.models import Area
from muster.places.queries import small_grid_ids
from muster.register.phones import read_phone
from muster.requests.placing import place_of_text
from muster.requests.services import Asked, Where
from muster.storage.scoping import Scope


def home(request: HttpRequest) -> HttpResponse:
    visit = visit_of(request)
    return visit.page("home", can_ask=bool(visit.pack and visit.pack.request_categories))


def send_script(_request: HttpRequest) -> HttpResponse:
    """The one script of these pages, which all of them can do without."""
    answer = HttpResponse(_script(), content_type="text/javascript; charset=utf-8")
    answer["Cache-Control"] = "public, max-age=600"
    return answer


@cache
def _script() -> bytes:
    return (Path(__file__).parent / "send.js").read_bytes()


@csrf_exempt
def ask(request: HttpRequest) -> HttpResponse:
    visit = visit_of(request)
    if visit.incident is None or visit.pack is None:
        return visit.page("home", can_ask=False)
    form = form_of(visit)
    if request.method != "POST":
        return visit.page("ask", **form)
    try:
        where = _where(visit)
        asked = Asked(
            category=typed(request, "category", 40), urgency=typed(request, "urgency", 8),
            text=typed(request, "text", 4000), place=typed(request, "address", 500),
            name=typed(request, "name", 80), phone=typed(request, "phone", 40),
            language=visit.said.lang, for_relative=bool(request.POST.get("for_relative")),
            cannot_call=bool(request.POST.get("cannot_call")),
        )  # fmt: skip
        taken = raise_for(visit, asked, where)
        missed = send_pictures(visit, taken.request.id, forgiving=True)
    except Refusal as refusal:
        return visit.sorry(refusal, template="ask", **form)
    return to_track(
        taken.code, new=True, said=missed or ("" if _can_be_called(visit, asked.phone) else "phone_odd")
    )


def _can_be_called(visit: Visit, phone: str) -> bool:
    """Whether a number looks like one; a blank is no mistake."""
    assert visit.pack is not None
    try:
        read_phone(phone, plan=visit.pack.phones)
    except Refusal:
        return False
    return True


def _where(visit: Visit) -> Where:
    """The door that the address names within the community, where exactly one fits; else the community."""
    assert visit.pack is not None
    said = typed(visit.request, "community", 20)
    community = Area.objects.filter(id=int(said)).first() if said.isdecimal() and len(said) < 19 else None
    if community is None:
        return Where()
    scope = Scope(grids=frozenset(small_grid_ids(community.path)))
    found = place_of_text(typed(visit.request, "address", 500), scope=scope, form=visit.pack.address.form)
    if found.dwelling is not None:
        return found
    return Where(sub_district=community.sub_district or 0)
