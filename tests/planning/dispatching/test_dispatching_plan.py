# SPDX-License-Identifier: Apache-2.0
"""Many requests at once: the best way, its proof, pins, budgets, faults that the check finds."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.planning.contract import BadProblem, Cancelled, Status
from muster.planning.dispatching import bound, check, make_problem, one_by_one, pins, solve
from tests.planning.dispatching.streets import best_cost, day

ALL_TIME = 1e9


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_any_day_gets_the_best_plan_with_its_proof(seed):
    problem = day(seed)

    plan = solve(problem, budget_s=ALL_TIME, seed=0)
    simple = one_by_one(problem, seed=0)

    assert plan.objective == best_cost(problem) == plan.bound
    assert check(problem, plan) == []
    assert check(problem, simple) == []
    assert bound(problem) <= plan.objective <= simple.objective


def rush(seed, *, people=1_500, requests=600):
    """Return a rush: few free people of each kind, crowds in some places."""
    rng = np.random.default_rng(seed)
    middle = rng.normal(0, 1500, (5, 2))
    home, call = (middle[rng.integers(0, 5, n)] + rng.normal(0, 400, (n, 2)) for n in (people, requests))
    shares = (1, 0.3, 0.1)
    return make_problem(
        responders={
            "x_m": home[:, 0],
            "y_m": home[:, 1],
            "traits": [[f"t{k}" for k in range(3) if rng.random() < shares[k]] for _ in range(people)],
            "capacity": rng.random(people) < 0.5,
        },
        requests={
            "x_m": call[:, 0],
            "y_m": call[:, 1],
            "needs": [[f"t{rng.choice(3, p=[0.6, 0.3, 0.1])}"] for _ in range(requests)],
        },
    )


def test_rush_is_proved_and_saves_walking():
    problem = rush(3)

    plan, simple = solve(problem, budget_s=ALL_TIME, seed=0), one_by_one(problem, seed=0)

    assert plan.status is Status.OPTIMAL
    assert check(problem, plan) == []
    assert plan.objective < 0.95 * simple.objective


def test_same_problem_gives_same_bytes():
    first, second = (solve(rush(4), budget_s=ALL_TIME, seed=2).envelope().to_json() for _ in range(2))

    assert first == second


def test_urgent_request_is_served_when_not_all_can_be():
    problem = make_problem(
        responders={"x_m": [0], "y_m": [0]},
        requests={"x_m": [10, 900], "y_m": [0, 0], "urgency": [1, 5]},
    )

    plan = solve(problem, budget_s=ALL_TIME, seed=0)

    assert plan.responder_of.tolist() == [-1, 0]


def test_load_spreads_work():
    problem = make_problem(
        responders={"x_m": [0, 100], "y_m": [0, 0], "capacity": [4, 4]},
        requests={"x_m": [0] * 4, "y_m": [0] * 4},
    )

    plan = solve(problem, budget_s=ALL_TIME, seed=0)

    assert np.bincount(plan.responder_of).tolist() == [2, 2]


def test_pinned_request_stays_and_the_rest_is_best():
    facts = {"responders": {"x_m": [0, 10], "y_m": [0, 0]}, "requests": {"x_m": [0, 10], "y_m": [0, 0]}}

    free = solve(make_problem(**facts), budget_s=ALL_TIME, seed=0)
    fixed = make_problem(**facts, pins={"0": "1"})
    plan = solve(fixed, budget_s=ALL_TIME, seed=0)

    assert free.responder_of.tolist() == [0, 1]
    assert plan.responder_of.tolist() == [1, 0]
    assert pins(fixed) == {"0": "1"}
    assert check(fixed, plan) == []
    assert plan.status is Status.OPTIMAL


@pytest.mark.parametrize(
    ("changes", "cure"),
    [
        ({"pins": {"0": "0"}}, "planning.dispatching.pin_traits"),
        ({"pins": {"0": "1"}, "declined": [("0", "1")]}, "planning.dispatching.pin_declined"),
        ({"pins": {"0": "1", "1": "1"}}, "planning.dispatching.pin_full"),
        ({"pins": {"9": "1"}}, "planning.cure.known"),
        ({"pins": {"0": "9"}}, "planning.cure.known"),
    ],
)
def test_pin_that_cannot_be_kept_is_refused(changes, cure):
    with pytest.raises(BadProblem) as caught:
        make_problem(
            responders={"x_m": [0, 0], "y_m": [0, 0], "traits": [[], ["a"]]},
            requests={"x_m": [0, 0], "y_m": [0, 0], "needs": [["a"], []]},
            **changes,
        )

    assert caught.value.cure == cure


def test_spent_budget_still_serves_everybody_it_can():
    problem = rush(6)

    plan = solve(problem, budget_s=0, seed=0)

    assert check(problem, plan) == []
    assert (plan.responder_of >= 0).sum() == (one_by_one(problem, seed=0).responder_of >= 0).sum()


def test_person_who_calls_off_is_obeyed():
    with pytest.raises(Cancelled):
        solve(rush(6), budget_s=ALL_TIME, seed=0, progress=lambda step: False)


def test_each_fault_is_found():
    problem = make_problem(
        responders={
            "name": ["p", "q", "r"],
            "x_m": [0, 10, 20],
            "y_m": [0, 0, 0],
            "traits": [["a"], [], ["b"]],
        },
        requests={
            "x_m": [0, 12, 25],
            "y_m": [0, 0, 0],
            "needs": [["a"], [], []],
            "avoids": [[], ["b"], []],
        },
        declined=[("2", "q")],
        pins={"0": "p"},
    )
    plan = solve(problem, budget_s=ALL_TIME, seed=0)

    def rules(responders=None, **changes):
        given = plan if responders is None else replace(plan, responder_of=np.asarray(responders))
        return {violation.rule for violation in check(problem, replace(given, **changes))}

    assert plan.responder_of.tolist() == [0, 1, 2]
    assert rules() == set()
    assert "traits_fit" in rules([0, 2, 1])
    assert "declined_is_respected" in rules([0, 2, 1])
    assert "nobody_overloaded" in rules([0, 1, 0])
    assert "pin_is_kept" in rules([-1, 1, 2])
    assert rules([0, 1, -1]) == {"objective_adds_up"}
    assert rules(bound=plan.bound + 1) == {"bound_is_proved"}
    assert rules(prices={0: [-500]}) == {"bound_is_proved"}
    assert rules(requests=("0", "1", "1")) == {"each_request_once"}


def test_unknown_responder_is_found():
    problem = day(2, people=4, requests=3)
    plan = solve(problem, budget_s=ALL_TIME, seed=0)

    strangers = replace(plan, responders=tuple(f"x{i}" for i in range(4)))

    assert {violation.rule for violation in check(problem, strangers)} == {"responders_are_known"}


def test_plain_python_finds_the_same():
    code = (
        "from tests.planning.dispatching.streets import day, best_cost\n"
        "from muster.planning.dispatching import solve, check\n"
        "for seed in range(4):\n"
        "    problem = day(seed, people=8, requests=6)\n"
        "    plan = solve(problem, budget_s=1e9, seed=0)\n"
        "    assert plan.objective == best_cost(problem) and not check(problem, plan)\n"
    )
    root = str(Path(__file__).resolve().parents[3])
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": root}

    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
