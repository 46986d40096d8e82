# SPDX-License-Identifier: Apache-2.0
"""Truth: what is really behind each door, by the ids of the house. Workers learn of it only by knocking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from muster.drill.city.model import Building, City, Compound, Dwelling, Person
from muster.drill.load import key_id, unit_names


@dataclass(frozen=True, slots=True)
class TrueDoor:
    """A door as it is. people: who lives behind it today, on the list or not."""

    id: str
    building: str
    unit: str
    floor: int
    room: str
    address: str
    kind: str
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class House:
    """A building as it is: what decides about lifts, networks and flood zones."""

    kind: str
    compound: str
    zone: str
    floors: int
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Truth:
    """doors, houses by id; hidden: doors of a building that no list has; ids: person key -> id;
    households: household key -> its id and its door.

    moved: listed person -> the door of the same community behind which he is now, None for gone.
    left: those of the gone who left the city; the others are somewhere else in it.
    """

    doors: Mapping[str, TrueDoor]
    houses: Mapping[str, House]
    hidden: Mapping[str, tuple[TrueDoor, ...]]
    ids: Mapping[str, str]
    households: Mapping[str, tuple[str, str]]
    moved: Mapping[str, str | None]
    left: frozenset[str]

    def people(self, door: str) -> dict[str, Person]:
        """Who is really behind a door, by id; nobody behind a door that does not exist."""
        known = self.doors.get(door)
        return {self.ids[p.key]: p for p in known.people} if known else {}


def truth_of(city: City) -> Truth:
    doors: dict[str, TrueDoor] = {}
    houses: dict[str, House] = {}
    hidden: dict[str, list[TrueDoor]] = {}
    for community in city.communities:
        compounds = {c.key: c for c in community.compounds}
        building_ids = {b.key: str(key_id(city, b.key)) for b in community.buildings}
        houses |= {building_ids[b.key]: _house(b, compounds) for b in community.buildings}
        units = unit_names(community.dwellings)
        for dwelling in community.dwellings:
            people = community.behind_doors.get(dwelling.key, ())
            building = building_ids[dwelling.building_key]
            door = _door(city, dwelling, building, units(dwelling), people)
            doors[door.id] = door
            if not dwelling.listed:
                hidden.setdefault(building, []).append(door)
    ids = {p.key: str(key_id(city, p.key)) for p in city.persons}
    moves = city.truth.moves
    return Truth(
        doors,
        houses,
        {building: tuple(found) for building, found in hidden.items()},
        ids,
        {h.key: (str(key_id(city, h.key)), str(key_id(city, h.dwelling_key))) for h in city.households},
        {ids[m.person_key]: str(key_id(city, m.to_dwelling)) if m.to_dwelling else None for m in moves},
        frozenset(ids[m.person_key] for m in moves if m.to_dwelling is None and m.to_community is None),
    )


def _house(building: Building, compounds: Mapping[str, Compound]) -> House:
    compound = compounds.get(building.compound_key or "")
    kind = compound.kind if compound else ""
    return House(building.kind, kind, building.zone or "", building.floors, building.lon, building.lat)


def _door(city: City, dwelling: Dwelling, building: str, unit: str, people: tuple[Person, ...]) -> TrueDoor:
    return TrueDoor(
        str(key_id(city, dwelling.key)),
        building,
        unit,
        dwelling.floor,
        dwelling.room,
        dwelling.address_text,
        dwelling.kind,
        tuple(people),
    )
