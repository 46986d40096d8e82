# SPDX-License-Identifier: Apache-2.0
"""Names and numbers on the ground of one community: compounds, buildings, alleys, schools."""

from __future__ import annotations

from collections.abc import Sequence

from muster.drill.city.draws import Draws
from muster.drill.city.footprints import Filled, Footprint
from muster.drill.city.fronts import number_shops
from muster.drill.city.place_names import DIGITS_ZH
from muster.drill.city.plan import CommunityPlan
from muster.drill.city.scenario import BlockKind, Scenario
from muster.drill.city.village import name_alleys

POOL = {
    "estate": "estate",
    "work_unit": "work_unit",
    "villas": "villas",
    "campus": "campus",
    "village": "village",
}
SUFFIX = {"slab": "号楼", "walk_up": "号楼", "tower": "号楼", "villa": "栋", "dormitory": "号宿舍楼"}


def name_site(
    sites: Sequence[Filled], kinds: Sequence[BlockKind], scenario: Scenario, plan: CommunityPlan, draws: Draws
) -> None:
    """Give every compound and building of the community its name and number."""
    pools = scenario.name_pools["places"]
    used: set[str] = set()
    shops: dict[tuple[str, int], int] = {}
    for place, (filled, kind) in enumerate(zip(sites, kinds, strict=True)):
        if kind.compound:
            filled.name = _compound_name(pools[POOL[kind.compound]], kind, plan, place, used, draws)
            _number_buildings([f for f in filled.footprints if f.kind != "shop_house"])
        if kind.filler == "village":
            start = draws.below(len(pools["alley"]))
            name_alleys(filled, [*pools["alley"][start:], *pools["alley"][:start]])
        if kind.ground:
            filled.name = _facility_name(kind.ground, scenario, plan)
        number_shops(filled, shops)


def _compound_name(
    pool: Sequence[str], kind: BlockKind, plan: CommunityPlan, place: int, used: set[str], draws: Draws
) -> str:
    if kind.compound == "village":  # one village, whatever the number of its blocks
        name = pool[plan.index % len(pool)]
        used.add(name)
        return name
    stem = pool[draws.below(len(pool))]
    while stem in used:
        turn = 1 + sum(n.startswith(stem) for n in used)
        if f"{stem}{DIGITS_ZH[turn % 10]}期" not in used:
            stem = f"{stem}{DIGITS_ZH[turn % 10]}期"
            break
        stem = pool[draws.below(len(pool))]
    used.add(stem)
    return stem


def _number_buildings(footprints: Sequence[Footprint]) -> None:
    """Number the buildings as they were laid: row by row from the south, west to east."""
    for number, footprint in enumerate(footprints, 1):
        if footprint.kind in SUFFIX:
            footprint.number = f"{number}{SUFFIX[footprint.kind]}"


def _facility_name(ground: str, scenario: Scenario, plan: CommunityPlan) -> str:
    stem = plan.name.removesuffix("社区").removesuffix(" Community")
    form = scenario.table["facilities"].get(ground, "{place}")
    return str(form).format(place=stem, number=DIGITS_ZH[plan.index % 10])
