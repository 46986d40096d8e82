# SPDX-License-Identifier: Apache-2.0
"""Walking: how long it takes from one door to the next, on the street, up the stairs or in the lift."""

from __future__ import annotations

import math

from muster.drill.city.day import Workers
from muster.drill.play.notebook import Door, Place

METRES_PER_DEGREE = 111_320.0
BETWEEN_DOORS_MINUTES = 0.15
STREETS_ARE_LONGER = 1.3


def minutes_between(
    before: Door | None, after: Door, places: dict[str, Place], workers: Workers, *, metres_per_minute: float
) -> float:
    """Minutes from a door to another; from nowhere when the day begins."""
    there = places.get(after.building)
    if before is None or there is None:
        return BETWEEN_DOORS_MINUTES
    here = places.get(before.building)
    if before.building == after.building:
        return BETWEEN_DOORS_MINUTES + _floors(abs(after.floor - before.floor), there, workers)
    down = _floors(max(0, before.floor - 1), here, workers) if here else 0.0
    up = _floors(max(0, after.floor - 1), there, workers)
    return down + up + _metres(here, there) * STREETS_ARE_LONGER / metres_per_minute


def _floors(count: int, place: Place, workers: Workers) -> float:
    stairs = count * workers.stairs_s_per_floor / 60
    if count == 0 or place.floors < workers.lift_from_floors:
        return stairs
    return min(stairs, (workers.lift_wait_s + count * workers.lift_s_per_floor) / 60)


def _metres(here: Place | None, there: Place) -> float:
    if here is None or here.lon is None or here.lat is None or there.lon is None or there.lat is None:
        return 0.0
    x = (there.lon - here.lon) * math.cos(math.radians(there.lat))
    return math.hypot(x, there.lat - here.lat) * METRES_PER_DEGREE
