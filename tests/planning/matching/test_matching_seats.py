# SPDX-License-Identifier: Apache-2.0
"""The best seats: against a slow way, whatever stands in the problem, and what a person sees meanwhile."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.planning.contract import BadProblem, Cancelled, Status
from muster.planning.matching import Effort, Wanted, Weights, bound, check, make_problem, pins, solve
from tests.planning.matching.towns import best_cost, city, town

ALL_TIME = 1e9


def solved(problem, **changes):
    return solve(problem, **({"budget_s": ALL_TIME, "seed": 0} | changes))


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_town_gets_the_best_plan_with_its_proof(seed):
    problem = town(seed)

    plan = solved(problem)

    assert plan.objective == best_cost(problem)
    assert plan.bound == plan.objective
    assert check(problem, plan) == []
    assert bound(problem) <= plan.objective


def test_a_city_is_proved_and_lawful():
    problem = city(5)

    plan = solved(problem)

    assert plan.status is Status.OPTIMAL
    assert check(problem, plan) == []


def test_same_problem_gives_same_bytes_whatever_the_seed():
    problem = city(6, people=600, grids=40)

    first, second = solved(problem), solved(problem)

    assert first.envelope().to_json() == second.envelope().to_json()
    assert np.array_equal(first.grid_of, solved(problem, seed=9).grid_of)


def test_order_of_people_does_not_change_the_cost():
    people = 80
    rng = np.random.default_rng(8)
    columns = {
        "skills": [["a"] if rng.random() < 0.6 else ["a", "b"] for _ in range(people)],
        "x_m": rng.uniform(0, 900, people),
        "y_m": rng.uniform(0, 900, people),
    }
    ground = {"grids": ["g", "h"], "grid_x_m": [0, 900], "grid_y_m": [0, 0]}
    posts = Wanted(["g", "g", "h"], ["a", "b", "a"], [30, 9, 25])
    order = rng.permutation(people)
    shuffled = {name: [column[i] for i in order] for name, column in columns.items()}

    costs = {solved(make_problem(**c, **ground, posts=posts)).objective for c in (columns, shuffled)}

    assert len(costs) == 1


def test_shortage_is_shared_when_balance_counts():
    ground = {"grids": ["g", "h"], "grid_x_m": [0, 100], "grid_y_m": [0, 0]}
    people = {"skills": [["a"]] * 4, "x_m": [0] * 4, "y_m": [0] * 4}
    posts = Wanted(["g", "h"], ["a", "a"], [4, 4])

    alone = solved(make_problem(**people, **ground, posts=posts))
    shared = solved(make_problem(**people, **ground, posts=posts, weights=Weights(balance_m=4_000)))

    assert np.bincount(alone.grid_of).tolist() == [4]
    assert np.bincount(shared.grid_of).tolist() == [2, 2]


def test_people_above_need_go_where_they_help():
    ground = {"grids": ["g", "h"], "grid_x_m": [0, 100], "grid_y_m": [0, 0]}
    people = {"skills": [["a"]] * 5, "x_m": [0] * 5, "y_m": [0] * 5}
    posts = Wanted(["g", "h"], ["a", "a"], [1, 1], [3, 3])

    plan = solved(make_problem(**people, **ground, posts=posts, weights=Weights(spare_m=900)))

    assert (plan.grid_of >= 0).all()
    assert sorted(np.bincount(plan.grid_of).tolist()) == [2, 3]


def test_pinned_people_stay_and_the_rest_is_best():
    shape = {"people": 25, "grids": 5, "skills": 3, "bars": [], "walk_m": None, "place": None}
    free = town(3, **shape)
    who = next(i for i in range(25) if len(free.skills_of(i)))
    skill = free.skills[free.skills_of(who)[0]]
    post = next(p for p in range(len(free.posts.grid)) if free.skills[free.posts.skill[p]] == skill)
    grid = free.grids[free.posts.grid[post]]
    assert free.posts.need[post] > 0

    fixed = town(
        3, people=25, grids=5, skills=3, bars=[], walk_m=None, place=None, pins={str(who): (grid, skill)}
    )
    plan = solved(fixed)

    assert pins(fixed) == {str(who): (grid, skill)}
    assert fixed.grids[plan.grid_of[who]] == grid
    assert check(fixed, plan) == []
    assert plan.objective >= best_cost(free)


@pytest.mark.parametrize(
    ("pinned", "cure"),
    [
        ({"p": ("g", "b")}, "planning.matching.pin_skill"),
        ({"p": ("h", "a")}, "planning.matching.pin_full"),
        ({"p": ("g", "a"), "q": ("g", "a")}, "planning.matching.pin_full"),
        ({"q": ("g", "a")}, "planning.matching.pin_barred"),
        ({"nobody": ("g", "a")}, "planning.cure.known"),
        ({"q": ("nowhere", "a")}, "planning.cure.known"),
        ({"p": ("h", None)}, "planning.matching.pin_full"),
    ],
)
def test_pin_that_cannot_be_kept_is_refused(pinned, cure):
    barred = [("q", "g")] if cure.endswith("barred") else []
    with pytest.raises(BadProblem) as caught:
        make_problem(
            responders=["p", "q"],
            skills=[["a"], ["a"]],
            x_m=[0, 0],
            y_m=[0, 0],
            grids=["g", "h"],
            grid_x_m=[0, 1],
            grid_y_m=[0, 1],
            posts=Wanted(["g", "h"], ["a", "b"], [1, 1]),
            pins=pinned,
            bars=barred,
        )

    assert caught.value.cure == cure


def test_pin_without_a_skill_takes_the_rarest_that_is_asked_for():
    problem = make_problem(
        responders=["p", "q"],
        skills=[["common", "rare"], ["common"]],
        x_m=[0, 0],
        y_m=[0, 0],
        grids=["g"],
        grid_x_m=[0],
        grid_y_m=[0],
        posts=Wanted(["g", "g"], ["common", "rare"], [1, 1]),
        pins={"p": ("g", None)},
    )

    assert pins(problem) == {"p": ("g", "rare")}


def test_teams_come_together_where_that_pays():
    apart = [town(seed, people=28, grids=4, skills=2, teams=4) for seed in range(40)]
    gathered = 0

    for problem in apart:
        plan = solved(problem)
        loose = solved(problem, effort=Effort(team_rounds=0))
        assert check(problem, plan) == []
        assert plan.bound <= plan.objective <= loose.objective
        gathered += plan.objective < loose.objective

    assert gathered > 20


def test_spent_budget_still_gives_a_lawful_plan():
    problem = city(7, people=900, grids=60)

    plan = solved(problem, budget_s=0.0)

    assert check(problem, plan) == []
    assert plan.bound <= plan.objective
    assert (plan.grid_of >= 0).sum() > 0.8 * problem.posts.need.sum()


def test_fewer_phases_give_a_plan_within_its_stated_gap():
    problem = city(7, people=900, grids=60)

    rough, best = solved(problem, effort=Effort(most_phases=2)), solved(problem)

    assert rough.bound <= best.objective <= rough.objective
    assert check(problem, rough) == []


def test_person_who_calls_off_is_obeyed():
    with pytest.raises(Cancelled):
        solved(city(7, people=900, grids=60), progress=lambda step: False)


def test_progress_tells_how_far_and_how_good():
    seen = []

    plan = solved(city(7, people=300, grids=30), progress=lambda step: seen.append(step))

    whole = [step for step in seen if step.objective is not None]
    assert whole[-1].bound == whole[-1].objective == plan.objective
    assert all(step.done <= step.total for step in seen)


def test_empty_problems_have_plans():
    nobody = town(1, people=0, grids=3, skills=2, bars=[], walk_m=None, place=None)
    nothing = make_problem(
        skills=[["a"]], x_m=[0], y_m=[0], grids=[], grid_x_m=[], grid_y_m=[], posts=Wanted([], [], [])
    )

    for problem in (nobody, nothing):
        plan = solved(problem)
        assert check(problem, plan) == []
        assert plan.objective == plan.bound


def test_plain_python_finds_the_same():
    code = (
        "from tests.planning.matching.towns import town, best_cost\n"
        "from muster.planning.matching import solve\n"
        "for seed in (3, 89, 397):\n"
        "    problem = town(seed, people=9, grids=3, skills=2)\n"
        "    assert solve(problem, budget_s=1e9, seed=0).objective == best_cost(problem)\n"
    )
    root = str(Path(__file__).resolve().parents[3])
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": root}

    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
