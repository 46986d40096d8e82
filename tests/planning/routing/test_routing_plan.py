# SPDX-License-Identifier: Apache-2.0
"""Routes: least costs against trying everything, rules each with its break, pins, what cannot be served."""

import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.planning.contract import BadProblem, Cancelled, Status
from muster.planning.routing import Effort, LeftOut, bound, check, make_problem, pins, solve
from tests.planning.routing.villages import least_cost, transfers, village

ALL_TIME = 1e9
LITTLE = Effort(steps=3_000, rounds=3)


def planned(problem, *, seed=1, effort=LITTLE, **options):
    return solve(problem, budget_s=ALL_TIME, seed=seed, effort=effort, **options)


def town(seed=0, stops=60, *, capacity=40, **vehicles):
    """Return a plain town with one depot."""
    rng = np.random.default_rng(seed)
    return make_problem(
        stops={
            "x_m": rng.integers(0, 2_000, stops),
            "y_m": rng.integers(0, 2_000, stops),
            "demand": rng.integers(1, 10, stops),
        },
        depots={"x_m": [1_000], "y_m": [1_000]},
        vehicles={"name": ["van"], "count": [stops], "capacity": [capacity], **vehicles},
    )


@pytest.mark.parametrize("make", [village, transfers])
def test_small_problem_is_near_the_least_cost(make):
    reached, possible = 0, 0
    for seed in range(40):
        problem = make(seed)
        best = least_cost(problem)

        plan = planned(problem)

        assert check(problem, plan) == []
        assert (plan.status is Status.INFEASIBLE) == (best is None)
        if best is not None:
            assert plan.bound <= bound(problem) <= best <= plan.objective <= 1.05 * best
            possible += 1
            reached += plan.objective == best

    assert possible >= 30
    assert reached >= possible - 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(7, 14))
def test_plan_of_any_village_keeps_every_rule(seed, stops):
    problem = village(seed, stops=stops)

    plan = planned(problem, effort=Effort(200, 2))

    assert check(problem, plan) == []


def test_order_of_the_stops_in_the_file_does_not_matter():
    rng = np.random.default_rng(5)
    x, y, demand = rng.integers(0, 900, (3, 7))
    costs = set()
    for _ in range(3):
        order = rng.permutation(7)
        problem = make_problem(
            stops={"x_m": x[order], "y_m": y[order], "demand": demand[order]},
            depots={"x_m": [400], "y_m": [400]},
            vehicles={"count": [7], "capacity": [1_500]},
        )
        costs.add(planned(problem).objective)

    assert len(costs) == 1


def test_longer_search_costs_no_more_and_bound_holds():
    problem = town(1)

    first = planned(problem, effort=Effort(1, 1))
    plan = planned(problem, effort=Effort(40_000, 8))

    assert 0 < plan.bound <= plan.objective < first.objective
    assert plan.bound == bound(problem)
    assert plan.objective <= 1.6 * plan.bound


def many_parts():
    rng = np.random.default_rng(3)
    return make_problem(
        stops={"x_m": rng.integers(0, 9_000, 1_100), "y_m": rng.integers(0, 9_000, 1_100)},
        depots={"x_m": [0, 9_000], "y_m": [0, 9_000]},
        vehicles={"depot": ["1", "2"], "count": [60, 60], "max_stops": [25, 25]},
    )


def test_plan_has_the_same_bytes_whoever_does_the_work():
    problem = many_parts()
    effort = Effort(4_000, 2)

    texts = {planned(problem, effort=effort).envelope().to_json()}
    with ThreadPoolExecutor(1) as threads:
        texts.add(planned(problem, effort=effort, executor=threads).envelope().to_json())
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        plan = planned(problem, effort=effort, executor=pool)
        texts.add(plan.envelope().to_json())

    assert len(texts) == 1
    assert check(problem, plan) == []


def test_each_better_answer_is_told():
    steps = []

    planned(town(2), effort=Effort(4_000, 8), progress=steps.append)
    costs = [step.objective for step in steps if step.objective is not None]

    assert [step.stage for step in steps][:2] == ["read", "first"]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < costs[0]


