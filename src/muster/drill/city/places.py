# SPDX-License-Identifier: Apache-2.0
"""Names and numbers on the ground of one community: compounds, buildings, alleys, schools."""

from __future__ import annotations

from collections.abc import Sequence

from muster.drill.city.draws import Draws
from muster.drill.city.footprints import Filled, Footprint
from muster.drill.city.fronts import next_free, number_shops
from muster.drill.city.houses import number_houses
from muster.drill.city.place_names import DIGITS_ZH
from muster.drill.city.plan import CommunityPlan
from muster.drill.city.scenario import BlockKind, Scenario
from muster.drill.city.village import name_alleys

ALLEYS = 8  # alleys with names of their own in one block; the others are called after them
SIDES = ("", "北", "南", "东", "西", "上", "下", "后")
SUFFIX = {"slab": "号楼", "walk_up": "号楼", "tower": "号楼", "villa": "栋", "dormitory": "号宿舍楼"}


class Namer:
    """Gives every compound and building of one community its name and number."""

    def __init__(self, scenario: Scenario, plan: CommunityPlan, draws: Draws) -> None:
        self._scenario = scenario
        self._plan = plan
        self._draws = draws
        self._pools = scenario.name_pools["places"]
        self._chinese = scenario.language == "zh"
        self._used: set[str] = set()
        self._taken: set[tuple[str, int]] = set()
        self._lanes = self._villages = 0

    def name(self, sites: Sequence[Filled], kinds: Sequence[BlockKind]) -> None:
        for filled, kind in zip(sites, kinds, strict=True):
            if kind.compound:
                filled.name = self._compound_name(self._pools[kind.compound], kind)
            if kind.filler == "village":
                name_alleys(filled, self._alley_names())
            elif kind.filler == "houses":
                number_houses(filled, [self._lane_name() for _ in filled.lanes], self._taken)
            if kind.ground and not kind.building:
                filled.name = self._facility_name(kind.ground)
            number_shops(filled, "{}号" if self._chinese else "{}", self._taken)
            self._number(filled, kind)
            if self._chinese and filled.number:
                filled.number += "号"

    def _compound_name(self, pool: Sequence[str], kind: BlockKind) -> str:
        if kind.compound == "village":  # one village, whatever the number of its blocks
            return pool[self._plan.index % len(pool)]
        stem = self._draws.pick(pool)
        name, turn = stem, 1
        while name in self._used:
            turn += 1
            name = f"{stem}{DIGITS_ZH[(turn - 1) % 10]}期" if self._chinese else f"{stem} {turn}"
        self._used.add(name)
        return name

    def _alley_names(self) -> list[str]:
        """Names for the alleys of one more block of the village, unlike those of the blocks before."""
        pool = self._pools["alley"]
        turn, start = divmod(self._villages * ALLEYS, len(pool))
        self._villages += 1
        first = (start + self._plan.index * 3) % len(pool)
        return [f"{SIDES[turn % len(SIDES)]}{(pool + pool)[first + k]}" for k in range(ALLEYS)]

    def _lane_name(self) -> str:
        self._lanes += 1
        return self._scenario.street_names.inner(self._plan.index, 20 + self._lanes)

    def _number(self, filled: Filled, kind: BlockKind) -> None:
        """Number buildings as they were laid: row by row from the south, west to east."""
        chosen = [f for f in filled.footprints if f.kind != "shop_house"]
        if kind.filler in {"village", "houses"}:
            return
        for place, footprint in enumerate(chosen, 1):
            if footprint.kind in SUFFIX:
                footprint.number = f"{place}{SUFFIX[footprint.kind]}"
            elif footprint.kind == "caravan":
                footprint.number = str(place)
            else:
                self._street_number(footprint, filled)

    def _street_number(self, footprint: Footprint, filled: Filled) -> None:
        """A block of flats or a home has the next free number of the street at its gate."""
        number = next_free(filled.street, int(filled.number or 1), self._taken)
        footprint.street, footprint.number = filled.street, str(number)

    def _facility_name(self, ground: str) -> str:
        place = self._plan.name if self._chinese else self._plan.name_en
        stem = place.removesuffix("社区").removesuffix(" Community")
        return str(self._scenario.table["facilities"].get(ground, "{place}")).format(place=stem)
