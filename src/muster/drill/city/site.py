# SPDX-License-Identifier: Apache-2.0
"""The site plan of one community: what stands on each of its blocks, with floors set to the homes wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import shapely

from muster.drill.city.draws import Draws
from muster.drill.city.footprints import Filled, Footprint
from muster.drill.city.fronts import fill_old_street, fill_open
from muster.drill.city.houses import fill_houses
from muster.drill.city.lattice import Block
from muster.drill.city.rows import fill_rows
from muster.drill.city.scenario import BlockKind, Scenario
from muster.drill.city.village import fill_village

PLOTS = 0.94  # houses of the middle size per piece of village ground
FLEXIBLE = {"tower": 34, "slab": 11, "walk_up": 8, "dormitory": 10, "flats": 6}  # and how high they may go
RIGID = {"open": 0, "village": 1, "old_street": 2, "houses": 3}  # fillers, the least flexible first


class SitePlanner:
    """Fills the blocks of a community so that its people find homes."""

    def __init__(self, scenario: Scenario, draws: Draws) -> None:
        homes = scenario.table["homes"]
        per_home: Mapping[str, float] = homes["person_per_home"]
        self._people_per_home: dict[str, float] = {
            kind: many * (1 - homes["vacant"][kind]) for kind, many in per_home.items()
        }
        self._draws = draws

    def plan(self, blocks: Sequence[Block], kinds: Sequence[BlockKind], people: int) -> list[Filled]:
        """What one block cannot hold goes to those after it; those whose height is free come last."""
        weights = [k.share * shapely.Polygon(b.ring).area for b, k in zip(blocks, kinds, strict=True)]
        left, weight_left = float(people), sum(weights)
        sites: dict[int, Filled] = {}
        for place in sorted(range(len(blocks)), key=lambda p: (_rigidity(kinds[p]), p)):
            wanted = left * weights[place] / weight_left if weight_left > 0 else 0.0
            filled = self._fill(blocks[place], kinds[place], wanted)
            if weights[place] > 0 and filled.footprints:
                self._fit(filled, kinds[place], wanted)
                left -= self.housed(filled.footprints)
            weight_left -= weights[place]
            sites[place] = filled
        if left > 0.01 * people:
            self._raise([f for filled in sites.values() for f in filled.footprints], left)
        return [sites[place] for place in range(len(blocks))]

    def housed(self, footprints: Iterable[Footprint]) -> float:
        """How many people live in these buildings when the usual share of homes is empty."""
        return sum(f.doors * self._people_per_home[f.kind] for f in footprints)

    def _fill(self, block: Block, kind: BlockKind, wanted: float) -> Filled:
        if kind.filler == "rows":
            filled = fill_rows(block, kind, self._draws)
        elif kind.filler == "houses":
            filled = fill_houses(block, kind, self._draws)
        elif kind.filler == "village":
            homes = sum(kind.floors) / 2 * sum(kind.rooms) / 2
            people = homes * self._people_per_home["self_built"] * PLOTS / (sum(kind.house_m2) / 2)
            filled = fill_village(block, kind, wanted / people, self._draws)
        elif kind.filler == "old_street":
            filled = fill_old_street(block, kind, self._draws)
        else:
            assert kind.filler == "open", kind.filler
            filled = fill_open(block, kind, self._draws)
        if block.blocked is not None:
            _clear(filled)
        return filled

    def _fit(self, filled: Filled, kind: BlockKind, wanted: float) -> None:
        """Set floors, or leave plots free, until the block houses about `wanted` people."""
        low, high = kind.floors
        flexible = [f for f in filled.footprints if f.kind in FLEXIBLE]
        if flexible:
            fixed = self.housed(f for f in filled.footprints if f.kind not in FLEXIBLE)
            one_floor = sum(f.units * f.per_floor * self._people_per_home[f.kind] for f in flexible)
            mean = (wanted - fixed) / one_floor if one_floor else 0.0
            spread = 0.22 if kind.building == "tower" else 0.12
            for f in flexible:
                f.floors = round(min(high, max(low, mean * self._draws.within(1 - spread, 1 + spread))))
        else:
            for f in filled.footprints:
                if f.kind == kind.building:
                    f.floors = self._draws.between(low, high)
        if kind.filler != "village" or self.housed(filled.footprints) > 1.25 * wanted:
            self._leave_free(filled, kind, wanted)

    def _leave_free(self, filled: Filled, kind: BlockKind, wanted: float) -> None:
        """Take buildings away while the block houses too many: all over it, or from one end on."""
        excess = self.housed(filled.footprints) - wanted
        if excess <= 0:
            return
        x, y = self._draws.within(-1, 1), self._draws.within(-1, 1)
        places = range(len(filled.footprints))
        corners = [f.corners[0] for f in filled.footprints]
        by_side = sorted(places, key=lambda k: corners[k][0] * x + corners[k][1] * y)
        gone = set()
        for k in self._draws.shuffled(places) if kind.thin else by_side:
            size = self.housed([filled.footprints[k]])
            if size <= excess:
                gone.add(k)
                excess -= size
        filled.keep([k not in gone for k in places])

    def _raise(self, footprints: Sequence[Footprint], left: float) -> None:
        """Add floors where that is possible, the highest buildings first, until nobody is left over."""
        flexible = [f for f in footprints if f.kind in FLEXIBLE]
        flexible.sort(key=lambda f: (-f.floors, f.corners[0]))
        for _ in range(max(FLEXIBLE.values())):
            for f in flexible:
                if left <= 0:
                    return
                if f.floors < FLEXIBLE[f.kind]:
                    f.floors += 1
                    left -= f.units * f.per_floor * self._people_per_home[f.kind]


def _rigidity(kind: BlockKind) -> int:
    return RIGID.get(kind.filler, 5 if kind.building == "tower" else 4)


def _clear(filled: Filled) -> None:
    """Take away what stands on ground that must stay free."""
    blocked = filled.block.blocked
    shapely.prepare(blocked)
    filled.keep([not blocked.intersects(shapely.Polygon(f.corners)) for f in filled.footprints])
    filled.halls = [hall for hall in filled.halls if not blocked.intersects(shapely.Polygon(hall))]
