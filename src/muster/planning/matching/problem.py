# SPDX-License-Identifier: Apache-2.0
"""A matching problem: responders with skills, grids with posts to fill, and what walking is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from muster.planning._kernel.arrays import Floats, Ints, Longs
from muster.planning.contract import BadProblem

# Above these, sums of costs could leave 64 bits.
MOST_METRES = 10_000_000
MOST_PEOPLE = 10_000_000


@dataclass(frozen=True, slots=True)
class Weights:
    """What things are worth, in metres of walking.

    A needed post that stays empty costs `unfilled_m`; emptier posts cost more, up to `balance_m` on top, so
    that shortage is shared. Each person above need is worth up to `spare_m`, less and less. Being in the
    own grid is worth `own_grid_m`. Each team member away from most of the team costs `team_m`.
    """

    unfilled_m: int = 60_000
    balance_m: int = 0
    spare_m: int = 0
    own_grid_m: int = 300
    team_m: int = 0


@dataclass(frozen=True, slots=True)
class Posts:
    """What a grid needs of a skill, and how many more it could use; one entry for each grid and skill."""

    grid: Ints
    skill: Ints
    need: Ints
    spare: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Arrays are by responder (in the order of `responders`), by grid, or by post.

    Skills of responder i are `skill[skill_first[i]:skill_first[i + 1]]`. `home` is a grid, `team` a number,
    -1 where there is none. Nobody walks further than `reach_m`. Walking is `walk_permille` thousandths of
    the straight line or, when `walk_m` is given, its entry at the responder's `place` and the grid. `pins`
    holds responders whom a person gave a grid and a skill: they stay. `bars` holds responder and grid
    pairs that must not meet.
    """

    responders: tuple[str, ...]
    x_m: Floats
    y_m: Floats
    skill_first: Longs
    skill: Ints
    home: Ints
    team: Ints
    reach_m: Longs
    grids: tuple[str, ...]
    grid_x_m: Floats
    grid_y_m: Floats
    skills: tuple[str, ...]
    posts: Posts
    weights: Weights = field(default_factory=Weights)
    walk_permille: int = 1_000
    walk_m: Ints | None = None
    place: Ints | None = None
    pins: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    bars: tuple[tuple[int, int], ...] = ()

    @property
    def size(self) -> int:
        return len(self.responders)

    def skills_of(self, responder: int) -> Ints:
        return self.skill[self.skill_first[responder] : self.skill_first[responder + 1]]

    def arcs(self) -> int:
        """Return how many pairs of responder and post there are, reachable or not."""
        holders = np.bincount(self.skill, minlength=len(self.skills))
        wanted = np.bincount(self.posts.skill, minlength=len(self.skills))
        return int((holders * wanted).sum())

    def walk_to(self, responder: int, grid: int) -> int:
        """Return the metres that a responder walks to a grid."""
        if self.walk_m is not None and self.place is not None:
            return int(self.walk_m[self.place[responder], grid])
        east = self.x_m[responder] - self.grid_x_m[grid]
        north = self.y_m[responder] - self.grid_y_m[grid]
        return int(np.floor(np.sqrt(east * east + north * north) * (self.walk_permille / 1000.0) + 0.5))


def pins(problem: Problem) -> dict[str, tuple[str, str]]:
    """Return what a person fixed: responder -> grid and skill."""
    return {
        problem.responders[who]: (problem.grids[grid], problem.skills[skill])
        for who, (grid, skill) in sorted(problem.pins.items())
    }


def unit_costs(problem: Problem, post: int) -> Longs:
    """Return what each missing person of a post costs, the first missing one first: the costs rise."""
    need, spare = int(problem.posts.need[post]), int(problem.posts.spare[post])
    weights = problem.weights
    extra = weights.spare_m * np.arange(1, spare + 1, dtype=np.int64) // max(1, spare)
    needed = weights.unfilled_m + weights.balance_m * np.arange(need, dtype=np.int64) // max(1, need)
    return np.concatenate((extra, needed))


def require_lawful(problem: Problem) -> None:
    """Raise BadProblem when the parts of the problem contradict each other."""
    weights = problem.weights
    if weights.spare_m > weights.unfilled_m:
        raise BadProblem("spare_m", "weights", "planning.matching.spare_above_need")
    _require_pins_fit(problem)


def _require_pins_fit(problem: Problem) -> None:
    room = {
        (int(grid), int(skill)): int(need) + int(spare)
        for grid, skill, need, spare in zip(
            problem.posts.grid, problem.posts.skill, problem.posts.need, problem.posts.spare, strict=True
        )
    }
    barred = set(problem.bars)
    for who, (grid, skill) in sorted(problem.pins.items()):
        where = f"pins.{problem.responders[who]}"
        if skill not in problem.skills_of(who):
            raise BadProblem("skill", where, "planning.matching.pin_skill", skill=problem.skills[skill])
        if (who, grid) in barred:
            raise BadProblem("grid", where, "planning.matching.pin_barred", grid=problem.grids[grid])
        left = room.get((grid, skill), 0) - 1
        if left < 0:
            raise BadProblem("grid", where, "planning.matching.pin_full", grid=problem.grids[grid])
        room[grid, skill] = left
