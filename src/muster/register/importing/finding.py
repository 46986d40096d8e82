# SPDX-License-Identifier: Apache-2.0
"""KnownPlaces: finds the area, building and door that a line speaks of, within the operator's reach.

Nothing is guessed: what fits two buildings or two doors is sent back with the column that would tell them
apart.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Q

from muster.base.errors import Refusal
from muster.places.addresses import read_door
from muster.places.models import Area, Building, Dwelling
from muster.places.queries import DoorPlace
from muster.places.states import DwellingStatus
from muster.register.importing.building_shelves import (
    AreaPlaces,
    BuildingRow,
    BuildingShelves,
    BuildingWords,
    KnownBuilding,
)
from muster.register.importing.door_keys import plain_place, room_key, unit_key


@dataclass(frozen=True, slots=True)
class Reach:
    """Where an operator may bring in and take out lists: area paths ("/" is everywhere) and single grids."""

    paths: tuple[str, ...] = ("/",)
    grids: frozenset[int] = frozenset()

    def covers(self, path: str, grid: int | None = None) -> bool:
        return any(path.startswith(one) for one in self.paths) or (grid is not None and grid in self.grids)

    def condition(self, path_field: str, grid_field: str) -> Q:
        """The same as a filter. path_field: the way from the row to its area's path."""
        if "/" in self.paths:
            return Q()
        allowed = Q(pk__in=[]) if not self.grids else Q(**{f"{grid_field}__in": sorted(self.grids)})
        for path in self.paths:
            allowed |= Q(**{f"{path_field}__startswith": path})
        return allowed


@dataclass(frozen=True, slots=True)
class KnownArea:
    id: int
    code: str
    name: str
    path: str
    level: str
    sub_district: int | None


@dataclass(frozen=True, slots=True)
class DoorWords:
    """A door as a line says it."""

    building: str
    unit: str
    room: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class _Door:
    place: DoorPlace
    unit: str
    room: str


