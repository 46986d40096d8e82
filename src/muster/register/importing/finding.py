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
from muster.register.importing.door_keys import building_key, plain_place, room_key, unit_key

_LONG_ENOUGH = 2


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
class KnownBuilding:
    """A building with the words by which lists tell it from others of the same number."""

    id: uuid.UUID
    area: int
    sub_district: int
    grid: int | None
    name: str
    path: str
    places: tuple[str, ...]

    def stands_in(self, place: str) -> bool:
        return any(place.endswith(one) for one in self.places if len(one) >= _LONG_ENOUGH)


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
    def _buildings(self) -> dict[str, list[KnownBuilding]]:
        self._area_names = {area.id: plain_place(area.name) for area in self.areas}
        self._area_paths = {area.id: area.path for area in self.areas}
        found: dict[str, list[KnownBuilding]] = defaultdict(list)
        rows = Building.objects.filter(self.reach.condition("area__path", "grid")).values_list(
            "id", "area_id", "sub_district", "grid", "name", "code", "street", "compound__name"
        )
        for row in rows.iterator(chunk_size=5_000):
            self._index(found, row[:5], code=row[5], street=row[6], compound=row[7] or "")
        return found

    def _index(
        self,
        found: dict[str, list[KnownBuilding]],
        row: tuple[uuid.UUID, int, int, int | None, str],
        *,
        code: str,
        street: str,
        compound: str,
    ) -> None:
        id_, area, sub_district, grid, name = row
        by_name = building_key(name, self.address_form)
        places = (plain_place(compound), self._area_names.get(area, ""), plain_place(street), by_name.place)
        path = self._area_paths.get(area, "")
        building = KnownBuilding(id_, area, sub_district, grid, name, path, tuple(p for p in places if p))
        # Codes have a shelf of their own: building 3 may well have the code 12.
        keys = {by_name.key, plain_place(name), f"code:{code.lower()}"}
        if street:
            keys.add(building_key(f"{street}{name}", self.address_form).key)
        for key in keys - {""}:
            found[key].append(building)

    def forget_buildings(self) -> None:
        """Read the buildings anew, after some were added."""
        self.__dict__.pop("_buildings", None)
        self._found.clear()

    def building(self, words: DoorWords, *, area: KnownArea | None, compound: str) -> KnownBuilding:
        """Raises Refusal import_building_unknown or import_building_ambiguous."""
        read = building_key(words.building, self.address_form)
        names = (read.key, plain_place(words.building), f"code:{words.building.lower()}")
        known = next((found for name in names if (found := self._buildings.get(name))), [])
        place = plain_place(words.place) or read.place
        if area is not None:
            known = [one for one in known if one.path.startswith(area.path)]
        if compound:
            known = [one for one in known if one.stands_in(plain_place(compound))]
        if place:
            known = [one for one in known if one.stands_in(place)]
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
        written = values.get("address", "")
        door = read_door(written, form=self.address_form)
        if door is None or not door.building:
            raise Refusal("address_unreadable", written=written[:80])
        return DoorWords(door.building, door.unit, door.room, door.place)

    def building_of(self, values: Mapping[str, str]) -> tuple[KnownBuilding, DoorWords]:
        """Raises Refusal with what is unknown, ambiguous or unreadable."""
        words = self.words(values)
        said = (values.get("area", ""), values.get("compound", ""), words.place, words.building)
        building = self._found.get(said)
        if building is None:
            area = self.area(values["area"]) if "area" in values else None
            building = self._found[said] = self.building(
                words, area=area, compound=values.get("compound", "")
            )
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


def _by_hundreds(ids: Collection[uuid.UUID]) -> Iterable[list[uuid.UUID]]:
    ordered = sorted(ids, key=lambda one: one.int)
    for start in range(0, len(ordered), 400):
        yield ordered[start : start + 400]
