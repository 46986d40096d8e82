# SPDX-License-Identifier: Apache-2.0
"""The cheapest month of a person, against every month there is."""

from itertools import product

import numpy as np
import pytest

from muster.planning.rostering import make_problem, problem_from_rota
from muster.planning.rostering.checking import PERSONAL_RULES, Row
from muster.planning.rostering.months import GRAIN
from muster.planning.rostering.planner import Planner, own_cost
from muster.planning.rostering.problem import OFF
from tests.planning.rostering.gates import ROTA, gate


def lawful_months(problem, person):
    people = problem.people
    own = people.duties[people.first[person] : people.first[person + 1]].tolist()
    for month in product([OFF, *own], repeat=problem.days):
        shifts = [OFF if duty == OFF else int(problem.duties.shift[duty]) for duty in month]
        row = Row(person, "", list(month), shifts)
        if not any(next(rule(problem, row), None) for rule in PERSONAL_RULES):
            yield np.array(month, np.int32)


def cost_at(problem, person, month, margin):
    days = np.flatnonzero(month >= 0)
    return own_cost(problem, person, month) * GRAIN + int(margin[days, month[days]].sum())


@pytest.mark.parametrize("seed", range(40))
def test_month_is_the_cheapest_of_all_lawful_ones(seed):
    facts = gate(seed, people=2, days=5, shifts=2)
    facts["people"][0]["kinds"] = ["party"]
    facts["people"][1]["kinds"] = ["party"]
    problem = make_problem(**facts)
    planner = Planner(problem)
    rng = np.random.default_rng(seed)
    margin = rng.integers(-50, 30, (problem.days, problem.duties.size)) * GRAIN

    for person in range(problem.people.size):
        costs = [cost_at(problem, person, month, margin) for month in lawful_months(problem, person)]
        month = planner.best(person, margin)

        assert (None if month is None else month.cost) == min(costs, default=None)
        if month is not None:
            assert cost_at(problem, person, month.row, margin) == month.cost
            assert month.own == own_cost(problem, person, month.row) * GRAIN


def test_wide_limits_left_out_of_the_tables_are_kept_all_the_same():
    problem = problem_from_rota(ROTA.replace("E=14|L=14,", "E=14|L=7,").replace("4320,3360", "4800,0"))
    planner = Planner(problem)
    margin = np.zeros((problem.days, problem.duties.size), np.int64)
    margin[:, 1] = -10 * GRAIN

    month = planner.best(0, margin)

    assert planner.contracts[0].wide() == [1]
    assert (month.row == 1).sum() == 7


def test_person_without_a_lawful_month_has_none():
    facts = gate(1, people=1, days=3, shifts=1)
    facts["people"] = [{"name": "p", "kinds": ["party"], "min_minutes": 4800, "max_minutes": 4800}]
    problem = make_problem(**facts)

    assert Planner(problem).best(0, np.zeros((3, problem.duties.size), np.int64)) is None
