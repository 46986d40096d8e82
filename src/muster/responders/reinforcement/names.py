# SPDX-License-Identifier: Apache-2.0
"""Names of a deployment: a pasted list or a spreadsheet becomes people, ticked off when they come and go.

Names never contradict the counts: more or fewer names than people are shown as a difference.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from muster.base.errors import Refusal
from muster.packs import Pack
from muster.register.importing.reading import open_sheet
from muster.register.names import clean_name
from muster.register.phones import read_phone
from muster.responders.checking_in import phone_index
from muster.responders.models import Responder, Standing
from muster.responders.reinforcement import telling
from muster.responders.reinforcement.models import DeployedPerson, Deployment
from muster.responders.reinforcement.sending import settle_deployment
from muster.responders.reinforcement.states import DEPLOYMENT_ENDED, DeploymentStatus
from muster.responders.standing import change_statuses, standings
from muster.responders.states import TRANSITIONS, ResponderStatus
from muster.trail.services import record_event

MOST_NAMES = 5_000
LONGEST_LINE = 400
_CUT = re.compile(r" *[\t,，;；|] *| {2,}")
_HEADS = {
    "name": frozenset(["姓名", "名字", "name"]),
    "phone": frozenset(["电话", "手机", "手机号", "联系电话", "phone", "mobile"]),
    "skill": frozenset(["专长", "技能", "skill"]),
}


@dataclass(frozen=True, slots=True)
class Named:
    """One line of a list: who, and under which number."""

    row: int
    name: str
    phone: str = ""
    skill: str = ""


@dataclass(frozen=True, slots=True)
class Faulty:
    """A line that cannot be read as it stands."""

    row: int
    field: str
    code: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """added: new names. known: were on the list already. faulty: left out, each with why."""

    added: int
    known: int
    faulty: tuple[Faulty, ...]


def read_names(rows: Iterable[Sequence[str]], *, pack: Pack) -> tuple[list[Named], list[Faulty]]:
    """People and faults from the cells of a list; a line of heads says which column is which."""
    order = ["name", "phone", "skill"]
    named: list[Named] = []
    faulty: list[Faulty] = []
    skills = {
        word.casefold(): one.code for one in pack.skills for word in (one.code, one.name.zh, one.name.en)
    }
    for number, cells in enumerate(rows, start=1):
        if number > MOST_NAMES + 1:
            raise Refusal("names_too_many", most=MOST_NAMES)
        said = [cell.replace("\0", "").strip()[:LONGEST_LINE] for cell in cells]
        if not any(said):
            continue
        heads = _heads(said)
        if heads and not named and not faulty:
            order = heads
            continue
        found = _person(number, dict(zip(order, said, strict=False)), skills=skills, pack=pack)
        (named if isinstance(found, Named) else faulty).append(found)  # type: ignore[arg-type]
    return named, faulty


def _heads(cells: Sequence[str]) -> list[str]:
    """Which field each column is; empty where this is no line of heads."""
    found = [next((f for f, words in _HEADS.items() if cell.casefold() in words), "") for cell in cells]
    return found if "name" in found else []


def _person(row: int, cells: dict[str, str], *, skills: dict[str, str], pack: Pack) -> Named | Faulty:
    try:
        name = clean_name(clean_name(cells.get("name", "")))
    except Refusal as refusal:
        return Faulty(row, "name", refusal.code, dict(refusal.facts))
    if not name or not any(c.isalpha() for c in name):
        return Faulty(row, "name", "names_without_name", {})
    if "*" in name or len(name) > 80:
        return Faulty(row, "name", "names_bad_name", {})
    try:
        phone = read_phone(cells.get("phone", ""), plan=pack.phones) or ""
    except Refusal as refusal:
        return Faulty(row, "phone", refusal.code, dict(refusal.facts))
    skill = cells.get("skill", "")
    if skill and skill.casefold() not in skills:
        return Faulty(row, "skill", "order_skill_unknown", {"row": row, "skill": skill[:40]})
    return Named(row, name, phone, skills.get(skill.casefold(), ""))


def cells_of_text(pasted: str) -> Iterator[list[str]]:
    """Lines of a paste, cut at tabs, commas or wide gaps; a number at the beginning of a line is dropped."""
    for line in pasted.splitlines():
        yield _CUT.split(re.sub(r"^\s*\d{1,4}\s*[.、)）]\s*", "", line[:LONGEST_LINE]).strip())


def cells_of_file(raw: bytes) -> list[list[str]]:
    """Rows of a spreadsheet or CSV file. Raises a Refusal of the importer's for what is none."""
    names = {word: field for field, words in _HEADS.items() for word in words}
    with open_sheet(raw, names=names) as sheet:
        rows: list[list[str]] = []
        for cells in sheet.rows:
            rows.append(cells)
            if len(rows) > MOST_NAMES + 1:
                raise Refusal("names_too_many", most=MOST_NAMES)
        return rows


