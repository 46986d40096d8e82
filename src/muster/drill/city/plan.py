# SPDX-License-Identifier: Apache-2.0
"""The plan of a city: how many communities, how large, what they are called, under which sub-district.

A plan is small and quick to make; each community is then generated from it alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from muster.base.errors import Refusal
from muster.drill.city.draws import Draws
from muster.drill.city.lattice import CellGround
from muster.drill.city.model import Area, Ground, HardLine, Road
from muster.drill.city.place_names import community_name, pair
from muster.drill.city.scenario import Scenario

SMALLEST, LARGEST = 200, 25_000_000


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
    if not SMALLEST <= people <= LARGEST:
        raise Refusal("people_out_of_range", people=people, least=SMALLEST, most=LARGEST)
    areas = scenario.table["areas"]
    low, high = areas["community_people"]
    sizes: list[int] = []
    left = people
    while left > 0:
        wanted = Draws(seed, "size", len(sizes)).between(low, high)
        if left - wanted < areas["smallest_remainder"]:
            wanted = left
        sizes.append(wanted)
        left -= wanted
    return sizes


def plan_areas(
    scenario: Scenario, sizes: Sequence[int], seed: int, township_names: Sequence[str] | None
) -> tuple[list[Area], list[CommunityPlan]]:
    """The tree above the communities, and the communities' own names and codes."""
    table, pools = scenario.table["areas"], scenario.name_pools
    city = table["city"]
    levels = _levels(scenario)
    areas = [Area(city["code"], None, 0, levels[0], city["name"], city["name_en"])]
    communities: list[CommunityPlan] = []
    district = street = -1
    streets_left = places_left = place_in_district = place_in_street = street_of_district = 0
    used: set[str] = set()
    for index, people in enumerate(sizes):
        if places_left == 0:
            street += 1
            if streets_left == 0:
                district += 1
                streets_left = Draws(seed, "district", district).between(*table["districts_of"])
                street_of_district = place_in_district = 0
                zh, en = pair(pools["places"]["district"], district)
                code = f"{city['code'][:4]}{district + 1:02d}000000"
                areas.append(_area(scenario, code, city["code"], 1, zh, en))
            streets_left -= 1
            street_of_district += 1
            first = street < table.get("first_street_count", 2)
            bounds = table["first_streets"] if first else table["streets_of"]
            places_left = Draws(seed, "street", street).between(*bounds)
            place_in_street = 0
            zh, en = pair(pools["places"]["street"], street)
            if township_names:
                zh = en = _township(township_names, street)
            code = f"{areas_code(areas)[:6]}{street_of_district:03d}000"
            areas.append(_area(scenario, code, areas_code(areas), 2, zh, en, given=bool(township_names)))
        places_left -= 1
        place_in_street += 1
        place_in_district += 1
        parent = areas[-1]
        zh, en = community_name(pools, street, place_in_street - 1)
        if zh in used and zh.endswith("社区"):
            zh = f"{parent.name.removesuffix('街道')}{zh}"
        used.add(zh)
        code = f"{parent.code[:9]}{place_in_street:03d}"
        profile = _profile(scenario, seed, index)
        communities.append(
            CommunityPlan(index, people, code, parent.code, zh, en, place_in_district - 1, profile)
        )
    return areas, communities


def areas_code(areas: Sequence[Area]) -> str:
    """The code of the latest district."""
    return next(a.code for a in reversed(areas) if a.level == 1)


def _levels(scenario: Scenario) -> Sequence[str]:
    return scenario.table["areas"].get("levels", ["city", "district", "sub_district", "community"])


def _area(
    scenario: Scenario, code: str, parent: str, level: int, name: str, name_en: str, *, given: bool = False
) -> Area:
    zh, en = scenario.table["areas"].get(
        "suffixes", [["", ""], ["区", " District"], ["街道", " Sub-district"]]
    )[level]
    if given:
        return Area(code, parent, level, _levels(scenario)[level], name, name_en)
    return Area(code, parent, level, _levels(scenario)[level], name + zh, name_en + en)


def _township(names: Sequence[str], number: int) -> str:
    turn, place = divmod(number, len(names))
    return names[place] if turn == 0 else f"{names[place]}（{turn + 1}）"


def _profile(scenario: Scenario, seed: int, index: int) -> str:
    opening: Sequence[Any] = scenario.table["profiles"]["opening"]
    if index < len(opening):
        return str(opening[index])
    return Draws(seed, "profile", index).weighted(scenario.profile_table)
