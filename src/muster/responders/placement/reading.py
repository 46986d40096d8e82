# SPDX-License-Identifier: Apache-2.0
"""What a plan starts from: the grids of an area with what they ask for, the people who could serve there."""

from __future__ import annotations

import hashlib
import math
import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Avg, Count, Q

from muster.packs import Pack
from muster.packs.schema import Staffing
from muster.places.models import Building, Dwelling, Grid
from muster.places.states import DwellingStatus, GridLevel, GridStatus
from muster.register.models import Need
from muster.responders.models import Responder
from muster.responders.placement.states import FIXED, PLACEABLE

# Above so many grids one count of everything is quicker than a list of them in the statement.
_LISTED_GRIDS = 400
MARKED = ("id", "status", "grid", "home_grid", "post", "skills", "lon", "lat", "cannot")


@dataclass(frozen=True, slots=True)
class GridPlace:
    """A small grid in force. lon, lat: None when neither it nor its houses are on the map."""

    id: int
    area: int
    sub_district: int
    lon: float | None
    lat: float | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody whom a plan may give a place."""

    id: uuid.UUID
    sub_district: int
    status: str
    grid: int | None
    home_grid: int | None
    post: str
    skills: tuple[str, ...]
    lon: float | None
    lat: float | None
    mark: int
    cannot: tuple[str, ...] = ()
    home_area: int | None = None


@dataclass(slots=True)
class Ground:
    """All of it, by (grid, post): held are people who serve there and stay; asked are need and spare."""

    grids: dict[int, GridPlace]
    asked: dict[tuple[int, str], tuple[int, int]]
    held: Counter[tuple[int, str]]
    people: list[Candidate]
    lines: dict[str, Staffing] = field(default_factory=dict)

    def posts_for(self, skills: Collection[str], cannot: Collection[str] = ()) -> list[str]:
        """Posts that somebody of these skills can fill and that ask nothing he cannot do, as the pack has
        them.
        """
        return [
            post
            for post, line in self.lines.items()
            if (not line.skills or not set(line.skills).isdisjoint(skills))
            and set(line.strains).isdisjoint(cannot)
        ]


def mark_of(values: Sequence[Any]) -> int:
    """A digest of what a plan knows of somebody (MARKED without id), as a number that a database keeps."""
    status, grid, home, post, skills, lon, lat, cannot = values
    told = f"{status}|{grid}|{home}|{post}|{','.join(sorted(skills or ()))}|{lon}|{lat}"
    if cannot:
        told += f"|{','.join(sorted(cannot))}"
    return int.from_bytes(hashlib.blake2b(told.encode(), digest_size=8).digest(), "big", signed=True)


def read_ground(area_path: str, *, incident: uuid.UUID, pack: Pack) -> Ground:
    """Reads everything that a plan of an area needs, in a fixed number of statements."""
    grids = grids_of(area_path)
    lines = {line.post: line for line in pack.staffing}
    people, held = _people(grids, area_path, incident)
    return Ground(grids, _asked(grids, lines), held, people, lines)


def grids_of(area_path: str) -> dict[int, GridPlace]:
    rows = list(
        Grid.objects.filter(area__path__startswith=area_path, level=GridLevel.SMALL, status=GridStatus.ACTIVE)
        .order_by("code")
        .values_list("id", "area_id", "sub_district", "lon", "lat")
    )
    found = {row[0]: GridPlace(*row) for row in rows}
    unplaced = [g.id for g in found.values() if g.lon is None or g.lat is None]
    for some in _lists(unplaced):
        means = Building.objects.filter(grid__in=some, lon__isnull=False, lat__isnull=False)
        for grid, lon, lat in means.values_list("grid").annotate(x=Avg("lon"), y=Avg("lat")):
            old = found[grid]
            found[grid] = GridPlace(old.id, old.area, old.sub_district, lon, lat)
    return found


def _lists(ids: list[int]) -> list[list[int]]:
    return [ids[start : start + _LISTED_GRIDS] for start in range(0, len(ids), _LISTED_GRIDS)]


def _of_grids(rows: Any, grids: Collection[int]) -> Any:
    return (
        rows.filter(grid__in=list(grids)) if len(grids) <= _LISTED_GRIDS else rows.filter(grid__isnull=False)
    )


def _asked(
    grids: Mapping[int, GridPlace], lines: Mapping[str, Staffing]
) -> dict[tuple[int, str], tuple[int, int]]:
    """What each grid asks for, by its doors and by the people in need behind them."""
    doors = _of_grids(Dwelling.objects.across(reason="count").filter(status=DwellingStatus.ACTIVE), grids)
    doors_of = dict(doors.order_by().values_list("grid").annotate(n=Count("id")))
    needs = _of_grids(Need.objects.across(reason="count").filter(ended_at__isnull=True), grids)
    in_need: dict[int, Counter[str]] = {}
    for grid, kind, count in needs.order_by().values_list("grid", "kind").annotate(n=Count("id")):
        in_need.setdefault(grid, Counter())[kind] = count
    asked = {}
    for grid in grids:
        for post, line in lines.items():
            need = staff_needed(line, doors=doors_of.get(grid, 0), in_need=in_need.get(grid, Counter()))
            if need or (line.spare and doors_of.get(grid, 0)):
                asked[grid, post] = (need, line.spare)
    return asked


def staff_needed(line: Staffing, *, doors: int, in_need: Mapping[str, int]) -> int:
    """How many people of a post a grid asks for; an empty grid asks for nobody."""
    if doors == 0:
        return 0
    counted = sum(n for kind, n in in_need.items() if not line.needs or kind in line.needs)
    by_doors = math.ceil(doors / line.doors_each) if line.doors_each else 0
    by_need = math.ceil(counted / line.in_need_each) if line.in_need_each else 0
    return min(line.most, max(line.least, by_doors + by_need))


def _people(
    grids: Mapping[int, GridPlace], area_path: str, incident: uuid.UUID
) -> tuple[list[Candidate], Counter[tuple[int, str]]]:
    """Who may be placed, and who holds a post already. Who serves in another area is left to it."""
    rows = Responder.objects.across(reason="placement").filter(
        incident=incident, status__in=[*PLACEABLE, *FIXED]
    )
    if len(grids) <= _LISTED_GRIDS:
        here = Q(grid__in=list(grids)) | Q(grid__isnull=True, home_grid__in=list(grids))
        near = {place.sub_district for place in grids.values()}
        here |= Q(grid__isnull=True, home_grid__isnull=True, home_area__in=_areas(area_path))
        here |= Q(status="VETTED", home_grid__in=list(grids)) & ~Q(grid__in=list(grids))
        here |= Q(grid__isnull=True, home_grid__isnull=True, home_area__isnull=True, sub_district__in=near)
        rows = rows.filter(here)
    people: list[Candidate] = []
    held: Counter[tuple[int, str]] = Counter()
    columns = (
        "id",
        "status",
        "grid",
        "home_grid",
        "post",
        "skills",
        "lon",
        "lat",
        "cannot",
        "home_area",
        "sub_district",
        "is_suspect",
    )
    for id_, status, grid, home, post, skills, lon, lat, cannot, area, sub, suspect in (
        rows.order_by("id").values_list(*columns).iterator(chunk_size=5000)
    ):
        if grid is not None and grid not in grids:
            continue
        if status in FIXED:
            if grid is not None and post:
                held[grid, post] += 1
            continue
        if suspect or (grid is None and home is not None and home not in grids):
            continue
        mark = mark_of((status, grid, home, post, skills, lon, lat, cannot))
        can, not_able = tuple(skills or ()), tuple(cannot or ())
        people.append(Candidate(id_, sub, status, grid, home, post, can, lon, lat, mark, not_able, area))
    return people, held


def _areas(path: str) -> Any:
    from muster.places.models import Area

    return Area.objects.filter(path__startswith=path).values("id")
