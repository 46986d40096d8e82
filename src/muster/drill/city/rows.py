# SPDX-License-Identifier: Apache-2.0
"""Fill a block with rows of buildings that face south, a spine lane and a lane behind every row.

A row is a level strip of the block in its own frame; the spine runs through all rows from the main gate.
"""

from __future__ import annotations

from dataclasses import dataclass

from muster.drill.city.draws import Draws
from muster.drill.city.footprints import (
    Filled,
    Footprint,
    GateDraft,
    Lane,
    frame_angle,
    turn_back,
    turned_front,
    wall_lines,
)
from muster.drill.city.lattice import Block, Front
from muster.drill.city.model import Point
from muster.drill.city.plane import spans_at, spans_between, turned
from muster.drill.city.scenario import BlockKind

SPINE = 8.0  # metres kept free for the spine
WALL_GAP = 4.0  # between wall and building
LANE_BEHIND = 4.0  # from the back of a row to its lane
GATE_WIDTH = 7.0


@dataclass(frozen=True, slots=True)
class _Spine:
    x: float
    low: float
    high: float
    main: Front | None
    main_is_low: bool = True
    other: Front | None = None


def fill_rows(block: Block, kind: BlockKind, draws: Draws) -> Filled:
    """Lay rows of buildings into a block. Floors are set later, when the homes wanted are known."""
    angle = frame_angle(block.ring)
    ring = turned(block.ring, -angle)
    fronts = [turned_front(f, -angle) for f in block.fronts]
    filled = Filled(block, kind.name)
    spine = _spine(ring, fronts, draws)
    if spine is None:
        return filled
    lane_levels: list[tuple[float, float, float]] = []
    for base in _row_bases(ring, kind):
        placed = _fill_row(ring, base, kind, spine, draws)
        if placed:
            footprints, lane = placed
            filled.footprints += footprints
            lane_levels.append((base + kind.depth_m + LANE_BEHIND, lane[0], lane[1]))
            filled.lanes.append(_row_lane(base, kind, footprints, lane, spine))
    if not filled.footprints:
        return filled
    _open_gates(filled, ring, spine, [level for level, _, _ in lane_levels], kind)
    turn_back(filled, angle)
    if kind.walled:
        filled.walls = wall_lines(block, [g.point for g in filled.gates], GATE_WIDTH)
    return filled


def _spine(ring: list[Point], fronts: list[Front], draws: Draws) -> _Spine | None:
    """The free strip through the rows: at a street vertex near the middle, so that its gate opens there."""
    xs, ys = [p[0] for p in ring], [p[1] for p in ring]
    low_x, wide = min(xs), max(xs) - min(xs)
    low_y, high_y = min(ys), max(ys)
    middle_y = (low_y + high_y) / 2
    inner = [f for f in fronts if 0.22 < (f.x - low_x) / wide < 0.78]
    below = [f for f in inner if f.y < middle_y and _touch(ring, f.x, low=True) is not None]
    above = [f for f in inner if f.y >= middle_y and _touch(ring, f.x, low=False) is not None]
    choices = below if below and (not above or draws.chance(0.6)) else above
    if not choices:
        choices = below
    if not choices:
        x = low_x + wide * draws.within(0.4, 0.6)
        low, high = _touch(ring, x, low=True), _touch(ring, x, low=False)
        nearest = min(fronts, key=lambda f: (f.x - x) ** 2 + (f.y - low_y) ** 2, default=None)
        return None if low is None or high is None else _Spine(x, low, high, nearest)
    middle_x = low_x + wide / 2
    main = min(choices, key=lambda f: abs(f.x - middle_x) + draws.within(0, wide * 0.3))
    low, high = _touch(ring, main.x, low=True), _touch(ring, main.x, low=False)
    if low is None or high is None:
        return None
    others = [f for f in (above if main in below else below) if abs(f.x - main.x) < 16]
    other = min(others, key=lambda f: abs(f.x - main.x), default=None)
    return _Spine(main.x, low, high, main, main_is_low=main in below, other=other)


