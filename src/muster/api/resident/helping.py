# SPDX-License-Identifier: Apache-2.0
"""我能帮忙 · 报到: somebody says that he will serve; with his code he comes back, changes it, goes on and off
duty, takes leave, or has it deleted.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.csrf import csrf_exempt

from muster.api.auth import language
from muster.api.placed import calendar_address
from muster.api.resident import homing, rush
from muster.api.resident.saying import Said
from muster.api.resident.serving import my_page, take_step
from muster.api.resident.visiting import Visit, typed, visit_of, word
from muster.base.clock import now
from muster.base.codes import normalise_enrol_code
from muster.base.errors import Refusal
from muster.base.messages import cure, text
from muster.incidents.models import Incident
from muster.incidents.services import is_in_force
from muster.packs import Pack
from muster.places.models import Area
from muster.register.importing.rows import CheckedRow, Problem
from muster.register.importing.setting import Option, Setting
from muster.responders import checking_in
from muster.responders.form import LANGUAGES, SLOTS, read_person
from muster.responders.homes import Home
from muster.responders.models import Responder, SecondCheckIn

REQUIRED = ("name", "phone", "birth_date")
LINES = {
    "name": 200,
    "phone": 80,
    "birth_date": 40,
    "organisation": 400,
    "branch": 200,
    "certificates": 600,
    "limits": 5000,
}
LISTS = ("affiliations", "skills", "languages", "free_times", "cannot")
MOST_COMMUNITIES = 300
COMMUNITIES_KEPT = 30.0
FRAME_KEPT = 1.0
FORM = re.compile(r"[0-9a-f-]{36}")


@csrf_exempt
def check_in(request: HttpRequest) -> HttpResponse:
    """The form, and what is sent with it."""
    visit = _visit(request)
    if visit.incident is None or visit.pack is None:
        return visit.page("home", can_ask=False)
    if request.method != "POST":
        return visit.page("help", **form_of(visit, said_before=_preset(visit)))
    try:
        with rush.gate.entered():
            return _take(visit)
    except rush.Crowded:
        return _crowded(visit)


_frame: list[tuple[float, Incident, Pack]] = []


def _visit(request: HttpRequest) -> Visit:
    """visit_of, which reads the incident in force once a second however many come in that second."""
    if request.method == "POST" and _frame and _frame[0][0] > time.monotonic():
        _, incident, pack = _frame[0]
        at = now()
        if is_in_force(incident, at=at):
            lang = request.GET.get("lang") or request.COOKIES.get("lang") or language(request)
            return Visit(request, Said(lang), incident, pack, at)
    visit = visit_of(request)
    if visit.incident is not None and visit.pack is not None:
        _frame[:] = [(time.monotonic() + FRAME_KEPT, visit.incident, visit.pack)]
    return visit


def _take(visit: Visit) -> HttpResponse:
    assert visit.incident is not None
    row = read_person(_cells(visit), setting=setting_of(visit), required=REQUIRED)
    home = _home(visit, row)
    if row.problems:
        return _again(visit, row)
    form = visit.request.POST.get("form", "").lower()
    try:
        received = checking_in.check_in(
            row.values, home=home, incident=visit.incident.id,
            form=form if FORM.fullmatch(form) else str(uuid.uuid4()), at=visit.at,
            expires_on=_last_day(visit), suspect=_is_suspect(visit.request),
        )  # fmt: skip
    except Refusal as refusal:
        return visit.sorry(refusal, template="help", **form_of(visit))
    return to_mine(received.code, new=True)


def _is_suspect(request: HttpRequest) -> bool:
    """A field that people do not see was filled in, or very many came from one address: look first."""
    many = rush.check_ins.count(rush.address_of(request))
    return many or bool(request.POST.get("website"))


def _again(visit: Visit, row: CheckedRow, *, template: str = "help", **more: Any) -> HttpResponse:
    """The page once more: each field with what is wrong with it; what was typed stays."""
    wrong = {one.field: _fault(visit, one) for one in row.problems}
    told = visit.said.say("fields_wrong", count=len(wrong))
    return visit.page(template, status=422, wrong=told, faults=wrong, **form_of(visit), **more)


def _fault(visit: Visit, problem: Problem) -> str:
    """What is wrong with a field, and the cure: the page's own where lists speak of cells and columns."""
    lang = visit.said.lang
    mend = cure(problem.code, lang, **problem.facts) or ""
    own = f"fault_{problem.field}"
    if own in visit.said and not problem.code.startswith("responder_"):
        mend = visit.said[own]
    sentences = [
        one[:1].upper() + one[1:] for one in (text(problem.code, lang, **problem.facts), mend) if one
    ]
    return ("。" if lang == "zh" else ". ").join(sentences)


