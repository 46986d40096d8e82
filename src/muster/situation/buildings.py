# SPDX-License-Identifier: Apache-2.0
"""Buildings as people in the trade see them: progress house by house, and a house drawn as stairwells of
doors.
"""

from __future__ import annotations

import base64
import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from muster.base.errors import Refusal
from muster.campaigns.models import DoorEntry, LedgerEntry, Round, RoundGrid
from muster.campaigns.queries import entries_of_grid, homes_of
from muster.campaigns.states import EntryClass
from muster.places.models import Building, Dwelling
from muster.places.queries import MOST_ID
from muster.register.models import Person
from muster.storage.scoping import Scope


def building_page(
    round_: Round, accounts: Sequence[RoundGrid], *, scope: Scope, cursor: str = "", limit: int = 200
) -> dict[str, Any]:
    """For each building of some grids: doors seen, units done and left; in walking order, grid by grid.

    A fixed number of statements whatever the number of grids.
    """
    rows = Building.objects.filter(scope.condition(), grid__in=[a.grid for a in accounts])
    count = rows.count()
    if cursor:
        grid, walk, last = read_cursor(cursor)
        later = Q(grid=grid, walk_order__gt=walk) | Q(grid=grid, walk_order=walk, id__gt=last)
        rows = rows.filter(later | Q(grid__gt=grid))
    page = list(rows.order_by("grid", "walk_order", "id")[: limit + 1])
    page, more = page[:limit], len(page) > limit
    told = progress_of(round_, accounts, page)
    items = [told[b.id] for b in page if b.id in told]
    return {"items": items, "next": write_cursor(page[-1]) if more else None, "count": count}


def progress_of(
    round_: Round, accounts: Sequence[RoundGrid], buildings: Sequence[Building]
) -> dict[uuid.UUID, dict[str, Any]]:
    """building -> its figures, for those with doors in the round. Two statements, whatever their number."""
    grids = {b.grid for b in buildings}
    homes = {home for a in accounts if a.grid in grids for home in homes_of(a)}
    keyed = {"round": round_.id, "sub_district__in": homes, "grid__in": grids}
    building_of: dict[Any, Any] = {}
    doors: dict[Any, Counter[str]] = defaultdict(Counter)
    seen = DoorEntry.objects.filter(**keyed).values_list("subject", "building", "state")
    for dwelling, building, state in seen:
        building_of[dwelling] = building
        doors[building][state] += 1
    units: dict[Any, Counter[str]] = defaultdict(Counter)
    for home, cls in LedgerEntry.objects.filter(**keyed).values_list("dwelling", "cls"):
        units[building_of.get(home)][cls] += 1
    return {b.id: _progress(b, doors[b.id], units[b.id]) for b in buildings if b.id in doors}


def _progress(b: Building, doors: Counter[str], units: Counter[str]) -> dict[str, Any]:
    return {
        "id": b.id,
        "name": b.name,
        "street": b.street,
        "grid": b.grid,
        "doors": sum(doors.values()),
        "seen": doors["SEEN"] + doors["VACANT"],
        "left": units[EntryClass.OPEN] + units[EntryClass.UNREACHED],
        "done": units[EntryClass.DONE],
        "total": sum(units.values()),
    }


def write_cursor(building: Building) -> str:
    told = f"{building.grid}:{building.walk_order}:{building.id.hex}"
    return base64.urlsafe_b64encode(told.encode()).decode()


def read_cursor(cursor: str) -> tuple[int, int, uuid.UUID]:
    """Raises Refusal("cursor_bad")."""
    try:
        grid, walk, last = base64.urlsafe_b64decode(cursor.encode()).decode().split(":")
        place = int(grid), int(walk), uuid.UUID(last)
    except (ValueError, UnicodeDecodeError) as error:
        raise Refusal("cursor_bad") from error
    if max(abs(place[0]), abs(place[1])) >= MOST_ID:
        raise Refusal("cursor_bad")
    return place


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
