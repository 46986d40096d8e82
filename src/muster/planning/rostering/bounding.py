# SPDX-License-Identifier: Apache-2.0
"""A cost that no rota can be below, found without making one."""

from __future__ import annotations

import numpy as np

from muster.planning.rostering.problem import Problem


def bound(problem: Problem, *, seconds: float = 20.0) -> int:
    """Return a lower bound on the cost of any rota: column generation, or steps for a crowd."""
    from muster.planning.rostering.pieces import part, pieces
    from muster.planning.rostering.piecework import bound_of_piece

    parts = pieces(problem)
    reached = np.zeros(problem.duties.size, bool)
    total = 0
    for people, duties in parts:
        reached[duties] = True
        share = seconds * len(people) / max(1, problem.people.size)
        total += bound_of_piece(part(problem, people, duties), share)
    table = problem.duties
    lost = table.need.astype(np.int64) * table.under
    return total + int(lost[:, ~reached].sum())
