# SPDX-License-Identifier: Apache-2.0
"""The least worst deviation that any division of the ground can have, and what forces it."""

from __future__ import annotations

from itertools import pairwise

from muster.planning.districting.counts import least_deviation, nesting_deviation
from muster.planning.districting.ground import Ground, lay_out
from muster.planning.districting.nested_counts import piece_counts
from muster.planning.districting.problem import Problem
from muster.planning.districting.wishes import free_count, kept_buildings, own_levels, targets


def bound(problem: Problem) -> int:
    """Return a lower bound on the worst deviation over all levels, in millionths."""
    kept = kept_buildings(problem)
    return bound_on(problem, lay_out(problem, ~kept))


def bound_on(problem: Problem, ground: Ground) -> int:
    """Return the bound when atoms and pieces are already known; raises BadProblem for impossible counts."""
    facts = ground.facts()
    piece_counts(problem, facts, [0] * len(facts))  # says what is wrong with impossible counts
    goals = targets(problem)
    least = [
        least_deviation(facts, goals[number], free_count(problem, number))
        for number in range(len(own_levels(problem)))
        if number == 0 or not problem.kept
    ]
    counts = [level.count for level in problem.levels]
    for below, above in pairwise(counts):
        if below is not None and above is not None and not problem.kept:
            least.append(nesting_deviation(above, below))
    return max(least, default=0)
