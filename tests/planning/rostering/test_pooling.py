# SPDX-License-Identifier: Apache-2.0
"""Duties that differ only in their post, planned as one and told apart again."""

import numpy as np
import pytest

from muster.planning.rostering import Effort, check, make_problem, solve
from muster.planning.rostering.exact import prove
from muster.planning.rostering.pooling import pooled
from tests.planning.rostering.gates import gate, week

LITTLE = Effort(root_rounds=100, steps=3, sweeps=3, proof=3.0)


def neighbourhood(**changes):
    facts = week(posts=3, people=4, days=5) | changes
    for person in facts["people"]:
        person["posts"] = ["gate 0", "gate 1", "gate 2"]
    return facts


def test_gates_with_the_same_needs_and_people_are_one_duty():
    problem = make_problem(**neighbourhood())

    pools = pooled(problem)

    assert pools.problem.duties.size == 6
    assert sorted(len(duties) for duties in pools.members) == [3] * 6
    assert pools.problem.duties.need.sum() == problem.duties.need.sum()


def test_duties_stay_apart_where_people_or_weights_differ():
    facts = neighbourhood()
    facts["people"][0]["posts"] = ["gate 0"]
    facts["posts"][1]["needs"][1]["under"] = 7

    sizes = sorted(len(duties) for duties in pooled(make_problem(**facts)).members)

    # Party members: gate 0 apart from two. Volunteers: three alike, but the early shift of gate 1.
    assert sizes == [1, 1, 1, 1, 2, 2, 2, 2, 3, 3]


@pytest.mark.parametrize("seed", range(6))
def test_pooling_does_not_change_the_least_cost(seed):
    facts = gate(seed, people=4, days=5, posts=1)
    facts["posts"] = [facts["posts"][0], facts["posts"][0] | {"name": "other gate"}]
    problem = make_problem(**facts)

    whole = prove(problem, hint=None, seconds=20, seed=0)
    plan = solve(problem, budget_s=1e9, seed=0, effort=LITTLE)

    assert prove(pooled(problem).problem, hint=None, seconds=20, seed=0).cost == whole.cost
    if not plan.unlawful:
        assert plan.objective == whole.cost
        assert check(problem, plan) == []


def test_pinned_post_is_kept_and_people_stay_at_their_post():
    pin = {"person": "party 1-0", "day": 2, "post": "gate 2", "shift": "late", "kind": "party"}
    problem = make_problem(**neighbourhood(pins=[pin]))

    plan = solve(problem, budget_s=1e9, seed=0, effort=LITTLE)

    assert check(problem, plan) == []
    assert plan.objective == 0
    posts = [[plan.duties[d][0] for d in row if d >= 0] for row in plan.roster.tolist()]
    moves = sum(int(np.sum(np.array(row[1:]) != np.array(row[:-1]))) for row in posts if row)
    assert moves < sum(max(0, len(row) - 1) for row in posts) / 2
