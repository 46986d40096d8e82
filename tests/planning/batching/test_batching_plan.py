# SPDX-License-Identifier: Apache-2.0
"""Batch plans: lowest peaks against trying everything, bounds that hold, calls, pins, faults found."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from muster.planning.batching import Effort, bottleneck, bound, check, make_problem, pins, solve
from muster.planning.contract import BadProblem, Cancelled, Status
from tests.planning.batching.quarters import lowest_peak, quarter

ALL_TIME = 1e9


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_small_quarter_is_near_the_lowest_peak(seed):
    problem = quarter(seed)

    plan = solve(problem, budget_s=ALL_TIME, seed=1)
    best = lowest_peak(problem)

    assert check(problem, plan) == []
    assert plan.bound <= best <= plan.objective <= 1.34 * best


def test_small_quarters_mostly_reach_the_lowest_peak():
    problems = [quarter(seed) for seed in range(60)]

    reached = sum(solve(p, budget_s=ALL_TIME, seed=1).objective == lowest_peak(p) for p in problems)

    assert reached >= 55


def divided_peak(problem):
    """Return the lowest peak if people could be divided, by a linear programme."""
    first, cell = problem.choices.first, problem.choices.cell
    lanes, arcs = problem.lanes_of_cells(), len(problem.choices.cell)
    owner = np.repeat(np.arange(problem.units.size), np.diff(first))
    whole = np.zeros((problem.units.size, arcs + 1))
    whole[owner, np.arange(arcs)] = 1
    loads = np.zeros((len(lanes), arcs + 1))
    loads[cell, np.arange(arcs)] = problem.units.people[owner]
    loads[:, -1] = -lanes
    cost = np.zeros(arcs + 1)
    cost[-1] = 1
    done = linprog(cost, A_ub=loads, b_ub=np.zeros(len(lanes)), A_eq=whole, b_eq=np.ones(problem.units.size))
    return done.fun


@pytest.mark.parametrize("seed", range(12))
def test_bound_is_that_of_divided_people(seed):
    problem = quarter(seed, houses=30, places=4, mean=2.0)

    tight = bottleneck(problem)

    assert tight.unit >= 0 or tight.people / tight.lanes == pytest.approx(divided_peak(problem))
    assert bound(problem) >= 1000 * divided_peak(problem) - 1e-6


@pytest.mark.parametrize(("units", "sites"), [(300, 8), (1_500, 25)])
def test_larger_quarter_is_within_five_percent_of_the_bound(units, sites):
    problem = quarter(4, houses=units, places=sites, hours=8)

    plan = solve(problem, budget_s=ALL_TIME, seed=0)

    assert check(problem, plan) == []
    assert plan.objective <= 1.05 * plan.bound


def test_same_problem_and_seed_give_same_bytes():
    problem = quarter(5, houses=200, places=5)

    first, second = (solve(problem, budget_s=ALL_TIME, seed=3).envelope().to_json() for _ in range(2))

    assert first == second


def test_sites_do_not_all_begin_at_once():
    problem = quarter(6, houses=400, places=20, stagger_min=9)

    plan = solve(problem, budget_s=ALL_TIME, seed=0)
    begins = {}
    for site, slot, call in zip(plan.site_of, plan.slot_of, plan.call_min, strict=True):
        begins[site, slot] = min(int(call), begins.get((site, slot), 9999))
    first_slot = [call for (_, slot), call in begins.items() if slot == "h0"]

    assert max(np.bincount(np.asarray(first_slot) - 480)) <= 2
    assert check(problem, plan) == []


def test_batch_is_a_walk_from_the_site_along_its_doors():
    problem = make_problem(
        units={"x_m": [30, 10, 20, 200], "y_m": [0] * 4, "people": [10] * 4},
        sites={"x_m": [0, 200], "y_m": [0, 0], "lanes": [3, 1]},
        slots={"name": ["am"], "start_min": [540], "minutes": [60]},
        stagger_min=0,
    )

    plan = solve(problem, budget_s=ALL_TIME, seed=0)

    assert (plan.batches.site, plan.batches.slot) == (("0", "1"), ("am", "am"))
    assert plan.order.tolist() == [2, 0, 1, 0]
    assert plan.batches.people.tolist() == [30, 10]
    assert plan.batches.begins_min.tolist() == [540, 540]
    assert plan.batches.route_m.tolist() == [30, 0]


def test_short_walks_are_kept_where_the_peak_allows():
    units = {"x_m": [0, 0, 100, 100], "y_m": [0] * 4, "people": [10] * 4}
    problem = make_problem(
        units=units,
        sites={"x_m": [0, 100], "y_m": [0, 0], "lanes": [1, 1]},
        slots={"name": ["am"], "start_min": [540], "minutes": [60]},
    )

    plan = solve(problem, budget_s=ALL_TIME, seed=0)

    assert plan.walk_m.tolist() == [0, 0, 0, 0]
    assert plan.objective == 20_000


def test_pinned_unit_stays_and_counts():
    problem = quarter(7, houses=20, places=3, pins={"4": ("2", "h0")})

    plan = solve(problem, budget_s=ALL_TIME, seed=0)

    assert pins(problem) == {"4": ("2", "h0")}
    assert (plan.site_of[4], plan.slot_of[4]) == ("2", "h0")
    assert check(problem, plan) == []


def test_unit_too_large_for_any_cell_is_named():
    problem = make_problem(
        units={"x_m": [0, 0], "y_m": [0, 0], "people": [5, 500]},
        sites={"x_m": [0], "y_m": [0], "lanes": [2]},
        slots={"name": ["am", "pm"], "start_min": [540, 800], "minutes": [60, 60]},
    )

    plan = solve(problem, budget_s=ALL_TIME, seed=0)

    assert (plan.bottleneck_unit, plan.objective, plan.status) == ("1", 250_000, Status.OPTIMAL)


@pytest.mark.parametrize(("houses", "places"), [(0, 1), (1, 1), (40, 1)])
def test_nobody_and_everybody_in_one_place_have_a_plan(houses, places):
    units = {"x_m": [0] * houses, "y_m": [0] * houses, "people": list(range(houses))}
    sites = {"x_m": [0] * places, "y_m": [0] * places, "lanes": [2] * places}
    problem = make_problem(
        units=units, sites=sites, slots={"name": ["am"], "start_min": [540], "minutes": [1]}
    )

    plan = solve(problem, budget_s=ALL_TIME, seed=0)

    assert check(problem, plan) == []
    assert (plan.status, plan.objective) == (Status.OPTIMAL, 500 * sum(range(houses)))


def test_spent_budget_and_least_effort_still_give_lawful_plans():
    problem = quarter(8, houses=300, places=6)

    for plan in (
        solve(problem, budget_s=0, seed=0),
        solve(problem, budget_s=ALL_TIME, seed=0, effort=Effort(0, 0, 0, 0)),
    ):
        assert check(problem, plan) == []


def test_person_who_calls_off_is_obeyed():
    with pytest.raises(Cancelled):
        solve(quarter(8, houses=30), budget_s=ALL_TIME, seed=0, progress=lambda step: False)


def test_each_fault_is_found():
    problem = make_problem(
        units={"name": ["p", "q", "r"], "x_m": [0, 0, 900], "y_m": [0] * 3, "people": [30, 10, 20]},
        sites={"name": ["a", "b"], "x_m": [0, 2500], "y_m": [0, 0], "lanes": [[1, 1], [2, 0]]},
        slots={"name": ["am", "pm"], "start_min": [540, 800], "minutes": [60, 60]},
        stagger_min=5,
        pins={"q": ("a", "pm")},
    )
    plan = solve(problem, budget_s=ALL_TIME, seed=0)

    def rules(**changes):
        return {violation.rule for violation in check(problem, replace(plan, **changes))}

    assert rules() == set()
    assert rules(units=("p", "q", "q")) == {"each_unit_once"}
    assert rules(site_of=("a", "a", "nowhere")) == {"cells_are_known"}
    assert "cell_is_open" in rules(site_of=("a", "a", "b"), slot_of=("am", "pm", "pm"))
    assert "cell_is_a_choice" in rules(site_of=("b", "a", "a"), slot_of=("am", "pm", "pm"))
    assert "pin_is_kept" in rules(slot_of=("am", "am", "pm"))
    assert "call_is_in_the_slot" in rules(call_min=plan.call_min + 100)
    assert "calls_follow_the_order" in rules(order=plan.order + 1)
    assert rules(objective=plan.objective + 1) == {"objective_adds_up"}
    assert rules(bound=plan.bound + 1) == {"bound_is_proved"}
    assert rules(bottleneck_unit="nobody") == {"bound_is_proved"}
    for name in ("people", "begins_min", "route_m"):
        wrong = replace(plan.batches, **{name: getattr(plan.batches, name) + 2})
        assert rules(batches=wrong) == {"batches_are_as_the_units"}
    missing = {
        name: getattr(plan.batches, name)[1:] for name in ("site", "slot", "people", "begins_min", "route_m")
    }
    assert rules(batches=replace(plan.batches, **missing)) == {"batches_are_as_the_units"}


def test_sites_that_begin_together_are_found():
    problem = quarter(6, houses=60, places=6, stagger_min=9)
    plan = solve(problem, budget_s=ALL_TIME, seed=0)
    starts = {"h0": 480, "h1": 540, "h2": 600}

    begins = np.asarray([starts[slot] for slot in plan.batches.slot])
    together = replace(
        plan,
        call_min=np.asarray([starts[slot] for slot in plan.slot_of]),
        batches=replace(plan.batches, begins_min=begins),
    )

    assert {violation.rule for violation in check(problem, together)} == {"sites_begin_apart"}


@pytest.mark.parametrize(
    ("changes", "cure"),
    [
        ({"pins": {"0": ("0", "h1")}}, "planning.batching.pin_closed"),
        ({"pins": {"0": ("9", "h1")}}, "planning.cure.known"),
        (
            {"units": {"x_m": [0], "y_m": [0], "people": [1], "slots": [["h1"]]}},
            "planning.batching.nowhere_to_go",
        ),
        ({"units": {"x_m": [0], "y_m": [0], "people": [1], "slots": [["h7"]]}}, "planning.cure.known"),
        ({"sites": {"x_m": [], "y_m": [], "lanes": []}}, "planning.cure.not_empty"),
    ],
)
def test_problem_without_a_way_is_refused(changes, cure):
    sites = {"x_m": [0], "y_m": [0], "lanes": [[1, 0, 0]]}
    with pytest.raises(BadProblem) as caught:
        quarter(1, houses=1, **({"sites": sites} | changes))

    assert caught.value.cure == cure


def test_plain_python_finds_the_same():
    code = (
        "from tests.planning.batching.quarters import quarter\n"
        "from muster.planning.batching import solve\n"
        "print(solve(quarter(3, houses=14, places=2), budget_s=1e9, seed=2).envelope().to_json())\n"
    )
    root = str(Path(__file__).resolve().parents[3])
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": root}

    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert '"engine":"batching"' in done.stdout
