# SPDX-License-Identifier: Apache-2.0
"""Re-grid: a division of an area into grids comes into force, also in the middle of a round.

Buildings belong to grids whole; doors, households, persons and needs follow their building, entries and doors
of running rounds follow their door. Totals stay: what leaves one grid's account arrives in another's.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from muster.base.errors import Refusal
from muster.campaigns.models import DoorEntry, LedgerEntry, Round, RoundGrid
from muster.campaigns.states import DoorState, EntryClass, Origin, RoundStatus
from muster.places.models import Area, Building, Dwelling, Grid
from muster.places.services import add_grid, bump_revisions, leave_tombstones
from muster.places.states import GridLevel, GridStatus
from muster.register.models import Household, Person
from muster.trail.services import record_event


@dataclass(frozen=True, slots=True)
class NewGrid:
    """A grid of a division. key: the code of a grid that stays, or any other name for a new one."""

    key: str
    level: str
    parent: str | None
    name: str
    name_en: str
    geometry: dict[str, Any] | None = None
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True, slots=True)
class Division:
    """grids from large to small; building -> key of its small grid; building -> place in the walk."""

    grids: Sequence[NewGrid]
    small_of: Mapping[uuid.UUID, str]
    walk: Mapping[uuid.UUID, int] = field(default_factory=dict)


@dataclass(slots=True)
class Moved:
    """What a re-grid changed: doors and people that belong to another grid now."""

    buildings: int = 0
    doors: int = 0
    persons: int = 0
    made: int = 0
    retired: int = 0


def adopt_division(area: Area, division: Division, *, by: uuid.UUID | None, at: datetime) -> Moved:
    """Brings a division of an area into force, in one transaction.

    Raises:
        Refusal: "division_incomplete" when a building of the area has no small grid.
    """
    buildings = list(Building.objects.filter(area__path__startswith=area.path).select_related("area"))
    missing = [b for b in buildings if b.id not in division.small_of]
    if missing:
        raise Refusal("division_incomplete", building=missing[0].name, count=len(missing))
    with transaction.atomic():
        made, moved = _make_grids(area, division, buildings, at)
        changes = {b.id: (b.grid, made[division.small_of[b.id]].id) for b in buildings}
        moving = {b: (old, new) for b, (old, new) in changes.items() if old != new}
        moved.buildings = len(moving)
        touched = {g for pair in moving.values() for g in pair if g is not None}
        revisions = bump_revisions(touched)
        _set_buildings(buildings, changes, division.walk, revisions)
        _move_doors(moving, revisions, moved)
        for round_ in Round.objects.exclude(status=RoundStatus.PLANNED):
            _move_entries(round_, moving, revisions)
        moved.retired = _retire(area, {g.id for g in made.values()}, at)
        record_event(
            "Area",
            area.id,
            "regrid",
            at=at,
            actor=by,
            buildings=moved.buildings,
            doors=moved.doors,
            persons=moved.persons,
            made=moved.made,
            retired=moved.retired,
        )
    return moved


def _make_grids(
    area: Area, division: Division, buildings: Sequence[Building], at: datetime
) -> tuple[dict[str, Grid], Moved]:
    """Keeps grids whose code is named, makes the others; parents first."""
    known = {
        g.code: g for g in Grid.objects.filter(area__path__startswith=area.path, status=GridStatus.ACTIVE)
    }
    homes = _homes(division, buildings)
    order = {GridLevel.LARGE: 0, GridLevel.MEDIUM: 1, GridLevel.SMALL: 2}
    made: dict[str, Grid] = {}
    moved = Moved()
    for new in sorted(division.grids, key=lambda g: order.get(GridLevel(g.level), 3)):
        parent = made.get(new.parent or "")
        home = homes.get(new.key, area)
        grid = known.get(new.key)
        if grid is None:
            grid = add_grid(
                code=_free_code(new.key),
                name=new.name,
                name_en=new.name_en,
                area=home,
                level=new.level,
                at=at,
                parent=parent,
                lon=new.lon,
                lat=new.lat,
                geometry=new.geometry,
            )
            moved.made += 1
        else:
            Grid.objects.filter(id=grid.id).update(
                parent=parent, geometry=new.geometry, lon=new.lon, lat=new.lat
            )
        made[new.key] = grid
    return made, moved


def _homes(division: Division, buildings: Sequence[Building]) -> dict[str, Area]:
    """The area each grid lies in: its buildings' own, or the nearest that holds all of them."""
    parents = {g.key: g.parent for g in division.grids}
    areas: dict[str, dict[int, Area]] = defaultdict(dict)
    for b in buildings:
        key: str | None = division.small_of[b.id]
        while key is not None:
            areas[key][b.area_id] = b.area
            key = parents.get(key)
    answer: dict[str, Area] = {}
    for key, found in areas.items():
        rows = list(found.values())
        shared = rows[0] if len(rows) == 1 else _nearest_common(rows)
        if shared is not None:
            answer[key] = shared
    return answer


