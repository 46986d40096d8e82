# SPDX-License-Identifier: Apache-2.0
"""House: what tells a building from its neighbours. Within a compound it is a number (3号楼); in an urban
village every alley counts from 1 again, so that a number says nothing without its alley (磨盘巷2号).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from muster.places.writing import fold, read_number
from muster.register.importing.door_keys import building_key, plain_place

_ALLEYS = "巷|街|路|弄|胡同|道|条|排|里"
_ALLEY_NUMERAL = re.compile(rf"[〇零一二三四五六七八九十百廿卅两]+(?=(?:{_ALLEYS})(?:$|[0-9A-Z]))")
_ALONG_ALLEY = re.compile(rf"(?P<alley>.*(?:{_ALLEYS}))(?P<number>[0-9].*号.*)")
_IN_VILLAGE = re.compile(r"(?P<place>.+(?:村|组|屯|庄|营|寨|坊))(?P<number>[0-9].*号.*)")
_NUMBER_OF_ALLEY = re.compile(r"第?(?P<number>[0-9]{1,4}[A-Z甲乙丙丁]?)号?(?P<annex>附[0-9]+号)?(?:院|院内)?")
_ALONG_STREET = re.compile(r"(?P<number>[0-9]{1,5}[a-z]?(?:-[0-9]{1,5}[a-z]?)?) (?P<alley>.+)")
_BARE_FIGURES = re.compile(r"[0-9]{1,5}[a-zA-Z]?(?:-[0-9]{1,5}[a-zA-Z]?)?")


class House(NamedTuple):
    """place: compound or village. alley: of a house that is numbered along one. said: how people call it."""

    place: str
    alley: str
    number: str
    said: str
    bare: bool = False  # only a number: of a compound or of an alley, nobody can say

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.place, self.alley, self.number

    @property
    def figures(self) -> str:
        """The number without its alley: 2号 is 2."""
        return self.number.removesuffix("号")


@lru_cache(maxsize=4_096)
def alley_key(street: str) -> str:
    """What two writings of one alley share: 榴花里二巷 is 榴花里2巷."""
    return _ALLEY_NUMERAL.sub(_as_figures, plain_place(street))


def _as_figures(found: re.Match[str]) -> str:
    value = read_number(found[0])
    return found[0] if value is None else str(value)


@lru_cache(maxsize=65_536)
def house_of(name: str, compound: str, street: str, form: str) -> House:
    """Read a building by its name, with its compound and its alley where a list tells them."""
    if form == "cn":
        return _chinese(fold(name), compound, street)
    return _on_street(fold(name), compound, street, form)


def _chinese(name: str, compound: str, street: str) -> House:
    place, local = plain_place(compound), name
    for before in (compound, street):  # 柳巷村2号 of 柳巷村, 磨盘巷2号 of 磨盘巷
        local = _without(local, before)
    figure = _NUMBER_OF_ALLEY.fullmatch(_figures_first(local))
    if figure is not None and street and not (local.isascii() and compound):  # 小区 + 3 is 3号楼
        number = f"{figure['number']}号{figure['annex'] or ''}".lower()
        said = f"{street}{local if '号' in local else local + '号'}"
        return House(place, alley_key(street), number, said)
    if figure is not None and not figure["annex"]:
        return House(place, "", figure["number"].lower(), name, bare=True)
    read = building_key(name, "cn")
    if found := _ALONG_ALLEY.fullmatch(read.key):
        alley = _without(alley_key(found["alley"]), place)
        return House(place or read.place, alley, found["number"], name)
    if found := _IN_VILLAGE.fullmatch(read.key):
        return House(place or found["place"], "", found["number"].removesuffix("号"), name, bare=True)
    return House(place or read.place or alley_key(street), "", read.key, name)


def _on_street(name: str, compound: str, street: str, form: str) -> House:
    local = name
    for after in (compound, street):
        if after and local.lower().endswith(f" {after.lower()}"):
            local = local[: -len(after)].strip()
    if street and _BARE_FIGURES.fullmatch(local):
        along = building_key(f"{local} {street}", form).key
    else:
        along = building_key(name, form).key
    said = f"{name} {street}" if local == name and street and _BARE_FIGURES.fullmatch(name) else name
    if found := _ALONG_STREET.fullmatch(along):
        return House(plain_place(compound), plain_place(found["alley"]), found["number"], said)
    return House(plain_place(compound), "", along, said, bare=bool(_BARE_FIGURES.fullmatch(along)))


def _without(text: str, before: str) -> str:
    """Drop the name of a place from the front of a building's name, unless nothing would be left."""
    return text.removeprefix(before) or text if before else text


def _figures_first(local: str) -> str:
    """二号 is 2号."""
    found = re.fullmatch(r"(第?)([〇零一二三四五六七八九十百廿卅]+)(号.*)", local)
    value = read_number(found[2]) if found else None
    plain = local.upper().replace(" ", "")
    return f"{value}{found[3]}" if found and value is not None else plain


def same_alley(one: str, other: str) -> bool:
    """Whether two alleys are one, with the village before it or without: 柳巷村磨盘巷 is 磨盘巷; 12巷 is not
    2巷.
    """
    longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
    return longer.endswith(shorter) and not longer.removesuffix(shorter)[-1:].isdigit()
