# SPDX-License-Identifier: Apache-2.0
"""Reading a door from a Chinese address: 3号楼2单元501, 3-2-501, ３栋二单元501室, 柳巷47号302."""

from __future__ import annotations

import re

from muster.places.doors import Door, floor_of
from muster.places.writing import HAN, NUMERALS, fold, plain_dashes, read_number

_NUMBER = r"[甲乙丙丁东西南北]?[0-9]{1,4}[A-Z甲乙丙丁]?"
_NAME = rf"(?:{_NUMBER}|[A-Z][0-9]{{0,3}}|[甲乙丙丁])"
_UNIT = r"(?:[0-9]{1,2}|[A-Z]|[东西南北中甲乙丙丁])"
_ROOM = r"(?:B?[0-9]{3,5}(?:-[0-9]{1,2}|[A-Z甲乙丙丁])?|[0-9]{1,2}|[东西南北中]{1,2}|[A-Z])"
_DASHED_ROOM = r"(?P<room>[0-9]{3,5}(?:-[0-9]{1,2}|[A-Z甲乙丙丁])?)室?"

# Inside a building: stairwell, floor and room, each optional, in this order.
_INNER = (
    rf"(?:第?(?P<unit>{_UNIT})(?:号?单元门?|号?门洞|门|梯))?-?"
    r"(?:第?(?P<floor>[0-9]{1,2}|负[0-9]|地下[0-9]|B[0-9])(?:层|楼|F))?-?"
    rf"(?:(?P<room>{_ROOM})(?:号?室|号?房间?|户|号)?)?"
)
_IN_BUILDING = rf"(?P<place>.*?)第?(?P<building>{_NAME})(?:号?(?:楼|栋|幢|座)|#楼?)-?{_INNER}"
_AT_NUMBER = rf"(?P<place>.*?)(?P<building>{_NUMBER})号(?P<annex>附[0-9]+号)?(?:院内)?-?{_INNER}"
_THREE_PARTS = rf"(?P<place>.*?)(?P<building>{_NAME})-(?P<unit>{_UNIT})-{_DASHED_ROOM}"
_TWO_PARTS = rf"(?P<place>.*?)(?P<building>{_NAME})-(?P<room>[0-9]{{3,5}}[A-Z甲乙丙丁]?)室?"
_PART_OF_ROOM = r"(?P<room>[0-9]{3,5}-[0-9]{1,2})室?"
_BARE_FLOOR = r"[0-9]{1,2}楼(?!.*(?:单元|门|梯)).*"  # 5楼502: a floor, unless a stairwell follows

_FORMS = [
    re.compile(form) for form in (_PART_OF_ROOM, _THREE_PARTS, _TWO_PARTS, _IN_BUILDING, _AT_NUMBER, _INNER)
]
_INNER_ONLY = _FORMS[-1]
_FLOOR_FIRST = re.compile(_BARE_FLOOR)
_STREETS = ("巷", "街", "路", "道", "村", "组", "屯", "庄", "营", "寨", "胡同", "坊")
_HOUSE_WORDS = ("号", "单元", "楼", "栋", "幢", "座", "层", "#", "第")
_AREAS = re.compile(r"(?P<area>.{2,}(?:社区|街道|居委会|村委会|小区|镇|乡|区|县|市))(?P<street>.{2,})")
_BUILDING_THEN_DASHES = re.compile(r"(?:号?(?:楼|栋|幢|座)|#楼?)-?(?=[0-9]{1,2}-[0-9]{3,5})")
_NUMERAL = re.compile(
    rf"[{NUMERALS}]+(?=号|#|栋|幢|座|单元|门|梯|层|楼|室|户|房|-)|(?<=[号楼层元栋幢座门梯-])[{NUMERALS}]+(?=-|$)"
)


def read(raw: str) -> Door | None:
    """Return the door, or None where a figure could be this or that."""
    text = _plain(raw)
    forms = [_INNER_ONLY] if _FLOOR_FIRST.fullmatch(text) else _FORMS
    for form in forms:
        if found := form.fullmatch(text):
            return _door({name: value or "" for name, value in found.groupdict().items()})
    return None


def _plain(raw: str) -> str:
    """One way of writing: no spaces or commas, one dash, figures for the numerals of a house, B for below."""
    text = plain_dashes(fold(raw)).upper().replace("_", "-")
    text = re.sub(rf"(?<=[{HAN}0-9#-]) +(?=[{HAN}0-9#-])|[,，、。;；]", "", text)
    text = _NUMERAL.sub(_as_figures, text)
    text = re.sub(r"负(?=[0-9]{3})", "B", text)
    return _BUILDING_THEN_DASHES.sub("-", text)


def _as_figures(found: re.Match[str]) -> str:
    value = read_number(found[0])
    return found[0] if value is None else str(value)


def _door(parts: dict[str, str]) -> Door | None:
    building, place = _building(parts)
    said = _floor(parts.get("floor", ""))
    room = _figure(_room(parts["room"], said))
    whole_house = not room and building.endswith("号") and "annex" in parts
    if _ends_in_doubt(place, parts) or (not room and not whole_house):
        return None
    implied = floor_of(room)
    if said is not None and implied is not None and said != implied:
        return None
    unit = _figure(parts.get("unit", ""))
    return Door(place=place, building=building, unit=unit, floor=implied if said is None else said, room=room)


def _building(parts: dict[str, str]) -> tuple[str, str]:
    """Return building and place. A number in a street is a building by the street's name: 柳巷47号."""
    place, figure, annex = parts.get("place", ""), _figure(parts.get("building", "")), parts.get("annex", "")
    if not figure or not ("annex" in parts or "unit" not in parts):
        return figure, place
    area, street = _without_area(place)
    if street.endswith(_STREETS) or annex:
        return f"{street}{figure}号{annex}", area
    return figure, place


def _without_area(place: str) -> tuple[str, str]:
    """Split 青槐区柳岸街道桥西社区柳巷 into the areas and the street."""
    if found := _AREAS.fullmatch(place):
        return found["area"], found["street"]
    return ("", "") if place.endswith("街道") else ("", place)


def _ends_in_doubt(place: str, parts: dict[str, str]) -> bool:
    """3-2-5-501, 柳巷47号2-501: nobody can say which figure is which."""
    dashed = "annex" not in parts and "floor" not in parts
    return place[-1:] in set("0123456789-") or (dashed and place.endswith(_HOUSE_WORDS))


def _room(written: str, floor: int | None) -> str:
    """Return the room with the floor that was said beside it: 5层02 is 502, 地下1层101 is B101."""
    if floor is None or not written.isdigit() or len(written) > 3:
        return written
    if len(written) == 2:
        return f"{'B' if floor < 0 else ''}{abs(floor)}{written}"
    return f"B{written}" if floor < 0 and len(written) == 3 else written


def _figure(text: str) -> str:
    """Drop the zeros before a figure: 03号楼 is 3号楼, 0501 is 501."""
    return re.sub(r"^0+(?=[0-9])", "", text)


def _floor(written: str) -> int | None:
    if not written:
        return None
    figure = int(re.sub(r"[^0-9]", "", written))
    return figure if written[0].isdigit() else -figure
