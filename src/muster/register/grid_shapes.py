# SPDX-License-Identifier: Apache-2.0
"""The outline of grids for the map: each building's own cell, joined by grid, cut at the community's
border.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry import MultiPoint, Point, mapping, shape

from muster.places.models import Building

MARGIN_DEGREES = 0.0008
TIDY_DEGREES = 0.00002


@dataclass(frozen=True, slots=True)
class Shape:
    geometry: dict[str, Any] | None
    lon: float | None
    lat: float | None


class Shapes:
    """Outlines by key of the small grid."""

    def __init__(self, by_key: dict[str, Any]) -> None:
        self.by_key = by_key

    def merged(self, keys: Sequence[str]) -> Shape:
        parts = [self.by_key[k] for k in keys if k in self.by_key]
        if not parts:
            return Shape(None, None, None)
        joined = shapely.union_all(parts).buffer(TIDY_DEGREES).buffer(-TIDY_DEGREES)
        centre = joined.representative_point()
        return Shape(_rounded(mapping(joined)), round(centre.x, 6), round(centre.y, 6))


def grid_shapes(rows: Sequence[Building], keys: Sequence[str]) -> Shapes:
    """rows and keys side by side: the building and its small grid."""
    by_area: dict[int, list[int]] = defaultdict(list)
    for position, building in enumerate(rows):
        by_area[building.area_id].append(position)
    cells: dict[str, list[Any]] = defaultdict(list)
    for positions in by_area.values():
        border = _border(rows[positions[0]], [rows[p] for p in positions])
        for position, cell in zip(positions, _cells([rows[p] for p in positions], border), strict=True):
            cells[keys[position]].append(cell)
    return Shapes({key: shapely.union_all(parts) for key, parts in cells.items()})


def _border(building: Building, inside: Sequence[Building]) -> Any:
    drawn = building.area.geometry
    if drawn:
        outline = shape(drawn)
        if outline.is_valid and not outline.is_empty:
            return outline
    return MultiPoint([(b.lon, b.lat) for b in inside]).convex_hull.buffer(MARGIN_DEGREES)


def _cells(inside: Sequence[Building], border: Any) -> list[Any]:
    points = [Point(b.lon, b.lat) for b in inside]
    if len(points) == 1:
        return [border]
    tree = shapely.STRtree(points)
    answer: list[Any] = [point.buffer(MARGIN_DEGREES / 8) for point in points]
    for cell in shapely.voronoi_polygons(MultiPoint(points), extend_to=border).geoms:
        for hit in tree.query(cell, predicate="contains"):
            cut = cell.intersection(border)
            if not cut.is_empty:
                answer[int(hit)] = cut
    return answer


def _rounded(geometry: Any) -> dict[str, Any]:
    def cut(value: Any) -> Any:
        return round(value, 6) if isinstance(value, float) else [cut(v) for v in value]

    return {"type": geometry["type"], "coordinates": cut(geometry["coordinates"])}
