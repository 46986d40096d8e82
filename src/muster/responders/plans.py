# SPDX-License-Identifier: Apache-2.0
"""From rows to a matching problem and back: who could serve where becomes arrays, a plan becomes seats.

The engine is imported only when a plan is asked for: web and intake boot without it.
"""

from __future__ import annotations

import hashlib
import math
import uuid
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from muster.base.errors import Refusal
from muster.responders.placement.reading import Candidate, GridPlace, Ground

if TYPE_CHECKING:
    from muster.planning.matching import Plan, Problem

METRES_PER_DEGREE = 111_320.0
# A way through streets is longer than the straight line.
WALK_PERMILLE = 1_300
# Sides of the histogram of walks, in metres.
WALKS = (200, 500, 1_000, 2_000, 3_000, 5_000)
_WORST = 10
# What things are worth in metres of walking: a needed post; to share a shortage; somebody more than needed;
# to stay where one lives or stands; to stay with one's team.
_UNFILLED, _BALANCE, _SPARE, _OWN, _TEAM = 60_000, 20_000, 4_000, 600, 3_000
# A city is proved after some hundred processor seconds; where others work too, they take longer.
_SMALL_BUDGET_S, _CITY_BUDGET_S, _CITY_FROM = 30.0, 240.0, 20_000


@dataclass(frozen=True, slots=True)
class Wishes:
    """What people asked for by hand. pins: responder -> grid and post. bars: pairs that must not meet."""

    pins: Mapping[uuid.UUID, tuple[int, str]] = field(default_factory=dict)
    bars: Collection[tuple[uuid.UUID, int]] = ()
    out: Collection[uuid.UUID] = ()


@dataclass(frozen=True, slots=True)
class Seat:
    """Where one person goes (grid None: in reserve, for this reason)."""

    who: Candidate
    grid: int | None
    post: str
    walk_m: int
    reason: str = ""
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One post of a grid: how many it needs, how many the plan puts there, how many hold it already."""

    need: int
    placed: int
    held: int
    reason: str = ""
    holders: int = 0
    within: int = 0

    @property
    def missing(self) -> int:
        return max(0, self.need - self.placed - self.held)


@dataclass(slots=True)
class Placing:
    """A solved plan. proof: the prices that prove the bound, packed; digest: of the problem's arrays."""

    seats: list[Seat]
    lines: dict[tuple[int, str], Line]
    objective: int
    bound: int
    digest: str
    proof: bytes
    dropped: list[dict[str, Any]]


def propose(
    ground: Ground,
    *,
    wishes: Wishes | None = None,
    stay: Mapping[uuid.UUID, int] | None = None,
    teams: Mapping[uuid.UUID, str] | None = None,
    reach_m: int = 3_000,
    seed: int = 1,
    budget_s: float | None = None,
    progress: Callable[[Any], bool | None] | None = None,
) -> Placing:
    """Solves who serves where. stay: where each stood in the plan before, so that little changes.

    Raises:
        Refusal: placement_nobody, placement_no_grids, placement_no_staffing.
    """
    if not ground.lines:
        raise Refusal("placement_no_staffing")
    if not ground.grids:
        raise Refusal("placement_no_grids")
    if not ground.people:
        raise Refusal("placement_nobody")
    from muster.planning.matching import solve

    made = _Arrays(ground, wishes or Wishes(), stay or {}, teams or {}, reach_m)
    if budget_s is None:
        budget_s = _CITY_BUDGET_S if len(made.people) > _CITY_FROM else _SMALL_BUDGET_S
    if not made.people or not made.posts:
        return made.without_engine()
    problem = made.problem()
    plan = solve(problem, budget_s=budget_s, seed=seed, progress=progress)
    return made.placing(problem, plan)  # type: ignore[arg-type]


