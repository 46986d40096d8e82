# SPDX-License-Identifier: Apache-2.0
"""The missing list: who has not been reached, behind which door, why, and what to do next."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Collection, Sequence
from typing import Any

from muster.base.errors import Refusal
from muster.base.messages import text
from muster.base.terms import term
from muster.campaigns.models import LedgerEntry, Round, RoundGrid
from muster.campaigns.queries import MISSING, missing_entries
from muster.campaigns.rules import ADDED_IN_ERROR, MERGED, OutcomeRule, outcome_rules
from muster.campaigns.states import Unit
from muster.packs import Pack
from muster.places.models import Dwelling
from muster.register.models import Household, Person
from muster.register.names import mask_name
from muster.register.phones import mask_phone
from muster.register.queries import open_needs
from muster.storage.scoping import Scope
from muster.storage.sealed import reveal_column

PAGE = 100


def missing_page(
    round_: Round,
    accounts: Sequence[RoundGrid],
    *,
    scope: Scope,
    pack: Pack,
    classes: Collection[str] = MISSING,
    building: uuid.UUID | None = None,
    cursor: str | None = None,
    limit: int = PAGE,
    full: bool = False,
) -> dict[str, Any]:
    """A page of the missing list in key order (sub-district, subject), names and phones masked unless `full`.

    A fixed number of statements whatever the number of rows.
    """
    rows = missing_entries(accounts, classes=classes)
    if building is not None:
        doors = Dwelling.objects.within(scope).filter(building_id=building).values_list("id", flat=True)
        rows = rows.filter(dwelling__in=list(doors))
    count = rows.count()
    if cursor:
        sub_district, subject = read_cursor(cursor)
        later = rows.filter(sub_district=sub_district, subject__gt=subject) | rows.filter(
            sub_district__gt=sub_district
        )
        rows = later
    page = list(rows.order_by("sub_district", "subject")[: limit + 1])
    more = len(page) > limit
    page = page[:limit]
    items = _items(page, round_, scope=scope, pack=pack, full=full)
    last = page[-1] if more else None
    return {
        "items": items,
        "count": count,
        "next": write_cursor(last.sub_district, last.subject) if last else None,
    }


def write_cursor(sub_district: int, subject: uuid.UUID) -> str:
    return base64.urlsafe_b64encode(f"{sub_district}:{subject.hex}".encode()).decode()


def read_cursor(cursor: str) -> tuple[int, uuid.UUID]:
    """Raises Refusal("cursor_bad")."""
    try:
        sub_district, subject = base64.urlsafe_b64decode(cursor.encode()).decode().split(":")
        return int(sub_district), uuid.UUID(subject)
    except (ValueError, UnicodeDecodeError) as error:
        raise Refusal("cursor_bad") from error


def _items(
    page: Sequence[LedgerEntry], round_: Round, *, scope: Scope, pack: Pack, full: bool
) -> list[dict[str, Any]]:
    subjects = [e.subject for e in page]
    people = _people(subjects, scope) if round_.unit == Unit.PERSON else {}
    households = _households(subjects, scope) if round_.unit == Unit.HOUSEHOLD else {}
    doors = {
        d.id: d
        for d in Dwelling.objects.within(scope)
        .filter(id__in={e.dwelling or e.origin_dwelling for e in page})
        .select_related("building")
        .defer("address")
    }
    needs = open_needs(subjects) if people else {}
    rules = outcome_rules(round_.campaign.kind.definition)
    names = {o["code"]: o["name"] for o in round_.campaign.kind.definition["outcomes"]}
    items = []
    for entry in page:
        door = doors.get(entry.dwelling or entry.origin_dwelling)
        name, phone = people.get(entry.subject, ("", None))
        items.append(
            {
                "subject": entry.subject,
                "sub_district": entry.sub_district,
                "unit": round_.unit,
                "name": name if full else mask_name(name) if name else households.get(entry.subject, ""),
                "door": door.label if door else "",
                "building": door.building_id if door else None,
                "building_name": door.building.name if door else "",
                "unit_no": door.unit if door else "",
                "floor": door.floor if door else None,
                "room": door.room if door else "",
                "dwelling": door.id if door else None,
                "phone": phone if full else mask_phone(phone) if phone else None,
                "grid": entry.grid,
                "cls": entry.cls,
                "outcome": entry.outcome or None,
                "outcome_name": names.get(entry.outcome) or own_outcome(entry.outcome),
                "attempts": entry.attempts,
                "last_at": entry.at,
                "next_action": in_words(next_action(entry, rules, has_phone=bool(phone))),
                "services": pack.services_of(needs.get(entry.subject, [])),
            }
        )
    return items


def next_action(entry: LedgerEntry, rules: dict[str, OutcomeRule], *, has_phone: bool) -> str:
    """The code of what somebody should do next; its words are in the messages catalogue."""
    rule = rules.get(entry.outcome)
    if rule is not None and rule.evidence == "second_visit":
        return "visit_by_another"
    if entry.attempts == 0:
        return "visit"
    if has_phone and entry.attempts >= 1:
        return "call"
    return "visit_again" if entry.attempts < 3 else "ask_neighbours"


def own_outcome(code: str) -> dict[str, str] | None:
    """The name of an outcome that no campaign kind has: the house's own word for what became of an entry."""
    if code not in (MERGED, ADDED_IN_ERROR):
        return None
    return {lang: term(f"outcome_{code}", lang) for lang in ("zh", "en")}


def in_words(action: str) -> dict[str, str]:
    return {"code": action, "zh": text(f"action_{action}", "zh"), "en": text(f"action_{action}", "en")}


def _people(subjects: Sequence[uuid.UUID], scope: Scope) -> dict[uuid.UUID, tuple[str, str | None]]:
    rows = list(Person.objects.within(scope).filter(id__in=subjects).values_list("id", "name", "phone"))
    names = reveal_column(Person, "name", [(r[0], r[1]) for r in rows])
    phones = reveal_column(Person, "phone", [(r[0], r[2]) for r in rows])
    return {row[0]: (name or "", phone) for row, name, phone in zip(rows, names, phones, strict=True)}


def _households(subjects: Sequence[uuid.UUID], scope: Scope) -> dict[uuid.UUID, str]:
    return dict(Household.objects.within(scope).filter(id__in=subjects).values_list("id", "label"))
