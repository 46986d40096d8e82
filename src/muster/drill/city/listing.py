# SPDX-License-Identifier: Apache-2.0
"""Where list and truth part: people and doors that the list misses, people who moved, empty homes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from muster.drill.city.draws import Draws
from muster.drill.city.families import Member
from muster.drill.city.residents import Group, Home, Settlers
from muster.drill.city.scenario import Scenario

ROOMS = {"room", "divided_room"}


class ListKeeper:
    """Makes the list of one community go wrong, at the scenario's rates."""

    def __init__(self, scenario: Scenario, settlers: Settlers) -> None:
        self._rates: Mapping[str, Any] = scenario.table["listing"]
        self._away: float = scenario.table["registered"].get("away", 0.0)
        self._settlers = settlers

    def _rate(self, name: str, mode: str) -> float:
        rate = self._rates[name]
        if isinstance(rate, Mapping):
            return float(rate.get(mode, rate["default"]))
        return float(rate)

    def part(self, homes: list[Home], index: int, draws: Draws) -> None:
        """Mark homes, households and persons; add divided rooms, leavers and travellers."""
        vacant = draws.shuffled([k for k, h in enumerate(homes) if not h.groups])
        occupied = [k for k, h in enumerate(homes) if h.groups]
        self._miss(homes, occupied, draws)
        self._divide_rooms(homes, occupied, draws)
        self._leave(homes, occupied, vacant, draws)
        self._move_within(homes, occupied, vacant, draws)
        self._travel(homes, vacant, index, draws)
        self._away_members(homes, occupied, draws)

    def _miss(self, homes: list[Home], occupied: list[int], draws: Draws) -> None:
        for k in occupied:
            (group,) = homes[k].groups
            if draws.chance(self._rate("unlisted_household", group.mode)):
                group.listed = False
            elif group.mode != "dormitory" and draws.chance(self._rate("unlisted_door", group.mode)):
                group.listed = homes[k].door_listed = False
            elif len(group.members) > 1:
                share = self._rate("unlisted_member", group.mode)
                group.unlisted_members = {m for m in range(1, len(group.members)) if draws.chance(share)}

    def _divide_rooms(self, homes: list[Home], occupied: list[int], draws: Draws) -> None:
        """A let room split in two: the second half is a door that no list has."""
        for k in occupied:
            home = homes[k]
            if home.door.kind != "room" or not draws.chance(self._rates.get("divided_room", 0.0)):
                continue
            door = replace(
                home.door,
                room=f"{home.door.room}-2",
                address=f"{home.door.address.removesuffix('室')}-2室",
                kind="divided_room",
            )
            half = Home(home.building, home.building_kind, door, door_listed=False)
            group = self._settlers.draw(half, draws)
            group.listed = False
            half.groups.append(group)
            homes.append(half)

    def _leave(self, homes: list[Home], occupied: list[int], vacant: list[int], draws: Draws) -> None:
        """Households that left: the list still shows them behind doors that are empty now."""
        modes = [homes[k].groups[0].mode for k in occupied]
        for mode in modes:
            if draws.chance(self._rate("moved_out_household", mode)) and vacant:
                home = homes[vacant.pop()]
                group = self._settlers.draw(home, draws)
                group.gone = True
                home.groups.append(group)
        for k in occupied:
            (group,) = homes[k].groups
            if group.listed and len(group.members) > 1:
                share = self._rate("moved_out_member", group.mode)
                movable = [m for m in range(1, len(group.members)) if m not in group.unlisted_members]
                group.gone_members = {m for m in movable if draws.chance(share)}

    def _move_within(self, homes: list[Home], occupied: list[int], vacant: list[int], draws: Draws) -> None:
        for k in occupied:
            (group,) = homes[k].groups
            movable = group.listed and not group.unlisted_members and not group.gone_members
            if movable and vacant and draws.chance(self._rate("moved_within", group.mode)):
                group.to_home = vacant.pop()
                homes[group.to_home].arrived = True

    def _travel(self, homes: list[Home], vacant: list[int], index: int, draws: Draws) -> None:
        """Persons who went from this community to the next one, and those who came from the one before."""
        count = int(self._rates.get("travellers", 0))
        for number in range(count):
            if not vacant:
                return
            leaver = Group([Member("head", "F", 30.0)], "rented", registered=False)
            leaver.gone, leaver.traveller = True, (index, number)
            homes[vacant.pop()].groups.append(leaver)
        for number in range(count if index > 0 else 0):
            if not vacant:
                return
            comer = Group([Member("head", "F", 30.0)], "rented", registered=False)
            comer.listed, comer.traveller = number == 0, (index - 1, number)
            homes[vacant.pop()].groups.append(comer)

    def _away_members(self, homes: list[Home], occupied: list[int], draws: Draws) -> None:
        """Members who are registered here and, as the list knows, live elsewhere."""
        for k in occupied:
            (group,) = homes[k].groups
            if group.mode not in {"owned", "village_owner"} or not group.listed or not group.registered:
                continue
            if draws.chance(self._away * 4.2):
                head = group.members[0]
                if head.age >= 46:
                    age = head.age - draws.within(24, 32)
                    group.members.append(Member("child", "M" if draws.chance(0.5) else "F", age))
                else:
                    group.members.append(Member("other", "M" if draws.chance(0.5) else "F", head.age, "own"))
                group.away_members = {len(group.members) - 1}
