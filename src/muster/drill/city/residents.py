# SPDX-License-Identifier: Apache-2.0
"""Who lives behind each door: households drawn until the community has its people.

A `Home` is a door in the making, with the household that the list and the truth may disagree about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from muster.drill.city.doors import Door
from muster.drill.city.draws import Draws, Table
from muster.drill.city.families import SHAPES, Member
from muster.drill.city.scenario import Scenario

HOUSEHOLD_KIND = {
    "owned": "family",
    "village_owner": "family",
    "dormitory": "collective",
    "care": "collective",
}


@dataclass(slots=True)
class Group:
    """A household: its members, how it holds the home, and what the list knows of it."""

    members: list[Member]
    mode: str  # owned rented room village_owner dormitory care
    registered: bool
    listed: bool = True
    gone: bool = False  # on the list, but left
    to_home: int | None = None  # on the list, but behind another door of the community
    unlisted_members: set[int] = field(default_factory=set)
    gone_members: set[int] = field(default_factory=set)
    away_members: set[int] = field(default_factory=set)
    traveller: tuple[int, int] | None = None  # (community of the first list, number)

    @property
    def kind(self) -> str:
        return HOUSEHOLD_KIND.get(self.mode, "rental")


@dataclass(slots=True)
class Home:
    building: int
    building_kind: str
    door: Door
    door_listed: bool = True
    groups: list[Group] = field(default_factory=list)
    arrived: bool = False  # somebody of the community moved in, unknown to the list

    @property
    def occupied(self) -> bool:
        return self.arrived or any(not g.gone and g.to_home is None for g in self.groups)

    @property
    def listed_occupied(self) -> bool:
        return any(g.listed for g in self.groups)


class Settlers:
    """Draws households for the homes of a scenario."""

    def __init__(self, scenario: Scenario) -> None:
        homes: Mapping[str, Any] = scenario.table["homes"]
        self._vacant: Mapping[str, float] = homes["vacant"]
        self._rented: Mapping[str, float] = homes["rented_share"]
        self._shapes = {
            mode: Table(weights)
            for mode, weights in homes.items()
            if isinstance(weights, Mapping) and mode not in {"person_per_home", "vacant", "rented_share"}
        }
        self._registered: Mapping[str, float] = scenario.table["registered"]

    def settle(self, homes: Sequence[Home], people: int, draws: Draws) -> int:
        """Give households to homes, in a random order, until `people` live there; the others stay vacant."""
        order = []
        for place, home in enumerate(homes):
            share = draws.random()
            kept_empty = share < self._vacant[home.building_kind]
            order.append((1.0 + share if kept_empty else share, place))
        order.sort()
        count = 0
        for _, place in order:
            if count >= people:
                break
            group = self.draw(homes[place], draws)
            over = count + len(group.members) - people
            if over > 0 and group.mode in {"dormitory", "room", "rented"}:
                del group.members[max(1, len(group.members) - over) :]
            homes[place].groups.append(group)
            count += len(group.members)
        return self._crowd(homes, [place for _, place in order], people, count, draws)

    def _crowd(
        self, homes: Sequence[Home], order: Sequence[int], people: int, count: int, draws: Draws
    ) -> int:
        """Where the homes are too few, larger households take the place of smaller ones."""
        for place in order:
            if count >= people:
                break
            group = self.draw(homes[place], draws)
            more = len(group.members) - len(homes[place].groups[0].members)
            if 0 < more <= people - count:
                homes[place].groups[0] = group
                count += more
        return count

    def draw(self, home: Home, draws: Draws) -> Group:
        mode = self._mode(home, draws)
        members = SHAPES[draws.weighted(self._shapes[mode])](draws)
        return Group(members, mode, not draws.chance(self._registered.get(mode, 0.0)))

    def _mode(self, home: Home, draws: Draws) -> str:
        kind = home.door.kind
        if kind in {"room", "divided_room"}:
            return "room"
        if kind == "owner_home":
            return "village_owner"
        if kind == "dormitory_room":
            return "dormitory"
        if kind == "care_room":
            return "care"
        return "rented" if draws.chance(self._rented[home.building_kind]) else "owned"
