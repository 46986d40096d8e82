# SPDX-License-Identifier: Apache-2.0
"""Siting plans: the best ones against an integer programme, bounds that hold, limits, pins, faults found."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.planning._kernel.words import say
from muster.planning.contract import BadProblem, Cancelled, Status
from muster.planning.siting import Effort, bound, check, explain, explain_point, make_problem, pins, solve
from tests.planning.siting.districts import district, least_cost

ALL_TIME = 1e9
QUICK = Effort(kicks=100, rounds=200, steps=150, finish=1.0, workers=1)


def plan_of(problem, seed=0, effort=QUICK):
    plan = solve(problem, budget_s=ALL_TIME, seed=seed, effort=effort)
    assert check(problem, plan) == []
    return plan


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, 0, 60, 300]),
    st.sampled_from([100, 400]),
)
def test_small_district_is_planned_at_the_least_cost(seed, limits, may_split, unserved_m, limit_m):
    problem = district(seed, limits=limits, may_split=may_split, unserved_m=unserved_m, limit_m=limit_m)

    plan = plan_of(problem)
    best = least_cost(problem)

    assert (plan.status is Status.INFEASIBLE) == (best is None)
    if best is not None:
        assert plan.bound <= best == plan.objective


@pytest.mark.parametrize("limits", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_given_number_of_sites_opens_at_the_least_cost(seed, limits):
    problem = district(seed, points=12, sites=6, limits=limits, count=4)

    plan = plan_of(problem)
    best = least_cost(problem)

    assert len(plan.opened) == 4
    assert best is None or plan.bound <= best == plan.objective


def test_bound_by_prices_alone_is_below_and_near():
    problem = district(3, points=200, sites=30, limits=False, count=8)

    plan = plan_of(problem)

    assert 0.97 * plan.objective <= bound(problem) <= plan.objective


@pytest.mark.parametrize(("count", "gap"), [(None, 0.02), (22, 0.01)])
def test_larger_district_with_limits_is_near_its_bound(count, gap):
    problem = district(5, points=600, sites=40, count=count)

    plan = plan_of(problem, effort=Effort(kicks=500, rounds=1_000, steps=400, finish=0))

    assert (plan.objective - plan.bound) / plan.objective <= gap
    assert plan.proof == "prices"


def test_order_of_the_rows_does_not_change_the_cost():
    problem = district(11, points=14, sites=6)
    mixed = np.random.default_rng(0).permutation(14)
    columns = {"point": [], "candidate": [], "metres": []}
    for new, old in enumerate(mixed):
        for entry in range(problem.walks.first[old], problem.walks.first[old + 1]):
            columns["point"].append(new)
            columns["candidate"].append(int(problem.walks.candidate[entry]))
            columns["metres"].append(int(problem.walks.cost[entry] // problem.points.people[old]))
    sites = problem.candidates
    turned = make_problem(
        points={"people": problem.points.people[mixed]},
        candidates={"capacity": sites.capacity, "open_cost": sites.open_cost},
        walks=columns,
    )

    assert plan_of(turned).objective == plan_of(problem).objective


@pytest.mark.parametrize("changes", [{"limits": False, "count": 6}, {"may_split": True}, {}])
def test_same_seed_gives_same_bytes_also_with_an_executor(changes):
    problem = district(8, points=90, sites=15, **changes)

    def text(executor=None):
        plan = solve(problem, budget_s=ALL_TIME, seed=4, executor=executor, effort=QUICK)
        return plan.envelope().to_json()

    with ThreadPoolExecutor(2) as pool:
        assert text() == text() == text(pool)


def test_what_a_person_fixed_stays():
    free = plan_of(district(9, points=12, sites=6))
    site = next(name for name in map(str, range(6)) if name not in free.opened)
    other = free.opened[0]
    away = next(name for name, to in zip(free.points, free.site_of, strict=True) if to != site)

    pinned = district(9, points=12, sites=6, pins={"open": [site], "closed": [other], "points": {away: site}})
    plan = plan_of(pinned)

    assert pins(pinned) == {f"candidate {site}": True, f"candidate {other}": False, f"point {away}": site}
    assert site in plan.opened
    assert other not in plan.opened
    assert plan.site_of[plan.points.index(away)] == site
    assert plan.objective == least_cost(pinned) >= free.objective


def test_hours_make_room_and_decide_who_can_come():
    problem = make_problem(
        points={
            "x_m": [0, 10, 20],
            "y_m": [0, 0, 0],
            "people": [50, 50, 50],
            "from_min": [480, 840, 1200],
            "to_min": [600, 900, 1260],
        },
        candidates={
            "x_m": [0, 100],
            "y_m": [0, 0],
            "per_hour": [30, 60],
            "opens": [[[480, 600]], [[540, 600], [840, 900]]],
        },
    )

    plan = plan_of(problem)

    assert problem.candidates.capacity.tolist() == [60, 120]
    assert plan.site_of == ("0", "1", None)
    assert plan.unserved == (("2", "closed_hours"),)
    assert plan.status is Status.OPTIMAL


def test_points_beyond_all_candidates_are_reported_and_the_rest_is_planned():
    problem = make_problem(
        points={"name": ["near", "far"], "x_m": [0, 9_000], "y_m": [0, 0], "people": [10, 20]},
        candidates={"x_m": [100], "y_m": [0]},
        count=1,
    )

    plan = plan_of(problem)

    assert (plan.unserved, plan.status, plan.objective) == ((("far", "too_far"),), Status.OPTIMAL, 1_000)


SHORT = [
    ({"capacity": [30, 30]}, {}, "short_of_room", {"people": 90, "room": 60, "short": 30, "sites": 2}),
    (
        {"capacity": [60, 30]},
        {"walks": {"point": [0, 0, 1], "candidate": [0, 1, 1], "metres": [5, 9, 7]}},
        "too_large_point",
        {"points": 1, "name": "1", "people": 50, "room": 30},
    ),
    (
        {"capacity": [90, 90]},
        {"walks": {"point": [0, 1], "candidate": [0, 1], "metres": [5, 7]}, "count": 1},
        "too_few_sites",
        {"points": 2, "count": 1, "names": "0, 1"},
    ),
]


@pytest.mark.parametrize(("sites", "changes", "code", "facts"), SHORT)
def test_impossible_problem_gets_a_best_effort_and_what_is_short(sites, changes, code, facts):
    places = {"x_m": [0, 50], "y_m": [0, 0]}
    problem = make_problem(points={"people": [40, 50], **places}, candidates={**sites, **places}, **changes)

    plan = plan_of(problem)
    reasons = {reason.code: reason.facts for reason in explain(problem, plan)}

    assert (plan.status, plan.bound) == (Status.INFEASIBLE, None)
    assert plan.unserved
    assert reasons[f"planning.siting.{code}"] == facts


@pytest.mark.parametrize("unserved_m", [None, 50])
@pytest.mark.parametrize("count", [None, 1])
@pytest.mark.parametrize(("points", "sites"), [(0, 0), (0, 2), (1, 1), (5, 1)])
def test_hardly_anything_to_plan(points, sites, count, unserved_m):
    problem = make_problem(
        points={"x_m": [7] * points, "y_m": [7] * points, "people": [3] * points},
        candidates={"x_m": [7] * sites, "y_m": [7] * sites},
        count=min(count, sites) if count else None,
        unserved_m=unserved_m,
    )

    plan = plan_of(problem)

    assert (plan.objective, plan.status) == (0, Status.OPTIMAL)


def test_everything_in_one_place_with_limits():
    problem = make_problem(
        points={"x_m": [0] * 40, "y_m": [0] * 40, "people": [1] * 40},
        candidates={"x_m": [0] * 9, "y_m": [0] * 9, "capacity": [5] * 9, "open_cost": [7] * 9},
    )

    plan = plan_of(problem)

    assert (plan.objective, plan.status) == (56, Status.OPTIMAL)


def test_no_way_from_anywhere():
    problem = make_problem(
        points={"people": [1, 2]},
        candidates={"name": ["a"]},
        walks={"point": [], "candidate": [], "metres": []},
    )

    plan = plan_of(problem)

    assert [why for _, why in plan.unserved] == ["too_far", "too_far"]


def test_spent_budget_still_gives_a_lawful_plan():
    for changes in ({"limits": False, "count": 9}, {}, {"may_split": True}):
        problem = district(2, points=300, sites=30, **changes)

        assert check(problem, solve(problem, budget_s=0, seed=0)) == []


def test_person_who_calls_off_is_obeyed():
    for limits in (True, False):
        with pytest.raises(Cancelled):
            solve(district(1, limits=limits), budget_s=ALL_TIME, seed=0, progress=lambda step: False)


@pytest.mark.parametrize(
    ("changes", "cure"),
    [
        ({"count": 7}, "planning.cure.integer"),
        ({"count": 1, "pins": {"open": ["0", "1"]}}, "planning.cure.integer"),
        ({"pins": {"open": ["0"], "closed": ["0"]}}, "planning.siting.pin_both"),
        ({"pins": {"points": {"0": "3"}}, "limit_m": 1}, "planning.siting.pin_too_far"),
        ({"pins": {"points": {"0": "nowhere"}}}, "planning.cure.known"),
    ],
)
def test_problem_that_contradicts_itself_is_refused(changes, cure):
    with pytest.raises(BadProblem) as caught:
        district(1, points=4, sites=6, **changes)

    assert caught.value.cure == cure


@pytest.mark.parametrize(
    ("points", "sites", "walks", "figure"),
    [
        (2_000_000, 5, 0, "200000"),
        (5, 200_000, 0, "20000"),
        (5, 5, 400_000_000, "40000000"),
    ],
)
def test_problem_ten_times_too_large_is_refused_with_the_figure(points, sites, walks, figure):
    many = np.broadcast_to(np.int64(0), walks)
    with pytest.raises(BadProblem) as caught:
        make_problem(
            points={"people": np.ones(points, np.int64)},
            candidates={"open_cost": np.zeros(sites, np.int64)},
            walks={"point": many, "candidate": many, "metres": many},
        )

    assert caught.value.cure == "planning.siting.too_large"
    assert figure in str(caught.value)


def faulty(problem, plan, **changes):
    return {violation.rule for violation in check(problem, replace(plan, **changes))}


def test_each_fault_is_found():
    problem = make_problem(
        points={
            "name": ["p", "q", "r", "s"],
            "x_m": [0, 10, 900, 9_000],
            "y_m": [0] * 4,
            "people": [30, 10, 20, 5],
        },
        candidates={
            "name": ["a", "b", "c"],
            "x_m": [0, 900, 1_500],
            "y_m": [0] * 3,
            "capacity": [45, 25, 99],
        },
        limit_m=1_000,
        count=2,
        pins={"open": ["a"]},
    )
    plan = plan_of(problem)

    assert (plan.site_of, plan.status) == (("a", "a", "b", None), Status.OPTIMAL)
    assert faulty(problem, plan, points=("p", "q", "r", "r")) == {"each_point_once"}
    assert faulty(problem, plan, opened=("a", "a", "b")) == {"each_point_once"}
    assert faulty(problem, plan, site_of=("a", "a", "x", None)) == {"names_are_known"}
    assert "site_is_open" in faulty(problem, plan, site_of=("a", "a", "c", None))
    assert "walk_is_allowed" in faulty(problem, plan, site_of=("a", "a", "b", "a"))
    assert "room_is_kept" in faulty(problem, plan, site_of=("a", "b", "b", None))
    assert "count_is_kept" in faulty(problem, plan, opened=("a", "b", "c"))
    assert "pin_is_kept" in faulty(problem, plan, opened=("b", "c"))
    assert "shares_add_up" in faulty(problem, plan, shares=(("p", "a", 29),))
    assert "points_stay_whole" in faulty(problem, plan, shares=(("p", "a", 20), ("p", "b", 10)))
    assert faulty(problem, plan, unserved=()) == {"unserved_is_true"}
    assert faulty(problem, plan, unserved=(("s", "no_room"),)) == {"unserved_is_true"}
    assert faulty(problem, plan, status=Status.FEASIBLE) == {"status_is_true"}
    assert "objective_adds_up" in faulty(problem, plan, objective=plan.objective + 1)
    assert "bound_is_proved" in faulty(problem, plan, bound=plan.bound + 1)
    assert faulty(problem, plan, prices=np.zeros(4, np.int64)) == {"bound_is_proved"}


@pytest.mark.parametrize("seed", range(8))
def test_no_prices_prove_more_than_the_least_cost(seed):
    problem = district(seed, points=8, sites=4, may_split=seed % 2 == 0)
    plan, best = plan_of(problem), least_cost(problem)
    rng = np.random.default_rng(seed)

    for _ in range(20):
        prices = plan.prices + rng.integers(-20_000, 20_000, 8)
        if best is not None:
            claim = replace(plan, prices=prices, bound=best + 1, objective=best + 1, proof="prices")
            assert "bound_is_proved" in {violation.rule for violation in check(problem, claim)}


def test_every_reason_has_its_sentence_in_both_languages():
    cases = [district(seed, limit_m=120, unserved_m=90) for seed in range(12)]
    cases += [district(seed, limit_m=150) for seed in range(12)]
    cases.append(district(9, points=12, sites=6, pins={"open": ["1"], "closed": ["2"]}))
    for problem in cases:
        plan = plan_of(problem)
        reasons = explain(problem, plan)
        for name in problem.points.names:
            reasons += explain_point(problem, plan, name)

        for reason in reasons:
            for language in ("zh", "en"):
                assert "{" not in say(reason.code, reason.facts, language=language)


def test_plain_python_finds_a_lawful_plan():
    code = (
        "from tests.planning.siting.districts import district\n"
        "from muster.planning.siting import Effort, check, solve\n"
        "for problem in (district(3), district(4, limits=False, count=1), district(5, may_split=True)):\n"
        "    plan = solve(problem, budget_s=1e9, seed=2, effort=Effort(10, 10, 10, 0))\n"
        "    assert check(problem, plan) == []\n"
    )
    root = str(Path(__file__).resolve().parents[3])
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": root}

    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