def add_names(
    deployment: uuid.UUID, rows: Iterable[Sequence[str]], *, pack: Pack, by: uuid.UUID, at: datetime
) -> Kept:
    """Puts people on the list; a number that stands there already is the same person.

    Raises:
        Refusal: deployment_ended, names_too_many, names_empty.
    """
    named, faulty = read_names(rows, pack=pack)
    if not named and not faulty:
        raise Refusal("names_empty")
    with transaction.atomic():
        row = _locked(deployment)
        if row.status in DEPLOYMENT_ENDED:
            raise Refusal("deployment_ended", status=row.status)
        before = list(DeployedPerson.objects.across(reason="reinforcement").filter(deployment=row))
        if len(before) + len(named) > MOST_NAMES:
            raise Refusal("names_too_many", most=MOST_NAMES)
        phones = {bytes(one.phone_index) for one in before if one.phone_index}
        nameless = {one.name for one in before if not one.phone_index}
        fresh: list[DeployedPerson] = []
        for one in named:
            index = phone_index(one.phone)
            if (index in phones) if index else (one.name in nameless):
                continue
            phones |= {index} if index else set()
            nameless |= set() if index else {one.name}
            fresh.append(
                DeployedPerson(
                    incident=row.incident, purpose=row.purpose, sub_district=row.sub_district, grid=row.grid,
                    deployment=row, name=one.name, phone=one.phone, phone_index=index,
                    skill=one.skill or row.skill,
                )
            )  # fmt: skip
        DeployedPerson.objects.bulk_create(fresh, batch_size=500)
        record_event("Deployment", row.id, "name", at=at, actor=by, incident=row.incident, people=len(fresh))
        # Who is here already is not told to come.
        if row.arrived == 0:
            telling.sent(row, fresh, at=at)
    return Kept(len(fresh), len(named) - len(fresh), tuple(faulty))


def _locked(deployment: uuid.UUID) -> Deployment:
    rows = Deployment.objects.across(reason="reinforcement").select_for_update(of=("self",))
    row: Deployment | None = rows.select_related("item").filter(id=deployment).first()
    if row is None:
        raise Refusal("deployment_unknown")
    return row


def tick_arrived(
    deployment: uuid.UUID, people: Collection[uuid.UUID], *, by: uuid.UUID, at: datetime
) -> Deployment:
    """These of the list are here. Each becomes a responder of the area, who may be given a place and a job.

    Raises:
        Refusal: deployment_ended, deployed_person_unknown.
    """
    with transaction.atomic():
        row, chosen = _chosen(deployment, people)
        fresh = [one for one in chosen if one.arrived_at is None]
        _make_responders(row, fresh, by=by, at=at)
        for one in fresh:
            one.arrived_at = at
        DeployedPerson.objects.across(reason="reinforcement").bulk_update(fresh, ["arrived_at", "responder"])
        names = DeployedPerson.objects.across(reason="reinforcement").filter(deployment=row)
        before = row.status
        row.arrived = max(row.arrived, names.filter(arrived_at__isnull=False).count())
        settle_deployment(row, before=before, verb="arrive", by=by, at=at)
    return row


