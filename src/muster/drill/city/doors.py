# SPDX-License-Identifier: Apache-2.0
"""The doors of a building, numbered and written as people do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from muster.drill.city.footprints import Footprint

LETTERS = "ABCDEFGH"


@dataclass(frozen=True, slots=True)
class Door:
    unit: int
    floor: int
    room: str
    address: str
    kind: str


def doors_zh(footprint: Footprint, compound: str, owner_home: bool) -> Iterator[Door]:
    """3号楼2单元501, 柳巷47号302室, 云栖别墅12栋, 2号宿舍楼305室."""
    place = f"{footprint.street}{footprint.number}"
    if footprint.kind == "villa":
        yield from _villa(footprint, compound)
    elif footprint.kind == "self_built":
        for floor in range(1, footprint.floors + 1):
            for k in range(1, footprint.per_floor + 1):
                kind = "owner_home" if owner_home and floor == 1 and k == 1 else "room"
                yield Door(1, floor, f"{floor}{k:02d}", f"{place}{floor}{k:02d}室", kind)
    elif footprint.kind == "shop_house":
        for floor in range(2, footprint.floors + 1):
            for k in range(1, footprint.per_floor + 1):
                yield Door(1, floor, f"{floor}{k:02d}", f"{place}{floor}楼{k}室", "flat")
    elif footprint.kind == "dormitory":
        for floor in range(1, footprint.floors + 1):
            for k in range(1, footprint.per_floor + 1):
                room = f"{floor}{k:02d}"
                yield Door(1, floor, room, f"{compound}{footprint.number}{room}室", "dormitory_room")
    else:
        for unit in range(1, footprint.units + 1):
            for floor in range(1, footprint.floors + 1):
                for k in range(1, footprint.per_floor + 1):
                    room = f"{floor}{k:02d}"
                    yield Door(unit, floor, room, f"{compound}{footprint.number}{unit}单元{room}", "flat")


def _villa(footprint: Footprint, compound: str) -> Iterator[Door]:
    for unit in range(1, footprint.units + 1):
        room = LETTERS[unit - 1] if footprint.units > 1 else ""
        yield Door(unit, 1, room, f"{compound}{footprint.number}{room}", "house")


def doors_en(footprint: Footprint, compound: str, owner_home: bool) -> Iterator[Door]:
    """12 Mill Lane; Flat 2, 12 Mill Lane; Pitch 7, Osier Caravan Park; Room 4, Alder House."""
    del owner_home
    place = f"{footprint.number} {footprint.street}"
    if footprint.kind == "caravan":
        yield Door(1, 0, footprint.number, f"Pitch {footprint.number}, {compound}", "caravan")
    elif footprint.kind == "care_home":
        for number in range(1, footprint.doors + 1):
            floor = (number - 1) // (footprint.units * footprint.per_floor)
            yield Door(1, floor, str(number), f"Room {number}, {compound}, {place}", "care_room")
    elif footprint.kind == "flats":
        for number in range(1, footprint.doors + 1):
            floor = (number - 1) // (footprint.units * footprint.per_floor)
            yield Door(1, floor, str(number), f"Flat {number}, {place}", "flat")
    else:
        yield Door(1, 0, "", place, "house")
