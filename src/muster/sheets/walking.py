# SPDX-License-Identifier: Apache-2.0
"""The list of a round as somebody walks it: building by building, stairwell, floor, door, and who is on the
roster behind each. A door without anybody on the roster has a line of its own, so that it is seen too.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from muster.campaigns.models import DoorEntry, LedgerEntry, Round, RoundGrid
from muster.campaigns.queries import doors_of_grid, entries_of_grid
from muster.campaigns.states import DoorState, EntryClass, Unit
from muster.packs import Pack
from muster.places.models import Building, Dwelling
from muster.register.models import Household, Person
from muster.register.queries import open_needs
from muster.storage.scoping import Scope
from muster.storage.sealed import reveal_column

T = TypeVar("T")
AT_ONCE = 5_000
_FIGURES = re.compile(r"([0-9]+)")
LEFT = (EntryClass.OPEN, EntryClass.UNREACHED, EntryClass.ARRANGED)


class Said(msgspec.Struct, kw_only=True):
    """What is printed of a line. name: of a person or a household; born: a year; home: the household.
    called: the building with its lane, where many houses share a number.
    """

    building: str = ""
    called: str = ""
    building_id: str = ""
    unit: str = ""
    floor: int | None = None
    room: str = ""
    door: str = ""
    home: str = ""
    name: str = ""
    phone: str = ""
    born: int | None = None
    services: list[str] = []


class Line(msgspec.Struct, kw_only=True):
    """One line before it has its number. is_door: nobody is on the roster behind this door."""

    unit: str
    subject: uuid.UUID
    sub_district: int
    grid: int | None
    dwelling: uuid.UUID
    said: Said
    outcome: str = ""
    fact: uuid.UUID | None = None
    is_door: bool = False


def lines_of(
    round_: Round,
    accounts: Sequence[RoundGrid],
    *,
    scope: Scope,
    pack: Pack,
    building: uuid.UUID | None = None,
    only_left: bool = False,
) -> list[Line]:
    """The lines of some grids, in the order they are walked. A fixed number of statements for each grid."""
    entries, doors = list[LedgerEntry](), list[DoorEntry]()
    for account in accounts:
        rows = entries_of_grid(account)
        entries += list(rows.filter(cls__in=LEFT) if only_left else rows)
        if round_.unit != Unit.DWELLING:
            doors += list(doors_of_grid(account))
    doors = [d for d in doors if not only_left or d.state in (DoorState.UNSEEN, DoorState.NO_ANSWER)]
    manned = _manned(accounts) if doors else set()
    empty = [d for d in doors if d.subject not in manned]
    wanted = {e.dwelling or e.origin_dwelling for e in entries} | {d.subject for d in empty}
    places = _dwellings(wanted, scope=scope, building=building)
    people = _people([e.subject for e in entries], scope) if round_.unit == Unit.PERSON else {}
    homes = _homes([e.subject for e in entries], scope) if round_.unit == Unit.HOUSEHOLD else {}
    needs = open_needs(list(people)) if people else {}
    lines = []
    for entry in entries:
        place = places.get(entry.dwelling or entry.origin_dwelling)
        if place is None:
            continue
        said = _door_said(place)
        if (person := people.get(entry.subject)) is not None:
            said.name, said.phone, said.born, said.home = person
            said.services = pack.services_of(needs.get(entry.subject, []))
        else:
            said.name = homes.get(entry.subject, "")
        lines.append(
            Line(unit=round_.unit, subject=entry.subject, sub_district=entry.sub_district, grid=entry.grid,
                 dwelling=place.id, said=said, outcome=entry.outcome, fact=entry.fact)
        )  # fmt: skip
    lines += [
        Line(unit=Unit.DWELLING, subject=d.subject, sub_district=d.sub_district, grid=d.grid,
             dwelling=d.subject, said=_door_said(places[d.subject]), fact=d.fact, is_door=True,
             outcome="" if d.state == DoorState.UNSEEN else d.state)
        for d in empty if d.subject in places
    ]  # fmt: skip
    order = {key: walk_key(place) for key, place in places.items()}
    return sorted(
        lines, key=lambda one: (*order[one.dwelling], one.said.home, one.said.born or 0, one.subject.int)
    )


def _manned(accounts: Sequence[RoundGrid]) -> set[uuid.UUID]:
    """The doors with somebody on the roster behind them, also somebody who is not asked for."""
    found: set[uuid.UUID] = set()
    for account in accounts:
        for now, first in entries_of_grid(account).values_list("dwelling", "origin_dwelling"):
            found.add(now or first)
    return found


def walk_key(place: Dwelling) -> tuple[Any, ...]:
    building = place.building
    return (
        building.walk_order, natural_key(building.name), building.id.int, natural_key(place.unit),
        place.walk_order, place.floor or 0, natural_key(place.room), place.id.int,
    )  # fmt: skip


def natural_key(text: str) -> tuple[tuple[int, str], ...]:
    """So that 2 stands before 10."""
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in _FIGURES.split(text) if part)


def _parts(ids: Sequence[T]) -> Iterator[Sequence[T]]:
    for at in range(0, len(ids), AT_ONCE):
        yield ids[at : at + AT_ONCE]


def _dwellings(ids: set[uuid.UUID], *, scope: Scope, building: uuid.UUID | None) -> dict[uuid.UUID, Dwelling]:
    found: dict[uuid.UUID, Dwelling] = {}
    rows = Dwelling.objects.within(scope).select_related("building").defer("address", "building__footprint")
    if building is not None:
        rows = rows.filter(building_id=building)
    for part in _parts(sorted(ids)):
        found |= {d.id: d for d in rows.filter(id__in=part)}
    return found


def called(building: Building) -> str:
    """A house as people find it: 枣树巷 柳巷村8号, where the name alone would not say which of them."""
    street, name = building.street, building.name
    return f"{street} {name}" if street and not name.startswith(street) else name


def _door_said(place: Dwelling) -> Said:
    of = place.building
    return Said(building=of.name, called=called(of), building_id=str(of.id), unit=place.unit,
                floor=place.floor, room=place.room, door=place.label)  # fmt: skip


def _people(ids: Sequence[uuid.UUID], scope: Scope) -> dict[uuid.UUID, tuple[str, str, int | None, str]]:
    rows: list[Any] = []
    columns = ("id", "name", "phone", "birth_year", "household_id")
    for part in _parts(ids):
        rows += Person.objects.within(scope).filter(id__in=part).values_list(*columns)
    names = reveal_column(Person, "name", [(row[0], row[1]) for row in rows])
    phones = reveal_column(Person, "phone", [(row[0], row[2]) for row in rows])
    return {
        row[0]: (name or "", phone or "", row[3], str(row[4] or ""))
        for row, name, phone in zip(rows, names, phones, strict=True)
    }


def _homes(ids: Sequence[uuid.UUID], scope: Scope) -> dict[uuid.UUID, str]:
    found: dict[uuid.UUID, str] = {}
    for part in _parts(ids):
        found |= dict(Household.objects.within(scope).filter(id__in=part).values_list("id", "label"))
    return found
