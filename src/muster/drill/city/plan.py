# SPDX-License-Identifier: Apache-2.0
"""The plan of a city: how many communities, how large, what they are called, under which sub-district.

A plan is small and quick to make; each community is then generated from it alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from muster.base.errors import Refusal
from muster.drill.city.draws import Draws
from muster.drill.city.lattice import CellGround
from muster.drill.city.model import Area, Ground, HardLine, Road
from muster.drill.city.place_names import community_name, pair
from muster.drill.city.plane import Plane
from muster.drill.city.scenario import Scenario

SMALLEST = 200


class Grounds(Protocol):
    """Who gives a community its ground: made-up streets or real ones."""

    def ground(self, index: int) -> CellGround: ...


@dataclass(frozen=True, slots=True)
class CommunityPlan:
    index: int
    people: int
    code: str
    parent_code: str
    name: str
    name_en: str
    place_in_district: int
    profile: str


@dataclass(frozen=True)
class CityPlan:
    scenario: Scenario
    plane: Plane
    people: int
    seed: int
    areas: tuple[Area, ...]  # all but the leaves
    communities: tuple[CommunityPlan, ...]
    grounds: Grounds
    streets: tuple[Road, ...]
    hard_lines: tuple[HardLine, ...]
    outer_grounds: tuple[Ground, ...]


def community_sizes(scenario: Scenario, people: int, seed: int) -> list[int]:
    """How many people each community has: fixed by its index, but for the last one."""
    areas = scenario.table["areas"]
    most = areas["most_people"]
    if not SMALLEST <= people <= most:
        raise Refusal("drill.people_out_of_range", people=people, least=SMALLEST, most=most)
    low, high = areas["community_people"]
    factors = scenario.table["profiles"].get("size", {})
    sizes: list[int] = []
    left = people
    while left > 0:
        wanted = Draws(seed, "size", len(sizes)).between(low, high)
        wanted = round(wanted * factors.get(_profile(scenario, seed, len(sizes)), 1.0))
        if left - wanted < areas["smallest_remainder"]:
            wanted = left
        sizes.append(wanted)
        left -= wanted
    return sizes


def plan_areas(
    scenario: Scenario, sizes: Sequence[int], seed: int, township_names: Sequence[str] | None
) -> tuple[list[Area], list[CommunityPlan]]:
    """The tree above the communities, and the communities' own names and codes."""
    tree = _AreaTree(scenario, seed, township_names)
    communities = [
        tree.add(index, people, _profile(scenario, seed, index)) for index, people in enumerate(sizes)
    ]
    return tree.areas, communities


class _AreaTree:
    """Grows the area tree leaf by leaf: a full sub-district begins the next one, a full district likewise."""

    def __init__(self, scenario: Scenario, seed: int, given_names: Sequence[str] | None) -> None:
        self._table: Mapping[str, Any] = scenario.table["areas"]
        self._pools = scenario.name_pools
        self._seed = seed
        self._given = given_names
        self._levels: Sequence[str] = self._table["levels"]
        self._suffixes: Sequence[Sequence[str]] = self._table["suffixes"]
        city = self._table["city"]
        self.areas = [Area(city["code"], None, 0, self._levels[0], city["name"], city["name_en"])]
        self._district = self.areas[0]
        self._street = self.areas[0]
        self._districts = self._streets = 0
        self._streets_left = self._places_left = 0
        self._place_in_district = self._place_in_street = self._street_in_district = 0
        self._used: set[str] = set()

    def add(self, index: int, people: int, profile: str) -> CommunityPlan:
        if self._places_left == 0:
            if len(self._levels) == 4 and self._streets_left == 0:
                self._begin_district()
            self._begin_street()
        self._places_left -= 1
        self._place_in_street += 1
        self._place_in_district += 1
        name, name_en = community_name(self._pools, self._streets - 1, self._place_in_street - 1)
        if name in self._used:
            name = f"{self._street.name.removesuffix(self._suffixes[-2][0])}{name}"
        self._used.add(name)
        return CommunityPlan(
            index=index,
            people=people,
            code=self._code(self._street.code, len(self._levels) - 1, self._place_in_street),
            parent_code=self._street.code,
            name=name + self._suffixes[-1][0],
            name_en=name_en + self._suffixes[-1][1],
            place_in_district=self._place_in_district - 1,
            profile=profile,
        )

    def _begin_district(self) -> None:
        self._streets_left = Draws(self._seed, "district", self._districts).between(
            *self._table["districts_of"]
        )
        zh, en = pair(self._pools["places"]["district"], self._districts)
        self._districts += 1
        self._street_in_district = self._place_in_district = 0
        self._district = self._area(self.areas[0], 1, self._districts, (zh, en))

    def _begin_street(self) -> None:
        first = self._streets < self._table["first_street_count"]
        bounds = self._table["first_streets"] if first else self._table["streets_of"]
        self._places_left = Draws(self._seed, "street", self._streets).between(*bounds)
        self._streets_left -= 1
        self._place_in_street = 0
        self._street_in_district += 1
        names = pair(self._pools["places"]["street"], self._streets)
        given = None
        if self._given:
            turn, place = divmod(self._streets, len(self._given))
            given = self._given[place] if turn == 0 else f"{self._given[place]}（{turn + 1}）"
        self._streets += 1
        level = len(self._levels) - 2
        self._street = self._area(self._district, level, self._street_in_district, names, given)

    def _area(
        self, parent: Area, level: int, number: int, names: tuple[str, str], given: str | None = None
    ) -> Area:
        zh, en = names
        suffix, suffix_en = self._suffixes[level]
        area = Area(
            code=self._code(parent.code, level, number),
            parent_code=parent.code,
            level=level,
            kind=self._levels[level],
            name=given or zh + suffix,
            name_en=given or en + suffix_en,
        )
        self.areas.append(area)
        return area

    def _code(self, parent: str, level: int, number: int) -> str:
        """National form (two, two, two, three and three digits), or numbers after dashes."""
        if self._table["codes"] == "dashes":
            return f"{parent}-{number:02d}"
        start, digits = ((2, 2), (4, 2), (6, 3), (9, 3))[level]
        return f"{parent[:start]}{number:0{digits}d}".ljust(12, "0")


def _profile(scenario: Scenario, seed: int, index: int) -> str:
    opening: Sequence[Any] = scenario.table["profiles"]["opening"]
    if index < len(opening):
        return str(opening[index])
    return Draws(seed, "profile", index).weighted(scenario.profile_table)
