# SPDX-License-Identifier: Apache-2.0
"""Pairs to judge: the list, and two records side by side with what agrees, what follows and what forbids.

Names and phones are masked as on every list. Of somebody outside the reader's scope nothing is shown but the
sub-district; such a pair is judged by whoever sees both.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from muster.accounts.models import User
from muster.base.errors import Refusal
from muster.base.messages import cure, text
from muster.campaigns.models import LedgerEntry, Round
from muster.campaigns.states import RoundStatus
from muster.flows.merging import REASONS_APART, REASONS_MERGED, why_not_undo
from muster.places.models import Area, Dwelling, Grid
from muster.register.id_documents import mask_id_number
from muster.register.merging import (
    DAILY,
    cells_to_carry,
    household_to_join,
    household_to_leave,
    why_not_survive,
)
from muster.register.models import DuplicatePair, Household, PairState, Person
from muster.register.names import mask_name, name_key
from muster.register.phones import mask_phone
from muster.register.queries import open_needs
from muster.situation.missing import own_outcome
from muster.storage.scoping import Scope
from muster.trail.models import Fact, Waiting

LANGUAGES = ("zh", "en")
SHOWN = (PairState.OPEN, PairState.MERGED, PairState.NOT_DUPLICATE)


def pairs_in_sight(scope: Scope) -> QuerySet[Any]:
    """Pairs with at least one of the two in scope, each with `sees_first` and `sees_second`."""
    people = Person.objects.within(scope)
    rows = DuplicatePair.objects.across(reason="duplicates").annotate(
        sees_first=Exists(people.filter(id=OuterRef("first"))),
        sees_second=Exists(people.filter(id=OuterRef("second"))),
    )
    seen: QuerySet[Any] = rows.filter(Q(sees_first=True) | Q(sees_second=True))
    return seen


def pairs_to_judge(scope: Scope) -> QuerySet[Any]:
    """Open pairs that somebody with this scope may judge: both are in it."""
    return pairs_in_sight(scope).filter(status=PairState.OPEN, sees_first=True, sees_second=True)


def of_grids(rows: QuerySet[Any], grids: Sequence[int]) -> QuerySet[Any]:
    """Only pairs with one of the two in these grids."""
    people = Person.objects.across(reason="duplicates").filter(grid__in=grids)
    return rows.filter(
        Exists(people.filter(id=OuterRef("first"))) | Exists(people.filter(id=OuterRef("second")))
    )


def pair_lines(rows: Sequence[DuplicatePair], scope: Scope, *, year: int) -> list[dict[str, Any]]:
    """The pairs as a list shows them, in a fixed number of statements."""
    sides = _Sides([i for r in rows for i in (r.first, r.second)], scope, year=year)
    names = dict(User.objects.filter(id__in={r.decided_by for r in rows}).values_list("id", "name"))
    return [_line(row, sides, names) for row in rows]


def pair_picture(pair: DuplicatePair, scope: Scope, *, at: datetime) -> dict[str, Any]:
    """One pair side by side."""
    sides = _Sides([pair.first, pair.second], scope, year=at.year)
    names = dict(User.objects.filter(id__in=[pair.decided_by]).values_list("id", "name"))
    both = [sides.person(i) for i in (pair.first, pair.second)]
    line = _line(pair, sides, names)
    if None in both:
        return {**line, "fields": [], "survivors": [], "suggested": None, "reasons": {}, "undo": None}
    first, second = (p for p in both if p is not None)
    seen = [s for s in line["sides"] if not s["hidden"]]
    for side, more in zip(seen, _more([sides.persons[s["id"]] for s in seen]), strict=True):
        side.update(more)
    hidden = [side["hidden"] for side in line["sides"]]
    choices = [_survivor(a, b) for a, b in ((first, second), (second, first))]
    return {
        **line,
        "fields": compared(first, second, sides, hidden),
        "survivors": choices if not any(hidden) else [],
        "suggested": str(suggested(first, second)) if not any(hidden) else None,
        "reasons": {"MERGED": _reasons(REASONS_MERGED), "NOT_DUPLICATE": _reasons(REASONS_APART)},
        "undo": _undo(pair) if line["may_judge"] else None,
    }


def suggested(first: Person, second: Person) -> uuid.UUID | None:
    """Who should live on: the standing record before the incident's, the listed one, the elder one."""
    order = sorted(
        (p for p, other in ((first, second), (second, first)) if why_not_survive(p, other) is None),
        key=lambda p: (p.purpose != DAILY, not p.listed, p.id.int),
    )
    return order[0].id if order else None


