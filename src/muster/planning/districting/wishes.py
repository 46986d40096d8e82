# SPDX-License-Identifier: Apache-2.0
"""What a problem wishes of each level: who takes part, what a grid should weigh, how many are to be made."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from muster.planning._kernel.arrays import Bools
from muster.planning.districting.counts import target_of
from muster.planning.districting.problem import Level, Problem


def kept_buildings(problem: Problem) -> Bools:
    """Say of each building whether its grid stays exactly as it is."""
    kept = np.zeros(problem.size, np.bool_)
    if problem.kept and problem.previous:
        today = problem.previous[0]
        numbers = [number for number, name in enumerate(today.names) if name in problem.kept]
        kept = np.isin(today.grid_of, numbers)
    return kept


def targets(problem: Problem) -> list[Fraction]:
    """Return what a grid of each level should weigh; kept grids take no part in the smallest level."""
    weight = problem.weights()
    total = int(weight.sum())
    found = [target_of(total, level.count, level.size) for level in problem.levels]
    if problem.kept:
        rest = total - int(weight[kept_buildings(problem)].sum())
        found[0] = target_of(rest, free_count(problem, 0), problem.levels[0].size)
    return found


def free_count(problem: Problem, number: int) -> int | None:
    """Return how many grids of a level are still to be made, None where their size is given."""
    count = problem.levels[number].count
    if count is None or number > 0:
        return count
    return count - len(problem.kept)


def own_levels(problem: Problem) -> tuple[Level, ...]:
    """Return the levels that are made piece by piece; those above are made of the grids below them.

    Those are levels that may join communities, and all but the smallest when some grids are kept: kept
    grids take no part in the pieces, but belong to an upper grid.
    """
    if problem.kept:
        return problem.levels[:1]
    across = [number for number, level in enumerate(problem.levels) if level.across]
    return problem.levels[: across[0]] if across else problem.levels
