# SPDX-License-Identifier: Apache-2.0
"""The answer to a walking problem: an exact matrix of distances, or a walk and its length."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from muster.planning._kernel.arrays import Ints
from muster.planning._kernel.files import read_envelope, write_text
from muster.planning._kernel.reading import Fields
from muster.planning.contract import BadProblem, PlanEnvelope, Status
from muster.planning.network.graph import UNREACHABLE
from muster.planning.network.problem import Task

ENGINE = "network"


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Distances (sources x targets, decimetres) or a walk: the names of its stops in order.

    `objective_dm` is the length of the walk and `bound_dm` the least that any walk needs; a matrix is
    exact and has neither. `cut_off` are the stops that no walk reaches.
    """

    task: Task
    seed: int
    distances_dm: Ints | None = None
    order: tuple[str, ...] = ()
    cut_off: tuple[str, ...] = ()
    objective_dm: int | None = None
    bound_dm: int | None = None

    def envelope(self) -> PlanEnvelope:
        proved = self.task is Task.DISTANCES or self.objective_dm == self.bound_dm
        solution: dict[str, Any] = {"task": str(self.task)}
        if self.task is Task.DISTANCES:
            solution["distances_dm"] = self.distances_dm
            solution["unreachable"] = UNREACHABLE
        else:
            solution |= {"order": list(self.order), "cut_off": list(self.cut_off)}
        status = Status.OPTIMAL if proved else Status.FEASIBLE
        return PlanEnvelope(ENGINE, status, self.objective_dm, self.bound_dm, self.seed, solution)

    @classmethod
    def from_envelope(cls, envelope: PlanEnvelope) -> Plan:
        """Read the engine's part of an envelope; raises BadProblem."""
        fields = Fields(envelope.solution, "solution")
        task = Task(fields.chosen("task", tuple(Task)))
        if task is Task.WALK:
            order = tuple(str(name) for name in fields.listed("order"))
            cut_off = tuple(str(name) for name in fields.listed("cut_off"))
            length, least = _whole(envelope.objective), _whole(envelope.bound)
            return cls(task, envelope.seed, None, order, cut_off, length, least)
        rows = fields.listed("distances_dm")
        try:
            matrix = np.asarray(rows, np.int64).reshape(len(rows), -1).astype(np.int32)
        except (ValueError, TypeError, OverflowError) as error:
            raise BadProblem(
                "distances_dm", "solution", "planning.cure.integer", lowest=0, highest=UNREACHABLE
            ) from error
        return cls(task, envelope.seed, matrix)


def _whole(value: Any) -> int | None:
    if value is None or isinstance(value, int):
        return value
    raise BadProblem("objective", "", "planning.cure.integer", lowest=0, highest=UNREACHABLE)


def write_plan(plan: Plan, path: Path) -> list[Path]:
    """Write the plan file; returns the files written."""
    write_text(path, plan.envelope().to_json())
    return [path]


def read_plan(path: Path) -> Plan:
    """Read a plan file of this engine; raises BadProblem."""
    return Plan.from_envelope(read_envelope(path, engine=ENGINE))