class _Sides:
    """The persons of some pairs with their doors and places, read at once."""

    def __init__(self, ids: Iterable[uuid.UUID], scope: Scope, *, year: int) -> None:
        self.scope, self.year = scope, year
        rows = Person.objects.across(reason="duplicates").filter(id__in=set(ids))
        self.persons: dict[uuid.UUID, Person] = {p.id: p for p in rows}
        doors = {p.dwelling_id for p in self.persons.values()}
        self.doors = {
            d.id: d
            for d in Dwelling.objects.across(reason="duplicates")
            .filter(id__in=doors)
            .select_related("building__area")
            .defer("address")
        }
        grids = {p.grid for p in self.persons.values() if p.grid is not None}
        self.grids = {g.id: g for g in Grid.objects.filter(id__in=grids).select_related("area")}
        self.streets = Area.objects.in_bulk({p.sub_district for p in self.persons.values()})

    def person(self, person: uuid.UUID) -> Person | None:
        return self.persons.get(person)

    def sees(self, person: Person) -> bool:
        return self.scope.allows(sub_district=person.sub_district, grid=person.grid)

    def shown(self, person_id: uuid.UUID) -> dict[str, Any]:
        person = self.persons.get(person_id)
        if person is None:
            return {"id": None, "hidden": True, "gone": True, "street": None}
        street = self.streets.get(person.sub_district)
        told = {"name": street.name, "name_en": street.name_en} if street else None
        if not self.sees(person):
            return {"id": None, "hidden": True, "gone": False, "street": told}
        door, grid = self.doors.get(person.dwelling_id), self.grids.get(person.grid or 0)
        return {
            "id": person.id,
            "hidden": False,
            "gone": False,
            "street": told,
            "name": mask_name(person.name),
            "door": door.label if door else "",
            "dwelling": person.dwelling_id,
            "grid": {"id": grid.id, "name": grid.name, "name_en": grid.name_en} if grid else None,
            "area": {"name": grid.area.name, "name_en": grid.area.name_en} if grid else None,
            "listed": person.listed,
            "standing": person.purpose == DAILY,
            "left": person.left_at is not None and person.merged_into is None,
        }


def _line(pair: DuplicatePair, sides: _Sides, names: dict[Any, str]) -> dict[str, Any]:
    shown = [sides.shown(i) for i in (pair.first, pair.second)]
    outside, gone = any(s["hidden"] for s in shown), any(s["gone"] for s in shown)
    why_not = "pair_without_person" if gone else "pair_outside" if outside else ""
    return {
        "id": pair.id,
        "reason": {"code": pair.reason, **_words(f"alike_{pair.reason}", default="alike_other")},
        "status": pair.status,
        "found_at": pair.found_at,
        "sides": shown,
        "may_judge": not why_not,
        "why_not": _refused(Refusal(why_not)) if why_not else None,
        "survivor": pair.survivor if not outside else None,
        "why": {"code": pair.why, **_words(f"judged_{pair.why}")} if pair.why else None,
        "decided_at": pair.decided_at,
        "decided_by": names.get(pair.decided_by, ""),
    }


def _more(persons: Sequence[Person]) -> list[dict[str, Any]]:
    """What follows each: household, needs, where they stand on rosters, what waits. Asked once for both."""
    ids = [p.id for p in persons]
    homes = Household.objects.across(reason="duplicates").in_bulk(
        [p.household_id for p in persons if p.household_id is not None]
    )
    people = Person.objects.across(reason="duplicates").filter(left_at__isnull=True)
    members = list(people.filter(household_id__in=list(homes)).order_by("id"))
    streets = {p.sub_district for p in persons}
    entries = list(LedgerEntry.objects.filter(sub_district__in=streets, subject__in=ids).order_by("round"))
    rounds = Round.objects.select_related("campaign__kind").in_bulk({e.round for e in entries})
    facts = Counter(
        Fact.objects.filter(round__in=list(rounds), subject__in=ids).values_list("subject", flat=True)
    )
    waiting = Counter(
        Waiting.objects.filter(subject__in=ids, resolved_at__isnull=True).values_list("subject", flat=True)
    )
    needs = open_needs(ids, reason="duplicates")
    return [
        {
            "source": p.source,
            "household": _household(homes[p.household_id], p, members) if p.household_id in homes else None,
            "needs": needs.get(p.id, []),
            "entries": [_entry(e, rounds[e.round]) for e in entries if e.subject == p.id],
            "facts": facts[p.id],
            "waiting": waiting[p.id],
        }
        for p in persons
    ]


