# SPDX-License-Identifier: Apache-2.0
"""Checks of a city's ground, apart from the layout: overlaps, buildings on streets, loose ways."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import shapely

from muster.drill.city.model import Building, Point, Road

METRE = 1 / 111_319.49  # in degrees of latitude


def overlapping_buildings(buildings: Sequence[Building]) -> list[tuple[str, str]]:
    """Pairs of buildings that share ground."""
    shapes = [shapely.Polygon(b.polygon) for b in buildings]
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    least = (0.1 * METRE) ** 2
    return [
        (buildings[i].key, buildings[j].key)
        for i, j in zip(first.tolist(), second.tolist(), strict=True)
        if i < j and shapes[i].intersection(shapes[j]).area > least
    ]


def buildings_on_streets(
    buildings: Sequence[Building], roads: Iterable[Road], half_widths: Mapping[str, float]
) -> list[tuple[str, str]]:
    """Buildings that stand on the carriageway of a street, whose half width in metres its class tells."""
    corridors: list[Any] = []
    names: list[str] = []
    squeeze = math.cos(math.radians(buildings[0].lat))  # degrees of longitude are shorter
    for road in roads:
        if road.klass in half_widths:
            line = shapely.LineString([(lon * squeeze, lat) for lon, lat in road.points])
            corridors.append(line.buffer(half_widths[road.klass] * METRE, quad_segs=2))
            names.append(road.name or road.klass)
    tree = shapely.STRtree(corridors)
    found = []
    for building in buildings:
        shape = shapely.Polygon([(lon * squeeze, lat) for lon, lat in building.polygon])
        found += [(building.key, names[int(k)]) for k in tree.query(shape, predicate="intersects")]
    return found


def loose_ways(roads: Sequence[Road]) -> list[Road]:
    """Ways that cannot be reached from the largest connected part along shared vertices."""
    parent: dict[Point, Point] = {}

    def root(point: Point) -> Point:
        parent.setdefault(point, point)
        while parent[point] != point:
            parent[point] = parent[parent[point]]
            point = parent[point]
        return point

    for road in roads:
        for a, b in itertools.pairwise(road.points):
            parent[root(a)] = root(b)
    sizes: dict[Point, int] = {}
    for road in roads:
        sizes[root(road.points[0])] = sizes.get(root(road.points[0]), 0) + len(road.points)
    largest = max(sizes, key=lambda r: sizes[r])
    return [road for road in roads if root(road.points[0]) != largest]
