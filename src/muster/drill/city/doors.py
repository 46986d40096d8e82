# SPDX-License-Identifier: Apache-2.0
"""The doors of a building, numbered and written as people do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


Doors = Callable[[Footprint, str], Iterator[Door]]


def _rooms(footprint: Footprint, lowest: int = 1) -> Iterator[tuple[int, str]]:
    """Floor and room number: 101, 102, ... 1203."""
    for floor in range(lowest, footprint.floors + 1):
        for place in range(1, footprint.per_floor + 1):
            yield floor, f"{floor}{place:02d}"


def _stairwells(footprint: Footprint, compound: str) -> Iterator[Door]:
    """3号楼2单元501."""
    for unit in range(1, footprint.units + 1):
        for floor, room in _rooms(footprint):
            yield Door(unit, floor, room, f"{compound}{footprint.number}{unit}单元{room}", "flat")


def _villa(footprint: Footprint, compound: str) -> Iterator[Door]:
    """12栋, or 12栋A and 12栋B."""
    for unit in range(1, footprint.units + 1):
        room = LETTERS[unit - 1] if footprint.units > 1 else ""
        yield Door(unit, 1, room, f"{compound}{footprint.number}{room}", "house")


def _self_built(footprint: Footprint, compound: str) -> Iterator[Door]:
    """柳巷47号302室; the owner may live in the first room."""
    del compound
    place = f"{footprint.street}{footprint.number}"
    for floor, room in _rooms(footprint):
        owner = footprint.owner_lives_in and room == "101"
        yield Door(1, floor, room, f"{place}{room}室", "owner_home" if owner else "room")


def _over_the_shop(footprint: Footprint, compound: str) -> Iterator[Door]:
    """春和路12号2楼1室; the ground floor is the shop."""
    del compound
    place = f"{footprint.street}{footprint.number}"
    for floor, room in _rooms(footprint, lowest=2):
        yield Door(1, floor, room, f"{place}{floor}楼{int(room[-2:])}室", "flat")


def _dormitory(footprint: Footprint, compound: str) -> Iterator[Door]:
    """2号宿舍楼305室."""
    for floor, room in _rooms(footprint):
        yield Door(1, floor, room, f"{compound}{footprint.number}{room}室", "dormitory_room")


def _house(footprint: Footprint, compound: str) -> Iterator[Door]:
    """12 Mill Lane."""
    del compound
    yield Door(1, 0, "", f"{footprint.number} {footprint.street}", "house")


def _pitch(footprint: Footprint, compound: str) -> Iterator[Door]:
    """Pitch 7, Osier Caravan Park."""
    yield Door(1, 0, footprint.number, f"Pitch {footprint.number}, {compound}", "caravan")


def _numbered(footprint: Footprint, form: str, kind: str, ground: int = 0) -> Iterator[Door]:
    """Rooms counted through the house, as British flats are."""
    for number in range(1, footprint.doors + 1):
        floor = ground + (number - 1) // (footprint.units * footprint.per_floor)
        yield Door(1, floor, str(number), form.format(number), kind)


def _flats(footprint: Footprint, compound: str) -> Iterator[Door]:
    """Flat 2, 12 Mill Lane."""
    del compound
    over_shop = 1 if footprint.kind == "shop_house" else 0
    return _numbered(footprint, f"Flat {{}}, {footprint.number} {footprint.street}", "flat", over_shop)


def _care_home(footprint: Footprint, compound: str) -> Iterator[Door]:
    """Room 4, Alder House, 12 Mill Lane."""
    place = f"{footprint.number} {footprint.street}"
    return _numbered(footprint, f"Room {{}}, {compound}, {place}", "care_room")


DOORS: dict[str, dict[str, Doors]] = {
    "zh": {
        "slab": _stairwells,
        "walk_up": _stairwells,
        "tower": _stairwells,
        "villa": _villa,
        "self_built": _self_built,
        "shop_house": _over_the_shop,
        "dormitory": _dormitory,
    },
    "en": {
        "terrace": _house,
        "semi": _house,
        "detached": _house,
        "flats": _flats,
        "shop_house": _flats,
        "caravan": _pitch,
        "care_home": _care_home,
    },
}


def doors_of(footprint: Footprint, compound: str, *, language: str) -> Iterator[Door]:
    """All doors of one building, floor by floor."""
    return DOORS[language][footprint.kind](footprint, compound)