class _Arrays:
    """The problem as columns, and how numbers lead back to rows."""

    def __init__(
        self,
        ground: Ground,
        wishes: Wishes,
        stay: Mapping[uuid.UUID, int],
        teams: Mapping[uuid.UUID, str],
        reach_m: int,
    ) -> None:
        self.ground, self.wishes, self.stay, self.teams, self.reach_m = ground, wishes, stay, teams, reach_m
        self.places = {g.id: g for g in ground.grids.values() if g.lon is not None and g.lat is not None}
        lats = [g.lat for g in self.places.values() if g.lat is not None]
        self.east = METRES_PER_DEGREE * math.cos(math.radians(sum(lats) / len(lats) if lats else 0.0))
        self.middles = self._middles()
        self.idle: list[Seat] = []
        self.people: list[Candidate] = []
        self.at: list[tuple[float, float]] = []
        self.dropped: list[dict[str, Any]] = []
        out = set(wishes.out)
        for one in ground.people:
            at = self._at(one)
            if one.id in out:
                self.idle.append(Seat(one, None, "", 0, "idle_left_out"))
            elif at is None:
                self.idle.append(Seat(one, None, "", 0, "idle_nowhere"))
            else:
                self.people.append(one)
                self.at.append(at)
        self.pins = self._pins()
        self.posts = self._posts()

    def _at(self, one: Candidate) -> tuple[float, float] | None:
        """Where somebody lives, in metres: his own point, else the middle of his grid, else of his area."""
        if one.lon is not None and one.lat is not None:
            return self._metres(one.lon, one.lat)
        home = self.places.get(one.home_grid or 0) or self.places.get(one.grid or 0)
        if home:
            return self._metres(home.lon, home.lat)
        return self.middles.get(one.home_area or 0)

    def _middles(self) -> dict[int, tuple[float, float]]:
        """The middle of the grids of each area: who named only his community lives somewhere there."""
        points: dict[int, list[tuple[float, float]]] = {}
        for place in self.places.values():
            points.setdefault(place.area, []).append(self._metres(place.lon, place.lat))
        return {
            area: (sum(x for x, _ in some) / len(some), sum(y for _, y in some) / len(some))
            for area, some in points.items()
        }

    def _metres(self, lon: float | None, lat: float | None) -> tuple[float, float]:
        assert lon is not None
        assert lat is not None
        return lon * self.east, lat * METRES_PER_DEGREE

    def _fits(self, one: Candidate) -> list[str]:
        return self.ground.posts_for(one.skills, one.cannot)

    def _pins(self) -> dict[uuid.UUID, tuple[int, str]]:
        """Pins that still hold: whose person may be placed, whose grid is in force and on the map."""
        known = {one.id: one for one in self.people}
        kept = {}
        for who, (grid, post) in sorted(self.wishes.pins.items()):
            one = known.get(who)
            if one is None or grid not in self.places or post not in self._fits(one):
                self.dropped.append({"responder": str(who), "grid": grid, "post": post})
            else:
                kept[who] = (grid, post)
        return kept

    def _posts(self) -> dict[tuple[int, str], tuple[int, int]]:
        """(grid, post) -> how many are still needed, how many more could help; a pin always has room."""
        posts = {}
        for (grid, post), (need, spare) in self.ground.asked.items():
            if grid in self.places:
                held = self.ground.held[grid, post]
                posts[grid, post] = (max(0, need - held), max(0, spare - max(0, held - need)))
        for pin in self.pins.values():
            posts.setdefault(pin, (0, 0))
        wanted: dict[tuple[int, str], int] = {}
        for pin in self.pins.values():
            wanted[pin] = wanted.get(pin, 0) + 1
        for pin, count in wanted.items():
            need, spare = posts[pin]
            posts[pin] = (need, max(spare, count - need))
        return {key: both for key, both in posts.items() if sum(both)}

    def problem(self) -> Problem:
        from muster.planning.matching import Wanted, Weights, make_problem

        self.grid_ids = sorted({grid for grid, _ in self.posts})
        where = [self._metres(self.places[g].lon, self.places[g].lat) for g in self.grid_ids]
        middle = where[0]
        asked = {post for _, post in self.posts}
        fits: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
        for one in self.people:
            if (one.skills, one.cannot) not in fits:
                fits[one.skills, one.cannot] = [p for p in self._fits(one) if p in asked]
        on_list = set(self.grid_ids)
        known = {one.id for one in self.people}
        keys = list(self.posts)
        teams = [self.teams.get(one.id) for one in self.people]
        reach = np.full(len(self.people), self.reach_m, np.int64)
        for number, one in enumerate(self.people):
            if one.id in self.pins:
                reach[number] = 10_000_000
        return make_problem(
            skills=[fits[one.skills, one.cannot] for one in self.people],
            x_m=[x - middle[0] for x, _ in self.at],
            y_m=[y - middle[1] for _, y in self.at],
            grids=[str(g) for g in self.grid_ids],
            grid_x_m=[x - middle[0] for x, _ in where],
            grid_y_m=[y - middle[1] for _, y in where],
            posts=Wanted(
                [str(g) for g, _ in keys],
                [post for _, post in keys],
                [self.posts[key][0] for key in keys],
                [self.posts[key][1] for key in keys],
            ),
            responders=[str(one.id) for one in self.people],
            home=[str(home) if (home := self._stays(one)) in on_list else None for one in self.people],
            team=teams if any(teams) else None,
            reach_m=reach,
            weights=Weights(_UNFILLED, _BALANCE, _SPARE, _OWN, _TEAM if any(teams) else 0),
            walk_permille=WALK_PERMILLE,
            pins={str(who): (str(grid), post) for who, (grid, post) in self.pins.items()},
            bars=[
                (str(who), str(grid)) for who, grid in self.wishes.bars if who in known and grid in on_list
            ],
        )

    def _stays(self, one: Candidate) -> int | None:
        """The grid that somebody had before, where he serves today, or where he lives."""
        return self.stay.get(one.id) or one.grid or one.home_grid

    def placing(self, problem: Problem, plan: Plan) -> Placing:
        """Seats and lines of a solved plan."""
        seats = list(self.idle)
        idle: list[int] = []
        placed: dict[tuple[int, str], int] = {}
        skills = plan.skills
        walks = self._walks(problem, plan)
        for number, (one, grid, skill) in enumerate(
            zip(self.people, plan.grid_of.tolist(), plan.skill_of.tolist(), strict=True)
        ):
            if grid < 0:
                idle.append(number)
                continue
            key = (self.grid_ids[grid], skills[skill])
            placed[key] = placed.get(key, 0) + 1
            seats.append(Seat(one, *key, walks[number], "", one.id in self.pins))
        seats += self._in_reserve(problem, idle)
        return Placing(
            seats,
            self._lines(problem, placed),
            plan.objective,
            plan.bound,
            digest_of(problem),
            self._proof(plan),
            self.dropped,
        )

    def _walks(self, problem: Problem, plan: Plan) -> list[int]:
        grid = np.maximum(plan.grid_of, 0)
        far = np.hypot(problem.x_m - problem.grid_x_m[grid], problem.y_m - problem.grid_y_m[grid])
        return [int(walk) for walk in np.rint(far * (WALK_PERMILLE / 1000)).tolist()]

    def _in_reserve(self, problem: Problem, idle: Sequence[int]) -> list[Seat]:
        """Why somebody has no place: no post for his skills, none within reach, or others are nearer."""
        from scipy.spatial import cKDTree

        near: dict[int, Any] = {}
        for skill in set(problem.posts.skill.tolist()):
            grids = problem.posts.grid[problem.posts.skill == skill]
            near[skill] = cKDTree(np.stack((problem.grid_x_m[grids], problem.grid_y_m[grids]), axis=1))
        seats = []
        for number in idle:
            reasons = [near[s] for s in problem.skills_of(number).tolist() if s in near]
            reason = "idle_full" if reasons else "idle_skill"
            if reasons:
                at = (problem.x_m[number], problem.y_m[number])
                nearest = min(tree.query(at)[0] for tree in reasons) * (WALK_PERMILLE / 1000)
                reason = "idle_full" if nearest <= self.reach_m else "idle_reach"
            seats.append(Seat(self.people[number], None, "", 0, reason))
        return seats

    def _lines(self, problem: Problem, placed: Mapping[tuple[int, str], int]) -> dict[tuple[int, str], Line]:
        lines = {
            key: Line(need, placed.get(key, 0), self.ground.held[key])
            for key, (need, _) in self.ground.asked.items()
        }
        for key, count in placed.items():
            lines.setdefault(key, Line(0, count, self.ground.held[key]))
        short = [key for key, line in lines.items() if line.missing]
        for key, reason in zip(short, self._why_short(problem, short), strict=True):
            line = lines[key]
            lines[key] = Line(line.need, line.placed, line.held, *reason)
        return lines

    def _why_short(self, problem: Problem, keys: Sequence[tuple[int, str]]) -> list[tuple[str, int, int]]:
        """For each post that lacks people: why, how many hold its skill, how many live near enough."""
        from scipy.spatial import cKDTree

        owner = np.repeat(np.arange(problem.size), np.diff(problem.skill_first))
        numbers = {name: number for number, name in enumerate(problem.skills)}
        row_of = {grid: row for row, grid in enumerate(self.grid_ids)}
        trees: dict[str, tuple[Any, int]] = {}
        answer = []
        for grid, post in keys:
            if grid not in row_of:
                answer.append(("post_nowhere", 0, 0))
                continue
            if post not in trees:
                holders = owner[problem.skill == numbers[post]] if post in numbers else owner[:0]
                at = np.stack((problem.x_m[holders], problem.y_m[holders]), axis=1)
                trees[post] = (cKDTree(at) if len(holders) else None, len(holders))
            tree, holders_count = trees[post]
            if tree is None:
                answer.append(("post_no_skill", 0, 0))
                continue
            row = row_of[grid]
            centre = (problem.grid_x_m[row], problem.grid_y_m[row])
            within = int(
                tree.query_ball_point(centre, self.reach_m * 1000 / WALK_PERMILLE, return_length=True)
            )
            need, _ = self.ground.asked.get((grid, post), (0, 0))
            few = "post_few" if within == holders_count else "post_reach"
            answer.append(("post_short" if within >= need else few, holders_count, within))
        return answer

    def _proof(self, plan: Plan) -> bytes:
        told = {
            "scale": plan.prices.scale,
            "grid": [self.grid_ids[g] for g in plan.post_grid.tolist()],
            "post": [plan.skills[s] for s in plan.post_skill.tolist()],
            "price": plan.prices.price.tolist(),
        }
        return zlib.compress(msgspec.json.encode(told), 6)

    def without_engine(self) -> Placing:
        """Nobody can be placed, or nothing is asked for: everybody is in reserve, every post is short."""
        reason = "idle_full" if self.people else ""
        seats = [*self.idle, *(Seat(one, None, "", 0, reason) for one in self.people)]
        lines = {}
        for key, (need, _) in self.ground.asked.items():
            line = Line(need, 0, self.ground.held[key])
            code = "post_no_skill" if key[0] in self.places else "post_nowhere"
            lines[key] = Line(need, 0, line.held, code) if line.missing else line
        cost = sum(line.missing for line in lines.values()) * _UNFILLED
        return Placing(seats, lines, cost, cost, "", b"", self.dropped)


