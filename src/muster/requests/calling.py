# SPDX-License-Identifier: Apache-2.0
"""Quiet people: whom to call because nobody has heard of him for as long as his needs allow; what came of it.

Who needs what stands in the register; how long somebody may stay quiet is the pack's. A call that nobody
answers twice, and a silence of twice that long, ask somebody to look in.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max

from muster.base.errors import Refusal
from muster.packs.pack import Pack
from muster.register.models import Need, Person
from muster.requests.models import CareCall, Request
from muster.requests.placing import place_of_door
from muster.requests.services import Asked, Taken, Where, raise_request
from muster.requests.states import ENDED, CallResult, Channel
from muster.storage.scoping import Scope
from muster.trail.services import record_event

NO_ANSWERS = 2
# A silence of so many times what is allowed asks for a visit by itself.
TOO_LONG = 2
HEARD = (CallResult.WELL, CallResult.HELP)


@dataclass(frozen=True, slots=True)
class Quiet:
    """Somebody to call. services: what the door may know of why; unanswered: calls in vain, in a row."""

    person: Person
    services: tuple[str, ...]
    heard_at: datetime
    due_at: datetime
    unanswered: int


@dataclass(frozen=True, slots=True)
class Called:
    call: CareCall
    taken: Taken | None = None


def quiet_people(
    incident: uuid.UUID, *, pack: Pack, scope: Scope, at: datetime, limit: int = 500
) -> tuple[list[Quiet], int]:
    """Who is due to be called, the longest overdue first, and how many there are in all. Five queries."""
    needs = Need.objects.within(scope).filter(ended_at__isnull=True, person__left_at__isnull=True)
    rows = needs.filter(person__merged_into__isnull=True).values_list("person_id", "kind", "seen_at")
    kinds: dict[uuid.UUID, set[str]] = defaultdict(set)
    seen: dict[uuid.UUID, datetime | None] = {}
    for person, kind, seen_at in rows:
        kinds[person].add(kind)
        seen[person] = max(filter(None, (seen.get(person), seen_at)), default=None)
    heard, unanswered = _heard(incident, set(kinds))
    due: list[tuple[datetime, datetime, uuid.UUID]] = []
    for person, codes in kinds.items():
        days = min((need.cadence_days for code in codes if (need := pack.need(code))), default=None)
        if days is None:
            continue
        last = max(filter(None, (seen[person], heard.get(person))), default=at - timedelta(days=days))
        if last + timedelta(days=days) <= at:
            due.append((last + timedelta(days=days), last, person))
    due.sort(key=lambda one: (one[0], one[2]))
    people = Person.objects.across(reason="requests").in_bulk([person for _, _, person in due[:limit]])
    shown = [
        Quiet(people[person], tuple(pack.services_of(sorted(kinds[person]))), last, when,
              unanswered.get(person, 0))
        for when, last, person in due[:limit]
        if person in people
    ]  # fmt: skip
    return shown, len(due)


def _heard(
    incident: uuid.UUID, people: Collection[uuid.UUID]
) -> tuple[dict[uuid.UUID, datetime], dict[uuid.UUID, int]]:
    """When each was last heard of, by call or by help that was done; and the calls in vain since."""
    heard: dict[uuid.UUID, datetime] = {}
    vain: dict[uuid.UUID, int] = defaultdict(int)
    calls = CareCall.objects.across(reason="requests").filter(incident=incident).order_by("at")
    for person, at, result in calls.values_list("person", "at", "result"):
        if result in HEARD:
            heard[person], vain[person] = at, 0
        else:
            vain[person] += 1
    done = Request.objects.across(reason="requests").filter(
        incident=incident, person__isnull=False, done_at__isnull=False
    )
    for person, at in done.values_list("person").annotate(last=Max("done_at")):
        heard[person] = max(at, heard.get(person, at))
    return {p: t for p, t in heard.items() if p in people}, dict(vain)


def record_call(
    person: Person,
    *,
    incident: uuid.UUID,
    pack: Pack,
    result: str,
    text: str = "",
    by: uuid.UUID,
    at: datetime,
) -> Called:
    """Writes down what a call gave. Help that is needed becomes a request; so does a second call in vain.

    Raises:
        Refusal: call_result_unknown, request_too_long.
    """
    if result not in (*HEARD, CallResult.NO_ANSWER):
        raise Refusal("call_result_unknown", result=result[:20])
    with transaction.atomic():
        taken = None
        if result == CallResult.HELP:
            taken = _ask(person, incident=incident, pack=pack, text=text, category="", by=by, at=at)
        elif result == CallResult.NO_ANSWER and _in_vain(person.id, incident) + 1 >= NO_ANSWERS:
            taken = _ask_to_look_in(person, incident=incident, pack=pack, by=by, at=at)
        call = _write(person, incident=incident, result=result, taken=taken, by=by, at=at)
    return Called(call, taken)


def ask_to_look_in_on(
    quiet: Iterable[Quiet], *, incident: uuid.UUID, pack: Pack, at: datetime
) -> list[Taken]:
    """Asks for a visit to everybody who has been quiet for too long; asked again it asks for nobody twice."""
    made: list[Taken] = []
    for one in quiet:
        if one.heard_at + TOO_LONG * (one.due_at - one.heard_at) > at:
            continue
        with transaction.atomic():
            person = Person.objects.across(reason="requests").select_for_update().get(id=one.person.id)
            if _is_asked_for(person.id, incident):
                continue
            taken = _ask_to_look_in(person, incident=incident, pack=pack, by=None, at=at)
            _write(person, incident=incident, result=CallResult.VISIT, taken=taken, by=None, at=at)
        made.append(taken)
    return made


def _is_asked_for(person: uuid.UUID, incident: uuid.UUID) -> bool:
    rows = Request.objects.across(reason="requests").filter(incident=incident, person=person)
    return rows.exclude(status__in=ENDED).exists()


def _in_vain(person: uuid.UUID, incident: uuid.UUID) -> int:
    calls = CareCall.objects.across(reason="requests").filter(incident=incident, person=person)
    count = 0
    for result in calls.order_by("-at").values_list("result", flat=True)[:NO_ANSWERS]:
        if result != CallResult.NO_ANSWER:
            break
        count += 1
    return count


def _ask_to_look_in(
    person: Person, *, incident: uuid.UUID, pack: Pack, by: uuid.UUID | None, at: datetime
) -> Taken:
    known = {category.code for category in pack.request_categories}
    return _ask(
        person, incident=incident, pack=pack, text="", category="visit" if "visit" in known else "other",
        by=by, at=at,
    )  # fmt: skip


def _ask(
    person: Person,
    *,
    incident: uuid.UUID,
    pack: Pack,
    text: str,
    category: str,
    by: uuid.UUID | None,
    at: datetime,
) -> Taken:
    where = Where(sub_district=person.sub_district, grid=person.grid)
    if person.dwelling_id is not None:
        where = place_of_door(person.dwelling_id, scope=Scope(everything=True))
    asked = Asked(
        category=category or "other", text=text, name=person.name or "", phone=person.phone or "",
        person=person.id,
    )  # fmt: skip
    return raise_request(
        asked, incident=incident, pack=pack, where=where, channel=Channel.PROACTIVE, by=by, at=at,
        expires_days=pack.retention.requests,
    )  # fmt: skip


def _write(
    person: Person,
    *,
    incident: uuid.UUID,
    result: str,
    taken: Taken | None,
    by: uuid.UUID | None,
    at: datetime,
) -> CareCall:
    call = CareCall(
        incident=incident, sub_district=person.sub_district, grid=person.grid, person=person.id, at=at, by=by,
        result=result, request=taken.request.id if taken else None,
    )  # fmt: skip
    call.save(force_insert=True)
    record_event("CareCall", call.id, "call", at=at, actor=by, incident=incident, reason=result,
                 person=str(person.id))  # fmt: skip
    return call
