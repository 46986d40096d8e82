# SPDX-License-Identifier: Apache-2.0
"""Why a walk is as it is: its length against the least possible, its longest leg, what a person fixed."""

from __future__ import annotations

import numpy as np

from muster.planning.contract import Reason
from muster.planning.network.graph import UNREACHABLE
from muster.planning.network.plan import Plan
from muster.planning.network.problem import Problem, Task, pins


def explain(problem: Problem, plan: Plan) -> list[Reason]:
    """Return the reasons as message codes with facts."""
    return _of_walk(problem, plan) if plan.task is Task.WALK else _of_matrix(plan)


def _of_walk(problem: Problem, plan: Plan) -> list[Reason]:
    length, least = plan.objective_dm or 0, plan.bound_dm or 0
    reasons = [
        Reason("planning.network.walk.length", {"stops": len(plan.order), "metres": round(length / 10)})
    ]
    if length == least:
        reasons.append(Reason("planning.network.walk.shortest"))
    else:
        percent = round(100 * (length - least) / max(1, length), 1)
        reasons.append(
            Reason("planning.network.walk.near_shortest", {"percent": percent, "metres": round(least / 10)})
        )
    if pins(problem):
        reasons.append(Reason("planning.network.walk.pinned", {"stops": len(pins(problem))}))
    if plan.cut_off:
        reasons.append(Reason("planning.network.walk.cut_off", {"stops": len(plan.cut_off)}))
    return reasons


def _of_matrix(plan: Plan) -> list[Reason]:
    matrix = plan.distances_dm if plan.distances_dm is not None else np.zeros((0, 0), np.int32)
    reached = matrix[matrix < UNREACHABLE]
    farthest = round(int(reached.max(initial=0)) / 10)
    reasons = [
        Reason("planning.network.distances.exact", {"pairs": int(matrix.size), "farthest_metres": farthest})
    ]
    if len(reached) < matrix.size:
        reasons.append(
            Reason("planning.network.distances.unreached", {"pairs": int(matrix.size) - len(reached)})
        )
    return reasons
