# SPDX-License-Identifier: Apache-2.0
"""The value objects of a generated city: areas, streets, buildings, dwellings, households, persons.

A `Community` is the unit of generation (one leaf area); a `City` is all of them with the streets and areas
around them. What the imported list says and what is true are both here: rows carry `listed`, `Truth` has the
rest.
Coordinates are WGS-84 (lon, lat). Keys are stable strings; whoever loads a city makes ids from them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import chain

Point = tuple[float, float]
Line = tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Area:
    """One node of the area tree; `level` counts from 0 (city) to the leaf."""

    code: str
    parent_code: str | None
    level: int
    kind: str
    name: str
    name_en: str
    rings: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Road:
    """A street, lane or alley as a polyline; `klass` is the OpenStreetMap class name."""

    name: str
    klass: str
    points: Line


@dataclass(frozen=True, slots=True)
class HardLine:
    """A line that no grid should cross: river, rail or wall."""

    kind: str
    points: Line


@dataclass(frozen=True, slots=True)
class Ground:
    """A surface that is no building: water, park, square, rail_yard, flood_high, flood_low."""

    kind: str
    name: str
    ring: Line


@dataclass(frozen=True, slots=True)
class Gate:
    kind: str  # pedestrian | vehicle
    lon: float
    lat: float
    name: str


@dataclass(frozen=True, slots=True)
class Compound:
    key: str
    name: str
    kind: str  # estate | work_unit | village | campus | villas | caravan_park
    community_code: str
    street: str
    number: str
    polygon: Line
    walled: bool
    gates: tuple[Gate, ...]


@dataclass(frozen=True, slots=True)
class Building:
    """A building that people live in. `access` is the nearest point of a street or lane."""

    key: str
    compound_key: str | None
    community_code: str
    street: str
    number: str
    kind: str
    floors: int
    units: int
    polygon: Line
    lon: float
    lat: float
    access: Point
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Facility:
    """A place that serves people: school, clinic, market, community_centre, shelter, ..."""

    key: str
    community_code: str
    kind: str
    name: str
    polygon: Line
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Dwelling:
    """A door. `listed` tells whether the list knows the door, `listed_occupied` what it says of it."""

    key: str
    building_key: str
    unit: int
    floor: int
    room: str
    address_text: str
    kind: str
    occupied_truth: bool
    listed: bool
    listed_occupied: bool


@dataclass(frozen=True, slots=True)
class Household:
    key: str
    dwelling_key: str
    kind: str  # family | rental | collective
    listed: bool


@dataclass(frozen=True, slots=True)
class Person:
    """A person. `registered_here` and `lives_here` are what the list says; `Truth.moves` corrects it."""

    key: str
    household_key: str
    name: str
    sex: str  # F | M
    birth_date: date
    relation: str  # head spouse child parent grandchild roommate resident other
    phone: str | None
    id_number: str | None
    registered_here: bool
    lives_here: bool
    needs: tuple[str, ...]
    languages: tuple[str, ...]
    listed: bool


@dataclass(frozen=True, slots=True)
class Move:
    """A listed person who is no longer where the list says.

    `to_dwelling` is set when the person is behind another door of the same community; `to_community` when
    they went to another community of the city, where somebody will find them; neither when they left it.
    """

    person_key: str
    to_dwelling: str | None = None
    to_community: str | None = None


@dataclass(frozen=True, slots=True)
class Truth:
    """What the imported list does not have."""

    unlisted_persons: tuple[str, ...] = ()
    unlisted_dwellings: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()
    vacant_listed: tuple[str, ...] = ()  # listed as occupied, nobody lives there
    elsewhere_listed: tuple[tuple[str, str], ...] = ()  # (person here, community that lists the same person)


@dataclass(frozen=True, slots=True)
class Listed:
    """The imported list: only what the register knows on the morning of the day."""

    dwellings: tuple[Dwelling, ...]
    households: tuple[Household, ...]
    persons: tuple[Person, ...]


@dataclass(frozen=True)
class Community:
    """Everything inside one leaf area."""

    index: int
    area: Area
    roads: tuple[Road, ...]
    hard_lines: tuple[HardLine, ...]
    grounds: tuple[Ground, ...]
    compounds: tuple[Compound, ...]
    facilities: tuple[Facility, ...]
    buildings: tuple[Building, ...]
    dwellings: tuple[Dwelling, ...]
    households: tuple[Household, ...]
    persons: tuple[Person, ...]
    truth: Truth

    @cached_property
    def listed(self) -> Listed:
        return _listed(self.dwellings, self.households, self.persons)

    @cached_property
    def behind_doors(self) -> dict[str, tuple[Person, ...]]:
        """Who is really behind each door of the community, by dwelling key."""
        return _behind_doors(self.households, self.persons, self.truth)


@dataclass(frozen=True)
class City:
    """A whole generated city, held in memory."""

    scenario: str
    people: int
    seed: int
    as_of: date
    areas: tuple[Area, ...]
    streets: tuple[Road, ...]  # the streets between communities
    outer_lines: tuple[HardLine, ...]
    outer_grounds: tuple[Ground, ...]
    communities: tuple[Community, ...] = field(repr=False)

    @cached_property
    def roads(self) -> tuple[Road, ...]:
        return (*self.streets, *chain.from_iterable(c.roads for c in self.communities))

    @cached_property
    def hard_lines(self) -> tuple[HardLine, ...]:
        return (*self.outer_lines, *chain.from_iterable(c.hard_lines for c in self.communities))

    @cached_property
    def grounds(self) -> tuple[Ground, ...]:
        return (*self.outer_grounds, *chain.from_iterable(c.grounds for c in self.communities))

    @cached_property
    def compounds(self) -> tuple[Compound, ...]:
        return tuple(chain.from_iterable(c.compounds for c in self.communities))

    @cached_property
    def facilities(self) -> tuple[Facility, ...]:
        return tuple(chain.from_iterable(c.facilities for c in self.communities))

    @cached_property
    def buildings(self) -> tuple[Building, ...]:
        return tuple(chain.from_iterable(c.buildings for c in self.communities))

    @cached_property
    def dwellings(self) -> tuple[Dwelling, ...]:
        return tuple(chain.from_iterable(c.dwellings for c in self.communities))

    @cached_property
    def households(self) -> tuple[Household, ...]:
        return tuple(chain.from_iterable(c.households for c in self.communities))

    @cached_property
    def persons(self) -> tuple[Person, ...]:
        return tuple(chain.from_iterable(c.persons for c in self.communities))

    @cached_property
    def listed(self) -> Listed:
        return _listed(self.dwellings, self.households, self.persons)

    @cached_property
    def truth(self) -> Truth:
        truths = [c.truth for c in self.communities]
        return Truth(
            unlisted_persons=tuple(chain.from_iterable(t.unlisted_persons for t in truths)),
            unlisted_dwellings=tuple(chain.from_iterable(t.unlisted_dwellings for t in truths)),
            moves=tuple(chain.from_iterable(t.moves for t in truths)),
            vacant_listed=tuple(chain.from_iterable(t.vacant_listed for t in truths)),
            elsewhere_listed=tuple(chain.from_iterable(t.elsewhere_listed for t in truths)),
        )

    @cached_property
    def behind_doors(self) -> dict[str, tuple[Person, ...]]:
        """Who is really behind each door, by dwelling key."""
        return _behind_doors(self.households, self.persons, self.truth)


def _listed(
    dwellings: Iterable[Dwelling], households: Iterable[Household], persons: Iterable[Person]
) -> Listed:
    return Listed(
        dwellings=tuple(d for d in dwellings if d.listed),
        households=tuple(h for h in households if h.listed),
        persons=tuple(p for p in persons if p.listed),
    )


def _behind_doors(
    households: Iterable[Household], persons: Iterable[Person], truth: Truth
) -> dict[str, tuple[Person, ...]]:
    home = {h.key: h.dwelling_key for h in households}
    moved = {m.person_key: m.to_dwelling for m in truth.moves}
    behind: dict[str, list[Person]] = {}
    for person in persons:
        if not person.lives_here:
            continue
        door = moved[person.key] if person.key in moved else home[person.household_key]
        if door is not None:
            behind.setdefault(door, []).append(person)
    return {door: tuple(people) for door, people in behind.items()}
