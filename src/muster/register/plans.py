# SPDX-License-Identifier: Apache-2.0
"""From rows to a districting problem and back: who lives where becomes arrays, a plan becomes a proposal.

The engine is imported only when a plan is asked for: web and intake boot without it.
"""

from __future__ import annotations

import math
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from muster.base.errors import Refusal
from muster.places.models import Area, Building, Gate, Grid, MapFeature
from muster.places.states import GridLevel, GridStatus
from muster.register.grid_shapes import grid_shapes
from muster.register.models import Need, Person

LEVELS = (GridLevel.SMALL, GridLevel.MEDIUM, GridLevel.LARGE)
DEFAULT_SIZES = {"small": 700, "medium": 2_500, "large": 9_000}
METRES_PER_DEGREE = 111_320.0


@dataclass(frozen=True, slots=True)
class ProposedGrid:
    """A grid of a proposal. key: the code of today's grid that it continues, or a new one."""

    key: str
    level: str
    parent: str | None
    name: str
    name_en: str
    people: int
    buildings: int
    geometry: dict[str, Any] | None = None
    lon: float | None = None
    lat: float | None = None


@dataclass(slots=True)
class Proposal:
    """A proposed division: its grids, each building's small grid, how even it is and could be.

    worst_ppm, bound_ppm: worst deviation of any grid from its target, and the least possible, in millionths.
    """

    grids: list[ProposedGrid]
    small_of: dict[uuid.UUID, str]
    walk: dict[uuid.UUID, int]
    worst_ppm: int
    bound_ppm: int
    moved_people: int
    reasons: list[dict[str, Any]] = field(default_factory=list)


def propose_division(
    area: Area,
    *,
    sizes: dict[str, int] | None = None,
    measure: str = "population",
    seed: int = 0,
    budget_s: float = 20.0,
    executor: Executor | None = None,
    progress: Callable[[Any], bool | None] | None = None,
    pinned: dict[uuid.UUID, str] | None = None,
) -> Proposal:
    """Divides an area into nested grids: whole buildings, borders kept, walls and rivers uncrossed.

    sizes: people (or work) per grid of each level.
    Raises:
        Refusal: "area_without_buildings", "division_size_bad".
    """
    from muster.planning import districting

    wanted = {**DEFAULT_SIZES, **(sizes or {})}
    if not 0 < wanted["small"] <= wanted["medium"] <= wanted["large"]:
        raise Refusal("division_size_bad", **wanted)
    rows = _buildings(area)
    if not rows:
        raise Refusal("area_without_buildings", area=area.name)
    problem, loads = _problem(area, rows, wanted, measure, pinned or {})
    plan = districting.solve(problem, budget_s=budget_s, seed=seed, executor=executor, progress=progress)
    proposal = _proposal(rows, loads, plan)
    proposal.walk = walking_orders(rows, proposal.small_of)
    proposal.reasons = [{"code": r.code, "facts": dict(r.facts)} for r in districting.explain(problem, plan)]
    return proposal


def redraw(area: Area, proposal: Proposal, measure: str) -> Proposal:
    """The same division after a person moved buildings: people, outlines and evenness anew."""
    rows = _buildings(area)
    people, work = _loads(rows)
    loads = people if measure == "population" else work
    parents = {g.key: g.parent for g in proposal.grids}
    inside: dict[str, list[int]] = defaultdict(list)
    for i, b in enumerate(rows):
        key: str | None = proposal.small_of.get(b.id)
        while key is not None:
            inside[key].append(i)
            key = parents.get(key)
    shapes = grid_shapes(rows, [proposal.small_of[b.id] for b in rows])
    grids = []
    for g in proposal.grids:
        shape = shapes.merged(sorted({proposal.small_of[rows[i].id] for i in inside[g.key]}))
        grids.append(
            ProposedGrid(
                g.key,
                g.level,
                g.parent,
                g.name,
                g.name_en,
                people=sum(loads[i] for i in inside[g.key]),
                buildings=len(inside[g.key]),
                geometry=shape.geometry,
                lon=shape.lon,
                lat=shape.lat,
            )
        )
    worst = max((_worst([g.people for g in grids if g.level == level]) for level in LEVELS), default=0)
    return Proposal(
        grids,
        proposal.small_of,
        walking_orders(rows, proposal.small_of),
        worst,
        proposal.bound_ppm,
        proposal.moved_people,
        proposal.reasons,
    )


def _worst(weights: Sequence[int]) -> int:
    """Worst deviation from the mean, in millionths."""
    mean = sum(weights) / len(weights) if weights else 0
    return round(max(abs(w - mean) for w in weights) / mean * 1_000_000) if mean else 0