def _crowded(visit: Visit) -> HttpResponse:
    answer = visit.page("help", status=503, wrong=visit.said["crowded"], mend=visit.said["crowded_cure"],
                        **form_of(visit))  # fmt: skip
    answer["Retry-After"] = str(rush.RETRY_SECONDS)
    return answer


@csrf_exempt
def find(request: HttpRequest) -> HttpResponse:
    """我的报到: the code leads there."""
    visit = visit_of(request)
    said = request.POST.get("code", "")[:40]
    if not said:
        return visit.page("help_find")
    try:
        code, _ = _known(visit, said)
    except Refusal as refusal:
        return visit.sorry(refusal, template="help_find", typed=said)
    return to_mine(code)


@csrf_exempt
def mine(request: HttpRequest, code: str) -> HttpResponse:
    visit = visit_of(request)
    try:
        code, row = _known(visit, code)
    except Refusal as refusal:
        return visit.sorry(refusal, template="help_find", typed=code[:20])
    if request.method != "POST":
        return visit.page("help_mine", **my_page(visit, row, code))
    if typed(request, "act", 20) == "calendar" and isinstance(row, Responder):
        address = calendar_address(row, at=visit.at)
        return visit.page("help_mine", calendar=address, **my_page(visit, row, code))
    try:
        said = take_step(visit, row, typed(request, "act", 20))
    except Refusal as refusal:
        return visit.sorry(refusal, template="help_mine", **my_page(visit, row, code))
    if said == "gone":
        return visit.page("help_gone")
    return to_mine(code, said=said)


@csrf_exempt
def change(request: HttpRequest, code: str) -> HttpResponse:
    """The same form with what was said before."""
    visit = visit_of(request)
    try:
        code, row = _known(visit, code)
    except Refusal as refusal:
        return visit.sorry(refusal, template="help_find", typed=code[:20])
    before = _said_by(row)
    vouched = isinstance(row, Responder) and row.vetted_at is not None
    shown: dict[str, Any] = {"code": code, "vouched": vouched}
    if request.method != "POST" or visit.pack is None:
        return visit.page("help", **form_of(visit, said_before=before), **shown)
    read = read_person(_cells(visit), setting=setting_of(visit), required=() if vouched else REQUIRED)
    home = _home(visit, read, before=before, kept=_home_before(row))
    if read.problems:
        return _again(visit, read, **shown)
    blank = dict.fromkeys((*LISTS, *LINES), "")
    values = {**blank, **read.values}
    if vouched:
        values = {name: value for name, value in values.items() if name not in checking_in.VOUCHED}
    try:
        _write_change(visit, row, values, code, home)
    except Refusal as refusal:
        return visit.sorry(refusal, template="help", **form_of(visit), **shown)
    return to_mine(code, said="changed")


def _write_change(
    visit: Visit, row: Responder | SecondCheckIn, values: dict[str, str], code: str, home: Home
) -> None:
    if isinstance(row, SecondCheckIn):
        checking_in.change_second(row, values, home=home, code=code, at=visit.at)
    else:
        checking_in.change_or_second(row, values, home=home, code=code, at=visit.at)


def _known(visit: Visit, said: str) -> tuple[str, Responder | SecondCheckIn]:
    """Who is behind a code. Raises Refusal check_in_unknown, codes_guessed after too many wrong ones."""
    address = rush.address_of(visit.request)
    if rush.wrong_codes.is_over(address):
        raise Refusal("codes_guessed")
    try:
        code = normalise_enrol_code(said)
        return code, checking_in.checked_in(code)
    except Refusal:
        rush.wrong_codes.count(address)
        raise Refusal("check_in_unknown") from None


def to_mine(code: str, *, new: bool = False, said: str = "") -> HttpResponse:
    query = "?new=1" if new else f"?said={said}" if said else ""
    return HttpResponseRedirect(f"/help/{code}{query}", status=303)


def _cells(visit: Visit) -> dict[str, str]:
    request = visit.request
    cells = {name: typed(request, name, most) for name, most in LINES.items()}
    cells |= {name: ",".join(one[:60] for one in request.POST.getlist(name)[:40]) for name in LISTS}
    return {name: cell.replace("\0", "") for name, cell in cells.items()}


def setting_of(visit: Visit) -> Setting:
    assert visit.pack is not None
    return Setting(visit.pack, visit.at.astimezone(ZoneInfo(visit.zone)).date())


