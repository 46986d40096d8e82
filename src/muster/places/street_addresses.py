# SPDX-License-Identifier: Apache-2.0
"""Reading a door from a street address: Flat 2, 12 Mill Lane · 2/12 Mill Ln · Rose Cottage, Mill Lane."""

from __future__ import annotations

import re

from muster.places.doors import Door, floor_of
from muster.places.writing import fold, plain_dashes

_ABBREVIATIONS = (
    "st street,str street,ln lane,rd road,ave avenue,av avenue,cl close,ct court,dr drive,sq square,pl place,"
    "cres crescent,gdns gardens,ter terrace,terr terrace,pk park,blvd boulevard,hwy highway,gr grove,wy way"
)
_WORDS = dict(pair.split() for pair in _ABBREVIATIONS.split(","))
_STOREYS = {"basement": -1, "lower ground": -1, "ground": 0, "first": 1, "second": 2, "third": 3, "top": None}
_ROOM_WORDS = "flat|apartment|apt|unit|suite|room|rm|pitch|plot|caravan|lot|berth|#"
_NUMBER = r"[0-9]{1,5}[a-z]?(?:-[0-9]{1,5}[a-z]?)?"

_NUMBERED_ROOM = rf"(?:{_ROOM_WORDS})\s*[a-z]?[0-9]{{1,5}}[a-z]?"

_ROOM = re.compile(rf"(?:{_ROOM_WORDS})\s*(?:no\s*)?(?P<room>[a-z]?[0-9]{{1,5}}[a-z]?|[a-z])")
_STOREY = re.compile(rf"(?P<storey>{'|'.join(_STOREYS)})(?: floor)?(?: flat| apartment)?")
_HOUSE = re.compile(rf"(?P<number>{_NUMBER})\s+(?P<street>[a-z].*)")
_SLASHED = re.compile(rf"(?P<room>[0-9]{{1,4}}[a-z]?)\s*/\s*(?P<house>{_NUMBER}\s+[a-z].*)")
_ROOM_LAST = re.compile(rf"(?P<house>{_NUMBER}\s+[a-z].*?)\s+(?P<room>{_NUMBERED_ROOM})")
_ROOM_FIRST = re.compile(rf"(?P<room>{_NUMBERED_ROOM})\s+(?P<house>(?:[0-9]|[a-z]{{2}}).*)")


def read(raw: str) -> Door | None:
    """Return the door; the building is written in lower case with its street words in full."""
    text = plain_dashes(fold(raw)).lower().replace(".", "").replace("’", "'")
    parts = [part.strip() for part in text.split(",") if part.strip()]
    parts = [piece for part in parts for piece in _split(part)]
    room, storey, rest = "", "", []
    for part in parts:
        if not room and (found := _ROOM.fullmatch(part)):
            room = found["room"]
        elif not storey and (found := _STOREY.fullmatch(part)):
            storey = found["storey"]
        else:
            rest.append(part)
    building = _building(rest)
    if not building and not room and not storey:
        return None
    floor = _STOREYS[storey] if storey else floor_of(room)
    return Door(building=building, floor=floor, room=room or storey)


def _split(part: str) -> list[str]:
    """Take apart what stands without a comma: 2/12 Mill Lane, 12 Mill Lane flat 2, Flat 2 12 Mill Lane."""
    if found := _SLASHED.fullmatch(part):
        return [f"flat {found['room']}", found["house"]]
    if found := _ROOM_LAST.fullmatch(part) or _ROOM_FIRST.fullmatch(part):
        return [found["room"], found["house"]]
    return [part]


def _building(parts: list[str]) -> str:
    """Return the house: number and street; or the name and the street of a house without a number.

    What follows the street (town, post code) is not part of the door.
    """
    for part in parts:
        if found := _HOUSE.fullmatch(part):
            return f"{found['number']} {_street(found['street'])}"
    if not parts or any(char.isdigit() for char in parts[0]):
        return ""
    return ", ".join([_street(part) for part in parts[:2]])


def _street(name: str) -> str:
    """Write the last word in full: mill ln is mill lane. A leading St stays, it is a saint."""
    words = name.split()
    if len(words) > 1:
        words[-1] = _WORDS.get(words[-1], words[-1])
    return " ".join(words)
