# SPDX-License-Identifier: Apache-2.0
"""Buildings as people in the trade see them: progress house by house, and a house drawn as stairwells of
doors.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from muster.campaigns.models import DoorEntry, Round, RoundGrid
from muster.campaigns.queries import doors_of_grid, entries_of_grid
from muster.campaigns.states import EntryClass
from muster.places.models import Building, Dwelling
from muster.register.models import Person
from muster.storage.scoping import Scope


def progress_by_building(account: RoundGrid, *, scope: Scope) -> list[dict[str, Any]]:
    """For each building of a grid: doors seen, units done and left."""
    building_of: dict[Any, Any] = {}
    doors: dict[Any, Counter[str]] = defaultdict(Counter)
    for dwelling, building, state in doors_of_grid(account).values_list("subject", "building", "state"):
        building_of[dwelling] = building
        doors[building][state] += 1
    units: dict[Any, Counter[str]] = defaultdict(Counter)
    for home, cls in entries_of_grid(account).values_list("dwelling", "cls"):
        units[building_of.get(home)][cls] += 1
    rows = Building.objects.filter(id__in=list(doors), grid=account.grid).order_by("walk_order", "code")
    return [
        {
            "id": b.id,
            "name": b.name,
            "street": b.street,
            "doors": sum(doors[b.id].values()),
            "seen": doors[b.id]["SEEN"] + doors[b.id]["VACANT"],
            "left": units[b.id][EntryClass.OPEN] + units[b.id][EntryClass.UNREACHED],
            "done": units[b.id][EntryClass.DONE],
            "total": sum(units[b.id].values()),
        }
        for b in rows
        if scope.allows(sub_district=b.sub_district, grid=b.grid)
    ]


def stairwells(building: Building, round_: Round | None, *, scope: Scope) -> dict[str, Any]:
    """A building by units and floors, top floor first; each door with its state and how many people are left
    behind it.
    """
    dwellings = list(
        Dwelling.objects.within(scope)
        .filter(building=building)
        .defer("address")
        .order_by("unit", "floor", "walk_order", "room")
    )
    ids = [d.id for d in dwellings]
    people = Counter(
        Person.objects.within(scope)
        .filter(dwelling_id__in=ids, left_at__isnull=True, lives_here=True)
        .values_list("dwelling_id", flat=True)
    )
    states: dict[Any, str] = {}
    classes: dict[Any, Counter[str]] = defaultdict(Counter)
    if round_ is not None and building.grid is not None:
        account = RoundGrid.objects.filter(round=round_.id, grid=building.grid).first()
        if account is not None:
            keyed = DoorEntry.objects.filter(
                round=round_.id, sub_district=building.sub_district, subject__in=ids
            )
            states = dict(keyed.values_list("subject", "state"))
            for dwelling, cls in (
                entries_of_grid(account).filter(dwelling__in=ids).values_list("dwelling", "cls")
            ):
                classes[dwelling][cls] += 1
    units: dict[str, dict[int, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for d in dwellings:
        units[d.unit][d.floor or 0].append(_door(d, states.get(d.id), classes[d.id], people[d.id]))
    return {
        "building": {
            "id": building.id,
            "name": building.name,
            "street": building.street,
            "kind": building.kind,
            "floors": building.floors,
            "units": building.units,
            "grid": building.grid,
        },
        "units": [
            {"unit": unit, "floors": [{"floor": f, "doors": floors[f]} for f in sorted(floors, reverse=True)]}
            for unit, floors in sorted(units.items())
        ],
    }


def _door(d: Dwelling, state: str | None, classes: Counter[str], people: int) -> dict[str, Any]:
    left = classes[EntryClass.OPEN] + classes[EntryClass.UNREACHED]
    return {
        "id": d.id, "room": d.room, "label": d.label, "state": state, "people": people, "left": left,
        "cls": worst_class(classes), "listed": d.listed,
    }  # fmt: skip


def worst_class(classes: Counter[str]) -> str | None:
    """The class that most needs somebody to come, of all units behind a door."""
    for cls in ("UNREACHED", "OPEN", "ARRANGED", "EXPLAINED", "DONE"):
        if classes[cls]:
            return cls
    return None
