# SPDX-License-Identifier: Apache-2.0
"""Home: where somebody says that he lives, as near as it can be told: a house, a community, or nothing yet.

The finder is the one of lists; what it has read of a place serves for a minute, so that a rush of check-ins
does not read the same houses three hundred times a second.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from muster.base.errors import Refusal
from muster.places.models import Area, Building, Grid
from muster.places.states import GridLevel, GridStatus
from muster.register.importing.building_shelves import KnownBuilding
from muster.register.importing.finding import KnownPlaces, Reach
from muster.responders.models import Responder

# A place that nobody could tell yet belongs to no sub-district; every desk sees it until it has one.
NOWHERE = 0
KEPT_SECONDS = 60.0
MOST_KEPT = 256
# Above so many houses somebody is asked for his community first.
MOST_HOUSES = 20_000


@dataclass(frozen=True, slots=True)
class Home:
    """`grid` and coordinates are those of the house; without a house the community alone is known."""

    sub_district: int = NOWHERE
    area: int | None = None
    grid: int | None = None
    lon: float | None = None
    lat: float | None = None
    text: str = ""

    def said(self) -> str:
        """The place as one text, the same for the same place."""
        return "/".join("" if one is None else repr(one) for one in
                        (self.sub_district, self.area, self.grid, self.lon, self.lat))  # fmt: skip

    @classmethod
    def of_text(cls, said: str, *, text: str = "") -> Home:
        sub, area, grid, lon, lat = said.split("/")
        return cls(int(sub), int(area) if area else None, int(grid) if grid else None,
                   float(lon) if lon else None, float(lat) if lat else None, text)  # fmt: skip

    @classmethod
    def of_row(cls, row: Responder) -> Home:
        return cls(row.sub_district, row.home_area, row.home_grid, row.lon, row.lat, row.home_text or "")


class Homes:
    """The houses below an area, read once."""

    def __init__(self, path: str, *, address_form: str) -> None:
        self._places = KnownPlaces(Reach((path,)), address_form=address_form)
        self._points: dict[uuid.UUID, tuple[float | None, float | None]] | None = None

    def at(self, text: str, *, area: Area | None) -> Home:
        """Where a written address is: the house where exactly one fits; nothing is guessed between two."""
        try:
            building, _ = self._places.building_of({"address": text})
        except Refusal:
            return home_in(area, text=text)
        return self._home(building, text)

    def _home(self, building: KnownBuilding, text: str) -> Home:
        if self._points is None:
            houses = Building.objects.filter(area__path__startswith=self._places.reach.paths[0])
            self._points = {one: (lon, lat) for one, lon, lat in houses.values_list("id", "lon", "lat")}
        return home_at(building, self._points.get(building.id, (None, None)), text=text)


def home_at(building: KnownBuilding, point: tuple[float | None, float | None], *, text: str) -> Home:
    return Home(building.sub_district, building.area, building.grid, *point, text)


def home_in(area: Area | None, *, text: str) -> Home:
    """In a community whose house is not known; where the community is one grid, that is the grid."""
    if area is None:
        return Home(text=text)
    grids = Grid.objects.filter(area=area, level=GridLevel.SMALL, status=GridStatus.ACTIVE)
    known = list(grids.values_list("id", "lon", "lat")[:2])
    grid, lon, lat = known[0] if len(known) == 1 else (None, None, None)
    return Home(area.sub_district or NOWHERE, area.id, grid, lon, lat, text)


def points_of(buildings: Collection[uuid.UUID]) -> Mapping[uuid.UUID, tuple[float | None, float | None]]:
    rows = Building.objects.filter(id__in=list(buildings)).values_list("id", "lon", "lat")
    return {one: (lon, lat) for one, lon, lat in rows}


_kept: dict[tuple[str, str], tuple[float, Homes]] = {}


def find_home(area: Area | None, text: str, *, address_form: str) -> Home:
    """Where somebody lives who chose this community, or none, and wrote this address."""
    said = text.strip()
    if not said:
        return home_in(area, text="")
    path = area.path if area is not None else "/"
    if area is None and Building.objects.count() > MOST_HOUSES:
        return Home(text=said)
    return _homes(path, address_form).at(said, area=area)


def _homes(path: str, address_form: str) -> Homes:
    until, kept = _kept.get((path, address_form), (0.0, None))
    if kept is None or until < time.monotonic():
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        kept = Homes(path, address_form=address_form)
        _kept[path, address_form] = (time.monotonic() + KEPT_SECONDS, kept)
    return kept


def forget_homes() -> None:
    """What was read of places is read anew."""
    _kept.clear()
