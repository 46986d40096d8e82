# SPDX-License-Identifier: Apache-2.0
"""查进度: how far a request is, who comes, the password, "is it solved?", and what its asker can still do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from muster.api.resident.visiting import Visit, category_word, send_pictures, to_track, typed, visit_of
from muster.base.codes import normalise_enrol_code
from muster.base.errors import Refusal
from muster.requests import care, steps
from muster.requests.models import Request
from muster.requests.queries import (
    is_same_asker,
    items_of,
    main_request,
    request_with_code,
    waiting_before,
)
from muster.requests.services import Where
from muster.requests.states import ITEM_TAKEN, WAITING, RequestStatus, Urgency
from muster.responders.queries import responders_with_ids

# Once an hour somebody can say that nobody came; more often it says nothing new.
HURRY_AGAIN = timedelta(hours=1)


def find(request: HttpRequest) -> HttpResponse:
    visit = visit_of(request)
    said = request.GET.get("code", "")[:40]
    if not said and "code" not in request.GET:
        return visit.page("find")
    try:
        code = normalise_enrol_code(said)
        request_with_code(code)
    except Refusal:
        return visit.sorry(Refusal("tracking_unknown"), template="find", typed=said)
    return to_track(code)


@csrf_exempt
def track(request: HttpRequest, code: str) -> HttpResponse:
    visit = visit_of(request)
    try:
        code = normalise_enrol_code(code)
        row = request_with_code(code)
    except Refusal:
        return visit.sorry(Refusal("tracking_unknown"), template="find", typed=code[:20])
    if request.method == "POST":
        try:
            act = ACTS.get(request.POST.get("act", ""))
            return act(visit, row, code) if act else to_track(code)
        except Refusal as refusal:
            return visit.sorry(refusal, template="track", **_tracked(visit, row, code))
    return visit.page("track", **_tracked(visit, row, code))


def _own(row: Request) -> Request:
    """What stands for this request, for its asker to answer.

    Raises:
        Refusal: request_ask_with_first_code.
    """
    main = main_request(row)
    if not is_same_asker(row, main):
        raise Refusal("request_ask_with_first_code")
    return main


def _solved(visit: Visit, row: Request, code: str) -> HttpResponse:
    steps.answer_solved(_own(row).id, result="SOLVED", by=None, by_resident=True, at=visit.at)
    return to_track(code, said="thanks")


def _not_solved(visit: Visit, row: Request, code: str) -> HttpResponse:
    steps.answer_solved(_own(row).id, result="NOT_SOLVED", by=None, by_resident=True, at=visit.at)
    return to_track(code, said="again")


def _hurry(visit: Visit, row: Request, code: str) -> HttpResponse:
    """Nobody has been in touch: one level up, at most once an hour."""
    main = main_request(row)
    if main.status not in WAITING or main.respond_by > visit.at:
        return to_track(code, said="not_late_yet")
    if main.escalated_at is None or main.escalated_at < visit.at - HURRY_AGAIN:
        steps.escalate(main.id, by=None, at=visit.at, reason="asker")
    return to_track(code, said="hurried")


def _add(visit: Visit, row: Request, code: str) -> HttpResponse:
    steps.add_note(row, text=typed(visit.request, "text", 2000), by=None, by_resident=True, at=visit.at)
    return to_track(code, said="added")


def _picture(visit: Visit, row: Request, code: str) -> HttpResponse:
    send_pictures(visit, main_request(row).id)
    return to_track(code, said="added")


def _withdraw(visit: Visit, row: Request, code: str) -> HttpResponse:
    steps.withdraw(row.id, by=None, at=visit.at)
    return to_track(code)


def _share(visit: Visit, row: Request, code: str) -> HttpResponse:
    """A code for a relative, shown once: it is not in any address."""
    if row.care_grant is not None:
        raise Refusal("care_grant_only_own")
    where = Where(sub_district=row.sub_district, grid=row.grid, dwelling=row.dwelling)
    _, care_code = care.give_care_grant(
        incident=row.incident, where=where, person=row.person, through="WEB", by=None, at=visit.at,
        relative_name=typed(visit.request, "relative", 80), relative_phone="", origin=row.id,
    )  # fmt: skip
    return visit.page("track", care_code=care_code, **_tracked(visit, row, code))


def _unshare(visit: Visit, row: Request, code: str) -> HttpResponse:
    for grant in care.given_by_asker(row) if row.care_grant is None else ():
        care.revoke_care_grant(grant.id, by=None, at=visit.at)
    return to_track(code, said="share_stopped")


ACTS: dict[str, Callable[[Visit, Request, str], HttpResponse]] = {
    "solved": _solved,
    "not_solved": _not_solved,
    "hurry": _hurry,
    "add": _add,
    "picture": _picture,
    "withdraw": _withdraw,
    "share": _share,
    "unshare": _unshare,
}


def _tracked(visit: Visit, row: Request, code: str) -> dict[str, Any]:
    row.refresh_from_db()
    main = main_request(row)
    waiting = main.status in WAITING
    before = waiting_before(main) - 1 if waiting else 0
    said = visit.request.GET.get("said", "")
    known = {"thanks", "again", "hurried", "added", "share_stopped", "picture_missed", "phone_odd"}
    told = visit.said[said] if said in known else ""
    if said == "not_late_yet":
        told = visit.said.say("not_late_yet", time=visit.time(main.respond_by))
    # Who comes and the word that opens the door are told to who asked first, not to whoever named the door.
    is_own = is_same_asker(row, main)
    helper = _helper(main) if is_own else ""
    return {
        "row": row, "code": code, "is_new": visit.request.GET.get("new") == "1", "told": told,
        "received": visit.said.say("received", number=row.number),
        "will_answer": visit.said.say("will_answer", time=visit.time(main.respond_by)),
        "if_not": visit.said.say("if_not", phone=visit.incident.phone)
        if visit.incident and visit.incident.phone
        else visit.said["if_not_plain"],
        "phone": visit.incident.phone if visit.incident else "",
        "steps": _steps(visit, row, main), "waiting": waiting,
        "queue": (visit.said.say("queue", count=before) if before else visit.said["queue_first"])
        if waiting
        else "",
        "late": waiting and main.respond_by <= visit.at,
        "helper": visit.said.say("who_comes", name=helper) if helper else "",
        "password": visit.said.say("password", word=main.spoken_word) if helper else "",
        "first_code": "" if is_own else visit.said["first_code"],
        "done": is_own and main.status == RequestStatus.DONE,
        "can_say_no": is_own and main.status in {RequestStatus.CONFIRMED, RequestStatus.CLOSED_UNREACHED},
        "refused": main.refused_text if main.status == RequestStatus.REFUSED else "",
        "on_hold": visit.said.say(f"hold_{main.hold_reason}", time=visit.time(main.hold_until))
        if main.status == RequestStatus.ON_HOLD and main.hold_until
        else "",
        "can_withdraw": row.status in WAITING | {RequestStatus.ON_HOLD, RequestStatus.ACCEPTED},
        "can_share": row.dwelling is not None and row.care_grant is None,
        "category": category_word(visit.pack, row.category, visit.said.lang),
        "is_life": main.urgency == Urgency.LIFE,
    }  # fmt: skip


def _helper(row: Request) -> str:
    """How who comes is called; no phone, no full name."""
    taken = [item for item in items_of([row.id]) if item.status in ITEM_TAKEN and item.responder]
    if not taken:
        return ""
    people = responders_with_ids([item.responder for item in taken if item.responder])
    names = [people[item.responder].name or "" for item in taken if item.responder in people]
    return "、".join(_called(name) for name in names if name)


def _called(name: str) -> str:
    """How a helper is named to a stranger: 王* for 王小明, Anna for Anna Brown."""
    return name.split(maxsplit=1)[0] if " " in name else f"{name[0]}*" if len(name) > 1 else name


def _steps(visit: Visit, row: Request, main: Request) -> list[dict[str, Any]]:
    """The line of steps with their times; what has not happened yet stands there without one. A step that was
    passed over, as when somebody came forward at once, is behind them too.
    """
    moments = [
        ("NEW", row.made_at), ("TRIAGED", main.triaged_at), ("ACCEPTED", main.accepted_at),
        ("ON_SITE", main.on_site_at), ("DONE", main.done_at),
    ]  # fmt: skip
    reached = max(place for place, (_, moment) in enumerate(moments) if moment)
    line = [
        {
            "name": visit.said[f"step_{name}"],
            "time": visit.time(moment) if moment else "",
            "done": place <= reached,
        }
        for place, (name, moment) in enumerate(moments)
    ]
    special = {"CONFIRMED", "CLOSED_UNREACHED", "ON_HOLD", "REFUSED", "WITHDRAWN"}
    if main.reopened and main.status in WAITING:
        line.insert(1, {"name": visit.said["step_REOPENED"], "time": "", "done": True})
    if row.status == RequestStatus.LINKED:
        line.insert(1, {"name": visit.said["step_LINKED"], "time": "", "done": True})
    if main.status in {RequestStatus.WITHDRAWN, RequestStatus.REFUSED}:
        # What will not come any more is no step.
        line = [step for step in line if step["done"]]
    if main.status in special:
        ended = visit.time(main.ended_at) if main.ended_at else ""
        line.append({"name": visit.said[f"step_{main.status}"], "time": ended, "done": True})
    return line
