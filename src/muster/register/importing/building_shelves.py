# SPDX-License-Identifier: Apache-2.0
"""BuildingShelves: the buildings of a reach by every way in which lists write them."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from muster.register.importing.door_keys import building_key, plain_place
from muster.register.importing.houses import House, house_of, same_alley

_LONG_ENOUGH = 2


class AreaPlaces(NamedTuple):
    """The path of an area, and the names of it and of the areas above it, the nearest first."""

    path: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KnownBuilding:
    """A building with the words by which lists tell it from others of the same number."""

    id: uuid.UUID
    area: int
    sub_district: int
    grid: int | None
    path: str
    house: House
    places: tuple[str, ...]

    def stands_in(self, place: str) -> bool:
        return any(place.endswith(one) for one in self.places if len(one) >= _LONG_ENOUGH)


class BuildingRow(NamedTuple):
    """What the register keeps of a building."""

    id: uuid.UUID
    area: int
    sub_district: int
    grid: int | None
    name: str
    code: str
    street: str
    compound: str


@dataclass(frozen=True, slots=True)
class BuildingWords:
    """A building as a line says it. path: of the area that the line names."""

    name: str
    compound: str = ""
    street: str = ""
    place: str = ""
    path: str = ""


class BuildingShelves:
    """key -> buildings. A building stands on several shelves; codes have shelves of their own, because
    building 3 may well have the code 12.
    """

    def __init__(self, form: str, areas: Mapping[int, AreaPlaces]) -> None:
        self._form, self._areas = form, areas
        self._shelves: dict[str, list[KnownBuilding]] = defaultdict(list)

    def put(self, row: BuildingRow) -> None:
        house, read = (
            house_of(row.name, row.compound, row.street, self._form),
            building_key(row.name, self._form),
        )
        path, above = self._areas.get(row.area, AreaPlaces("", ()))
        own = (plain_place(row.compound), plain_place(row.street), house.alley, read.place)
        places = tuple(dict.fromkeys(place for place in (*own, *above) if place))
        building = KnownBuilding(row.id, row.area, row.sub_district, row.grid, path, house, places)
        keys = {f"name:{plain_place(row.name)}", f"code:{row.code.lower()}", *self._keys_of(house, above[:1])}
        alone = house_of(row.name, "", "", self._form)
        if not (house.alley and alone.bare):  # else its number is the alley's
            keys |= {read.key, *self._keys_of(alone, ())}
        for key in keys - {""}:
            self._shelves[key].append(building)

    def _keys_of(self, house: House, above: Sequence[str]) -> Iterator[str]:
        if not house.alley:
            yield house.number
            return
        yield f"|{house.figures}"
        for village in {"", house.place, *above}:
            yield _along(f"{village}{house.alley}", house.number)

    def like(self, said: BuildingWords) -> list[KnownBuilding]:
        """Whatever the words fit: nothing, one, or several. The surest way of reading comes first."""
        for keys in self._readings(said):
            known = {one.id: one for key in keys for one in self._shelves.get(key, ())}
            if fitting := self._within(list(known.values()), said):
                return fitting
        return []

    def _readings(self, said: BuildingWords) -> Iterator[tuple[str, ...]]:
        """As it is written; along its alley; by its number, which may be a compound's or an alley's; by its
        code.
        """
        house = house_of(said.name, said.compound, said.street, self._form)
        yield (f"name:{plain_place(said.name)}",)
        if house.alley:
            yield (_along(house.alley, house.number), _along(f"{house.place}{house.alley}", house.number))
        elif house.bare:
            yield (house.figures, f"|{house.figures}")
        yield (building_key(said.name, self._form).key,)
        yield (f"code:{said.name.lower()}",)
        yield (f"|{house.figures}",)

    def _within(self, buildings: list[KnownBuilding], said: BuildingWords) -> list[KnownBuilding]:
        compound = plain_place(said.compound)
        place = plain_place(said.place) or house_of(said.name, "", "", self._form).place
        buildings = [one for one in buildings if one.path.startswith(said.path)]
        for name in (compound, place):
            buildings = [one for one in buildings if not name or one.stands_in(name)]
        return self._along_alley(buildings, said)

    def _along_alley(self, buildings: list[KnownBuilding], said: BuildingWords) -> list[KnownBuilding]:
        """A house of another alley is another house. What is numbered within its compound may have its
        street written in many ways; there the street only decides between several.
        """
        house = house_of(said.name, said.compound, said.street, self._form)
        alley = house.alley or house_of("1", "", said.street, self._form).alley
        if not alley:
            return buildings
        here = [one for one in buildings if not one.house.alley or same_alley(one.house.alley, alley)]
        if house.alley and "号" in said.name:
            here = [one for one in here if one.house.alley or one.house.bare]  # 3号 is not 3号楼
        same = [one for one in here if one.house.alley or plain_place(said.street) in one.places]
        return same if len(here) > 1 and same else here


def _along(alley: str, number: str) -> str:
    return f"{alley}|{number}"
