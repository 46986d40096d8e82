# SPDX-License-Identifier: Apache-2.0
"""Every engine with hardly any time: a plan that its check accepts, or the word that time was too short."""

from __future__ import annotations

import time

import numpy as np
import pytest

from muster.planning import engines, rehearsing
from muster.planning.contract import OutOfTime, Status
from muster.planning.matching import solving as matching_solving
from muster.planning.rostering import crowd
from muster.planning.siting import make_problem

# A city far larger takes about two seconds to be read through at all; these problems are small.
LATE_S = 2.0


def rehearsed(engine, monkeypatch):
    """Return the made-up problems of an engine and what their plans are with time."""
    found = []

    def heed(name, problem, **effort):
        plan = engines.load(name).solve(problem, budget_s=5.0, seed=1, **effort)
        found.append((problem, plan.envelope().status))
        return plan

    monkeypatch.setattr(rehearsing, "_solve", heed)
    rehearsing.rehearse(engine)
    return found


def crowded_city(slack, points=6_000, sites=120):
    """Return clustered points whose sites have room for `slack` times all people, and nobody walks far."""
    rng = np.random.default_rng(3)
    middles = rng.uniform(0, 4_000, (24, 2))
    at = middles[rng.integers(0, 24, points)] + rng.normal(0, 300, (points, 2))
    where = middles[rng.integers(0, 24, sites)] + rng.normal(0, 350, (sites, 2))
    people = np.maximum(1, np.rint(rng.lognormal(4.2, 0.8, points))).astype(np.int64)
    room = people.sum() / (sites // 3) * slack
    return make_problem(
        points={"x_m": at[:, 0], "y_m": at[:, 1], "people": people},
        candidates={
            "x_m": where[:, 0],
            "y_m": where[:, 1],
            "capacity": rng.integers(int(0.8 * room), int(1.2 * room), sites),
        },
        limit_m=1_500,
        walk_permille=1_300,
        count=sites // 3,
    )


@pytest.mark.parametrize("engine", engines.NAMES)
def test_little_time_gives_a_lawful_plan_and_no_lie(engine, monkeypatch):
    loaded = engines.load(engine)

    for problem, status in rehearsed(engine, monkeypatch)[::2]:
        for budget_s in (0.0, 0.05):
            began = time.process_time()
            try:
                plan = loaded.solve(problem, budget_s=budget_s, seed=1)
            except OutOfTime:
                continue
            took = time.process_time() - began

            assert loaded.check(problem, plan) == []
            assert (plan.envelope().status is Status.INFEASIBLE) == (status is Status.INFEASIBLE)
            assert took < budget_s + LATE_S


@pytest.mark.parametrize("budget_s", [0.0, 0.1, 0.5])
def test_crowded_city_in_no_time_is_never_called_impossible(budget_s):
    siting = engines.load("siting")
    problem = crowded_city(1.15)

    try:
        plan = siting.solve(problem, budget_s=budget_s, seed=1)
    except OutOfTime:  # a very slow machine
        return

    assert plan.status is Status.FEASIBLE
    assert siting.check(problem, plan) == []


def test_city_that_is_short_of_room_is_called_impossible_in_no_time():
    siting = engines.load("siting")
    problem = crowded_city(0.8)

    plan = siting.solve(problem, budget_s=0.0, seed=1)

    assert plan.status is Status.INFEASIBLE
    assert plan.unserved


def test_quarter_that_is_short_of_room_is_called_impossible_when_there_is_time():
    siting = engines.load("siting")
    problem = make_problem(
        points={"x_m": [0, 0, 0, 9_000], "y_m": [0] * 4, "people": [6, 6, 6, 6]},
        candidates={"x_m": [0, 0, 9_000], "y_m": [0] * 3, "capacity": [6, 6, 60]},
        limit_m=500,
    )

    plan = siting.solve(problem, budget_s=1.0, seed=1)

    assert plan.status is Status.INFEASIBLE


def test_people_still_bidding_at_the_end_do_not_crowd_their_own_grid(monkeypatch):
    monkeypatch.setattr(matching_solving, "_BIDS_A_TURN", 1)
    matching = engines.load("matching")
    problem = matching.make_problem(
        skills=[["nurse"]] * 4,
        x_m=[0] * 4,
        y_m=[0] * 4,
        home=["own"] * 4,
        grids=["far", "own"],
        grid_x_m=[900, 0],
        grid_y_m=[0, 0],
        posts=matching.Wanted(["far", "own"], ["nurse", "nurse"], [1, 1], [0, 0]),
        weights=matching.Weights(own_grid_m=500),
        reach_m=[100] * 4,
    )

    plan = matching.solve(problem, budget_s=0.0, seed=1)

    assert matching.check(problem, plan) == []
    assert (plan.grid_of >= 0).sum() == 1


def test_rota_without_time_for_first_months_says_so(monkeypatch):
    problem, _ = rehearsed("rostering", monkeypatch)[-1]
    monkeypatch.setattr(crowd, "_GRACE_S", 0.0)
    monkeypatch.setattr(crowd, "_MONTH_S", 0.0)

    with pytest.raises(OutOfTime) as late:
        engines.load("rostering").solve(problem, budget_s=0.0, seed=1)

    assert late.value.facts["people"] == 16
    assert "too short" in str(late.value)
