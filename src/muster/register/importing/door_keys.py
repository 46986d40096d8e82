# SPDX-License-Identifier: Apache-2.0
"""Keys that two writings of one building, stairwell or room share: 3号楼, ３栋 and 3# are one, 501室 and
0501 too.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from muster.places.addresses import read_door
from muster.places.writing import fold, plain_dashes, read_number

_UNIT_WORDS = re.compile(r"^第|(?:号?单元门?|号?门洞|号?门|号?梯|号)$")
_ROOM_WORDS = re.compile(r"(?:号?室|号?房间?|户|号)$")
_ROOM_WORDS_EN = re.compile(r"^(?:flat|apartment|apt|unit|suite|room|rm|pitch|plot|no\.?|#)\s*")


class BuildingKey(NamedTuple):
    """key: the building itself; place: what was written before it (a compound, a street, a community)."""

    place: str
    key: str


@lru_cache(maxsize=65_536)
def building_key(text: str, form: str) -> BuildingKey:
    """Read a building by the pack's form of addresses; what the form cannot read stands for itself."""
    said = fold(text)
    plain = plain_dashes(said).lower().replace(" ", "")
    if re.fullmatch(r"[0-9]{1,4}[a-z]?", plain):
        return BuildingKey("", plain.lstrip("0") or "0")
    if form == "cn":
        door = read_door(f"{said}1单元101", form="cn")
        if door is not None and door.building:
            return BuildingKey(plain_place(door.place), door.building.lower())
        return BuildingKey("", plain)
    door = read_door(said, form=form)
    return BuildingKey("", door.building.lower() if door is not None and door.building else said.lower())


@lru_cache(maxsize=65_536)
def plain_place(text: str) -> str:
    return fold(text).lower().replace(" ", "")


@lru_cache(maxsize=4_096)
def unit_key(text: str) -> str:
    said = _UNIT_WORDS.sub("", _UNIT_WORDS.sub("", fold(text).lower().replace(" ", "")))
    number = read_number(said) if said else None
    return str(number) if number is not None else said


@lru_cache(maxsize=65_536)
def room_key(text: str) -> str:
    said = plain_dashes(fold(text)).lower()
    said = _ROOM_WORDS.sub("", _ROOM_WORDS_EN.sub("", said).replace(" ", ""))
    return re.sub(r"^0+(?=[0-9])", "", said)