def tick_returned(
    deployment: uuid.UUID, people: Collection[uuid.UUID], *, by: uuid.UUID, at: datetime
) -> Deployment:
    """These of the list have gone home: they are asked for nothing here any more.

    Raises:
        Refusal: deployment_ended, deployed_person_unknown, deployed_person_not_here.
    """
    with transaction.atomic():
        row, chosen = _chosen(deployment, people)
        if any(one.arrived_at is None for one in chosen):
            raise Refusal("deployed_person_not_here")
        fresh = [one for one in chosen if one.returned_at is None]
        for one in fresh:
            one.returned_at = at
        DeployedPerson.objects.across(reason="reinforcement").bulk_update(fresh, ["returned_at"])
        _release([one.responder for one in fresh if one.responder], by=by, at=at)
        names = DeployedPerson.objects.across(reason="reinforcement").filter(deployment=row)
        before = row.status
        row.returned = min(row.arrived, max(row.returned, names.filter(returned_at__isnull=False).count()))
        row.engaged = (
            min(row.engaged, row.arrived - row.returned) if row.returned < row.arrived else row.engaged
        )
        settle_deployment(row, before=before, verb="return", by=by, at=at)
    return row


def _chosen(deployment: uuid.UUID, people: Collection[uuid.UUID]) -> tuple[Deployment, list[DeployedPerson]]:
    row = _locked(deployment)
    if row.status == DeploymentStatus.CANCELLED:
        raise Refusal("deployment_ended", status=row.status)
    wanted = set(people)
    rows = DeployedPerson.objects.across(reason="reinforcement").filter(deployment=row, id__in=wanted)
    chosen = list(rows)
    if not wanted or len(chosen) != len(wanted):
        raise Refusal("deployed_person_unknown")
    return row, chosen


def _make_responders(
    row: Deployment, people: Sequence[DeployedPerson], *, by: uuid.UUID, at: datetime
) -> None:
    """Who has a number is found by it; the others are new. No list changes who checked in himself."""
    indexes = [one.phone_index for one in people if one.phone_index]
    known = {
        bytes(index): responder
        for responder, index in Responder.objects.across(reason="own")
        .filter(incident=row.incident, phone_index__in=indexes)
        .values_list("id", "phone_index")
    }
    made: list[Responder] = []
    for one in people:
        index = bytes(one.phone_index) if one.phone_index else None
        if index in known:
            one.responder = known[index]
            continue
        responder = Responder(
            incident=row.incident, purpose=row.purpose, sub_district=row.sub_district, grid=row.grid,
            home_area=row.area_id, name=one.name, phone=one.phone, phone_index=index,
            affiliation=row.affiliation, affiliations=[row.affiliation] if row.affiliation else [],
            unit=row.unit,
            skills=[one.skill] if one.skill else [], status=ResponderStatus.VETTED, status_since=at,
            checked_in_at=at, channel="DEPLOYED", vetted_at=at, vetted_by=by,
        )  # fmt: skip
        one.responder = responder.id
        made.append(responder)
    Responder.objects.bulk_create(made, batch_size=500)
    Standing.objects.bulk_create(standings(made), batch_size=500)


def _release(responders: Collection[uuid.UUID], *, by: uuid.UUID, at: datetime) -> None:
    """Only who came by a list: somebody who had checked in himself stays what he is."""
    rows = Responder.objects.across(reason="own").filter(id__in=responders, channel="DEPLOYED")
    people = list(
        rows.filter(status__in=[s for s, to in TRANSITIONS.items() if ResponderStatus.RELEASED in to])
    )
    change_statuses(people, ResponderStatus.RELEASED, by=by, at=at, verb="release")
