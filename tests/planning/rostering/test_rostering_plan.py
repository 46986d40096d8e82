# SPDX-License-Identifier: Apache-2.0
"""Rotas of the engine: best where it can be proved, lawful always, the same for the same seed."""

import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from muster.planning.contract import BadProblem, Cancelled, Status
from muster.planning.rostering import Effort, bound, check, make_problem, pins, problem_from_rota, solve
from muster.planning.rostering.exact import prove
from muster.planning.rostering.problem import require_size
from tests.planning.rostering.gates import ROTA, SHIFTS, gate, week

LITTLE = Effort(root_rounds=100, steps=3, sweeps=3, passes=5)
PROVED = replace(LITTLE, proof=3.0)


def solved(facts, effort=LITTLE, seed=0):
    return solve(make_problem(**facts), budget_s=1e9, seed=seed, effort=effort)


@pytest.mark.parametrize("seed", range(12))
def test_rota_costs_what_cp_sat_proves_to_be_the_least(seed):
    problem = make_problem(**gate(seed))

    plan = solve(problem, budget_s=1e9, seed=seed, effort=PROVED)

    if plan.unlawful:
        assert prove(problem, hint=None, seconds=20, seed=0).rows is None
        return
    assert check(problem, plan) == []
    answer = prove(problem, hint=None, seconds=20, seed=0)
    assert answer.proved
    assert plan.objective == answer.cost
    assert bound(problem) <= answer.cost
    assert plan.status == Status.OPTIMAL


@pytest.mark.parametrize("seed", range(12, 22))
def test_plan_is_lawful_and_not_below_its_bound(seed):
    problem = make_problem(**gate(seed, people=8, days=14, posts=2))

    plan = solve(problem, budget_s=1e9, seed=seed, effort=LITTLE)

    assert plan.bound <= plan.objective
    unkept = {violation.where for violation in check(problem, plan)}
    assert unkept <= set(plan.unlawful)


def test_rota_of_the_field_is_proved_best():
    problem = problem_from_rota(ROTA)

    plan = solve(problem, budget_s=1e9, seed=1, effort=PROVED)

    assert check(problem, plan) == []
    assert plan.status == Status.OPTIMAL
    assert plan.objective == prove(problem, hint=None, seconds=20, seed=0).cost


def test_gate_around_the_clock_is_fully_staffed():
    plan = solved(week())

    assert plan.status == Status.OPTIMAL
    assert plan.objective == 0
    assert plan.short == ()


def test_order_of_people_and_posts_does_not_change_the_cost():
    facts = gate(3)
    turned = facts | {"people": facts["people"][::-1], "shifts": facts["shifts"][::-1]}
    turned["posts"] = [post | {"needs": post["needs"][::-1]} for post in facts["posts"]]

    assert solved(facts, PROVED).objective == solved(turned, PROVED).objective


def test_time_alone_ends_the_work_when_no_effort_is_given():
    problem = make_problem(**gate(5, people=6, days=14))

    plan = solve(problem, budget_s=2.0, seed=0)

    assert check(problem, plan) == []


def test_same_seed_gives_the_same_bytes_with_and_without_executor():
    problem = make_problem(**week(posts=3, people=3))
    alone = solve(problem, budget_s=1e9, seed=5, effort=LITTLE).envelope().to_json()

    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        shared = solve(problem, budget_s=1e9, seed=5, effort=LITTLE, executor=pool).envelope().to_json()

    assert shared == alone
    assert solve(problem, budget_s=1e9, seed=5, effort=LITTLE).envelope().to_json() == alone


def test_crowd_is_planned_in_turn_and_lawful():
    facts = week(posts=4, people=14)
    for person in facts["people"]:
        del person["posts"]

    problem = make_problem(**facts)
    plan = solve(problem, budget_s=1e9, seed=0, effort=LITTLE)

    assert len(facts["people"]) > 150
    assert check(problem, plan) == []
    assert plan.objective == 0


def test_pins_stay():
    facts = week(
        pins=[
            {"person": "party 0-0", "day": 0, "off": True},
            {"person": "party 0-1", "day": 2, "post": "gate 0", "shift": "night", "kind": "party"},
        ]
    )
    problem = make_problem(**facts)

    plan = solve(problem, budget_s=1e9, seed=0, effort=LITTLE)

    assert pins(problem) == {
        ("party 0-0", 0): None,
        ("party 0-1", 2): ("gate 0", "night", "party"),
    }
    assert check(problem, plan) == []
    assert plan.objective == 0


def previous_of(plan):
    return [
        {"person": name, "day": day} | dict(zip(("post", "shift", "kind"), plan.duties[duty], strict=True))
        for name, row in zip(plan.people, plan.roster.tolist(), strict=True)
        for day, duty in enumerate(row)
        if duty >= 0
    ]


