# SPDX-License-Identifier: Apache-2.0
"""The site plan of one community: what stands on each of its blocks, with floors set to the homes wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import shapely

from muster.drill.city.draws import Draws
from muster.drill.city.footprints import Filled, Footprint
from muster.drill.city.fronts import fill_old_street, fill_open
from muster.drill.city.lattice import Block
from muster.drill.city.rows import fill_rows
from muster.drill.city.scenario import BlockKind, Scenario
from muster.drill.city.village import fill_village

PLOTS = 0.94  # houses of the middle size per piece of village ground
FLEXIBLE = {"tower", "slab", "walk_up", "dormitory"}


def plan_site(
    scenario: Scenario, blocks: Sequence[Block], kinds: Sequence[BlockKind], people: int, draws: Draws
) -> list[Filled]:
    """Fill the blocks so that `people` find homes; what one block cannot hold goes to those after it."""
    weights = [
        kind.share * shapely.Polygon(block.ring).area for block, kind in zip(blocks, kinds, strict=True)
    ]
    per_home: Mapping[str, float] = scenario.table["homes"]["person_per_home"]
    vacant: Mapping[str, float] = scenario.table["homes"]["vacant"]
    # Blocks whose height is free come last, so that they can take what is left over.
    order = sorted(range(len(blocks)), key=lambda k: (_rigidity(kinds[k]), k))
    left, weight_left = float(people), sum(weights)
    sites: dict[int, Filled] = {}
    for k in order:
        wanted = left * weights[k] / weight_left if weight_left > 0 else 0.0
        filled = fill_block(blocks[k], kinds[k], wanted, per_home, vacant, draws)
        if blocks[k].blocked is not None:
            _clear(filled)
        if weights[k] > 0 and filled.footprints:
            _fit(filled, kinds[k], wanted, per_home, vacant, draws)
            left -= housed(filled.footprints, per_home, vacant)
        weight_left -= weights[k]
        sites[k] = filled
    if left > 0.01 * people:
        _raise(list(sites.values()), left, per_home, vacant)
    return [sites[k] for k in range(len(blocks))]


def fill_block(
    block: Block,
    kind: BlockKind,
    wanted: float,
    per_home: Mapping[str, float],
    vacant: Mapping[str, float],
    draws: Draws,
) -> Filled:
    if kind.filler == "rows":
        return fill_rows(block, kind, draws)
    if kind.filler == "village":
        homes = sum(kind.floors) / 2 * sum(kind.rooms) / 2
        people = homes * per_home["self_built"] * (1 - vacant["self_built"])
        return fill_village(block, kind, wanted, people * PLOTS / (sum(kind.house_m2) / 2), draws)
    if kind.filler == "old_street":
        return fill_old_street(block, kind, draws)
    assert kind.filler == "open", kind.filler
    return fill_open(block, kind, draws)


def _clear(filled: Filled) -> None:
    """Take away what stands on ground that must stay free."""
    blocked = filled.block.blocked
    shapely.prepare(blocked)
    filled.keep([not blocked.intersects(shapely.Polygon(f.corners)) for f in filled.footprints])
    if filled.hall is not None and blocked.intersects(shapely.Polygon(filled.hall)):
        filled.hall = None


def _rigidity(kind: BlockKind) -> int:
    return {"open": 0, "village": 1, "old_street": 2}.get(kind.filler, 4 if kind.building == "tower" else 3)


def housed(
    footprints: Sequence[Footprint], per_home: Mapping[str, float], vacant: Mapping[str, float]
) -> float:
    """How many people live in these buildings when the usual share of homes is empty."""
    return sum(f.doors * per_home[f.kind] * (1 - vacant[f.kind]) for f in footprints)


def _fit(
    filled: Filled,
    kind: BlockKind,
    wanted: float,
    per_home: Mapping[str, float],
    vacant: Mapping[str, float],
    draws: Draws,
) -> None:
    """Set floors, or leave plots free, until the block houses about `wanted` people."""
    low, high = kind.floors
    flexible = [f for f in filled.footprints if f.kind in FLEXIBLE]
    if flexible:
        fixed = housed([f for f in filled.footprints if f.kind not in FLEXIBLE], per_home, vacant)
        one = sum(f.units * f.per_floor * per_home[f.kind] * (1 - vacant[f.kind]) for f in flexible)
        mean = (wanted - fixed) / one if one else 0.0
        spread = 0.22 if kind.building == "tower" else 0.12
        for f in flexible:
            f.floors = round(min(high, max(low, mean * draws.within(1 - spread, 1 + spread))))
    else:
        for f in filled.footprints:
            if f.kind == kind.building:
                f.floors = draws.between(low, high)
    if kind.filler != "village" or housed(filled.footprints, per_home, vacant) > 1.25 * wanted:
        _leave_free(filled, kind, wanted, per_home, vacant, draws)


def _leave_free(
    filled: Filled,
    kind: BlockKind,
    wanted: float,
    per_home: Mapping[str, float],
    vacant: Mapping[str, float],
    draws: Draws,
) -> None:
    """Take buildings away while the block houses too many: all over it, or from one end on."""
    excess = housed(filled.footprints, per_home, vacant) - wanted
    if excess <= 0:
        return
    x, y = draws.within(-1, 1), draws.within(-1, 1)
    places = range(len(filled.footprints))
    order = (
        draws.shuffled(places)
        if kind.thin
        else sorted(places, key=lambda k: _towards(filled.footprints[k], x, y))
    )
    gone = set()
    for k in order:
        footprint = filled.footprints[k]
        size = footprint.doors * per_home[footprint.kind] * (1 - vacant[footprint.kind])
        if size <= excess:
            gone.add(k)
            excess -= size
    filled.keep([k not in gone for k in places])


def _towards(footprint: Footprint, x: float, y: float) -> float:
    return footprint.corners[0][0] * x + footprint.corners[0][1] * y


def _raise(
    sites: Sequence[Filled], left: float, per_home: Mapping[str, float], vacant: Mapping[str, float]
) -> None:
    """Add floors where that is possible, the highest buildings first, until nobody is left over."""
    flexible = [f for filled in sites for f in filled.footprints if f.kind in FLEXIBLE]
    flexible.sort(key=lambda f: (-f.floors, f.corners[0]))
    for _ in range(8):
        for f in flexible:
            if left <= 0:
                return
            f.floors += 1
            left -= f.units * f.per_floor * per_home[f.kind] * (1 - vacant[f.kind])