def _touch(ring: list[Point], x: float, *, low: bool) -> float | None:
    """Where the upright line at x enters the ring (low) or leaves it."""
    spans = spans_at([(py, px) for px, py in ring], x)
    if not spans:
        return None
    return spans[0][0] if low else spans[-1][1]


def _row_bases(ring: list[Point], kind: BlockKind) -> list[float]:
    ys = [p[1] for p in ring]
    low, high = min(ys) + WALL_GAP + 1, max(ys) - WALL_GAP - LANE_BEHIND
    room = high - low - kind.depth_m
    if room < 0:
        return []
    pace = kind.depth_m + kind.gap_m
    count = int(room / pace) + 1
    spread = pace + (room - (count - 1) * pace) / count * 0.8
    return [low + k * spread for k in range(count)]


def _fill_row(
    ring: list[Point], base: float, kind: BlockKind, spine: _Spine, draws: Draws
) -> tuple[list[Footprint], tuple[float, float]] | None:
    top = base + kind.depth_m
    spans = spans_between(ring, base - 1, top + LANE_BEHIND + 1, 4)
    home = [s for s in spans if s[0] < spine.x < s[1]]
    if not home:
        return None
    left, right = home[0][0] + WALL_GAP, home[0][1] - WALL_GAP
    footprints = []
    for low, high in ((left, spine.x - SPINE / 2), (spine.x + SPINE / 2, right)):
        for start, units in _pack(low, high, kind, draws):
            end = start + units * kind.unit_m
            corners = [(start, base), (end, base), (end, top), (start, top)]
            access = ((start + end) / 2, top + LANE_BEHIND)
            footprints.append(
                Footprint(corners, access, units, kind.building, per_floor=kind.flats, whole=kind.whole)
            )
    if not footprints:
        return None
    return footprints, (min(f.access[0] for f in footprints), max(f.access[0] for f in footprints))


def _pack(low: float, high: float, kind: BlockKind, draws: Draws) -> list[tuple[float, int]]:
    """Buildings from left to right: how long each is, and where it starts."""
    lengths: list[int] = []
    left = high - low
    while left >= kind.unit_m * kind.units[0]:
        most = min(kind.units[1], int(left / kind.unit_m))
        units = most if draws.chance(0.55) else draws.between(kind.units[0], most)
        lengths.append(units)
        left -= units * kind.unit_m + kind.side_m
    if not lengths:
        return []
    left += kind.side_m
    start = low
    pause = kind.side_m + left / len(lengths)
    placed = []
    for units in lengths:
        placed.append((start, units))
        start += units * kind.unit_m + pause
    return placed


def _row_lane(
    base: float, kind: BlockKind, footprints: list[Footprint], ends: tuple[float, float], spine: _Spine
) -> Lane:
    level = base + kind.depth_m + LANE_BEHIND
    xs = {round(f.access[0], 3) for f in footprints} | {round(e, 3) for e in ends} | {spine.x}
    return Lane("service", [(x, level) for x in sorted(xs)])


def _open_gates(
    filled: Filled, ring: list[Point], spine: _Spine, levels: list[float], kind: BlockKind
) -> None:
    """Draw the spine, and open the gates at its ends."""
    start, end = min(levels), max(levels)
    points = [(spine.x, level) for level in sorted(set(levels))]
    main_y, other_y = (spine.low, spine.high) if spine.main_is_low else (spine.high, spine.low)
    if spine.main is not None:
        way = [(spine.main.x, spine.main.y), (spine.x, main_y)]
        filled.lanes.append(Lane("service", way + (points if spine.main_is_low else points[::-1])))
        filled.street, filled.number = spine.main.street, str(spine.main.number)
        filled.gates.append(GateDraft("vehicle", (spine.x, main_y), spine.main.street))
        filled.gates.append(GateDraft("pedestrian", (spine.x + 5.5, main_y), spine.main.street))
    else:
        filled.lanes.append(Lane("service", points))
    if spine.other is not None and kind.walled and end - start > 60:
        last = points[-1] if spine.main_is_low else points[0]
        way = [last, (spine.x, other_y), (spine.other.x, spine.other.y)]
        filled.lanes.append(Lane("footway", way))
        filled.gates.append(GateDraft("pedestrian", (spine.x, other_y), spine.other.street))