def _buildings(area: Area) -> list[Building]:
    rows = Building.objects.filter(area__path__startswith=area.path, lon__isnull=False).select_related("area")
    return list(rows.order_by("area__code", "code"))


def _metres(rows: Sequence[Building]) -> tuple[Any, Any, Callable[[float, float], tuple[float, float]]]:
    """Positions in metres on a plane around the buildings; good to a metre over a city."""
    lon0, lat0 = float(rows[0].lon or 0), float(rows[0].lat or 0)
    stretch = METRES_PER_DEGREE * math.cos(math.radians(lat0))

    def plane(lon: float, lat: float) -> tuple[float, float]:
        return (lon - lon0) * stretch, (lat - lat0) * METRES_PER_DEGREE

    points = [plane(float(b.lon or 0), float(b.lat or 0)) for b in rows]
    return np.array([p[0] for p in points]), np.array([p[1] for p in points]), plane


def _loads(rows: Sequence[Building]) -> tuple[list[int], list[int]]:
    """People and work of each building; work counts a need as three more people."""
    ids = [b.id for b in rows]
    people: Counter[Any] = Counter()
    needs: Counter[Any] = Counter()
    living = Person.objects.across(reason="count").filter(left_at__isnull=True, lives_here=True)
    scope = {b.sub_district for b in rows}
    people.update(living.filter(sub_district__in=scope).values_list("dwelling__building_id", flat=True))
    open_needs = Need.objects.across(reason="count").filter(sub_district__in=scope, ended_at__isnull=True)
    needs.update(open_needs.values_list("person__dwelling__building_id", flat=True))
    return [people[i] for i in ids], [people[i] + 3 * needs[i] for i in ids]


def _problem(
    area: Area, rows: Sequence[Building], sizes: dict[str, int], measure: str, pinned: dict[uuid.UUID, str]
) -> tuple[Any, list[int]]:
    from muster.planning.districting import Level, Measure, Previous, Problem
    from muster.planning.districting.adjacency import Gate as WayThrough
    from muster.planning.districting.adjacency import Ground, HardLine, build_links

    x, y, plane = _metres(rows)
    communities = sorted({b.area_id for b in rows})
    compounds = sorted({str(b.compound_id) for b in rows if b.compound_id})
    community = np.array([communities.index(b.area_id) for b in rows], np.int32)
    place = {c: n for n, c in enumerate(compounds)}
    compound = np.array([place.get(str(b.compound_id), -1) for b in rows], np.int32)
    lines = []
    for f in MapFeature.objects.filter(kind__in=["river", "rail", "railway", "wall"], klass="hard"):
        points = [plane(*p) for p in f.geometry["coordinates"]]
        lines.append(HardLine(f.kind, np.array([p[0] for p in points]), np.array([p[1] for p in points])))
    gates = [
        WayThrough(*plane(g.lon, g.lat), place[str(g.compound_id)])
        for g in Gate.objects.filter(compound_id__in=[uuid.UUID(c) for c in compounds])
    ]
    links = build_links(Ground(x, y, community, compound, lines, gates))
    people, work = _loads(rows)
    loads = people if measure == "population" else work
    names = tuple(str(b.id) for b in rows)
    pin_names = tuple(sorted(set(pinned.values())))
    problem = Problem(
        names=names,
        population=np.array(people, np.int64),
        workload=np.array(work, np.int64),
        x_m=x,
        y_m=y,
        community=community,
        community_names=tuple(str(c) for c in communities),
        compound=compound,
        compound_names=tuple(compounds),
        links=links,
        levels=tuple(Level(level, size=min(sizes[level.lower()], max(1, sum(loads)))) for level in LEVELS),
        measure=Measure(measure),
        hard_lines=tuple(lines),
        divide_large_compounds=True,
        previous=_previous(area, rows, Previous),
        pinned=np.array([pin_names.index(pinned[b.id]) if b.id in pinned else -1 for b in rows], np.int32)
        if pinned
        else None,
        pin_names=pin_names,
    )
    return problem, loads


def _previous(area: Area, rows: Sequence[Building], make: Callable[..., Any]) -> tuple[Any, ...]:
    """Today's small grids, so that few households change theirs."""
    active = Grid.objects.filter(
        area__path__startswith=area.path, status=GridStatus.ACTIVE, level=GridLevel.SMALL
    )
    codes = dict(active.values_list("id", "code"))
    if not codes:
        return ()
    names = tuple(sorted(codes.values()))
    place = {code: n for n, code in enumerate(names)}
    return (make(names, np.array([place.get(codes.get(b.grid or 0, ""), -1) for b in rows], np.int32)),)