@pytest.mark.parametrize("stage", ["read", "first", "improve", "bound"])
def test_person_who_calls_off_is_obeyed(stage):
    with pytest.raises(Cancelled):
        planned(town(2), progress=lambda step: step.stage != stage)


def test_spent_budget_still_gives_a_lawful_plan():
    problem = town(3)

    assert check(problem, solve(problem, budget_s=0, seed=0)) == []


@pytest.mark.parametrize("stops", [0, 1, 2])
def test_very_small_problem(stops):
    problem = make_problem(
        stops={"x_m": [30] * stops, "y_m": [40] * stops},
        depots={"x_m": [0], "y_m": [0]},
        vehicles={"count": [3]},
    )

    plan = planned(problem)

    assert check(problem, plan) == []
    assert (plan.objective, plan.status) == (100 if stops else 0, Status.OPTIMAL)


def test_all_stops_in_one_place():
    problem = make_problem(
        stops={"x_m": [300] * 90, "y_m": [0] * 90, "demand": [1] * 90},
        depots={"x_m": [0], "y_m": [0]},
        vehicles={"count": [9], "capacity": [10]},
    )

    plan = planned(problem)

    assert check(problem, plan) == []
    assert (len(plan.routes), plan.objective, plan.status) == (9, 5_400, Status.OPTIMAL)


def reasons(plan):
    return {left.stop: left.code.removeprefix("planning.routing.") for left in plan.left_out}


def test_no_vehicle_serves_nothing():
    problem = make_problem(
        stops={"x_m": [5], "y_m": [5]}, depots={"x_m": [0], "y_m": [0]}, vehicles={"count": [0]}
    )

    plan = planned(problem)

    assert check(problem, plan) == []
    assert (plan.status, reasons(plan)) == (Status.INFEASIBLE, {"1": "no_vehicle"})


def test_what_cannot_be_served_is_named_with_the_reason():
    far = 1_000_000_000
    tables = [[0 if a == b else 100 for b in range(9)] for a in range(9)]
    for place in range(9):
        tables[8][place] = tables[place][8] = far if place != 8 else 0
    problem = make_problem(
        stops={
            "name": ["good", "heavy", "shut", "late", "skilled", "full-1", "full-2", "nowhere"],
            "demand": [1, 99, 1, 1, 1, 8, 8, 1],
            "open_s": [None, None, None, 3_550, None, None, None, None],
            "close_s": [None, None, 50, None, None, None, None, None],
            "skills": [[], [], [], [], ["doctor"], [], [], []],
        },
        depots={"name": ["base"]},
        vehicles={"capacity": [10], "shift_end_s": [3_600], "skills": [["nurse"]]},
        distance_m=tables,
        metres_per_minute=60,
    )

    plan = planned(problem)
    why = reasons(plan)

    assert check(problem, plan) == []
    assert plan.status is Status.INFEASIBLE
    assert {name: why[name] for name in ("heavy", "shut", "late", "skilled", "nowhere")} == {
        "heavy": "too_heavy",
        "shut": "window_closed",
        "late": "shift_short",
        "skilled": "no_skill",
        "nowhere": "no_way",
    }
    facts = next(left.facts for left in plan.left_out if left.stop.startswith("full"))
    assert facts["short"] == 120 - 10
    assert next(left.facts for left in plan.left_out if left.stop == "heavy")["most"] == 10
    assert "good" in {stop for route in plan.routes for stop in route.stops}


def test_fleet_that_is_too_small_serves_what_it_can():
    problem = town(4, stops=30, count=[3], capacity=20)

    plan = planned(problem, effort=Effort(4_000, 4))

    assert check(problem, plan) == []
    assert plan.status is Status.INFEASIBLE
    assert set(reasons(plan).values()) == {"fleet_short"}
    assert len(plan.routes) == 3