def _household(home: Household, person: Person, members: Sequence[Person]) -> dict[str, Any]:
    others = [m for m in members if m.household_id == home.id and m.id != person.id]
    return {
        "id": home.id,
        "kind": home.kind,
        "label": home.label,
        "members": [{"id": m.id, "name": mask_name(m.name)} for m in others],
    }


def _entry(entry: LedgerEntry, round_: Round) -> dict[str, Any]:
    names = {o["code"]: o["name"] for o in round_.campaign.kind.definition["outcomes"]}
    return {
        "round": round_.id,
        "name": f"{round_.campaign.name} · {round_.name}",
        "status": round_.status,
        "worked": round_.status not in (RoundStatus.CLOSED, RoundStatus.CERTIFIED),
        "cls": entry.cls,
        "outcome": entry.outcome or None,
        "outcome_name": names.get(entry.outcome) or own_outcome(entry.outcome),
        "origin": entry.origin,
        "at": entry.at,
        "attempts": entry.attempts,
    }


MASKS: dict[str, Callable[[str], str]] = {
    "name": mask_name,
    "phone": mask_phone,
    "id_number": mask_id_number,
    "birth_year": str,
    "sex": str,
}


def compared(first: Person, second: Person, sides: _Sides, hidden: Sequence[bool]) -> list[dict[str, Any]]:
    """Field by field: both values masked, and whether the true ones agree (None: one is blank)."""
    rows: list[dict[str, Any]] = []
    for name, mask in MASKS.items():
        true = [_value(name, p) for p in (first, second)]
        if any(true):
            shown = [mask(v) if v else None for v in true]
            rows.append({"field": name, "values": shown, "same": _agree(name, first, second)})
    doors = [sides.doors.get(p.dwelling_id) for p in (first, second)]
    labels = [d.label if d else None for d in doors]
    same_door = first.dwelling_id == second.dwelling_id
    rows.append({"field": "dwelling", "values": labels, "same": same_door})
    for row in rows:
        row["values"] = [None if h else v for v, h in zip(row["values"], hidden, strict=True)]
    return rows


def _value(field: str, person: Person) -> str | None:
    if field == "birth_year":
        year = person.birth_date.year if person.birth_date else person.birth_year
        return str(year) if year else None
    value: str | None = getattr(person, field) or None
    return value


def _agree(field: str, first: Person, second: Person) -> bool | None:
    one, two = (_key(field, p) for p in (first, second))
    if field == "birth_year" and first.birth_date and second.birth_date:
        one, two = first.birth_date, second.birth_date
    return one == two if one and two else None


def _key(field: str, person: Person) -> object:
    match field:
        case "name":
            return name_key(person.name)
        case "phone" | "id_number":
            index = getattr(person, f"{field}_index")
            return bytes(index) if index else None
        case _:
            return _value(field, person)


def _survivor(keeps: Person, other: Person) -> dict[str, Any]:
    code = why_not_survive(keeps, other)
    joins, ends = household_to_join(keeps, other), household_to_leave(keeps, other)
    house = "joins" if joins else "ends" if ends else None
    return {
        "id": keeps.id,
        "may": code is None,
        "why_not": _refused(Refusal(code)) if code else None,
        "carries": cells_to_carry(keeps, other) if code is None else [],
        "household": house if code is None else None,
    }


def _undo(pair: DuplicatePair) -> dict[str, Any] | None:
    if pair.status not in (PairState.MERGED, PairState.NOT_DUPLICATE):
        return None
    refused = why_not_undo(pair) if pair.status == PairState.MERGED else None
    return {"may": refused is None, "why_not": _refused(refused) if refused else None}


def _reasons(codes: Iterable[str]) -> list[dict[str, str]]:
    return [{"code": code, **_words(f"judged_{code}")} for code in codes]


def _refused(refusal: Refusal) -> dict[str, str]:
    """What forbids it and what helps, in both languages."""
    told = {"code": refusal.code}
    for lang in LANGUAGES:
        says, helps = text(refusal.code, lang, **refusal.facts), cure(refusal.code, lang, **refusal.facts)
        told[lang] = f"{says}{'，' if lang == 'zh' else '; '}{helps}" if helps else says
    return told


def _words(code: str, default: str = "") -> dict[str, str]:
    try:
        return {lang: text(code, lang) for lang in LANGUAGES}
    except LookupError:
        return {lang: text(default, lang) for lang in LANGUAGES} if default else dict.fromkeys(LANGUAGES, "")
