# SPDX-License-Identifier: Apache-2.0
"""Teams kept together: members change seats with others where that walks less than being apart costs.

Being together breaks the flow, so it comes after the auction: exchanges of two seats, team by team. The
bound stays right, because being apart never costs less than nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np

from muster.planning._kernel.arrays import Ints
from muster.planning.matching.market import pair_cost
from muster.planning.matching.problem import Problem

# So many grids are looked at as the common one of a team.
_CANDIDATES = 3


def team_cost(problem: Problem, grid_of: Ints) -> int:
    """Return what it costs that seated team members are not in the grid where most of their team is."""
    apart = 0
    for members in _members(problem).values():
        grids = [int(grid_of[who]) for who in members if grid_of[who] >= 0]
        if grids:
            apart += len(grids) - max(Counter(grids).values())
    return apart * problem.weights.team_m


def gather(problem: Problem, grid_of: Ints, skill_of: Ints, *, rounds: int) -> tuple[Ints, Ints]:
    """Return the seats after bringing teams together as far as that pays."""
    table = _Seating(problem, grid_of.copy(), skill_of.copy())
    teams = sorted(_members(problem).items())
    for _ in range(rounds):
        if not sum(table.gather_team(members) for _, members in teams):
            break
    return table.grid_of, table.skill_of


def _members(problem: Problem) -> dict[int, list[int]]:
    members: dict[int, list[int]] = defaultdict(list)
    for who in np.flatnonzero(problem.team >= 0):
        members[int(problem.team[who])].append(int(who))
    return members


class _Seating:
    """Who sits where, and what it would cost that two people change seats."""

    def __init__(self, problem: Problem, grid_of: Ints, skill_of: Ints) -> None:
        self.problem = problem
        self.grid_of = grid_of
        self.skill_of = skill_of
        self.held = [frozenset(problem.skills_of(who).tolist()) for who in range(problem.size)]
        self.barred = set(problem.bars)
        self.in_grid: dict[int, list[int]] = defaultdict(list)
        for who in np.flatnonzero(grid_of >= 0):
            self.in_grid[int(grid_of[who])].append(int(who))
        self.team_grids: dict[int, Counter[int]] = defaultdict(Counter)
        for team, members in _members(problem).items():
            self.team_grids[team].update(int(grid_of[who]) for who in members if grid_of[who] >= 0)

    def gather_team(self, members: list[int]) -> int:
        """Bring members to the common grid that pays most; return how many moved."""
        seated = [who for who in members if self.grid_of[who] >= 0]
        grids = Counter(int(self.grid_of[who]) for who in seated)
        if len(grids) < 2:
            return 0
        moved = 0
        for grid, _ in sorted(grids.most_common(_CANDIDATES), key=lambda entry: (-entry[1], entry[0])):
            for who in seated:
                if self.grid_of[who] != grid and (partner := self._best_partner(who, grid)) is not None:
                    self._exchange(who, partner)
                    moved += 1
        return moved

    def _best_partner(self, who: int, grid: int) -> int | None:
        """Return with whom in the grid to change seats at the greatest gain, if there is any."""
        if who in self.problem.pins or not self._may(who, grid):
            return None
        best, gain = None, 0
        for other in self.in_grid[grid]:
            change = self._change(who, other)
            if change < gain:
                best, gain = other, change
        return best

    def _may(self, who: int, grid: int) -> bool:
        near = self.problem.walk_to(who, grid) <= self.problem.reach_m[who]
        return near and (who, grid) not in self.barred

    def _change(self, who: int, other: int) -> int:
        """Return by how much the cost changes when two people change seats, 0 where they may not."""
        here, there = int(self.grid_of[who]), int(self.grid_of[other])
        fits = int(self.skill_of[other]) in self.held[who] and int(self.skill_of[who]) in self.held[other]
        if not fits or other in self.problem.pins or not self._may(other, here):
            return 0
        walks = (
            pair_cost(self.problem, who, there)
            + pair_cost(self.problem, other, here)
            - pair_cost(self.problem, who, here)
            - pair_cost(self.problem, other, there)
        )
        apart = self._apart_change(who, here, there)
        if self.problem.team[other] != self.problem.team[who]:
            apart += self._apart_change(other, there, here)
        else:
            apart = 0
        return walks + apart * self.problem.weights.team_m

    def _apart_change(self, who: int, before: int, after: int) -> int:
        """Return how many more members of the person's team are away from most of it after a move."""
        team = int(self.problem.team[who])
        if team < 0:
            return 0
        grids = self.team_grids[team]
        most = max(grids.values())
        moved = grids.copy()
        moved[before] -= 1
        moved[after] += 1
        return most - max(moved.values())

    def _exchange(self, who: int, other: int) -> None:
        here, there = int(self.grid_of[who]), int(self.grid_of[other])
        for person, before, after in ((who, here, there), (other, there, here)):
            self.in_grid[before].remove(person)
            self.in_grid[after].append(person)
            self.grid_of[person] = after
            team = int(self.problem.team[person])
            if team >= 0:
                self.team_grids[team][before] -= 1
                self.team_grids[team][after] += 1
        self.skill_of[who], self.skill_of[other] = int(self.skill_of[other]), int(self.skill_of[who])