def test_stop_that_is_not_worth_the_way_is_left_out():
    problem = make_problem(
        stops={"x_m": [100, 9_000], "y_m": [0, 0], "penalty": [500, 500]},
        depots={"x_m": [0], "y_m": [0]},
        vehicles={"count": [1]},
    )

    plan = planned(problem)

    assert check(problem, plan) == []
    assert (plan.objective, reasons(plan)) == (700, {"2": "not_worth"})
    assert plan.status is not Status.INFEASIBLE


def pinned_town(**pin):
    rng = np.random.default_rng(8)
    return make_problem(
        stops={"x_m": rng.integers(0, 900, 12), "y_m": rng.integers(0, 900, 12), "demand": [2] * 12},
        depots={"x_m": [0], "y_m": [0]},
        vehicles={"name": ["van"], "count": [3], "capacity": [10], "shift_end_s": [20_000]},
        pins=[{"vehicle": "van-2", **pin}],
    )


def test_what_a_person_fixed_stays():
    problem = pinned_town(stops=["3", "7"], driven=["9", "1"], free_at_s=4_000)

    plan = planned(problem, effort=Effort(2_000, 4))
    route = next(route for route in plan.routes if route.vehicle == "van-2")

    assert check(problem, plan) == []
    assert pins(problem)["van-2"].stops == ("3", "7")
    assert route.stops[:2] == ("9", "1")
    assert {"3", "7"} <= set(route.stops)
    assert route.begins[2] >= 4_000
    assert plan.status is Status.FEASIBLE


def test_vehicle_with_nothing_left_to_do_comes_home():
    problem = pinned_town(driven=[str(k) for k in range(1, 13)])

    plan = planned(problem)

    assert check(problem, plan) == []
    assert plan.routes[0].stops == tuple(str(k) for k in range(1, 13))


def test_who_is_on_board_is_brought_by_the_same_vehicle():
    problem = transfers(3, pins=[{"vehicle": "car-2", "driven": ["1"]}])

    plan = planned(problem)
    route = next(route for route in plan.routes if route.vehicle == "car-2")

    assert check(problem, plan) == []
    assert {"1", "4"} <= set(route.stops)


def test_vehicles_may_end_anywhere():
    here = {"depots": {"x_m": [0], "y_m": [0]}, "stops": {"x_m": [100, 200], "y_m": [0, 0]}}

    back = planned(make_problem(**here, vehicles={"count": [1]}))
    away = planned(make_problem(**here, vehicles={"count": [1], "end": ["anywhere"]}))

    assert (back.objective, away.objective) == (400, 200)


def test_vehicle_leaves_as_late_as_it_can():
    problem = make_problem(
        stops={"x_m": [600], "y_m": [0], "open_s": [10_000], "service_s": [60]},
        depots={"x_m": [0], "y_m": [0]},
        vehicles={"count": [1], "max_time_s": [1_300]},
        metres_per_minute=60,
    )

    plan = planned(problem)

    assert check(problem, plan) == []
    assert (plan.routes[0].start, plan.routes[0].begins, plan.routes[0].end) == (9_400, (10_000,), 10_660)


def faulty():
    problem = make_problem(
        stops={
            "name": ["a", "b", "c", "d"],
            "x_m": [100, 200, 300, 400],
            "y_m": [0, 0, 0, 0],
            "demand": [5, 5, 3, 0],
            "close_s": [None, 2_000, None, None],
            "skills": [["nurse"], [], [], []],
            "penalty": [None, 900, None, None],
        },
        depots={"x_m": [0], "y_m": [0]},
        vehicles={
            "name": ["one", "two"],
            "capacity": [13, 13],
            "max_stops": [4, 3],
            "max_distance_m": [900, 900],
            "max_time_s": [3_000, 3_000],
            "shift_end_s": [3_000, 3_000],
            "skills": [["nurse"], []],
            "fixed_cost": [50, 50],
        },
        pairs=[["c", "d"]],
        pins=[{"vehicle": "one", "driven": ["a"], "stops": ["b"]}],
        metres_per_minute=60,
    )
    return problem, planned(problem)


