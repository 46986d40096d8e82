# SPDX-License-Identifier: Apache-2.0
"""The city generator: a pure function of (scenario, people, seed) to a city, its list and its truth."""

from muster.drill.city.day import Day, load_day
from muster.drill.city.generate import generate, generate_communities, generate_community, plan_city
from muster.drill.city.roads import RoadNetwork, read_roads, read_township_names

__all__ = [
    "Day",
    "RoadNetwork",
    "generate",
    "generate_communities",
    "generate_community",
    "load_day",
    "plan_city",
    "read_roads",
    "read_township_names",
]