def _proposal(rows: Sequence[Building], loads: Sequence[int], plan: Any) -> Proposal:
    grids: list[ProposedGrid] = []
    keys: list[list[str]] = []
    numbers: Counter[tuple[str, str]] = Counter()
    moved = 0
    members_by_level: list[dict[str, list[int]]] = []
    for depth, level in enumerate(plan.levels):
        members: dict[int, list[int]] = defaultdict(list)
        for building, grid in enumerate(level.grid_of.tolist()):
            members[grid].append(building)
        named = {
            g: _key(level.grids[g], LEVELS[depth], [rows[i] for i in inside], numbers)
            for g, inside in sorted(members.items())
        }
        keys.append([named[g] for g in level.grid_of.tolist()])
        members_by_level.append({named[g]: inside for g, inside in members.items()})
    shapes = grid_shapes(rows, keys[0])
    for depth, groups in enumerate(members_by_level):
        for key, inside in groups.items():
            parent = keys[depth + 1][inside[0]] if depth + 1 < len(keys) else None
            names = _names(key, LEVELS[depth], [rows[i] for i in inside])
            below = sorted({keys[0][i] for i in inside})
            shape = shapes.merged(below)
            grids.append(
                ProposedGrid(
                    key,
                    LEVELS[depth],
                    parent,
                    *names,
                    people=sum(loads[i] for i in inside),
                    buildings=len(inside),
                    geometry=shape.geometry,
                    lon=shape.lon,
                    lat=shape.lat,
                )
            )
    today = dict(Grid.objects.filter(id__in={b.grid for b in rows if b.grid}).values_list("id", "code"))
    for i, b in enumerate(rows):
        if b.grid and today.get(b.grid) != keys[0][i]:
            moved += loads[i]
    order = {level: n for n, level in enumerate(reversed(LEVELS))}
    grids.sort(key=lambda g: (order[GridLevel(g.level)], g.key))
    return Proposal(
        grids, {b.id: keys[0][i] for i, b in enumerate(rows)}, {}, plan.worst_ppm, plan.bound_ppm, moved
    )


def _key(name: str, level: str, inside: Sequence[Building], numbers: Counter[tuple[str, str]]) -> str:
    """Today's code where the engine continues a grid, else a new one from the area's code."""
    if Grid.objects.filter(code=name, status=GridStatus.ACTIVE).exists():
        return name
    home = _home(inside)
    while True:
        numbers[home.code, level] += 1
        code = f"{home.code}-{level[0]}{numbers[home.code, level]:02d}"
        # A code in use may be that of a grid that goes on: two of one code would become one.
        if not Grid.objects.filter(code=code, status=GridStatus.ACTIVE).exists():
            return code


def _home(inside: Sequence[Building]) -> Area:
    """The area that most of a grid's buildings stand in."""
    most = Counter(b.area_id for b in inside).most_common(1)[0][0]
    return next(b.area for b in inside if b.area_id == most)


def _names(key: str, level: str, inside: Sequence[Building]) -> tuple[str, str]:
    area = _home(inside)
    number = key.rsplit("-", 1)[-1].lstrip("SML").split(".")[0].lstrip("0") or "1"
    english = (
        f"{area.name_en or area.name} {level.capitalize() if level != 'SMALL' else ''} Grid {number}".replace(
            "  ", " "
        )
    )
    if area.name.isascii():
        return english, english
    short = {"SMALL": "小网格", "MEDIUM": "中网格", "LARGE": "大网格"}[level]
    return f"{area.name}{number}号{short}", english


def walking_orders(rows: Sequence[Building], small_of: dict[uuid.UUID, str]) -> dict[uuid.UUID, int]:
    """A short walk over the buildings of each small grid, as the order of their doors."""
    from muster.planning.network import walk_order

    x, y, _ = _metres(rows)
    members: dict[str, list[int]] = defaultdict(list)
    for i, b in enumerate(rows):
        members[small_of[b.id]].append(i)
    order: dict[uuid.UUID, int] = {}
    for inside in members.values():
        px, py = x[inside], y[inside]
        far = np.hypot(px[:, None] - px[None, :], py[:, None] - py[None, :])
        tour = (
            walk_order((far * 10).astype(np.int64), kicks=20, start=int(np.argmin(px + py))).order
            if len(inside) > 1
            else (0,)
        )
        for position, stop in enumerate(tour):
            order[rows[inside[stop]].id] = position
    return order
