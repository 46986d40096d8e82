# SPDX-License-Identifier: Apache-2.0
"""Open311 GeoReport v2 at /open311/v2, with updates: other systems bring requests in and follow them.

The id of a request is its tracking code: who holds it may follow, nobody can list. What was said, by whom and
where is never given out here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from muster.api.auth import language
from muster.api.resident.saying import Said
from muster.base.clock import now
from muster.base.codes import normalise_enrol_code
from muster.base.errors import Refusal
from muster.base.messages import text
from muster.incidents.packs import pack_of
from muster.incidents.services import current_incident
from muster.packs import Pack
from muster.packs.schema import Question
from muster.places.models import Building
from muster.requests import steps
from muster.requests.models import Request
from muster.requests.queries import is_same_asker, main_request, request_with_code
from muster.requests.services import Asked, Where, raise_request
from muster.requests.states import ENDED, RequestStatus
from muster.trail.models import Event

Rows = Sequence[Mapping[str, Any]]
TYPES = {"bool": "singlevaluelist", "choice": "singlevaluelist", "number": "number", "text": "text"}
NEAR_M = 150.0
_METRES_PER_DEGREE = 111_320.0
MOST_IDS = 50


def answered(rows: Rows, form: str, *, root: str, one: str, status: int = 200) -> HttpResponse:
    """A list in the asked-for form, as the standard wants it."""
    if form == "json":
        return JsonResponse(list(rows), safe=False, status=status, json_dumps_params={"ensure_ascii": False})
    tree = ET.Element(root)
    for row in rows:
        _fill(ET.SubElement(tree, one), row)
    body = ET.tostring(tree, encoding="utf-8", xml_declaration=True)
    return HttpResponse(body, content_type="text/xml; charset=utf-8", status=status)


def _fill(node: ET.Element, row: Mapping[str, Any]) -> None:
    for name, value in row.items():
        child = ET.SubElement(node, name)
        if isinstance(value, list):
            for each in value:
                _fill(ET.SubElement(child, name.removesuffix("s")), each)
        elif value is not None:
            child.text = str(value).lower() if isinstance(value, bool) else str(value)


def failed(code: int, said: str, form: str) -> HttpResponse:
    return answered([{"code": code, "description": said}], form, root="errors", one="error", status=code)


def _refused(request: HttpRequest, refusal: Refusal, form: str) -> HttpResponse:
    unknown = refusal.code in {"tracking_unknown", "code_unknown", "request_category_unknown"}
    return failed(404 if unknown else 400, text(refusal.code, language(request), **refusal.facts), form)


def only(view: Callable[..., HttpResponse], *methods: str) -> Callable[..., HttpResponse]:
    """A view for these methods; others, and bodies that are no form, are told so in the asked-for form."""

    def answer(request: HttpRequest, form: str, **named: str) -> HttpResponse:
        if request.method not in methods:
            said = text("open311_method", language(request), methods=", ".join(methods))
            return failed(405, said, form)
        if request.method == "POST" and request.content_type == "application/json":
            return _refused(request, Refusal("open311_form_only"), form)
        return view(request, form=form, **named)

    return csrf_exempt(answer)


def _pack() -> Pack | None:
    incident = current_incident(now())
    return pack_of(incident) if incident else None


def services(request: HttpRequest, form: str) -> HttpResponse:
    pack, lang = _pack(), language(request)
    rows = [
        {
            "service_code": c.code, "service_name": _word(c.name, lang), "description": _word(c.name, lang),
            "metadata": bool(c.questions), "type": "realtime", "keywords": c.urgency, "group": pack.key,
        }
        for c in (pack.request_categories if pack else ())
        if pack
    ]  # fmt: skip
    return answered(rows, form, root="services", one="service")


def service(request: HttpRequest, code: str, form: str) -> HttpResponse:
    pack, lang = _pack(), language(request)
    found = next((c for c in pack.request_categories if c.code == code), None) if pack else None
    if found is None:
        return _refused(request, Refusal("request_category_unknown", category=code[:40]), form)
    told = {
        "service_code": code,
        "attributes": [_attribute(q, n, lang) for n, q in enumerate(found.questions, 1)],
    }
    if form == "json":
        return JsonResponse(told, json_dumps_params={"ensure_ascii": False})
    return answered([told], form, root="service_definitions", one="service_definition")


def _attribute(question: Question, order: int, lang: str) -> dict[str, Any]:
    yes_no = [{"key": "true", "name": "是" if lang == "zh" else "yes"},
              {"key": "false", "name": "否" if lang == "zh" else "no"}]  # fmt: skip
    values = [{"key": o.value, "name": _word(o.name, lang)} for o in question.options]
    return {
        "variable": True, "code": question.key, "datatype": TYPES.get(question.type, "string"),
        "required": False, "datatype_description": "", "order": order,
        "description": _word(question.name, lang), "values": yes_no if question.type == "bool" else values,
    }  # fmt: skip


def requests(request: HttpRequest, form: str) -> HttpResponse:
    if request.method == "POST":
        return _take(request, form)
    codes = [c for c in request.GET.get("service_request_id", "").split(",") if c][:MOST_IDS]
    if not codes:
        # There is no list of everybody's needs for the world to read.
        return _refused(request, Refusal("open311_needs_id"), form)
    rows = []
    for code in codes:
        try:
            rows.append(_told(request, code))
        except Refusal as refusal:
            return _refused(request, refusal, form)
    return answered(rows, form, root="service_requests", one="request")


def one_request(request: HttpRequest, code: str, form: str) -> HttpResponse:
    try:
        return answered([_told(request, code)], form, root="service_requests", one="request")
    except Refusal as refusal:
        return _refused(request, refusal, form)


def _take(request: HttpRequest, form: str) -> HttpResponse:
    at = now()
    incident = current_incident(at)
    if incident is None:
        return _refused(request, Refusal("no_incident"), form)
    said = request.POST
    name = " ".join(part for part in (said.get("first_name", ""), said.get("last_name", "")) if part)
    answers = {k[10:-1]: v for k, v in said.items() if k.startswith("attribute[") and k.endswith("]")}
    try:
        where = _near(said.get("lat", ""), said.get("long", ""))
        taken = raise_request(
            Asked(
                category=said.get("service_code", ""), text=said.get("description", "")[:4000],
                place=said.get("address_string", "")[:500], name=name[:80], phone=said.get("phone", "")[:40],
                language=language(request), answers={k[:40]: str(v)[:500] for k, v in answers.items()},
            ),
            incident=incident.id, pack=pack_of(incident), where=where, channel="API", by=None, at=at,
            expires_days=pack_of(incident).retention.requests,
        )  # fmt: skip
    except Refusal as refusal:
        return _refused(request, refusal, form)
    notice = Said(language(request)).say("received", number=taken.request.number)
    row = {"service_request_id": taken.code, "service_notice": notice, "account_id": None}
    return answered([row], form, root="service_requests", one="request", status=201)


def _near(lat: str, long: str) -> Where:
    """The nearest house within reach of a point; nowhere for a blank point.

    Raises:
        Refusal: "point_bad".
    """
    if not lat and not long:
        return Where()
    try:
        north, east = float(lat), float(long)
    except ValueError:
        raise Refusal("point_bad") from None
    if not (abs(north) <= 90 and abs(east) <= 180):
        raise Refusal("point_bad")
    reach = NEAR_M / _METRES_PER_DEGREE
    wide = reach / max(0.1, math.cos(math.radians(north)))
    rows = Building.objects.filter(
        lat__range=(north - reach, north + reach), lon__range=(east - wide, east + wide)
    )
    near = min(rows[:500], key=lambda b: _apart(b, north, east), default=None)
    if near is None or _apart(near, north, east) > NEAR_M:
        return Where(lon=east, lat=north)
    return Where(sub_district=near.sub_district, grid=near.grid, building=near.id, lon=east, lat=north)


def _apart(building: Building, north: float, east: float) -> float:
    x = ((building.lon or 0.0) - east) * math.cos(math.radians(north))
    return math.hypot(x, (building.lat or 0.0) - north) * _METRES_PER_DEGREE


def _told(request: HttpRequest, said: str) -> dict[str, Any]:
    """How far a request is. Raises Refusal("tracking_unknown")."""
    code, row = _of_code(said)
    main, lang = main_request(row), language(request)
    pack = _pack()
    category = next((c for c in pack.request_categories if c.code == row.category), None) if pack else None
    last = Event.objects.filter(entity="Request", entity_id=str(main.id)).order_by("-at").first()
    return {
        "service_request_id": code,
        "status": "closed" if main.status in ENDED | {RequestStatus.DONE} else "open",
        "status_notes": Said(lang)[f"step_{main.status}"],
        "service_name": _word(category.name, lang) if category else row.category,
        "service_code": row.category, "description": None, "agency_responsible": None,
        "service_notice": None, "requested_datetime": _moment(row.made_at),
        "updated_datetime": _moment(last.at if last else row.made_at),
        "expected_datetime": _moment(main.finish_by), "address": None, "address_id": None, "zipcode": None,
        "lat": None, "long": None, "media_url": None,
    }  # fmt: skip


def _of_code(said: str) -> tuple[str, Request]:
    try:
        code = normalise_enrol_code(said)
    except Refusal:
        raise Refusal("tracking_unknown") from None
    return code, request_with_code(code)


def token(request: HttpRequest, code: str, form: str) -> HttpResponse:
    """A request has its id from the beginning; its token is the same."""
    row = {"service_request_id": code, "token": code}
    try:
        _of_code(code)
    except Refusal as refusal:
        return _refused(request, refusal, form)
    return answered([row], form, root="service_requests", one="request")


def updates(request: HttpRequest, form: str) -> HttpResponse:
    """GET: the steps of a request. POST: a sentence more, or "closed": the asker says that it is solved."""
    said = request.POST if request.method == "POST" else request.GET
    try:
        code, row = _of_code(said.get("service_request_id", ""))
        if request.method == "POST":
            _update(row, said)
    except Refusal as refusal:
        return _refused(request, refusal, form)
    main = main_request(row)
    events = Event.objects.filter(entity="Request", entity_id=str(main.id)).order_by("at", "id")[:200]
    words = Said(language(request))
    rows = [
        {
            "update_id": str(e.id), "service_request_id": code,
            "status": "closed" if e.to_state in ENDED | {RequestStatus.DONE} else "open",
            "updated_datetime": _moment(e.at), "description": words[f"step_{e.to_state}"],
        }
        for e in events
        if e.to_state and e.to_state != e.from_state
    ]  # fmt: skip
    status = 201 if request.method == "POST" else 200
    return answered(rows, form, root="service_request_updates", one="request_update", status=status)


def _update(row: Request, said: Mapping[str, str]) -> None:
    at, main = now(), main_request(row)
    # Either all of an update is taken or nothing: who is told no may send the same again.
    with transaction.atomic():
        if said.get("description", "").strip():
            steps.add_note(row, text=said["description"][:2000], by=None, by_resident=True, at=at)
        wanted = said.get("status", "").lower()
        if wanted in {"closed", "open"} and not is_same_asker(row, main):
            raise Refusal("request_ask_with_first_code")
        if wanted == "closed":
            steps.answer_solved(main.id, result="SOLVED", by=None, by_resident=True, at=at)
        elif wanted == "open" and main.status in ENDED | {RequestStatus.DONE}:
            steps.answer_solved(main.id, result="NOT_SOLVED", by=None, by_resident=True, at=at)


def _moment(at: datetime) -> str:
    return at.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _word(words: Any, lang: str) -> str:
    said: str = words.zh if lang == "zh" else words.en
    return said


READ = ("GET", "HEAD")
ROUTES: tuple[tuple[str, Callable[..., HttpResponse]], ...] = (
    (r"^services\.(?P<form>json|xml)$", only(services, *READ)),
    (r"^services/(?P<code>[A-Za-z0-9_]{1,40})\.(?P<form>json|xml)$", only(service, *READ)),
    (r"^requests\.(?P<form>json|xml)$", only(requests, *READ, "POST")),
    (r"^requests/(?P<code>[^/]{1,40})\.(?P<form>json|xml)$", only(one_request, *READ)),
    (r"^tokens/(?P<code>[^/]{1,40})\.(?P<form>json|xml)$", only(token, *READ)),
    (r"^servicerequestupdates\.(?P<form>json|xml)$", only(updates, *READ, "POST")),
)
