# SPDX-License-Identifier: Apache-2.0
"""The register: doors, households, persons; names masked, a field revealed by tap, for a purpose, in
sight.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from ninja import Router, Schema

from muster.accounts.models import User
from muster.api.asked import searched
from muster.api.auth import AUTH, Caller, allow, operation
from muster.api.pages_of_rows import page_of
from muster.base.errors import Refusal
from muster.campaigns.models import DoorEntry, LedgerEntry
from muster.places.models import Area, Building, Dwelling, Grid
from muster.places.queries import area as area_with_id
from muster.places.queries import grid as grid_with_id
from muster.places.queries import small_grids_below
from muster.register.id_documents import mask_id_number
from muster.register.models import Household, Need, PairState, Person
from muster.register.names import mask_name
from muster.register.phones import mask_phone
from muster.register.queries import open_needs
from muster.register.search import find_persons
from muster.situation.duplicates import pairs_in_sight
from muster.storage.scoping import Scope
from muster.storage.sealed import reveal_column
from muster.sync.pull import age_band
from muster.trail.kinds import HOUSE_KINDS
from muster.trail.models import Disclosure, Event, Fact
from muster.trail.reveals import record_reveal
from muster.trail.services import record_disclosures

router = Router(tags=["register"], auth=AUTH)
REVEALABLE = {"name", "phone", "id_number", "note"}
PURPOSES = {"visit", "call", "verify", "request", "emergency"}
PAGE = 100


class Reveal(Schema):
    field: str
    purpose: str


def _scope(request: HttpRequest, name: str) -> tuple[Caller, Scope, str]:
    who, row = allow(request, name)
    return who, who.scope(row), who.role_for(row)


@router.get("/register/buildings", operation_id="register_buildings")
@operation("register.list")
def list_buildings(
    request: HttpRequest, area: int | None = None, grid: int | None = None, q: str = ""
) -> dict[str, Any]:
    _, scope, _ = _scope(request, "register.list")
    rows = Building.objects.select_related("compound", "area").order_by("walk_order", "code")
    if area is not None:
        rows = rows.filter(area__path__startswith=area_with_id(area).path)
    if grid is not None:
        rows = rows.filter(grid=grid)
    if q := searched(q):
        rows = rows.filter(name__icontains=q) | rows.filter(street__icontains=q)
    items = [
        {
            "id": b.id,
            "name": b.name,
            "street": b.street,
            "kind": b.kind,
            "floors": b.floors,
            "units": b.units,
            "grid": b.grid,
            "code": b.code,
            "compound": {"id": b.compound_id, "name": b.compound.name} if b.compound else None,
            "area": {"id": b.area_id, "name": b.area.name},
        }
        for b in rows[:5000]
        if scope.allows(sub_district=b.sub_district, grid=b.grid)
    ]
    return {"items": items, "next": None, "count": len(items)}


@router.get("/register/dwellings", operation_id="register_dwellings")
@operation("register.list")
def list_dwellings(
    request: HttpRequest,
    building: uuid.UUID | None = None,
    grid: int | None = None,
    area: int | None = None,
    q: str = "",
    cursor: str = "",
    limit: int = PAGE,
) -> dict[str, Any]:
    _, scope, _ = _scope(request, "register.list")
    rows = Dwelling.objects.within(scope).defer("address").order_by("id")
    if building is not None:
        rows = rows.filter(building_id=building)
    if grid is not None:
        rows = rows.filter(grid__in=small_grids_below(grid_with_id(grid)))
    if area is not None:
        rows = rows.filter(building__area__path__startswith=area_with_id(area).path)
    if q := searched(q):
        rows = rows.filter(label__icontains=q)
    page, after = page_of(rows, cursor, limit)
    people: dict[uuid.UUID, int] = {}
    for door in (
        Person.objects.within(scope)
        .filter(dwelling_id__in=[d.id for d in page], left_at__isnull=True)
        .values_list("dwelling_id", flat=True)
    ):
        people[door] = people.get(door, 0) + 1
    items = [{**dwelling_json(d), "people": people.get(d.id, 0)} for d in page]
    return {"items": items, "next": after, "count": rows.count()}


def dwelling_json(d: Dwelling) -> dict[str, Any]:
    return {
        "id": d.id,
        "building": d.building_id,
        "unit": d.unit,
        "floor": d.floor,
        "room": d.room,
        "label": d.label,
        "kind": d.kind,
        "status": d.status,
        "listed": d.listed,
        "grid": d.grid,
        "sub_district": d.sub_district,
    }


@router.get("/register/dwellings/{dwelling_id}", operation_id="register_dwelling")
@operation("register.list")
def read_dwelling(request: HttpRequest, dwelling_id: uuid.UUID) -> dict[str, Any]:
    who, scope, role = _scope(request, "register.list")
    found = Dwelling.objects.within(scope).select_related("building").filter(id=dwelling_id).first()
    if found is None:
        raise Refusal("not_found")
    persons = list(
        Person.objects.within(scope)
        .filter(dwelling_id=dwelling_id, left_at__isnull=True)
        .order_by("household_id", "birth_year")
    )
    households = list(Household.objects.within(scope).filter(dwelling_id=dwelling_id, left_at__isnull=True))
    doors = DoorEntry.objects.filter(sub_district=found.sub_district, subject=dwelling_id)
    grid = Grid.objects.filter(id=found.grid).first()
    record_disclosures(
        [None],
        actor=who.user.id,
        role=role,
        operation="register.list",
        fields="masked",
        at=who.at,
        grid=found.grid,
        rows=len(persons),
    )
    return {
        **dwelling_json(found),
        "building_name": found.building.name,
        "grid_name": grid.name if grid else None,
        "in_grid": {"name": grid.name, "name_en": grid.name_en} if grid else None,
        "households": [
            {"id": h.id, "kind": h.kind, "label": h.label, "listed": h.listed,
             "persons": persons_json([p for p in persons if p.household_id == h.id], who)}
            for h in households
        ],
        "others": persons_json([p for p in persons if p.household_id is None], who),
        "states": {str(d.round): {"state": d.state, "attempts": d.attempts, "at": d.at} for d in doors},
    }  # fmt: skip


def persons_json(persons: list[Person], who: Caller) -> list[dict[str, Any]]:
    needs = open_needs([p.id for p in persons])
    return [
        {
            "id": p.id,
            "name": mask_name(p.name),
            "phone": mask_phone(p.phone) if p.phone else None,
            "sex": p.sex,
            "age_band": age_band(p.birth_year, who.at.year),
            "needs": needs.get(p.id, []),
            "listed": p.listed,
            "source": p.source,
            "lives_here": p.lives_here,
            "registered_here": p.registered_here,
            "dwelling": p.dwelling_id,
            "household": p.household_id,
            "grid": p.grid,
            "sub_district": p.sub_district,
            "languages": p.languages,
        }
        for p in persons
    ]


@router.get("/register/persons", operation_id="register_persons")
@operation("register.list")
def list_persons(
    request: HttpRequest,
    grid: int | None = None,
    area: int | None = None,
    q: str = "",
    need: str = "",
    cursor: str = "",
    limit: int = PAGE,
) -> dict[str, Any]:
    who, scope, role = _scope(request, "register.list")
    rows = Person.objects.within(scope).filter(left_at__isnull=True).order_by("id")
    if grid is not None:
        rows = rows.filter(grid=grid_with_id(grid).id)
    if area is not None:
        rows = rows.filter(
            grid__in=Grid.objects.filter(area__path__startswith=area_with_id(area).path).values("id")
        )
    if need:
        rows = rows.filter(
            id__in=Need.objects.within(scope).filter(kind=need, ended_at__isnull=True).values("person_id")
        )
    if q := searched(q):
        rows = rows.filter(id__in=find_persons(q, scope=scope, grid=grid))
    page, after = page_of(rows, cursor, limit)
    doors = dict(
        Dwelling.objects.within(scope).filter(id__in=[p.dwelling_id for p in page]).values_list("id", "label")
    )
    record_disclosures(
        [None],
        actor=who.user.id,
        role=role,
        operation="register.list",
        fields="masked",
        at=who.at,
        grid=grid,
        rows=len(page),
    )
    items = [{**p, "door": doors.get(p["dwelling"], "")} for p in persons_json(page, who)]
    return {"items": items, "next": after, "count": rows.count()}


def _person(person_id: uuid.UUID, scope: Scope) -> Person:
    found: Person | None = (
        Person.objects.within(scope).select_related("dwelling").filter(id=person_id).first()
    )
    if found is None:
        raise Refusal("not_found")
    return found


@router.get("/register/persons/{person_id}", operation_id="register_person")
@operation("register.read")
def read_person(request: HttpRequest, person_id: uuid.UUID) -> dict[str, Any]:
    who, scope, role = _scope(request, "register.read")
    person = _person(person_id, scope)
    needs = Need.objects.within(scope).filter(person=person, ended_at__isnull=True)
    pairs = pairs_in_sight(scope).filter(Q(first=person.id) | Q(second=person.id), status=PairState.OPEN)
    record_disclosures(
        [person.id],
        actor=who.user.id,
        role=role,
        operation="register.read",
        fields="masked",
        at=who.at,
        grid=person.grid,
    )
    return {
        **persons_json([person], who)[0],
        "door": person.dwelling.label,
        "id_number": mask_id_number(person.id_number) if person.id_number else None,
        "birth_year": person.birth_year,
        "needs": [
            {"kind": n.kind, "severity": n.severity, "seen_at": n.seen_at, "status": n.status} for n in needs
        ],
        "duplicates": [{"id": p.id, "reason": p.reason} for p in pairs],
        "entries": [
            {
                "round": e.round,
                "cls": e.cls,
                "outcome": e.outcome,
                "at": e.at,
                "origin": e.origin,
                "attempts": e.attempts,
            }
            for e in LedgerEntry.objects.filter(sub_district=person.sub_district, subject=person.id)
        ],
    }


def _names(users: Collection[uuid.UUID | None]) -> dict[uuid.UUID | None, str]:
    return dict(User.objects.filter(id__in=[u for u in users if u is not None]).values_list("id", "name"))


@router.get("/register/persons/{person_id}/timeline", operation_id="register_timeline")
@operation("register.read")
def read_timeline(request: HttpRequest, person_id: uuid.UUID) -> dict[str, Any]:
    _, scope, _ = _scope(request, "register.read")
    person = _person(person_id, scope)
    # What the house says of a merge on each roster is told once, by its event.
    facts = (
        Fact.objects.filter(subject=person.id).exclude(kind__in=HOUSE_KINDS).order_by("-occurred_at")[:200]
    )
    events = Event.objects.filter(entity="Person", entity_id=str(person.id)).order_by("-at")[:100]
    users = _names({f.actor for f in facts} | {e.actor for e in events})
    items = [
        {
            "at": f.occurred_at,
            "received_at": f.received_at,
            "kind": f.kind,
            "value": f.value,
            "round": f.round,
            "verdict": f.verdict,
            "by": users.get(f.actor, ""),
            "fact": f.id,
        }
        for f in facts
    ]
    items += [
        {"at": e.at, "kind": f"event.{e.verb}", "value": e.to_state, "by": users.get(e.actor, "")}
        for e in events
    ]
    return {"items": sorted(items, key=lambda i: i["at"], reverse=True), "next": None, "count": len(items)}


@router.post("/register/persons/{person_id}/reveal", operation_id="register_reveal")
@operation("register.reveal")
def reveal(request: HttpRequest, person_id: uuid.UUID, body: Reveal) -> dict[str, Any]:
    """Shows one field in full; who looked, when and why is kept and shown to the person on request."""
    who, scope, role = _scope(request, "register.reveal")
    if body.field not in REVEALABLE:
        raise Refusal("field_not_revealable", field=body.field)
    if body.purpose not in PURPOSES:
        raise Refusal("purpose_unknown_choice", purpose=body.purpose)
    person = _person(person_id, scope)
    record_reveal(
        person.id,
        field=body.field,
        actor=who.user.id,
        role=role,
        operation="register.reveal",
        purpose=body.purpose,
        at=who.at,
        grid=person.grid,
    )
    return {"field": body.field, "value": getattr(person, body.field)}


@router.get("/register/persons/{person_id}/disclosures", operation_id="register_disclosures")
@operation("register.disclosures")
def list_disclosures(request: HttpRequest, person_id: uuid.UUID) -> dict[str, Any]:
    _, scope, _ = _scope(request, "register.disclosures")
    person = _person(person_id, scope)
    rows = Disclosure.objects.filter(subject=person.id).order_by("-at")[:200]
    users = _names({d.actor for d in rows})
    items = [
        {
            "at": d.at,
            "by": users.get(d.actor, ""),
            "role": d.role,
            "operation": d.operation,
            "fields": d.fields,
            "purpose": d.purpose,
        }
        for d in rows
    ]
    return {"items": items, "next": None, "count": len(items)}


@router.get("/search", operation_id="search")
@operation("search")
def search(request: HttpRequest, q: str = "") -> dict[str, Any]:
    """Everything by name, phone, door or code; people masked."""
    who, scope, role = _scope(request, "search")
    q = searched(q)
    if not q:
        return {"items": [], "next": None, "count": 0}
    items: list[dict[str, Any]] = []
    people = list(
        Person.objects.within(scope)
        .filter(id__in=find_persons(q, scope=scope)[:20])
        .values_list("id", "name", "dwelling__label")
    )
    names = reveal_column(Person, "name", [(p[0], p[1]) for p in people])
    items += [
        {"type": "person", "id": p[0], "title": mask_name(n), "subtitle": p[2]}
        for p, n in zip(people, names, strict=True)
    ]
    doors = Dwelling.objects.within(scope).filter(label__icontains=q).values_list("id", "label")[:10]
    items += [{"type": "door", "id": i, "title": label, "subtitle": ""} for i, label in doors]
    for b in Building.objects.filter(name__icontains=q).select_related("area")[:30]:
        if scope.allows(sub_district=b.sub_district, grid=b.grid):
            items.append({"type": "building", "id": b.id, "title": b.name, "subtitle": b.area.name})
    for g in (
        (Grid.objects.filter(name__icontains=q) | Grid.objects.filter(code__icontains=q))
        .filter(status="ACTIVE")
        .select_related("area")[:30]
    ):
        if scope.allows(sub_district=g.sub_district, grid=g.id):
            items.append({"type": "grid", "id": g.id, "title": g.name, "subtitle": g.area.name})
    items += [
        {"type": "area", "id": a.id, "title": a.name, "subtitle": a.code}
        for a in Area.objects.filter(name__icontains=q)[:10]
    ]
    if people:
        record_disclosures(
            [None],
            actor=who.user.id,
            role=role,
            operation="search",
            fields="masked",
            at=who.at,
            rows=len(people),
        )
    return {"items": items[:40], "next": None, "count": len(items)}