class KnownPlaces:
    """The places of a reach. Buildings are read once, doors building by building."""

    def __init__(self, reach: Reach, *, address_form: str) -> None:
        self.reach = reach
        self.address_form = address_form
        self._doors: dict[uuid.UUID, list[_Door]] = {}
        self._found: dict[tuple[str, ...], KnownBuilding] = {}

    # --- areas ---

    @cached_property
    def areas(self) -> list[KnownArea]:
        rows = Area.objects.filter(self._area_condition()).values_list(
            "id", "code", "name", "path", "level", "sub_district", "name_en"
        )
        self._english = {row[0]: row[6] for row in rows}
        return [KnownArea(*row[:6]) for row in rows]

    def _area_condition(self) -> Q:
        if "/" in self.reach.paths:
            return Q()
        holding = Building.objects.filter(grid__in=self.reach.grids).values_list("area_id", flat=True)
        inside = Q(pk__in=list(holding.distinct())) if self.reach.grids else Q(pk__in=[])
        for path in self.reach.paths:
            inside |= Q(path__startswith=path)
        return inside

    @cached_property
    def _areas_by_word(self) -> Mapping[str, list[KnownArea]]:
        found: dict[str, list[KnownArea]] = defaultdict(list)
        for area in self.areas:
            for word in {area.code.lower(), plain_place(area.name), plain_place(self._english[area.id])} - {
                ""
            }:
                found[word].append(area)
        return found

    def area(self, text: str) -> KnownArea:
        """Raises Refusal import_area_unknown or import_area_ambiguous."""
        known = self._areas_by_word.get(plain_place(text), [])
        if not known:
            raise Refusal("import_area_unknown", area=text)
        if len(known) > 1:
            raise Refusal("import_area_ambiguous", area=text)
        return known[0]

    # --- buildings ---

    @cached_property
    def _buildings(self) -> BuildingShelves:
        shelves = BuildingShelves(self.address_form, self._places_of_areas())
        rows = Building.objects.filter(self.reach.condition("area__path", "grid")).values_list(
            "id", "area_id", "sub_district", "grid", "name", "code", "street", "compound__name"
        )
        for row in rows.iterator(chunk_size=5_000):
            shelves.put(BuildingRow(*row[:7], row[7] or ""))
        return shelves

    def _places_of_areas(self) -> dict[int, AreaPlaces]:
        """area -> its path, and its name with those of the areas above it that are within reach."""
        names = {area.id: plain_place(area.name) for area in self.areas}
        found = {}
        for area in self.areas:
            above = [names.get(int(step), "") for step in area.path.strip("/").split("/")]
            found[area.id] = AreaPlaces(area.path, tuple(name for name in reversed(above) if name))
        return found

    def forget_buildings(self) -> None:
        """Read the buildings anew, after some were added."""
        self.__dict__.pop("_buildings", None)
        self._found.clear()

    def building(
        self, words: DoorWords, *, area: KnownArea | None = None, compound: str = "", street: str = ""
    ) -> KnownBuilding:
        """Raises Refusal import_building_unknown or import_building_ambiguous."""
        path = area.path if area is not None else ""
        known = self._buildings.like(BuildingWords(words.building, compound, street, words.place, path))
        if not known:
            raise Refusal("import_building_unknown", building=words.building)
        if len(known) > 1:
            raise Refusal("import_building_ambiguous", building=words.building, count=len(known))
        return known[0]

    # --- doors ---

    def words(self, values: Mapping[str, str]) -> DoorWords:
        """What a line says of its door, from three columns or from one. Raises Refusal address_unreadable."""
        if "building" in values:
            return DoorWords(values["building"], values.get("unit", ""), values.get("room", ""))
        written = door_in_one(values)
        door = read_door(written, form=self.address_form)
        if door is None or not door.building:
            raise Refusal("address_unreadable", written=written[:80])
        return DoorWords(door.building, door.unit, door.room, door.place)

    def building_of(self, values: Mapping[str, str]) -> tuple[KnownBuilding, DoorWords]:
        """Raises Refusal with what is unknown, ambiguous or unreadable."""
        words = self.words(values)
        compound, street = values.get("compound", ""), values.get("street", "")
        said = (values.get("area", ""), compound, street, words.place, words.building)
        building = self._found.get(said)
        if building is None:
            area = self.area(values["area"]) if "area" in values else None
            building = self._found[said] = self.building(words, area=area, compound=compound, street=street)
        return building, words

    def load_doors(self, buildings: Iterable[uuid.UUID]) -> None:
        """Read the doors of these buildings, those that are not yet known, in one go."""
        wanted = {one for one in buildings if one not in self._doors}
        for one in wanted:
            self._doors[one] = []
        for some in _by_hundreds(wanted):
            rows = Dwelling.objects.across(reason="import").filter(building_id__in=some)
            for id_, sub_district, grid, building, unit, room in rows.values_list(
                "id", "sub_district", "grid", "building_id", "unit", "room"
            ):
                place = DoorPlace(id_, sub_district, grid, building)
                self._doors[building].append(_Door(place, unit_key(unit), room_key(room)))

    def forget_doors(self) -> None:
        self._doors.clear()

    def learn_door(self, dwelling: Dwelling) -> None:
        """A door that was just made."""
        place = DoorPlace(dwelling.id, dwelling.sub_district, dwelling.grid, dwelling.building_id)
        if dwelling.building_id in self._doors:
            self._doors[dwelling.building_id].append(
                _Door(place, unit_key(dwelling.unit), room_key(dwelling.room))
            )

    def doors_shown_as(self, said: Mapping[int, tuple[str, str]]) -> dict[int, tuple[DoorPlace, str]]:
        """line -> door and the path of its area, where one door alone is shown with exactly this text.

        said: line -> (text, path of the area that the line names).
        """
        texts = sorted({text for text, _ in said.values()})
        shown: dict[str, list[tuple[DoorPlace, str]]] = defaultdict(list)
        condition = self.reach.condition("building__area__path", "grid")
        for start in range(0, len(texts), 400):
            rows = Dwelling.objects.across(reason="import").filter(
                condition, label__in=texts[start : start + 400], status=DwellingStatus.ACTIVE
            )
            for row in rows.values_list(
                "id", "sub_district", "grid", "building_id", "label", "building__area__path"
            ):
                shown[row[4]].append((DoorPlace(*row[:4]), row[5]))
        found = {}
        for line, (text, path) in said.items():
            here = [door for door in shown.get(text, ()) if door[1].startswith(path)]
            if len(here) == 1:
                found[line] = here[0]
        return found

    def door(self, building: KnownBuilding, words: DoorWords) -> DoorPlace:
        """Raises Refusal import_door_unknown or import_door_ambiguous."""
        room, unit = room_key(words.room), unit_key(words.unit)
        here = [door for door in self._doors.get(building.id, []) if door.room == room]
        exact = [door for door in here if door.unit == unit]
        if not exact and (not unit or all(not door.unit for door in self._doors.get(building.id, []))):
            exact = here  # one of the two does not tell stairwells apart
        written = "-".join(part for part in (words.building, words.unit, words.room) if part)
        if not exact:
            raise Refusal("import_door_unknown", door=written)
        if len(exact) > 1:
            raise Refusal("import_door_ambiguous", door=written)
        return exact[0].place


def door_in_one(values: Mapping[str, str]) -> str:
    """The door as one text: an address, or what the register shows."""
    return "" if "building" in values else values.get("address", "")


def _by_hundreds(ids: Collection[uuid.UUID]) -> Iterable[list[uuid.UUID]]:
    ordered = sorted(ids, key=lambda one: one.int)
    for start in range(0, len(ordered), 400):
        yield ordered[start : start + 400]