def _nearest_common(areas: Sequence[Area]) -> Area | None:
    paths = [a.path.strip("/").split("/") for a in areas]
    shared = []
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return Area.objects.filter(id=int(shared[-1])).first() if shared else None


def _free_code(key: str) -> str:
    """Codes are never used twice: a grid that was superseded keeps its own."""
    code, number = key, 1
    while Grid.objects.filter(code=code).exists():
        number += 1
        code = f"{key}.{number}"
    return code


def _set_buildings(
    buildings: Sequence[Building],
    changes: Mapping[uuid.UUID, tuple[int | None, int]],
    walk: Mapping[uuid.UUID, int],
    revisions: Mapping[int, int],
) -> None:
    for b in buildings:
        b.grid = changes[b.id][1]
        b.walk_order = walk.get(b.id, b.walk_order)
        b.rev = revisions.get(b.grid, b.rev)
    Building.objects.bulk_update(buildings, ["grid", "walk_order", "rev"], batch_size=100)


def _move_doors(
    moving: Mapping[uuid.UUID, tuple[int | None, int]], revisions: Mapping[int, int], moved: Moved
) -> None:
    """Doors, households, persons and needs follow their building; phones of the old grid are told to forget
    them.
    """
    by_pair: dict[tuple[int | None, int], list[uuid.UUID]] = defaultdict(list)
    for building, pair in moving.items():
        by_pair[pair].append(building)
    for (old, new), buildings in by_pair.items():
        doors = list(
            Dwelling.objects.across(reason="regrid")
            .filter(building_id__in=buildings)
            .values_list("id", flat=True)
        )
        persons = list(
            Person.objects.across(reason="regrid")
            .filter(dwelling__building_id__in=buildings)
            .values_list("id", flat=True)
        )
        households = list(
            Household.objects.across(reason="regrid")
            .filter(dwelling__building_id__in=buildings)
            .values_list("id", flat=True)
        )
        moved.doors += len(doors)
        moved.persons += len(persons)
        if old is not None:
            rev = revisions[old]
            leave_tombstones(
                [(old, rev, "door", d) for d in doors]
                + [(old, rev, "household", h) for h in households]
                + [(old, rev, "person", p) for p in persons]
                + [(old, rev, "building", b) for b in buildings]
            )
        for part in _parts(buildings):
            _follow_building(part, new, revisions[new])


def _parts(ids: Sequence[uuid.UUID], size: int = 400) -> list[Sequence[uuid.UUID]]:
    return [ids[i : i + size] for i in range(0, len(ids), size)]


def _follow_building(buildings: Sequence[uuid.UUID], grid: int, rev: int) -> None:
    ids = [b.hex if connection.vendor == "sqlite" else b for b in buildings]
    marks = ",".join(["%s"] * len(ids))
    doors = f"SELECT id FROM places_dwelling WHERE building_id IN ({marks})"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE places_dwelling SET grid = %s, rev = %s WHERE building_id IN ({marks})",
            [grid, rev, *ids],
        )
        cursor.execute(
            f"UPDATE register_household SET grid = %s, rev = %s WHERE dwelling_id IN ({doors})",
            [grid, rev, *ids],
        )
        cursor.execute(
            f"UPDATE register_person SET grid = %s, rev = %s WHERE dwelling_id IN ({doors})",
            [grid, rev, *ids],
        )
        cursor.execute(
            "UPDATE register_need SET grid = %s WHERE person_id IN "
            f"(SELECT id FROM register_person WHERE dwelling_id IN ({doors}))",
            [grid, *ids],
        )