def test_each_fault_is_found():
    problem, plan = faulty()
    route = plan.routes[0]

    def rules(changed=None, **changes):
        routes = changes.pop("routes", None) or (replace(route, **(changed or {})), *plan.routes[1:])
        return {violation.rule for violation in check(problem, replace(plan, routes=routes, **changes))}

    def of(**changes):
        columns = {
            part: replace(getattr(problem, part), **{name: np.asarray(value) for name, value in own.items()})
            for part, own in changes.items()
        }
        return {violation.rule for violation in check(replace(problem, **columns), plan)}

    assert rules() == set()
    assert (route.vehicle, len(route.stops)) == ("one", 4)
    assert rules({"stops": ("a", "b", "c", "c")}) == {"each_stop_once"}
    assert rules({"vehicle": "three"}) == {"vehicles_are_known"}
    assert rules(routes=(replace(route, stops=("a", "b")), replace(route, stops=("c", "d")))) == {
        "vehicles_are_known"
    }
    dropped = replace(route, stops=("a", "b"), begins=route.begins[:2])
    lost = tuple(LeftOut(name, "planning.routing.fleet_full", {}) for name in ("c", "d"))
    assert "only_what_may_be_is_left_out" in rules(routes=(dropped,), left_out=lost)
    assert rules(status=Status.INFEASIBLE) == {"only_what_may_be_is_left_out"}
    assert of(fleet={"capacity": [7, 13]}) == {"load_is_within_capacity"}
    assert of(stops={"closes": [0, 150, 1 << 60, 1 << 60]}) == {"windows_are_kept"}
    assert "times_follow_the_way" in rules({"begins": tuple(begin // 2 for begin in route.begins)})
    assert rules({"end": route.end - 1}) == {"times_follow_the_way"}
    assert "shift_is_kept" in of(fleet={"shift_end": [700, 3_000]})
    assert of(fleet={"most_stops": [3, 3]}) == {"stops_are_within_the_limit"}
    assert of(fleet={"most_length": [700, 900]}) == {"length_is_within_the_limit"}
    assert of(fleet={"most_time": [700, 900]}) == {"time_is_within_the_limit"}
    assert of(stops={"skills": [1, 2, 0, 0]}) == {"vehicle_has_the_skills"}
    swapped = replace(route, stops=("a", "b", "d", "c"))
    assert "pickup_is_before_its_delivery" in rules(routes=(swapped,))
    assert "driven_stops_stay_first" in rules({"stops": ("b", "a", "c", "d")})
    assert rules({"length": route.length + 1}) == {"length_is_true"}
    away = replace(route, vehicle="two", stops=("b",), begins=(1_000,))
    assert "pinned_stops_stay" in rules(
        routes=(replace(route, stops=("a", "c", "d"), begins=(100, 300, 400)), away)
    )
    assert rules(objective=plan.objective + 1) == {"objective_adds_up"}
    assert rules(bound=plan.objective + 1) == {"bound_is_not_above"}
    assert rules(bound=plan.objective - 1, status=Status.OPTIMAL) == {"bound_is_not_above"}


def test_ten_times_too_many_stops_are_refused_with_the_figure():
    with pytest.raises(BadProblem) as caught:
        make_problem(
            stops={"x_m": [0] * 500_000, "y_m": [0] * 500_000},
            depots={"x_m": [0], "y_m": [0]},
            vehicles={"count": [1]},
        )

    assert caught.value.facts == {"stops": 500_000, "limit": 50_000}


def test_plain_python_finds_the_same():
    code = (
        "from tests.planning.routing.villages import village, transfers\n"
        "from muster.planning.routing import Effort, check, solve\n"
        "for problem in (village(3), transfers(2)):\n"
        "    plan = solve(problem, budget_s=1e9, seed=2, effort=Effort(60, 2))\n"
        "    assert check(problem, plan) == []\n"
        "    print(plan.envelope().to_json())\n"
    )
    root = str(Path(__file__).resolve().parents[3])
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": root}

    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    expected = [
        solve(problem, budget_s=ALL_TIME, seed=2, effort=Effort(60, 2)).envelope().to_json()
        for problem in (village(3), transfers(2))
    ]
    assert done.stdout.split() == "".join(expected).split()
