# SPDX-License-Identifier: Apache-2.0
"""Exported lists: the rows of each kind in the columns of its form, whole or masked, with row ids for the
way back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from muster.base.errors import Refusal
from muster.places.models import Area, Building, Dwelling, Grid
from muster.places.states import DwellingStatus
from muster.register.exporting.filters import Filters, person_condition, place_condition
from muster.register.id_documents import mask_id_number
from muster.register.importing.kinds import KINDS
from muster.register.importing.operators import Operator
from muster.register.models import Household, Need, Person
from muster.register.names import mask_name
from muster.register.phones import mask_phone

_AT_ONCE = 1_000


@dataclass(slots=True)
class ListedRow:
    """id and cells of one row; grid: where it counts as seen, None where nothing personal is told."""

    id: str
    values: dict[str, str]
    grid: int | None = None


@dataclass
class Words:
    """Names of areas as lists say them: by name where that is clear, else by code."""

    names: Mapping[int, str]
    codes: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def load(cls) -> Words:
        rows = list(Area.objects.values_list("id", "name", "code"))
        times: dict[str, int] = {}
        for _, name, _ in rows:
            times[name] = times.get(name, 0) + 1
        return cls({id_: name if times[name] == 1 else code for id_, name, code in rows})


def list_rows(kind: str, filters: Filters, operator: Operator) -> Iterator[ListedRow]:
    """Yield the rows of a kind. Raises Refusal import_kind_later for one that has none yet."""
    if kind not in _LISTS:
        raise Refusal("import_kind_later", kind_zh=kind, kind_en=kind)
    return _LISTS[kind](filters, operator)


def _areas(filters: Filters, operator: Operator) -> Iterator[ListedRow]:
    condition = Q(pk__in=[]) if "/" not in operator.reach.paths else Q()
    for path in operator.reach.paths if "/" not in operator.reach.paths else ():
        condition |= Q(path__startswith=path)
    rows = Area.objects.filter(condition).select_related("parent").defer("geometry").order_by("depth", "code")
    if filters.area is not None:
        rows = rows.filter(path__contains=f"/{filters.area}/")
    if filters.q:
        rows = rows.filter(name__icontains=filters.q)
    for area in rows.iterator(chunk_size=_AT_ONCE):
        values = {"code": area.code, "level": area.level, "parent": area.parent.code if area.parent else ""}
        yield ListedRow(str(area.id), values | KINDS["areas"].live(area))


def _buildings(filters: Filters, operator: Operator) -> Iterator[ListedRow]:
    condition = place_condition(filters, operator, area_path="area__path", grid="grid", building="id")
    rows = Building.objects.filter(condition).select_related("compound").defer("footprint")
    if filters.q:
        rows = rows.filter(Q(name__icontains=filters.q) | Q(street__icontains=filters.q))
    words, grids = Words.load(), dict(Grid.objects.values_list("id", "code"))
    for building in rows.order_by("area_id", "walk_order", "code").iterator(chunk_size=_AT_ONCE):
        values = {
            "area": words.names[building.area_id],
            "compound": building.compound.name if building.compound else "",
            "datum": "wgs84" if building.lon is not None else "",
            "grid": grids.get(building.grid or 0, ""),
        }
        yield ListedRow(str(building.id), values | KINDS["buildings"].live(building))


def _door_values(dwelling: Dwelling, words: Words) -> dict[str, str]:
    building = dwelling.building
    return {
        "area": words.names[building.area_id],
        "compound": building.compound.name if building.compound else "",
        "street": building.street,
        "building": building.name,
        "unit": dwelling.unit,
        "room": dwelling.room,
    }


_DOOR_ORDER = (
    "building__area_id",
    "building__walk_order",
    "building__code",
    "walk_order",
    "unit",
    "room",
    "id",
)


def _dwellings(filters: Filters, operator: Operator) -> Iterator[ListedRow]:
    condition = place_condition(
        filters, operator, area_path="building__area__path", grid="grid", building="building"
    )
    rows = Dwelling.objects.across(reason="export").filter(condition, status=DwellingStatus.ACTIVE)
    if filters.q:
        rows = rows.filter(label__icontains=filters.q)
    words = Words.load()
    for dwelling in (
        rows.select_related("building__compound").order_by(*_DOOR_ORDER).iterator(chunk_size=_AT_ONCE)
    ):
        live = KINDS["dwellings"].live(dwelling)
        if not operator.full:
            live["address"] = ""
        yield ListedRow(str(dwelling.id), _door_values(dwelling, words) | live, dwelling.grid)


def _behind_doors(rows: QuerySet[Any]) -> Iterator[Any]:
    order = [f"dwelling__{name}" for name in _DOOR_ORDER]
    return (
        rows.select_related("dwelling__building__compound")
        .order_by(*order, "id")
        .iterator(chunk_size=_AT_ONCE)
    )


def _households(filters: Filters, operator: Operator) -> Iterator[ListedRow]:
    condition = place_condition(
        filters,
        operator,
        area_path="dwelling__building__area__path",
        grid="grid",
        building="dwelling__building",
    )
    words = Words.load()
    for household in _behind_doors(
        Household.objects.across(reason="export").filter(condition, left_at__isnull=True)
    ):
        values = _door_values(household.dwelling, words) | KINDS["households"].live(household)
        yield ListedRow(str(household.id), values, household.grid)


def _persons(filters: Filters, operator: Operator) -> Iterator[ListedRow]:
    rows = Person.objects.across(reason="export").filter(
        person_condition(filters, operator), left_at__isnull=True
    )
    words = Words.load()
    for person in _behind_doors(rows.select_related("household")):
        values = KINDS["persons"].live(person)
        values["household"] = person.household.code if person.household else ""
        if not operator.full:
            values = masked(values)
        yield ListedRow(str(person.id), _door_values(person.dwelling, words) | values, person.grid)


def _needs(filters: Filters, operator: Operator) -> Iterator[ListedRow]:
    persons = Person.objects.across(reason="export").filter(
        person_condition(filters, operator), left_at__isnull=True
    )
    rows = Need.objects.across(reason="export").filter(
        ended_at__isnull=True, person_id__in=persons.values("id")
    )
    if filters.need:
        rows = rows.filter(kind=filters.need)
    words = Words.load()
    order = [f"person__dwelling__{name}" for name in _DOOR_ORDER]
    related = rows.select_related("person__dwelling__building__compound").order_by(*order, "kind", "id")
    for need in related.iterator(chunk_size=_AT_ONCE):
        person = KINDS["persons"].live(need.person)
        person = {key: person[key] for key in ("name", "id_number", "phone", "birth_date")}
        values = KINDS["needs"].live(need) | {"kind": need.kind} | person
        if not operator.full:
            values = masked(values)
        yield ListedRow(str(need.id), _door_values(need.person.dwelling, words) | values, need.grid)


def masked(values: Mapping[str, str]) -> dict[str, str]:
    """As lists on screens show it: parts of names and numbers, the year of birth, no notes."""
    shown = dict(values)
    shown["name"] = mask_name(values.get("name"))
    shown["phone"] = mask_phone(values.get("phone"))
    shown["id_number"] = mask_id_number(values.get("id_number"))
    shown["birth_date"] = values.get("birth_date", "")[:4]
    shown["note"] = ""
    return shown


Lister = Callable[[Filters, Operator], Iterator[ListedRow]]
_LISTS: dict[str, Lister] = {
    "areas": _areas,
    "buildings": _buildings,
    "dwellings": _dwellings,
    "households": _households,
    "persons": _persons,
    "needs": _needs,
}


def add_list(kind: str, lister: Lister) -> None:
    """A list of an app above the register."""
    _LISTS[kind] = lister
