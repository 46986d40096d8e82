# SPDX-License-Identifier: Apache-2.0
"""A spot that somebody pointed at on a map, or a door that he named by its card, as the Home that it means.

The nearest house tells grid and community; where no house is near, the nearest grid does. Nothing of who
lives there is read.
"""

from __future__ import annotations

import math
import time
import uuid
from dataclasses import dataclass

from muster.base.errors import Refusal
from muster.places.models import Area, Building, Dwelling, Grid
from muster.places.states import DwellingStatus, GridLevel, GridStatus
from muster.responders.homes import Home

METRES_PER_DEGREE = 111_320.0
# So far a house may stand from the finger, and a grid's middle where no house is near.
HOUSE_WITHIN_M, GRID_WITHIN_M = 300.0, 1_500.0
_KEPT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Spot:
    lon: float
    lat: float

    def metres_to(self, lon: float | None, lat: float | None) -> float:
        if lon is None or lat is None:
            return math.inf
        east = (lon - self.lon) * METRES_PER_DEGREE * math.cos(math.radians(self.lat))
        return math.hypot(east, (lat - self.lat) * METRES_PER_DEGREE)


def read_spot(text: str) -> Spot:
    """`lon,lat` in degrees, WGS-84. Raises Refusal("spot_bad")."""
    lon, _, lat = text.partition(",")
    try:
        spot = Spot(float(lon), float(lat))
    except ValueError:
        raise Refusal("spot_bad") from None
    if not (math.isfinite(spot.lon) and abs(spot.lon) <= 180 and abs(spot.lat) <= 85):
        raise Refusal("spot_bad")
    return spot


def home_at_spot(spot: Spot, *, area: Area | None, text: str) -> Home:
    """Where somebody lives who pointed there; in the community that he named, if he named one.

    Raises:
        Refusal: spot_nowhere where neither a house nor a grid is near.
    """
    grid = None if area is not None else _nearest_grid(spot)
    within = area.id if area is not None else grid.area if grid is not None else None
    house = _nearest_house(spot, within) if within is not None else None
    if house is not None:
        return Home(house.sub_district, house.area_id, house.grid, spot.lon, spot.lat, text)
    grid = _nearest_grid(spot, area=within) or _nearest_grid(spot)
    if grid is None:
        raise Refusal("spot_nowhere")
    return Home(grid.sub_district, grid.area, grid.id, spot.lon, spot.lat, text)


def home_of_door(dwelling: uuid.UUID, *, text: str) -> Home | None:
    """Where a door is; None where it is gone."""
    rows = Dwelling.objects.across(reason="own").filter(id=dwelling, status=DwellingStatus.ACTIVE)
    door = rows.select_related("building").only("sub_district", "grid", "building").first()
    if door is None:
        return None
    house = door.building
    return Home(door.sub_district, house.area_id, door.grid or house.grid, house.lon, house.lat, text)


def _nearest_house(spot: Spot, area: int) -> Building | None:
    off = HOUSE_WITHIN_M / METRES_PER_DEGREE
    wide = off / max(0.05, math.cos(math.radians(spot.lat)))
    rows = Building.objects.filter(
        area=area, lon__gte=spot.lon - wide, lon__lte=spot.lon + wide, lat__gte=spot.lat - off,
        lat__lte=spot.lat + off,
    ).only("area_id", "sub_district", "grid", "lon", "lat")  # fmt: skip
    found = [(spot.metres_to(row.lon, row.lat), str(row.id), row) for row in rows]
    near = [one for one in found if one[0] <= HOUSE_WITHIN_M]
    return min(near)[2] if near else None


@dataclass(frozen=True, slots=True)
class _Middle:
    id: int
    area: int
    sub_district: int
    lon: float
    lat: float


_kept: list[tuple[float, list[_Middle]]] = []


def _nearest_grid(spot: Spot, *, area: int | None = None) -> _Middle | None:
    near = [
        (spot.metres_to(one.lon, one.lat), one.id, one) for one in _middles()
        if area is None or one.area == area
    ]  # fmt: skip
    best = min(near, default=None)
    return best[2] if best is not None and best[0] <= GRID_WITHIN_M else None


def _middles() -> list[_Middle]:
    """The middles of all grids in force; what was read serves for a minute, as houses do."""
    if not _kept or _kept[0][0] < time.monotonic():
        rows = Grid.objects.filter(
            level=GridLevel.SMALL, status=GridStatus.ACTIVE, lon__isnull=False, lat__isnull=False
        )
        columns = ("id", "area_id", "sub_district", "lon", "lat")
        told = [
            _Middle(one, area, sub, float(lon), float(lat))
            for one, area, sub, lon, lat in rows.values_list(*columns)
            if lon is not None and lat is not None
        ]
        _kept[:] = [(time.monotonic() + _KEPT_SECONDS, told)]
    return _kept[0][1]


def forget_spots() -> None:
    """What was read of grids is read anew."""
    _kept.clear()
