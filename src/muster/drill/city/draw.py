# SPDX-License-Identifier: Apache-2.0
"""Draw a city as SVG, for people who want to look at it: `draw(city, width=1600)`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from muster.drill.city.model import Building, City, Line, Point, Road
from muster.drill.city.plane import Plane

PAPER, CASING = "#f3f1ec", "#cfcabf"
ROADS = {  # width in metres, colour
    "motorway": (30, "#f4c27a"),
    "trunk": (30, "#f6cf8f"),
    "primary": (30, "#fbdfa6"),
    "secondary": (20, "#fdf1c9"),
    "tertiary": (13, "#ffffff"),
    "residential": (8, "#ffffff"),
    "unclassified": (8, "#ffffff"),
    "living_street": (5, "#ffffff"),
    "service": (4, "#ffffff"),
    "alley": (1.8, "#ffffff"),
    "footway": (2, "#ffffff"),
}
BUILDINGS = {
    "terrace": "#c79a86",
    "semi": "#cdb091",
    "detached": "#c8b98a",
    "tower": "#b9a6c9",
    "slab": "#d8bfae",
    "walk_up": "#c9b59a",
    "self_built": "#d99f7c",
    "shop_house": "#c98f86",
    "dormitory": "#a3b5c9",
    "villa": "#c8b98a",
    "care_home": "#b07cc0",
    "flats": "#b9a6c9",
    "caravan": "#8fb0b8",
}
GROUNDS = {
    "church": "#dcdccf",
    "garden": "#d6e5c6",
    "shelter": "#dfe7ef",
    "water": "#a9cfe4",
    "park": "#c5dfb2",
    "sports": "#cfe3c0",
    "school": "#efe3c2",
    "market": "#eed7d3",
    "clinic": "#f3d5da",
    "square": "#e9e4da",
    "flood_high": "#bcd9f2",
    "flood_low": "#dcebf7",
    "field": "#d9dfb8",
    "green": "#cfe3bd",
    "hall": "#b9c4ae",
    "track": "#d9b8a0",
    "meadow": "#dbe8c4",
    "rail_yard": "#dddddd",
}
HARD = {"wall": ("#8a7a66", 1.2), "rail": ("#666666", 4.0), "river": ("#7fb2d1", 1.0)}
ORDER = (
    "alley",
    "footway",
    "service",
    "living_street",
    "residential",
    "unclassified",
    "tertiary",
    "secondary",
)


class _Sheet:
    """Turns degrees into places on the paper."""

    def __init__(self, points: Iterable[Point], plane: Plane, width: int) -> None:
        metres = [plane.metres(*p) for p in points]
        self._plane = plane
        self._west, self._east = min(x for x, _ in metres) - 25, max(x for x, _ in metres) + 25
        self._south, self._north = min(y for _, y in metres) - 25, max(y for _, y in metres) + 25
        self.scale = width / (self._east - self._west)
        self.width, self.height = width, round((self._north - self._south) * self.scale)

    def at(self, points: Line) -> str:
        placed = []
        for lon, lat in points:
            x, y = self._plane.metres(lon, lat)
            placed.append(f"{(x - self._west) * self.scale:.1f},{(self._north - y) * self.scale:.1f}")
        return " ".join(placed)

    def spot(self, lon: float, lat: float) -> tuple[float, float]:
        x, y = self._plane.metres(lon, lat)
        return (x - self._west) * self.scale, (self._north - y) * self.scale


def draw(city: City, *, plane: Plane, width: int = 1600, within: Sequence[Point] | None = None) -> str:
    """An SVG of the city, or of the ground between two corners (lon, lat)."""
    ground = within or [p for road in (*city.streets, *city.roads) for p in road.points]
    sheet = _Sheet(ground, plane, width)
    size = f'width="{sheet.width}" height="{sheet.height}" viewBox="0 0 {sheet.width} {sheet.height}"'
    font = 'font-family="Noto Sans CJK SC, sans-serif"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>',
        f'<rect width="100%" height="100%" fill="{PAPER}"/>',
    ]
    parts += [
        f'<polygon points="{sheet.at(g.ring)}" fill="{GROUNDS.get(g.kind, "#e5e5e5")}"/>'
        for g in city.grounds
    ]
    parts += [f'<polygon points="{sheet.at(c.polygon)}" fill="#ece7dd"/>' for c in city.compounds]
    parts += _roads(city.roads, sheet)
    parts += [_building(b, sheet) for b in city.buildings]
    parts += [
        f'<polygon points="{sheet.at(f.polygon)}" fill="#9fb79a" stroke="#5f7f62" stroke-width="0.6"/>'
        for f in city.facilities
    ]
    for line in city.hard_lines:
        colour, wide = HARD[line.kind]
        dash = ' stroke-dasharray="10 7"' if line.kind == "rail" else ""
        parts.append(
            f'<polyline points="{sheet.at(line.points)}" fill="none" stroke="{colour}" '
            f'stroke-width="{max(0.8, wide * sheet.scale):.1f}"{dash}/>'
        )
    parts += _gates_and_names(city, sheet)
    parts.append("</svg>")
    return "\n".join(parts)


def _roads(roads: Sequence[Road], sheet: _Sheet) -> list[str]:
    def rank(road: Road) -> int:
        return ORDER.index(road.klass) if road.klass in ORDER else len(ORDER)

    ordered = sorted(roads, key=rank)
    parts = []
    for extra in (2.0, 0.0):  # first the edges of all, then their middles
        for road in ordered:
            wide, colour = ROADS.get(road.klass, (4, "#ffffff"))
            stroke = max(0.6, wide * sheet.scale) + extra
            paint = CASING if extra else colour
            parts.append(
                f'<polyline points="{sheet.at(road.points)}" fill="none" stroke="{paint}" '
                f'stroke-width="{stroke:.1f}" stroke-linecap="round" stroke-linejoin="round"/>'
            )
    return parts


def _building(building: Building, sheet: _Sheet) -> str:
    colour = BUILDINGS.get(building.kind, "#cbbba8")
    edge = 'stroke="#8d7f70" stroke-width="0.5"'
    return f'<polygon points="{sheet.at(building.polygon)}" fill="{colour}" {edge}/>'


def _gates_and_names(city: City, sheet: _Sheet) -> list[str]:
    parts = []
    for compound in city.compounds:
        for gate in compound.gates:
            x, y = sheet.spot(gate.lon, gate.lat)
            colour = "#c2303a" if gate.kind == "vehicle" else "#0f766e"
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')
        parts.append(_label(compound.polygon, compound.name, sheet, "#5b4d3f"))
    parts += [_label(f.polygon, f.name or f.kind, sheet, "#38683a") for f in city.facilities]
    for area in city.communities:
        for ring in area.area.rings:
            parts.append(
                f'<polygon points="{sheet.at(ring)}" fill="none" stroke="#6b3fa0" stroke-width="1.4" '
                f'stroke-dasharray="6 4" opacity="0.6"/>'
            )
    return parts


def _label(ring: Line, text: str, sheet: _Sheet, colour: str) -> str:
    xs, ys = zip(*(sheet.spot(*p) for p in ring), strict=True)
    x, y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="11" text-anchor="middle" fill="{colour}" '
        f'stroke="#fff" stroke-width="2.5" paint-order="stroke">{escape(text)}</text>'
    )