def _last_day(visit: Visit) -> date | None:
    return visit.incident.ends_at.astimezone(ZoneInfo(visit.zone)).date() if visit.incident else None


def _home_before(row: Responder | SecondCheckIn) -> Home:
    if isinstance(row, Responder):
        return Home.of_row(row)
    said = checking_in.second_values(row)
    return Home.of_text(said["home"], text=said["home_text"])


def _home(
    visit: Visit, row: CheckedRow, *, before: Mapping[str, str] | None = None, kept: Home | None = None
) -> Home:
    """Where he lives; what is wrong with the card or the point is told beside it, with all else.

    kept: where he lived by what he said before; who changes nothing of that keeps his house.
    """
    post = visit.request.POST
    said = post.get("community", "")
    if before is not None and kept is not None and kept.grid is not None:
        same = (said, typed(visit.request, "address", 200)) == (before["community"], before["address"])
        if same and not (post.get("card") or post.get("spot")):
            return kept
    try:
        return homing.home_of(visit, next((a for a in _communities(visit) if str(a.id) == said), None))
    except Refusal as refusal:
        row.problems.append(Problem.of("card" if refusal.code in homing.OF_CARD else "spot", refusal))
        return Home()


_areas: dict[str, tuple[float, list[Area]]] = {}


def _communities(visit: Visit) -> list[Area]:
    """Areas to choose from. What was read serves for half a minute: the rush asks for them all the time."""
    assert visit.pack is not None
    leaf = visit.pack.areas.leaf
    until, kept = _areas.get(leaf, (0.0, []))
    if until < time.monotonic():
        kept = list(Area.objects.filter(level=leaf).defer("geometry").order_by("code"))
        _areas[leaf] = (time.monotonic() + COMMUNITIES_KEPT, kept)
    return kept


def forget_what_was_read() -> None:
    _areas.clear()
    _frame.clear()


def _preset(visit: Visit) -> dict[str, str]:
    """A poster of a community leads to the form with that community chosen, a door's card with its number."""
    asked = visit.request.GET
    return {"community": asked.get("community", "")[:20], "card": asked.get("card", "")[:40]}


def _said_by(row: Responder | SecondCheckIn) -> dict[str, str]:
    if isinstance(row, SecondCheckIn):
        said = checking_in.second_values(row)
        home = Home.of_text(said.pop("home"))
        return {**said, "address": said.get("home_text", ""), "community": str(home.area or "")}
    said = checking_in.values_of(row)
    return {**said, "address": row.home_text or "", "community": str(row.home_area or "")}


def form_of(visit: Visit, *, said_before: dict[str, str] | None = None) -> dict[str, Any]:
    """The form's fields: as they were sent, or as they were said before."""
    assert visit.pack is not None
    post, lang, pack = visit.request.POST, visit.said.lang, visit.pack
    setting = setting_of(visit)
    before = said_before or {}
    sent = visit.request.method == "POST"
    lines = {name: (typed(visit.request, name, 600) if sent else before.get(name, "")) for name in
             (*LINES, "address", "community", "card", "spot")}  # fmt: skip
    chosen = {name: set(post.getlist(name)) if sent else set(before.get(name, "").split(","))
              for name in LISTS}  # fmt: skip
    form = post.get("form", "") if sent else ""
    shown = _communities(visit)[:MOST_COMMUNITIES]
    return {
        "form_id": form if FORM.fullmatch(form) else str(uuid.uuid4()), "typed": lines,
        "communities": [
            {"id": a.id, "name": (a.name_en or a.name) if lang == "en" else a.name,
             "chosen": lines["community"] == str(a.id)} for a in shown
        ],
        "affiliations": _choices(setting.affiliations, chosen["affiliations"], lang),
        "skills": _choices(setting.skills, chosen["skills"], lang),
        "languages": _choices(LANGUAGES[:4], chosen["languages"], lang),
        "more_languages": _choices(LANGUAGES[4:], chosen["languages"], lang),
        "free_times": _choices(SLOTS, chosen["free_times"], lang),
        "cannot": _choices(setting.strains, chosen["cannot"], lang),
        "branch": word(pack.branch, lang) if pack.branch else "",
        "consent": visit.said.say("help_consent", day=_last_day(visit) or ""),
    }  # fmt: skip


def _choices(options: tuple[Option, ...], chosen: set[str], lang: str) -> list[dict[str, Any]]:
    return [{"code": one.code, "name": one.word(lang), "chosen": one.code in chosen} for one in options]
