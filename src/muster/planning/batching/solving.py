# SPDX-License-Identifier: Apache-2.0
"""Making a batch plan: an even start, then ever lower caps, then shorter walks under the peak reached."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning._kernel.budget import Budget
from muster.planning.batching.bounding import Bottleneck, bottleneck
from muster.planning.batching.calling import batches_of, call_times
from muster.planning.batching.plan import Plan
from muster.planning.batching.problem import Problem, peak_permille, require_lawful
from muster.planning.contract import Progress, Step, report

if TYPE_CHECKING:
    from muster.planning.batching._spreading import Board

_STAGES = 4
# Caps rise by this part of the bound, then by twice as much, and so on.
_STEP = 400
# So much shorter are the attempts that look for a cap that holds at all.
_BRIEF = 5


@dataclass(frozen=True, slots=True)
class Effort:
    """How often loads are evened out, how many caps are tried and how long, sweeps for shorter walks."""

    sweeps: int = 60
    caps: int = 8
    rounds: int = 40
    walk_sweeps: int = 4
    refinements: int = 6
    patience: int = 10


_DEFAULT_EFFORT = Effort()


def solve(
    problem: Problem,
    *,
    budget_s: float,
    seed: int,
    executor: Executor | None = None,  # one board, one search
    progress: Progress | None = None,
    effort: Effort = _DEFAULT_EFFORT,
) -> Plan:
    """Spread the units: the lowest peak first, then the shortest walks at that peak.

    Raises BadProblem, Cancelled.
    """
    from muster.planning.batching import _spreading

    require_lawful(problem)
    budget = Budget(budget_s)
    report(progress, Step("bound", 0, _STAGES))
    tight = bottleneck(problem)
    board, cells = _board(problem)
    order = np.argsort(-board.people, kind="stable").astype(np.int64)
    _spreading.lay_out(board, order)
    _spreading.even_out(board, order, effort.sweeps)
    peak = peak_permille(board.load, board.lanes)
    report(progress, Step("even", 1, _STAGES, peak, tight.permille))
    _lower_caps(board, tight, budget, effort, seed, progress)
    peak = peak_permille(board.load, board.lanes)
    report(progress, Step("lower", 2, _STAGES, peak, tight.permille))
    if not budget.spent():
        cap = _caps(board.lanes, max(peak, tight.permille))
        _spreading.shorten(board, cap, order, effort.walk_sweeps)
    report(progress, Step("walk", 3, _STAGES, peak, tight.permille))
    cell_of = board.cell[board.at].astype(np.int64)
    plan = _plan(problem, cells, cell_of, board.walk[board.at].astype(np.int64), tight, seed)
    report(progress, Step("call", _STAGES, _STAGES, plan.objective, plan.bound))
    return plan


def _board(problem: Problem) -> tuple[Board, Longs]:
    """Return the board for the search; pinned units have one choice."""
    from muster.planning.batching._spreading import NONE, Board

    units, choices = problem.units, problem.choices
    first, cell, walk = choices.first, choices.cell, choices.walk_m
    fixed = np.zeros(units.size, np.int32)
    at = first[:-1].copy()
    if problem.pins:
        fixed[list(problem.pins)] = 1
        pieces = [_choices(problem, unit) for unit in range(units.size)]
        cell = np.concatenate([cells for cells, _ in pieces]).astype(np.int32)
        walk = np.concatenate([walks for _, walks in pieces]).astype(np.int32)
        first = np.concatenate(([0], np.cumsum([len(cells) for cells, _ in pieces]))).astype(np.int64)
        at = first[:-1].copy()
    lanes = problem.lanes_of_cells()
    board = Board(
        first=first,
        cell=cell,
        walk=walk,
        people=units.people,
        lanes=np.maximum(1, lanes),
        fixed=fixed,
        at=at,
        load=np.zeros(len(lanes), np.int64),
        head=np.full(len(lanes), NONE, np.int64),
        after=np.full(units.size, NONE, np.int64),
        before=np.full(units.size, NONE, np.int64),
    )
    return board, lanes


def _choices(problem: Problem, unit: int) -> tuple[Ints, Ints]:
    """Return the cells of a unit and their walks; a pinned unit has one."""
    own = slice(int(problem.choices.first[unit]), int(problem.choices.first[unit + 1]))
    if unit not in problem.pins:
        return problem.choices.cell[own], problem.choices.walk_m[own]
    cell = problem.pins[unit]
    return np.asarray([cell], np.int32), np.asarray([walk_to(problem, unit, cell)], np.int32)


def walk_to(problem: Problem, unit: int, cell: int) -> int:
    """Return the walk of a unit to a cell: as given, or straight when a person sends it elsewhere."""
    first = problem.choices.first
    site = cell // problem.slots.size
    own = slice(int(first[unit]), int(first[unit + 1]))
    sites = problem.choices.cell[own] // problem.slots.size
    known = np.flatnonzero(sites == site)
    if len(known):
        return int(problem.choices.walk_m[own][known[0]])
    east = problem.units.x_m[unit] - problem.sites.x_m[site]
    north = problem.units.y_m[unit] - problem.sites.y_m[site]
    return int(np.hypot(east, north) + 0.5)


def _caps(lanes: Longs, permille: int) -> Longs:
    """Return the most people of each cell at a peak."""
    return lanes * permille // 1000


def _lower_caps(
    board: Board, tight: Bottleneck, budget: Budget, effort: Effort, seed: int, progress: Progress | None
) -> None:
    """Try caps from the bound upwards, briefly, until one holds; then longer ones between it and the last.

    What one attempt gained is where the next begins.
    """
    from muster.planning.batching import _spreading

    best, best_at = peak_permille(board.load, board.lanes), board.at.copy()
    goal = _whole_people(tight, board.lanes)
    failed = goal - 1
    refined = 0
    for attempt in range(effort.caps + effort.refinements):
        if goal >= best or attempt - refined >= effort.caps or budget.spent():
            break
        report(progress, Step("lower", attempt, effort.caps + effort.refinements, best, tight.permille))
        rounds = effort.rounds if refined else effort.rounds // _BRIEF
        left = _spreading.relieve(board, _caps(board.lanes, goal), rounds, effort.patience, seed + attempt)
        reached = peak_permille(board.load, board.lanes)
        if reached < best:
            best, best_at = reached, board.at.copy()
        if left:
            failed = goal
        if left and not refined:
            goal += max(1, tight.permille * (attempt + 1) // _STEP)
            continue
        refined += 1
        goal = (failed + best) // 2
        if refined > effort.refinements or goal <= failed:
            break
    _restore(board, best_at)


def _whole_people(tight: Bottleneck, lanes: Longs) -> int:
    """Return the least peak at which whole people fit into the bottleneck."""
    peak = tight.permille
    while int(_caps(lanes[tight.cells], peak).sum()) < tight.people:
        peak += max(1, peak // 1000)
    return peak


def _restore(board: Board, at: Longs) -> None:
    from muster.planning.batching import _spreading

    for unit in np.flatnonzero(board.at != at):
        _spreading.put(board, unit, at[unit])


def _plan(
    problem: Problem, lanes: Longs, cell_of: Longs, walk_m: Longs, tight: Bottleneck, seed: int
) -> Plan:
    loads = np.bincount(cell_of, problem.units.people, len(lanes)).astype(np.int64)
    call_min, place = call_times(problem, cell_of)
    names = [problem.cell_name(int(cell)) for cell in cell_of]
    return Plan(
        batches=batches_of(problem, cell_of, call_min, place),
        units=problem.units.names,
        site_of=tuple(site for site, _ in names),
        slot_of=tuple(slot for _, slot in names),
        call_min=call_min,
        order=place,
        walk_m=walk_m,
        bottleneck=tuple(problem.cell_name(int(cell)) for cell in tight.cells),
        bottleneck_unit=problem.units.names[tight.unit] if tight.unit >= 0 else "",
        objective=peak_permille(loads, lanes),
        bound=tight.permille,
        seed=seed,
    )