def test_repair_after_a_no_show_changes_little():
    facts = week(people=7)
    before = solved(facts)
    absent = next(name for name, row in zip(before.people, before.roster, strict=True) if row[3] >= 0)
    repaired = facts | {"previous": previous_of(before), "change_cost": 20}
    repaired["people"] = [
        person | ({"unavailable": [{"day": day} for day in range(3, 7)]} if person["name"] == absent else {})
        for person in facts["people"]
    ]

    after = solved(repaired, PROVED)

    lost = int((before.roster[before.people.index(absent), 3:] >= 0).sum())
    assert after.short == ()
    assert after.status == Status.OPTIMAL
    # Each lost shift is taken off one row and put on another.
    assert after.objective == 20 * 2 * lost
    assert int((after.roster != before.roster).sum()) == 2 * lost


def test_nights_and_weekends_are_shared_fairly():
    facts = week(people=7, volunteers=0, fairness={"nights": 5, "weekends": 5})

    plan = solved(facts, PROVED)

    night = next(number for number, duty in enumerate(plan.duties) if duty[1] == "night")
    nights = (plan.roster == night).sum(axis=1)
    assert plan.status == Status.OPTIMAL
    assert plan.short == ()
    assert nights.max() == 1


def test_whole_day_shifts_are_followed_by_rest():
    facts = {
        "days": 9,
        "shifts": [SHIFTS[3]],
        "posts": [{"name": "gate", "needs": [{"shift": "whole day", "count": 1, "must": True}]}],
        "people": [{"name": f"p{i}", "rest_min": 2880} for i in range(3)],
    }

    plan = solved(facts)
    short = solved(facts | {"people": facts["people"][:2]})

    assert plan.status == Status.OPTIMAL
    assert all((np.diff(np.flatnonzero(row >= 0)) == 3).all() for row in plan.roster)
    assert short.status == Status.INFEASIBLE
    assert sum(entry.missing for entry in short.short) == 3


def test_duty_that_nobody_can_do_is_named_as_short():
    facts = week()
    facts["posts"][0]["needs"].append({"shift": "early", "kind": "medic", "must": True})

    problem = make_problem(**facts)
    plan = solve(problem, budget_s=1e9, seed=0, effort=LITTLE)

    assert plan.status == Status.INFEASIBLE
    assert {plan.duties[entry.duty] for entry in plan.short} == {("gate 0", "early", "medic")}
    assert plan.objective == plan.bound == 7 * 100_000
    assert {violation.rule for violation in check(problem, plan)} == {"must_be_filled"}


def test_person_whose_rules_contradict_each_other_is_named_and_the_others_are_planned():
    facts = week()
    facts["people"].append({"name": "odd", "kinds": ["party"], "min_minutes": 4800})

    problem = make_problem(**facts)
    plan = solve(problem, budget_s=1e9, seed=0, effort=LITTLE)

    assert plan.status == Status.INFEASIBLE
    assert plan.unlawful == ("odd",)
    assert plan.short == ()
    assert {violation.where for violation in check(problem, plan)} == {"odd"}


@pytest.mark.parametrize(
    "change",
    [
        {"people": []},
        {"posts": [], "people": [{"name": "a"}]},
        {"people": [], "posts": []},
        {"shifts": [], "posts": [], "people": [{"name": "a"}]},
        {"days": 1},
        {"people": [{"name": "only", "kinds": ["party", "volunteer"]}]},
        {"people": [{"name": "idle", "posts": []}]},
    ],
)
def test_degenerate_problems_have_their_plan(change):
    problem = make_problem(**(week() | change))

    plan = solve(problem, budget_s=1e9, seed=0, effort=LITTLE)

    assert check(problem, plan) == []
    assert plan.bound <= plan.objective
    assert bound(problem) <= plan.objective


def test_ten_times_too_large_is_refused_with_the_figure():
    with pytest.raises(BadProblem) as caught:
        require_size(2_000_000, 7, 3)

    assert "2000000" in str(caught.value)
    with pytest.raises(BadProblem) as wide:
        require_size(100_000, 400, 9)
    assert "400000000" in str(wide.value)


def test_work_can_be_called_off():
    problem = make_problem(**week())

    with pytest.raises(Cancelled):
        solve(problem, budget_s=60, seed=0, progress=lambda _: False)


def test_plain_python_finds_the_same():
    code = (
        "from tests.planning.rostering.gates import gate\n"
        "from muster.planning.rostering import Effort, make_problem, solve\n"
        "effort = Effort(root_rounds=20, steps=1, sweeps=2)\n"
        "for seed in (1, 2):\n"
        "    problem = make_problem(**gate(seed, people=2, days=4))\n"
        "    plan = solve(problem, budget_s=1e9, seed=0, effort=effort)\n"
        "    print(plan.envelope().to_json())\n"
    )
    root = str(Path(__file__).resolve().parents[3])
    outputs = []
    for disabled in ("0", "1"):
        environment = os.environ | {"NUMBA_DISABLE_JIT": disabled, "PYTHONPATH": root}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)

    assert outputs[0] == outputs[1]
