# SPDX-License-Identifier: Apache-2.0
"""Conflicts: two corrections of one field. Both values are shown with who, when and where; a person chooses.

Different fields never meet here: each is a fact of its own, and merges.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from muster.accounts.models import Device, User
from muster.base.errors import Refusal
from muster.places.services import bump_revisions
from muster.register.editing import change_person, value_of
from muster.register.models import Person
from muster.register.queries import persons_with_ids
from muster.trail import kinds
from muster.trail.models import Fact, Verdict, Waiting
from muster.trail.services import record_event

CODE = "field_conflict"
KIND = "person.changed"
TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Said:
    """A value with who said it, when, and on which device or where it was written; all empty for what came
    with a list. value: an outcome in both languages, else a text.
    """

    value: str | dict[str, str]
    who: str = ""
    at: datetime | None = None
    where: str = ""


def conflict_of(waiting: Waiting) -> dict[str, Any]:
    """Both values of a field. Raises Refusal("held_cannot_retry") for what is no conflict."""
    fact, person, body = _read(waiting)
    return {
        "person": person.id,
        "name": person.name or "",
        "field": body.field,
        "was": body.was,
        "current": asdict(_standing(person, body.field)),
        "other": asdict(said_by(body.now, fact)),
    }


def take_other(waiting: Waiting, *, by: uuid.UUID, at: datetime) -> None:
    """The value that was set aside goes into the register; the one that stood there stays in the trail."""
    fact, _, body = _read(waiting)
    with transaction.atomic():
        open_still = Waiting.objects.filter(
            device=waiting.device, seq=waiting.seq, resolved_at__isnull=True
        ).update(resolved_at=at, resolved_by=by, resolution=TAKEN)
        if not open_still:
            raise Refusal("not_found")
        person = persons_with_ids([fact.subject])[fact.subject]
        revisions = bump_revisions([person.grid]) if person.grid is not None else {}
        change_person(person, field=body.field, now=body.now, rev=revisions.get(person.grid or 0, person.rev))
    record_event("Person", person.id, "choose", at=at, actor=by, incident=fact.incident, reason=body.field)


def _read(waiting: Waiting) -> tuple[Fact, Person, kinds.PersonChanged]:
    if waiting.code != CODE:
        raise Refusal("held_cannot_retry", code=waiting.code)
    fact = Fact.objects.filter(device=waiting.device, seq=waiting.seq).first()
    person = persons_with_ids([fact.subject]).get(fact.subject) if fact else None
    if fact is None or person is None:
        raise Refusal("not_found")
    body = kinds.read_body(KIND, (fact.body or "").encode())
    assert isinstance(body, kinds.PersonChanged)
    return fact, person, body


def _standing(person: Person, field: str) -> Said:
    """What stands in the register, and whose word it is."""
    told = Fact.objects.filter(subject=person.id, kind=KIND, value=field)
    applied = list(told.filter(verdict__in=[Verdict.APPLIED, Verdict.FLAGGED]))
    chosen = Waiting.objects.filter(subject=person.id, kind=KIND, resolution=TAKEN)
    for waiting in chosen:
        applied += list(told.filter(device=waiting.device, seq=waiting.seq))
    value = value_of(person, field)
    for fact in sorted(applied, key=lambda one: one.applied_at, reverse=True):
        body = kinds.read_body(KIND, (fact.body or "").encode())
        if isinstance(body, kinds.PersonChanged) and body.now == value:
            return said_by(value, fact)
    return Said(value)


def said_by(value: str | dict[str, str], fact: Fact) -> Said:
    """Who said it, when and where: of what stood on paper, who wrote it there."""
    body = kinds.read_body(fact.kind, (fact.body or "").encode())
    if body.paper is not None:
        where = " · ".join(part for part in (body.paper.sheet, body.paper.where) if part)
        return Said(value, body.paper.by, fact.occurred_at, where)
    who = User.objects.filter(id=fact.actor).first() if fact.actor else None
    device = Device.objects.filter(id=fact.device).first()
    return Said(value, who.name if who else "", fact.occurred_at, device.name if device else "")
