# SPDX-License-Identifier: Apache-2.0
"""Make a city: whole, or one community after another with bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from muster.drill.city.community import CommunityMaker
from muster.drill.city.lattice import Lattice
from muster.drill.city.model import City, Community
from muster.drill.city.plan import CityPlan, community_sizes, plan_areas
from muster.drill.city.real_streets import RealGrounds
from muster.drill.city.roads import RoadNetwork
from muster.drill.city.scenario import Scenario, load_scenario
from muster.drill.city.strips import streets_and_strips, strip_grounds


def plan_city(
    scenario: str | Scenario,
    *,
    people: int,
    seed: int,
    roads: RoadNetwork | None = None,
    township_names: Sequence[str] | None = None,
) -> CityPlan:
    """The plan of a city: areas, streets and the sizes of its communities, but nobody in it yet."""
    chosen = load_scenario(scenario) if isinstance(scenario, str) else scenario
    sizes = community_sizes(chosen, people, seed)
    areas, communities = plan_areas(chosen, sizes, seed, township_names)
    common = (people, seed, tuple(areas), tuple(communities))
    if roads is not None:
        real = RealGrounds(roads, chosen.street_names, seed, sizes)
        return CityPlan(chosen, real.plane, *common, real, real.roads(), (), ())
    lattice = Lattice(chosen, seed)
    streets, lines = streets_and_strips(lattice, len(sizes))
    grounds = strip_grounds(lattice, len(sizes))
    return CityPlan(chosen, chosen.plane, *common, lattice, streets, lines, grounds)


def generate_communities(
    scenario: str | Scenario,
    *,
    people: int,
    seed: int,
    roads: RoadNetwork | None = None,
    township_names: Sequence[str] | None = None,
) -> Iterator[Community]:
    """The communities of a city, one at a time; nothing of the ones before is kept."""
    plan = plan_city(scenario, people=people, seed=seed, roads=roads, township_names=township_names)
    yield from communities_of(plan)


def communities_of(plan: CityPlan) -> Iterator[Community]:
    maker = CommunityMaker(plan)
    for community in plan.communities:
        yield maker.make(community.index)


def generate_community(plan: CityPlan, index: int) -> Community:
    """One community of a plan, the same as in the whole city."""
    return CommunityMaker(plan).make(index)


def generate(
    scenario: str | Scenario,
    *,
    people: int,
    seed: int,
    roads: RoadNetwork | None = None,
    township_names: Sequence[str] | None = None,
) -> City:
    """A whole city in memory. Same scenario, people, seed and roads give the same city, byte for byte."""
    plan = plan_city(scenario, people=people, seed=seed, roads=roads, township_names=township_names)
    communities = tuple(communities_of(plan))
    return City(
        scenario=plan.scenario.name,
        people=people,
        seed=seed,
        as_of=plan.scenario.as_of,
        areas=(*plan.areas, *(c.area for c in communities)),
        streets=plan.streets,
        outer_lines=plan.hard_lines,
        outer_grounds=plan.outer_grounds,
        communities=communities,
    )
