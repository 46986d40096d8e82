# SPDX-License-Identifier: Apache-2.0
"""What lies on an area now, what it therefore needs, and which areas beside it could give people."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, Sum

from muster.campaigns.models import Round, RoundGrid
from muster.campaigns.states import RoundStatus
from muster.places.models import Area, Grid
from muster.places.queries import breadcrumb
from muster.register.models import Person
from muster.requests.models import Request, WorkItem
from muster.requests.states import ITEM_FREE, UNDER_WAY, WAITING
from muster.responders.models import Responder
from muster.responders.reinforcement.queries import coming_to, deployed_heads
from muster.responders.reinforcement.rules import Load, Need, need_of
from muster.responders.rules import LONGEST_DUTY
from muster.responders.states import CAN_BE_ASKED

OPEN_WORK = WAITING | UNDER_WAY
MOST_GIVERS = 30


@dataclass(frozen=True, slots=True)
class Giver:
    """An area that may be asked. `spare` is None for those above, whose departments stand in no list."""

    area: Area
    spare: int | None


@dataclass(frozen=True, slots=True)
class AreaNeed:
    load: Load
    need: Need
    givers: tuple[Giver, ...]


def need_at(area: Area, *, incident: uuid.UUID, at: datetime) -> AreaNeed:
    """The need of an area, what it was computed from, and who could give: neighbours first, then above."""
    beside = list(Area.objects.filter(parent_id=area.parent_id).exclude(id=area.id)) if area.parent_id else []
    loads = loads_of([area, *beside], incident=incident, at=at, inhabitants_of={area.id})
    needs = {one.id: need_of(loads[one.id]) for one in beside}
    spare = sorted(
        (Giver(one, needs[one.id].spare) for one in beside if needs[one.id].spare),
        key=lambda giver: (-(giver.spare or 0), giver.area.code),
    )
    above = [Giver(one, None) for one in reversed(breadcrumb(area)[:-1])]
    return AreaNeed(loads[area.id], need_of(loads[area.id]), (*spare[:MOST_GIVERS], *above))


def loads_of(
    areas: Sequence[Area], *, incident: uuid.UUID, at: datetime, inhabitants_of: Collection[int] = ()
) -> dict[int, Load]:
    """The load of each of several areas that do not contain each other, in a fixed number of statements.

    inhabitants_of: areas whose inhabitants are counted; for the others that part of the need is left out.
    """
    homes = _Homes(areas)
    figures: dict[int, Counter[str]] = defaultdict(Counter)
    skills: dict[int, Counter[str]] = defaultdict(Counter)
    skilled: dict[int, Counter[str]] = defaultdict(Counter)
    for home in homes.grids.values():
        figures[home]["grids"] += 1
    _rounds(homes, incident, figures)
    _requests(homes, incident, at, figures, skills)
    _people(homes, incident, at, figures, skilled if any(skills.values()) else None)
    for area in areas:
        for heads in deployed_heads(incident, path=area.path, at=at) if area.id in inhabitants_of else ():
            figures[area.id]["serving"] += heads.unlisted
    for path, count in coming_to(incident, paths=[area.path for area in areas]):
        figures[homes.of_path(path) or 0]["coming"] += count
    for area in areas:
        if area.id in inhabitants_of:
            figures[area.id]["people"] = _inhabitants(area, homes)
    return {
        area.id: Load(**figures[area.id], skills=dict(skills[area.id]), skilled=dict(skilled[area.id]))
        for area in areas
    }


class _Homes:
    """Which of the areas a small grid belongs to."""

    def __init__(self, areas: Sequence[Area]) -> None:
        self._by_path = {area.path: area.id for area in areas}
        within = Q(pk__in=[])
        for path in self._common(areas):
            within |= Q(area__path__startswith=path)
        rows = Grid.objects.filter(within, level="SMALL", status="ACTIVE")
        self.grids: dict[int, int] = {}
        self.sub_districts: set[int] = set()
        for grid, sub_district, path in rows.values_list("id", "sub_district", "area__path"):
            area = self.of_path(path)
            if area is not None:
                self.grids[grid] = area
                self.sub_districts.add(sub_district)

    @staticmethod
    def _common(areas: Sequence[Area]) -> set[str]:
        """Areas side by side are asked for by what they have in common, not one by one."""
        if len(areas) == 1:
            return {areas[0].path}
        return {area.path.rsplit("/", 2)[0] + "/" for area in areas}

    def of_path(self, path: str) -> int | None:
        parts = path.strip("/").split("/")
        for end in range(len(parts), 0, -1):
            found = self._by_path.get(f"/{'/'.join(parts[:end])}/")
            if found is not None:
                return found
        return None

    @property
    def within(self) -> Q:
        return Q(sub_district__in=self.sub_districts)


def _rounds(homes: _Homes, incident: uuid.UUID, figures: Mapping[int, Counter[str]]) -> None:
    """Of several rounds under way the one that leaves most to do: a door that is visited serves them all."""
    rounds = Round.objects.filter(incident=incident, status__in=[RoundStatus.OPEN, RoundStatus.CLOSING])
    rows = RoundGrid.objects.filter(homes.within, round__in=rounds.values("id"))
    left: dict[tuple[int, Any], list[int]] = defaultdict(lambda: [0, 0])
    doors = Sum(F("doors") - F("doors_seen") - F("doors_vacant") - F("doors_refused"))
    for round_, grid, entries, unseen in rows.values_list("round", "grid").annotate(
        entries=Sum(F("n_open") + F("n_unreached")), unseen=doors
    ):
        if grid in homes.grids:
            sums = left[homes.grids[grid], round_]
            sums[0] += entries
            sums[1] += max(0, unseen)
    for (area, _), (entries, unseen) in left.items():
        figures[area]["entries_left"] = max(figures[area]["entries_left"], entries)
        figures[area]["doors_left"] = max(figures[area]["doors_left"], unseen)


def _requests(
    homes: _Homes,
    incident: uuid.UUID,
    at: datetime,
    figures: Mapping[int, Counter[str]],
    skills: Mapping[int, Counter[str]],
) -> None:
    rows = Request.objects.across(reason="count").filter(
        homes.within, incident=incident, status__in=OPEN_WORK
    )
    late = Count("id", filter=Q(status__in=WAITING, respond_by__lt=at))
    for grid, count, behind in rows.values_list("grid").annotate(count=Count("id"), late=late):
        if grid in homes.grids:
            figures[homes.grids[grid]]["open_requests"] += count
            figures[homes.grids[grid]]["late_requests"] += behind
    items = WorkItem.objects.across(reason="count").filter(
        homes.within, incident=incident, status__in=ITEM_FREE, request__status__in=WAITING
    )
    wanted = items.exclude(needs_skill="").values_list("grid", "needs_skill").annotate(count=Count("id"))
    for grid, skill, count in wanted:
        if grid in homes.grids:
            skills[homes.grids[grid]][skill] += count


def _people(
    homes: _Homes,
    incident: uuid.UUID,
    at: datetime,
    figures: Mapping[int, Counter[str]],
    skilled: Mapping[int, Counter[str]] | None,
) -> None:
    rows = Responder.objects.across(reason="count").filter(
        homes.within, incident=incident, status__in=CAN_BE_ASKED
    )
    tired = Count("id", filter=Q(on_duty_since__lte=at - LONGEST_DUTY))
    for grid, count, weary in rows.values_list("grid").annotate(count=Count("id"), tired=tired):
        if grid in homes.grids:
            figures[homes.grids[grid]]["serving"] += count
            figures[homes.grids[grid]]["tired"] += weary
    if skilled is None:
        return
    for grid, said in rows.values_list("grid", "skills").iterator():
        if grid in homes.grids:
            skilled[homes.grids[grid]].update(said)


def _inhabitants(area: Area, homes: _Homes) -> int:
    rows = Person.objects.across(reason="count")
    if area.sub_district is None or area.sub_district == area.id:
        own = set(Area.objects.filter(path__startswith=area.path).values_list("sub_district", flat=True))
        return rows.filter(sub_district__in=own - {None}).count()
    mine = [grid for grid, home in homes.grids.items() if home == area.id]
    return rows.filter(grid__in=mine).count()
