# SPDX-License-Identifier: Apache-2.0
"""One community from its plan: ground, buildings, doors, households, persons, and the list of them."""

from __future__ import annotations

from collections.abc import Sequence

import shapely

from muster.drill.city.assembly import Assembly
from muster.drill.city.doors import doors_of
from muster.drill.city.draws import Draws
from muster.drill.city.footprints import Filled
from muster.drill.city.lattice import Block
from muster.drill.city.listing import ListKeeper
from muster.drill.city.model import Community
from muster.drill.city.numbers import IdNumbers
from muster.drill.city.persons import PersonMaker, Register
from muster.drill.city.places import Namer
from muster.drill.city.plan import CityPlan, CommunityPlan
from muster.drill.city.residents import Home, Settlers
from muster.drill.city.scenario import BlockKind
from muster.drill.city.site import SitePlanner


class CommunityMaker:
    """Makes the communities of a plan, one at a time; what all of them need is read once."""

    def __init__(self, plan: CityPlan) -> None:
        self._plan = plan
        self._scenario = plan.scenario
        self._settlers = Settlers(plan.scenario)
        self._lists = ListKeeper(plan.scenario, self._settlers)
        self._persons = PersonMaker(plan.scenario, plan.seed)
        self._settled: float = plan.scenario.table["areas"]["settled"]

    def make(self, index: int) -> Community:
        """Generate the index-th community."""
        plan = self._plan.communities[index]
        ground = self._plan.grounds.ground(index)
        kinds = self._kinds(plan, ground.blocks)
        sites = SitePlanner(self._scenario, self._draws("site", index)).plan(
            ground.blocks, kinds, plan.people
        )
        Namer(self._scenario, plan, self._draws("names", index)).name(sites, kinds)
        homes = self._homes(sites, self._draws("doors", index))
        self._settlers.settle(homes, round(plan.people * self._settled), self._draws("homes", index))
        self._lists.part(homes, index, self._draws("list", index))
        assembly = Assembly(
            self._scenario, self._plan.plane, plan, self._next_code(index), self._previous_code(index)
        )
        assembly.place(ground, sites, kinds)
        register = Register(index, IdNumbers(plan.code, plan.place_in_district, index))
        assembly.settle(homes, self._persons, register, self._draws("persons", index))
        return assembly.community()

    def _draws(self, what: str, index: int) -> Draws:
        return Draws(self._plan.seed, self._scenario.name, what, index)

    def _next_code(self, index: int) -> str | None:
        following = self._plan.communities[index + 1 : index + 2]
        return following[0].code if following else None

    def _previous_code(self, index: int) -> str | None:
        return self._plan.communities[index - 1].code if index > 0 else None

    def _kinds(self, plan: CommunityPlan, blocks: Sequence[Block]) -> list[BlockKind]:
        """What each block is for. Real streets give blocks of all sizes: small ones get the small kind."""
        profiles = self._scenario.table["profiles"]
        names: Sequence[str] = profiles["blocks"][plan.profile]
        draws = self._draws("kinds", plan.index)
        order = draws.shuffled(range(1, len(names))) if plan.index > 0 else range(1, len(names))
        names = [
            names[0],
            *(names[k] for k in order),
        ]  # the first one makes the profile: it is never left out
        kinds = [self._scenario.blocks[names[k % len(names)]] for k in range(len(blocks))]
        kinds = draws.shuffled(kinds) if plan.index > 0 else kinds
        if len(blocks) <= len(names):
            return _largest_lived_in(kinds, blocks)
        homes = [self._scenario.blocks[n] for n in names if self._scenario.blocks[n].share > 0]
        small = self._scenario.blocks[profiles["small_block"]]
        areas = [shapely.Polygon(b.ring).area for b in blocks]
        most_open = 0.16 * sum(areas)
        for k, area in enumerate(areas):
            if kinds[k].share == 0 and 2500 < area <= most_open:
                most_open -= area
            elif area < profiles["small_m2"]:
                kinds[k] = small
            elif kinds[k].share == 0:
                kinds[k] = homes[k % len(homes)]
        return kinds

    def _homes(self, sites: Sequence[Filled], draws: Draws) -> list[Home]:
        """Every door of every building, in the order of the buildings."""
        owner_share = float(self._scenario.table["homes"].get("owner_share", 0.0))
        homes = []
        building = 0
        for filled in sites:
            for footprint in filled.footprints:
                if footprint.kind == "self_built":
                    footprint.owner_lives_in = draws.chance(owner_share * footprint.doors)
                doors = doors_of(footprint, filled.name, language=self._scenario.language)
                homes += [Home(building, footprint.kind, door) for door in doors]
                building += 1
        return homes


def _largest_lived_in(kinds: Sequence[BlockKind], blocks: Sequence[Block]) -> list[BlockKind]:
    """The largest block goes to the closest built kind, so that the people find room."""
    kinds = list(kinds)
    largest = max(range(len(blocks)), key=lambda k: shapely.Polygon(blocks[k].ring).area)
    densest = max(range(len(kinds)), key=lambda k: (kinds[k].share, k == largest))
    kinds[largest], kinds[densest] = kinds[densest], kinds[largest]
    return kinds
