# SPDX-License-Identifier: Apache-2.0
"""One request to one page: who reads in which language, in which incident; and what all pages share.

A tracking code or a relative's code is the only key; nothing here uses the session, so there is nothing for
another site to ride on.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from muster.api.auth import language
from muster.api.resident import rush
from muster.api.resident.saying import Said, clock_time
from muster.api.session import demo_logins
from muster.base.clock import now
from muster.base.errors import Refusal
from muster.base.messages import cure, text
from muster.files.pictures import MOST_BYTES
from muster.incidents.models import Incident
from muster.incidents.packs import pack_of
from muster.incidents.services import current_incident
from muster.packs import Pack
from muster.places.models import Area
from muster.requests import services
from muster.requests.pictures import MOST_PICTURES, add_picture
from muster.requests.services import Asked, Where
from muster.requests.states import Urgency


@dataclass
class Visit:
    """One request to one page: who reads in which language, in which incident, at what time."""

    request: HttpRequest
    said: Said
    incident: Incident | None
    pack: Pack | None
    at: datetime

    @property
    def zone(self) -> str:
        return self.incident.time_zone if self.incident else "Asia/Shanghai"

    @property
    def is_large(self) -> bool:
        return (self.request.GET.get("size") or self.request.COOKIES.get("size")) == "large"

    def time(self, moment: datetime) -> str:
        return clock_time(moment, self.zone, now=self.at, said=self.said)

    def page(self, template: str, status: int = 200, **more: Any) -> HttpResponse:
        numbers = self.pack.emergency_numbers if self.pack else ()
        answer = render(
            self.request,
            f"resident/{template}.html",
            {
                "w": self.said, "lang": self.said.lang, "other": "en" if self.said.lang == "zh" else "zh",
                "incident": self.incident, "drill": bool(self.incident and self.incident.is_drill),
                "numbers": [{"number": n.number, "name": word(n.name, self.said.lang)} for n in numbers],
                "first_number": numbers[0].number if numbers else "",
                "large": self.is_large,
                "life_first": self.said.say("life_first", number=numbers[0].number) if numbers else "",
                "call_first": self.said.say("call", number=numbers[0].number) if numbers else "",
                "demo": bool(demo_logins()), **more,
            },
            status=status,
        )  # fmt: skip
        answer["Cache-Control"] = "no-store"
        answer["X-Robots-Tag"] = "noindex"
        answer.set_cookie("lang", self.said.lang, max_age=86400 * 90, samesite="Lax")
        if self.request.GET.get("size") in {"large", "normal"}:
            answer.set_cookie("size", self.request.GET["size"], max_age=86400 * 90, samesite="Lax")
        return answer

    def sorry(self, refusal: Refusal, *, template: str, **more: Any) -> HttpResponse:
        """The page again with what was wrong and the cure; what was typed stays."""
        lang = self.said.lang
        told = text(refusal.code, lang, **refusal.facts)
        mend = cure(refusal.code, lang, **refusal.facts)
        return self.page(template, status=422, wrong=told, mend=mend, **more)


def visit_of(request: HttpRequest) -> Visit:
    at = now()
    incident = current_incident(at)
    lang = request.GET.get("lang") or request.COOKIES.get("lang") or language(request)
    return Visit(request, Said(lang), incident, pack_of(incident) if incident else None, at)


def word(words: Any, lang: str) -> str:
    said: str = words.zh if lang == "zh" else words.en
    return said


def typed(request: HttpRequest, name: str, most: int) -> str:
    return request.POST.get(name, "").replace("\0", "")[:most]


def category_word(pack: Pack | None, code: str, lang: str) -> str:
    found = next((c for c in pack.request_categories if c.code == code), None) if pack else None
    return word(found.name, lang) if found else code


FORM = re.compile(r"[0-9a-f-]{36}")


def form_number(request: HttpRequest) -> str:
    """The number of the form that was sent; of a page without one, none, and then nothing is the same."""
    said = request.POST.get("form", "").lower()
    return said if FORM.fullmatch(said) else ""


def raise_for(visit: Visit, asked: Asked, where: Where) -> services.Taken:
    assert visit.incident is not None
    assert visit.pack is not None
    return services.raise_request(
        asked, incident=visit.incident.id, pack=visit.pack, where=where, channel="WEB", by=None, at=visit.at,
        expires_days=visit.pack.retention.requests, form=form_number(visit.request),
        suspect=rush.asked.count(rush.address_of(visit.request)),
    )  # fmt: skip


def form_of(visit: Visit) -> dict[str, Any]:
    assert visit.pack is not None
    lang, said = visit.said.lang, visit.request.POST
    leaf = visit.pack.areas.leaf
    communities = Area.objects.filter(level=leaf).order_by("code")[:400]
    return {
        "categories": [
            {"code": c.code, "name": word(c.name, lang), "chosen": said.get("category") == c.code}
            for c in visit.pack.request_categories
        ],
        "urgencies": [
            {"code": u, "name": visit.said[u], "chosen": said.get("urgency") == u} for u in Urgency.values
        ],
        "communities": [
            {
                "id": a.id,
                "name": (a.name_en or a.name) if lang == "en" else a.name,
                "chosen": said.get("community") == str(a.id),
            }
            for a in communities
        ],
        "typed": {name: said.get(name, "")[:4000] for name in ("text", "address", "name", "phone")},
        "form": form_number(visit.request) or str(uuid.uuid4()),
    }


def send_pictures(visit: Visit, request: uuid.UUID, *, forgiving: bool = False) -> str:
    """Keeps the pictures that came with a form.

    forgiving: a request was just taken in, and no picture may undo that: what is wrong is told instead.

    Raises:
        Refusal: picture_too_large, picture_unreadable, pictures_enough, request_ended.
    """
    try:
        for sent in visit.request.FILES.getlist("picture")[:MOST_PICTURES]:
            if (sent.size or 0) > MOST_BYTES:
                raise Refusal("picture_too_large", most=MOST_BYTES >> 20)
            add_picture(request, sent.read(), by=None, by_resident=True, at=visit.at)
    except Refusal:
        if not forgiving:
            raise
        return "picture_missed"
    return ""


def to_track(code: str, *, new: bool = False, said: str = "") -> HttpResponse:
    told = (["new=1"] if new else []) + ([f"said={said}"] if said else [])
    query = f"?{'&'.join(told)}" if told else ""
    return HttpResponseRedirect(f"/track/{code}{query}", status=303)