def digest_of(problem: Problem) -> str:
    """A digest of everything that the engine was asked."""
    hasher = hashlib.sha256()
    for column in (
        problem.x_m, problem.y_m, problem.skill_first, problem.skill, problem.home, problem.team,
        problem.reach_m, problem.grid_x_m, problem.grid_y_m, problem.posts.grid, problem.posts.skill,
        problem.posts.need, problem.posts.spare,
    ):  # fmt: skip
        hasher.update(np.ascontiguousarray(column).tobytes())
    told = [problem.responders, problem.grids, problem.skills, sorted(problem.pins.items()), problem.bars]
    hasher.update(msgspec.json.encode(told))
    return hasher.hexdigest()


def figures(placing: Placing, grids: Mapping[int, GridPlace]) -> dict[str, Any]:
    """The whole in figures: needed and filled, who moves, how far people walk, who walks furthest."""
    seated = [seat for seat in placing.seats if seat.grid is not None]
    walks = np.asarray([seat.walk_m for seat in seated], np.int64)
    need = sum(line.need for line in placing.lines.values())
    missing = sum(line.missing for line in placing.lines.values())
    reserve: dict[str, int] = {}
    for seat in placing.seats:
        if seat.grid is None:
            reserve[seat.reason] = reserve.get(seat.reason, 0) + 1
    area_of = {grid.id: grid.area for grid in grids.values()}
    own_area = sum(
        1 for seat in seated if area_of.get(seat.who.home_grid or 0) == area_of.get(seat.grid or -1, -1)
    )
    edges = np.asarray((0, *WALKS, 1 << 60))
    worst = sorted(seated, key=lambda seat: (-seat.walk_m, seat.who.id))[:_WORST]
    gap = max(0, placing.objective - placing.bound) / max(1, abs(placing.objective))
    return {
        "people": len(placing.seats), "placed": len(seated), "reserve": reserve,
        "needed": need, "filled": need - missing, "missing": missing,
        "held": sum(line.held for line in placing.lines.values()),
        "own_grid": sum(1 for s in seated if s.grid == s.who.home_grid), "own_area": own_area,
        "stay": sum(1 for s in seated if s.grid == s.who.grid and s.post == s.who.post),
        "moved": sum(1 for s in seated if s.who.grid is not None and s.grid != s.who.grid),
        "new": sum(1 for s in seated if s.who.grid is None),
        "stood_down": sum(1 for s in placing.seats if s.grid is None and s.who.grid is not None),
        "walk": {
            "mean": round(float(walks.mean())) if len(walks) else 0,
            "median": round(float(np.median(walks))) if len(walks) else 0,
            "p90": round(float(np.percentile(walks, 90))) if len(walks) else 0,
            "largest": int(walks.max()) if len(walks) else 0,
        },
        "walks": np.histogram(walks, edges)[0].tolist(), "walk_edges": list(WALKS),
        "worst": [{"responder": str(s.who.id), "grid": s.grid, "walk_m": s.walk_m} for s in worst],
        "gap": round(gap, 6), "proved": placing.objective <= placing.bound, "dropped_pins": placing.dropped,
    }  # fmt: skip
