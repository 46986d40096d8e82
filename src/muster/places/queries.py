# SPDX-License-Identifier: Apache-2.0
"""Reads of places: the area tree, grids, doors; and which scope a grant gives."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from muster.base.errors import Refusal
from muster.places.models import Area, Building, Dwelling, Grid
from muster.places.states import DwellingStatus, GridLevel, GridStatus
from muster.storage.scoping import Scope

# Surrogates are 63-bit; a larger number cannot exist and must not reach the database driver.
MOST_ID = 2**63


@dataclass(frozen=True, slots=True)
class DoorPlace:
    """Where a door stands: the few columns that recording needs."""

    id: uuid.UUID
    sub_district: int
    grid: int | None
    building: uuid.UUID


def area(area_id: int) -> Area:
    """Raises Refusal("area_unknown")."""
    found = Area.objects.filter(id=area_id).first() if 0 < area_id < MOST_ID else None
    if found is None:
        raise Refusal("area_unknown", area=area_id)
    return found


def areas_under(path: str) -> QuerySet[Area]:
    return Area.objects.filter(path__startswith=path)


def children_of(parent: int | None) -> QuerySet[Area]:
    return Area.objects.filter(parent_id=parent).order_by("code")


def breadcrumb(of: Area) -> list[Area]:
    ids = [int(part) for part in of.path.strip("/").split("/") if part]
    by_id = {a.id: a for a in Area.objects.filter(id__in=ids)}
    return [by_id[i] for i in ids if i in by_id]


def grid(grid_id: int) -> Grid:
    """Raises Refusal("grid_unknown")."""
    found = Grid.objects.select_related("area").filter(id=grid_id).first() if 0 < grid_id < MOST_ID else None
    if found is None:
        raise Refusal("grid_unknown", grid=grid_id)
    return found


def grid_named(said: str) -> Grid:
    """A grid by its number or its code. Raises Refusal("grid_unknown")."""
    if said.isascii() and said.isdigit() and len(said) < 19 and Grid.objects.filter(id=int(said)).exists():
        return grid(int(said))
    found = Grid.objects.select_related("area").filter(code=said).first()
    if found is None:
        raise Refusal("grid_unknown", grid=said[:40])
    return found


def active_grids(path: str, *, level: str = GridLevel.SMALL) -> QuerySet[Grid]:
    return (
        Grid.objects.filter(area__path__startswith=path, level=level, status=GridStatus.ACTIVE)
        .select_related("area")
        .order_by("code")
    )


def small_grid_ids(path: str) -> list[int]:
    return list(active_grids(path).values_list("id", flat=True))


def small_grids_below(of: Grid) -> list[int]:
    """The small grids of a grid of any level, itself if it is small."""
    if of.level in (GridLevel.SMALL, GridLevel.SPECIAL):
        return [of.id]
    front, small = [of.id], []
    while front:
        rows = list(
            Grid.objects.filter(parent_id__in=front, status=GridStatus.ACTIVE).values_list("id", "level")
        )
        small += [i for i, level in rows if level == GridLevel.SMALL]
        front = [i for i, level in rows if level != GridLevel.SMALL]
    return small


def scope_of(paths: Iterable[str], grids: Iterable[int]) -> Scope:
    """What granted area paths and grids let somebody see."""
    paths = sorted(set(paths))
    if "/" in paths:
        return Scope(everything=True)
    sub_districts: set[int] = set()
    small: set[int] = set(grids)
    for path in paths:
        rows = list(Area.objects.filter(path__startswith=path).values_list("id", "sub_district"))
        whole = {i for i, sub in rows if sub == i}
        sub_districts |= whole
        if not whole:
            small |= set(small_grid_ids(path))
    for wider in Grid.objects.filter(id__in=list(small)).exclude(level=GridLevel.SMALL):
        small |= set(small_grids_below(wider))
    return Scope(sub_districts=frozenset(sub_districts), grids=frozenset(small))


def door_places(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, DoorPlace]:
    if not ids:
        return {}
    rows = (
        Dwelling.objects.across(reason="fold")
        .filter(id__in=ids)
        .values_list("id", "sub_district", "grid", "building_id")
    )
    return {row[0]: DoorPlace(*row) for row in rows}


def building_places(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, DoorPlace]:
    if not ids:
        return {}
    rows = Building.objects.filter(id__in=ids).values_list("id", "sub_district", "grid", "id")
    return {row[0]: DoorPlace(*row) for row in rows}


def sub_districts_of_grids(ids: Collection[int]) -> dict[int, int]:
    return dict(Grid.objects.filter(id__in=ids).values_list("id", "sub_district"))


def doors_for_freeze(grid_id: int) -> list[DoorPlace]:
    """Every door in force of a small grid."""
    rows = Dwelling.objects.across(reason="freeze").filter(grid=grid_id, status=DwellingStatus.ACTIVE)
    return [DoorPlace(*row) for row in rows.values_list("id", "sub_district", "grid", "building_id")]
