# SPDX-License-Identifier: Apache-2.0
"""The look-over finds each kind of fault: a lawful plan, changed in one place, is no longer lawful."""

from dataclasses import replace

import numpy as np
import pytest

from muster.planning.matching import Plan, Wanted, check, make_problem, solve
from muster.planning.matching.flow_files import flow_from_text
from muster.planning.matching.plan import Prices
from tests.planning.matching.towns import city


@pytest.fixture(scope="module")
def solved():
    problem = make_problem(
        responders=["p", "q", "r", "s"],
        skills=[["a"], ["a", "b"], ["b"], ["a"]],
        x_m=[0, 10, 500, 0],
        y_m=[0, 0, 0, 900],
        reach_m=[600, 600, 600, 5],
        grids=["g", "h"],
        grid_x_m=[0, 500],
        grid_y_m=[0, 0],
        posts=Wanted(["g", "g", "h"], ["a", "b", "a"], [1, 1, 1]),
        pins={"q": ("g", "b")},
        bars=[("r", "g")],
    )
    plan = solve(problem, budget_s=1e9, seed=0)
    assert isinstance(plan, Plan)
    assert check(problem, plan) == []
    return problem, plan


def reseated(plan, who, grid, skill):
    grid_of, skill_of = plan.grid_of.copy(), plan.skill_of.copy()
    grid_of[who], skill_of[who] = grid, skill
    return replace(plan, grid_of=grid_of, skill_of=skill_of)


def rules(problem, plan):
    return {violation.rule for violation in check(problem, plan)}


@pytest.mark.parametrize(
    ("who", "grid", "skill", "rule"),
    [
        (0, 0, -1, "seat_is_whole"),
        (2, 1, 1, "post_is_asked_for"),
        (3, 0, 0, "post_is_not_overfull"),
        (0, 0, 1, "skill_is_held"),
        (3, 1, 0, "walk_is_within_reach"),
        (2, 0, 1, "pair_is_not_barred"),
        (1, 1, 0, "pin_is_kept"),
        (0, -1, -1, "objective_adds_up"),
    ],
)
def test_changed_seat_is_found(solved, who, grid, skill, rule):
    problem, plan = solved

    assert rule in rules(problem, reseated(plan, who, grid, skill))


def test_listed_twice_or_not_at_all_is_found(solved):
    problem, plan = solved

    twice = replace(plan, responders=("p", "q", "r", "p"))

    assert rules(problem, twice) == {"each_responder_once"}


def test_flattering_bound_is_found():
    problem = city(2, people=200, grids=20)
    plan = solve(problem, budget_s=1e9, seed=0)
    price = plan.prices.price.copy()
    price[np.argmax(problem.posts.need)] += 500 * plan.prices.scale

    assert rules(problem, plan) == set()
    assert rules(problem, replace(plan, bound=plan.bound + 1)) == {"bound_is_proved"}
    assert rules(problem, replace(plan, prices=Prices(plan.prices.scale, price))) == {"bound_is_proved"}


def test_plan_of_seats_for_a_problem_of_flows_is_found(solved):
    _, plan = solved

    flows = flow_from_text("p min 2 1\na 1 2 0 1 1\n", "flow.min")

    assert rules(flows, plan) == {"plan_is_of_the_problem"}
