# SPDX-License-Identifier: Apache-2.0
"""Finishing a small problem: what the prices have not ruled out goes to CP-SAT, the best answer as a hint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from muster.planning._kernel.arrays import Bools, Ints, Longs
from muster.planning.contract import Cancelled, Progress, Step, report
from muster.planning.siting.answer import NOWHERE, Answer, Proof

if TYPE_CHECKING:
    from muster.planning.siting._swaps import Ground

# More walks than this are too many for the solver to be of use.
MOST_WALKS = 60_000
# So few are solved at once by one worker, always in the same way.
_TINY = 400


def finish(
    ground: Ground,
    proof: Proof,
    answer: Answer,
    *,
    count: int | None,
    may_split: bool,
    may_leave_out: bool,
    seconds: float,
    effort: float,
    workers: int,
    seed: int,
    progress: Progress | None,
) -> Answer:
    """Return a better answer if there is one, and let `proof` know what was proved. Raises Cancelled.

    `effort` is the solver's own deterministic measure; `seconds` only cut. With several `workers` it may be
    another answer of the same cost each time. Of divided points only the sites are found here.
    """
    from ortools.sat.python import cp_model

    worth = proof.worth(ground)
    keep, may_open, must_open = still_possible(ground, proof, worth.site, worth.chosen, answer.cost, count)
    if may_split:
        keep = may_open[ground.candidate]
    if int(keep.sum()) > MOST_WALKS or seconds <= 0.05 or effort <= 0:
        return answer
    model = cp_model.CpModel()
    opens = [model.new_bool_var("") for _ in range(len(ground.open_cost))]
    for site in np.flatnonzero(~may_open).tolist():
        model.add(opens[site] == 0)
    for site in np.flatnonzero(must_open).tolist():
        model.add(opens[site] == 1)
    if count is not None:
        model.add(sum(opens) == count)
    goes = _add_points(model, ground, proof, opens, keep, may_split=may_split, may_leave_out=may_leave_out)
    cost = sum(int(ground.open_cost[site]) * opens[site] for site in np.flatnonzero(may_open).tolist())
    people = proof.room.people if may_split else np.ones_like(proof.room.people)
    cost += sum(_cost(ground, people, entry) * choice for entry, choice in goes.items())
    if not may_leave_out:
        cost += int(ground.unserved[np.diff(ground.first) == 0].sum())
    # Only better answers are looked for, so what a better one cannot have is left out.
    model.add(cost <= answer.cost - 1)
    model.add(cost >= proof.bound)
    model.minimize(cost)
    _add_hints(model, answer, opens, goes, may_split=may_split)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = workers if len(goes) > _TINY else 1
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.max_deterministic_time = effort
    solver.parameters.random_seed = seed % (1 << 31)
    listener = _listener(solver, progress, proof.bound)
    solver.best_bound_callback = listener.heed
    status = solver.solve(model, listener)
    if listener.is_called_off:
        raise Cancelled("finish")
    report(progress, Step("finish", 1, 1))
    if status == cp_model.INFEASIBLE:
        proof.searched = answer.cost
    if status == cp_model.UNKNOWN:
        proof.searched = min(answer.cost, int(np.ceil(solver.best_objective_bound - 1e-6)))
    if status not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        return answer
    proof.searched = int(np.ceil(solver.best_objective_bound - 1e-6))
    at = np.full(len(answer.at), NOWHERE, np.int64)
    for entry, choice in goes.items():
        if entry >= 0 and solver.value(choice):
            at[_owner(ground, entry)] = entry
    is_open = np.asarray([solver.boolean_value(choice) for choice in opens])
    return Answer(is_open, at, round(solver.objective_value))


def _owner(ground: Ground, entry: int) -> int:
    return int(np.searchsorted(ground.first, entry, side="right")) - 1


def _cost(ground: Ground, people: Longs, entry: int) -> int:
    """Return the cost of a choice, of each person where people are counted."""
    if entry < 0:
        return int(ground.unserved[-1 - entry])
    return int(ground.cost[entry]) // max(1, int(people[_owner(ground, entry)]))


def _add_points(
    model: Any,
    ground: Ground,
    proof: Proof,
    opens: list[Any],
    keep: Bools,
    *,
    may_split: bool,
    may_leave_out: bool,
) -> dict[int, Any]:
    """Add where each point may go, and the room of the sites; return the choice at each entry.

    Where points may be divided a choice is a number of people. Being left out is the choice -1 - point.
    """
    people, capacity = proof.room.people.tolist(), proof.room.capacity
    goes: dict[int, Any] = {}
    at_site: dict[int, list[Any]] = {}
    for point in range(len(people)):
        times = max(1, people[point]) if may_split else 1
        choices = []
        for entry in range(int(ground.first[point]), int(ground.first[point + 1])):
            if not keep[entry]:
                continue
            site = int(ground.candidate[entry])
            goes[entry] = choice = model.new_int_var(0, times, "")
            model.add(choice <= times * opens[site])
            at_site.setdefault(site, []).append(people[point] // times * choice)
            choices.append(choice)
        if may_leave_out:
            goes[-1 - point] = left_out = model.new_bool_var("")
            choices.append(times * left_out)
        if may_leave_out or ground.first[point] < ground.first[point + 1]:
            model.add(sum(choices) == times)
    total = sum(people)
    for site, loads in at_site.items():
        room = int(min(capacity[site], total))
        model.add(sum(loads) <= room * opens[site])
    if not may_leave_out:
        served = sum(np.asarray(people)[np.diff(ground.first) > 0].tolist())
        rooms = np.minimum(capacity, total).tolist()
        model.add(sum(room * choice for room, choice in zip(rooms, opens, strict=True)) >= served)
    return goes


def _add_hints(
    model: Any, answer: Answer, opens: list[Any], goes: dict[int, Any], *, may_split: bool
) -> None:
    """Tell the solver the best answer so far."""
    for site, choice in enumerate(opens):
        model.add_hint(choice, bool(answer.is_open[site]))
    chosen = set(answer.at.tolist())
    for entry, choice in goes.items():
        if entry < 0:
            model.add_hint(choice, answer.at[-1 - entry] == NOWHERE)
        elif answer.flow is not None and may_split:
            model.add_hint(choice, int(answer.flow[entry]))
        else:
            model.add_hint(choice, entry in chosen)


def still_possible(
    ground: Ground, proof: Proof, site_worth: Longs, chosen: Ints, cost: int, count: int | None
) -> tuple[Bools, Bools, Bools]:
    """Return which entries, open sites and closed sites a cheaper plan could still have.

    With the prices as they are, opening or closing a site or sending a point there changes the bound; beyond
    the best cost known it is out of the question.
    """
    scale = int(proof.room.scale[0])
    slack = (cost - 1) * scale - proof.value
    is_chosen, fixed = chosen.astype(np.bool_), ground.fixed
    swap_in = swap_out = 0
    if count is not None:
        inside, outside = is_chosen & (fixed == 0), ~is_chosen & (fixed == 0)
        swap_in = -int(site_worth[inside].max(initial=-(1 << 60))) if inside.any() else 0
        swap_out = int(site_worth[outside].min(initial=1 << 60)) if outside.any() else 0
    more = np.where(is_chosen, 0, np.maximum(0, site_worth + swap_in))
    less = np.where(is_chosen, np.maximum(0, swap_out - site_worth), 0)
    may_open = (more <= slack) & (fixed >= 0)
    must_open = ((less > slack) & (fixed == 0)) | (fixed == 1)
    point = np.repeat(np.arange(len(proof.price)), np.diff(ground.first))
    extra = np.maximum(0, ground.cost * scale - proof.price[point]) + more[ground.candidate]
    return (extra <= slack) & may_open[ground.candidate], may_open, must_open


def _listener(solver: Any, progress: Progress | None, bound: int) -> Any:
    """Return a callback that reports each better answer and ends the search when it is called off."""
    from ortools.sat.python import cp_model

    class Listener(cp_model.CpSolverSolutionCallback):
        is_called_off = False

        def heed(self, better_bound: float) -> None:
            self._say(Step("finish", 0, 1, None, max(bound, int(better_bound))))

        def on_solution_callback(self) -> None:
            self._say(Step("finish", 0, 1, round(self.objective_value), bound))

        def _say(self, step: Step) -> None:
            try:
                report(progress, step)
            except Cancelled:
                self.is_called_off = True
                solver.stop_search()

    return Listener()