def _move_entries(
    round_: Round, moving: Mapping[uuid.UUID, tuple[int | None, int]], revisions: Mapping[int, int]
) -> None:
    """Entries and doors of a running round go where their building went; the touched accounts are written
    anew.
    """
    in_round = set(RoundGrid.objects.filter(round=round_.id).values_list("grid", flat=True))
    affected = {b: pair for b, pair in moving.items() if pair[0] in in_round}
    if not affected:
        return
    doors = dict(
        Dwelling.objects.across(reason="regrid")
        .filter(building_id__in=list(affected))
        .values_list("id", "building_id")
    )
    target = {d: affected[b][1] for d, b in doors.items()}
    touched = {g for pair in affected.values() for g in pair if g is not None}
    entries = [
        e for e in LedgerEntry.objects.filter(round=round_.id, grid__in=touched) if e.dwelling in target
    ]
    for e in entries:
        assert e.dwelling is not None
        e.grid = target[e.dwelling]
        e.version += 1
        e.rev = revisions.get(e.grid, e.rev)
    rows = [d for d in DoorEntry.objects.filter(round=round_.id, grid__in=touched) if d.subject in target]
    for d in rows:
        d.grid = target[d.subject]
        d.version += 1
        d.rev = revisions.get(d.grid, d.rev)
    from muster.storage.many_rows import update_rows

    key = ("round", "sub_district", "subject")
    update_rows(LedgerEntry, entries, columns=("grid", "version", "rev"), key=key)
    update_rows(DoorEntry, rows, columns=("grid", "version", "rev"), key=key)
    rewrite_accounts(round_, touched, revisions)


def rewrite_accounts(round_: Round, grids: Collection[int], revisions: Mapping[int, int]) -> None:
    """Writes the accounts of some grids anew from their entries and doors; grids new to the round get one."""
    present = set(RoundGrid.objects.filter(round=round_.id, grid__in=grids).values_list("grid", flat=True))
    homes = dict(Grid.objects.filter(id__in=list(grids)).values_list("id", "sub_district"))
    RoundGrid.objects.bulk_create(
        RoundGrid(round=round_.id, sub_district=homes[g], grid=g, is_frozen=True)
        for g in sorted(set(grids) - present)
    )
    here = LedgerEntry.objects.filter(round=round_.id, grid__in=grids)
    away = LedgerEntry.objects.filter(round=round_.id, origin_grid__in=grids)
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    outcomes: dict[int, Counter[str]] = defaultdict(Counter)
    guests: dict[int, set[int]] = defaultdict(set)
    for origin_grid, grid, cls, outcome, home in here.values_list(
        "origin_grid", "grid", "cls", "outcome", "sub_district"
    ):
        assert grid is not None
        counts[grid][f"n_{cls.lower()}"] += 1
        counts[grid]["moved_in"] += origin_grid != grid
        outcomes[grid].update([outcome] if outcome else [])
        guests[grid] |= {home} - {homes[grid]}
    for origin, origin_grid, grid in away.values_list("origin", "origin_grid", "grid"):
        counts[origin_grid]["frozen" if origin == Origin.FROZEN else "added"] += 1
        counts[origin_grid]["moved_out"] += grid != origin_grid
    doors = DoorEntry.objects.filter(round=round_.id, grid__in=grids)
    for grid, state, origin, home in doors.values_list("grid", "state", "origin", "sub_district"):
        counts[grid]["doors"] += 1
        counts[grid]["doors_added"] += origin == Origin.ADDED
        guests[grid] |= {home} - {homes[grid]}
        if state != DoorState.UNSEEN:
            counts[grid][f"doors_{state.lower()}"] += 1
    names = [
        "frozen",
        "added",
        "moved_in",
        "moved_out",
        *(f"n_{c.lower()}" for c in EntryClass.values),
        "doors",
        "doors_added",
        "doors_seen",
        "doors_vacant",
        "doors_no_answer",
        "doors_refused",
    ]
    for account in RoundGrid.objects.filter(round=round_.id, grid__in=grids):
        values = {name: counts[account.grid][name] for name in names}
        RoundGrid.objects.filter(
            round=round_.id, sub_district=account.sub_district, grid=account.grid
        ).update(
            **values,
            outcomes=dict(outcomes[account.grid]),
            guests_from=sorted(guests[account.grid]),
            rev=revisions.get(account.grid, account.rev),
        )


def _retire(area: Area, kept: Collection[int], at: datetime) -> int:
    rows = Grid.objects.filter(area__path__startswith=area.path, status=GridStatus.ACTIVE).exclude(
        id__in=list(kept)
    )
    return rows.update(status=GridStatus.SUPERSEDED, valid_until=at)
