# SPDX-License-Identifier: Apache-2.0
"""Allocations: fair and short as HiGHS finds them, bounds that hold, guarantees, limits, pins, faults."""

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

from muster.planning.allocating import Effort, bound, check, make_problem, pins, solve
from muster.planning.contract import BadProblem, Cancelled, Status
from tests.planning.allocating.towns import fairest, town

ALL_TIME = 1e9


def solved(problem, **facts):
    return solve(problem, budget_s=ALL_TIME, seed=0, **facts)


def line(places, stock, need, /, **changes):
    """Return a street: areas and sources at metres along it, one item, packs of one."""
    areas, sources = [f"a{n}" for n in range(len(need))], [f"s{n}" for n in range(len(stock))]
    facts = {
        "items": {"name": ["rice"]},
        "sources": {"name": sources, "x_m": places[: len(stock)], "y_m": [0] * len(stock)},
        "areas": {"name": areas, "x_m": places[len(stock) :], "y_m": [0] * len(need)},
        "stock": {"source": sources, "item": ["rice"] * len(stock), "units": stock},
        "needs": {"area": areas, "item": ["rice"] * len(need), "units": need},
    }
    for name, value in changes.items():
        facts[name] = facts[name] | value if name in facts and isinstance(value, dict) else value
    return make_problem(**facts)


def units_of(plan):
    totals = {}
    for area, item, units in zip(plan.lines.area, plan.lines.item, plan.lines.units.tolist(), strict=True):
        totals[area, item] = totals.get((area, item), 0) + units
    return totals


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_small_town_is_as_fair_and_as_short_as_highs_finds(seed):
    problem = town(seed)

    plan = solved(problem)
    shortage, metres = fairest(problem)  # HiGHS rounds: it may miss by a few millionths

    assert check(problem, plan) == []
    assert shortage - 5 <= plan.objective <= shortage
    assert plan.metres == metres or plan.objective < shortage
    assert (plan.bound, plan.metres_bound) == (plan.objective, plan.metres)


@pytest.mark.parametrize("seed", [3, 4])
def test_larger_town_is_proved(seed):
    problem = town(seed, areas=400, sources=12, items=4, share=0.6, boxes=15)

    plan = solved(problem)

    assert check(problem, plan) == []
    assert plan.status in {Status.OPTIMAL, Status.INFEASIBLE}
    assert (plan.bound, plan.metres_bound) == (plan.objective, plan.metres)
    assert bound(problem) == plan.objective


def test_shares_are_even_within_a_pack():
    problem = town(5, areas=200, sources=6, items=1, share=0.6, boxes=40, plain=True)
    problem = replace(problem, needs=replace(problem.needs, weight=np.full(200, 10_000)))
    pack = int(problem.items.pack[0])

    plan = solved(problem)
    units = units_of(plan)
    has = np.array([units.get(problem.need_name(row), 0) for row in range(200)])
    need = problem.needs.units
    short = (has < need) & (need > 0)
    next_share = (need[short] - has[short] - pack / 2) / need[short]
    last_share = (need[has > 0] - has[has > 0] + pack / 2) / need[has > 0]

    assert short.sum() > 100
    assert max(next_share) <= min(last_share) + 2e-6


def test_weight_of_two_halves_what_is_missing():
    problem = line([0, 100, 100], [120], [100, 100], areas={"weight": [200, 100]})

    units = units_of(solved(problem))

    assert abs((100 - units["a1", "rice"]) - 2 * (100 - units["a0", "rice"])) <= 2


def test_ample_stock_fills_every_need_on_the_shortest_ways():
    problem = line([0, 1000, 100, 900], [50, 50], [30, 50])

    plan = solved(problem)

    assert plan.status is Status.OPTIMAL
    assert plan.objective == 0
    assert plan.metres == 30 * 100 + 50 * 100


def test_guarantee_comes_before_even_shares():
    problem = line([0, 10, 20], [10], [10, 100], needs={"least": [8, 0]})

    units = units_of(solved(problem))

    assert units == {("a0", "rice"): 8, ("a1", "rice"): 2}


def test_guarantees_beyond_the_stock_are_named_with_what_is_lacking():
    problem = line([0, 10, 20, 90_000], [10], [10, 10, 5], needs={"least": [8, 8, 1]}, reach_m=50_000)

    plan = solved(problem)
    unmet = dict(zip(plan.unmet.area, plan.unmet.units.tolist(), strict=True))

    assert plan.status is Status.INFEASIBLE
    assert unmet["a2"] == 1
    assert sum(unmet.values()) == 7
    assert int(plan.lines.units.sum()) == 10
    assert check(problem, plan) == []


def test_promises_stay_and_count_for_the_rest():
    problem = line(
        [0, 1000, 100, 900],
        [20, 20],
        [30, 30],
        pins={"area": ["a0"], "item": ["rice"], "source": ["s1"], "packs": [15]},
    )

    plan = solved(problem)
    lines = set(zip(plan.lines.area, plan.lines.source, plan.lines.packs.tolist(), strict=True))

    assert pins(problem) == [("a0", "rice", "s1", "rice", 15)]
    assert ("a0", "s1", 15) in lines
    assert units_of(plan) == {("a0", "rice"): 20, ("a1", "rice"): 20}
    assert check(problem, plan) == []


def test_promise_beyond_the_need_stays():
    pin = {"area": ["a0"], "item": ["rice"], "source": ["s0"], "packs": [7]}
    problem = line([0, 10, 10], [10], [5, 9], pins=pin)

    plan = solved(problem)

    assert units_of(plan) == {("a0", "rice"): 7, ("a1", "rice"): 3}
    assert check(problem, plan) == []


def test_stand_in_is_given_when_the_item_runs_out():
    problem = make_problem(
        items={"name": ["gown", "coat"]},
        sources={"name": ["hall"], "x_m": [0], "y_m": [0]},
        areas={"name": ["north"], "x_m": [0], "y_m": [500]},
        stock={"source": ["hall", "hall"], "item": ["gown", "coat"], "units": [4, 9]},
        needs={"area": ["north", "north"], "item": ["gown", "coat"], "units": [10, 2]},
        stand_ins={"item": ["gown"], "by": ["coat"], "extra_m": [100]},
    )

    plan = solved(problem)
    lines = set(zip(plan.lines.item, plan.lines.given, plan.lines.packs.tolist(), strict=True))

    assert lines == {("gown", "gown", 4), ("gown", "coat", 6), ("coat", "coat", 2)}
    assert (plan.status, plan.metres) == (Status.OPTIMAL, 12 * 500 + 6 * 100)


def limited(seed, limits):
    free = town(seed, areas=6, items=2, share=1.0)
    names = [free.stock_name(row) for row in range(free.stock.size)]
    rng = np.random.default_rng(seed)
    each = rng.integers(1, 9, (limits, len(names)))
    uses = {
        "limit": [f"m{n}" for n in range(limits) for _ in names],
        "source": [source for _ in range(limits) for source, _ in names],
        "item": [item for _ in range(limits) for _, item in names],
        "each": each.ravel(),
    }
    amount = (each * free.stock.packs).sum(axis=1) // 2
    table = {"name": [f"m{n}" for n in range(limits)], "amount": amount}
    return town(seed, areas=6, items=2, share=1.0, limits=table, uses=uses)


@pytest.mark.parametrize("seed", range(12))
def test_shared_limits_are_kept_and_the_gap_is_true(seed):
    problem = limited(seed, 1 + seed % 3)

    plan = solved(problem)
    least, _ = fairest(problem)

    assert check(problem, plan) == []
    assert plan.bound <= least + 1
    assert least - 1 <= plan.objective <= 1.35 * least


def test_amounts_of_any_size_leave_the_proof_true():
    huge, places = 1_000_000_000, [0, 900_000, 10, 899_000, 500_000]
    problem = line(
        places,
        [huge, huge],
        [4 * huge // 1_000] * 3,
        items={"pack": [1_000_000]},
        needs={"least": [huge // 1_000] * 3},
        areas={"weight": [1_000] * 3},
        limits={"name": ["money", "van"], "amount": [6 * huge, 5]},
        uses={"limit": ["money", "van"], "source": ["s0", "s1"], "item": ["rice"] * 2, "each": [huge, 1]},
    )

    plan = solved(problem)

    assert check(problem, plan) == []
    assert int(plan.lines.packs.sum()) == 11


@pytest.mark.parametrize(("budget_s", "rounds"), [(0, 40), (ALL_TIME, 0), (ALL_TIME, 2)])
def test_limits_are_kept_when_the_search_is_cut_short(budget_s, rounds):
    problem = limited(5, 2)

    plan = solve(problem, budget_s=budget_s, seed=0, effort=Effort(limit_rounds=rounds))

    assert check(problem, plan) == []
    assert plan.status is Status.FEASIBLE


def test_limit_that_does_not_bind_leaves_the_proof_whole():
    uses = {"limit": ["money"], "source": ["s0"], "item": ["rice"], "each": [3]}
    problem = line([0, 50], [10], [9], limits={"name": ["money"], "amount": [27]}, uses=uses)

    plan = solved(problem)

    assert (plan.status, plan.objective) == (Status.OPTIMAL, 0)


def test_order_of_rows_does_not_change_what_is_reached():
    problem = town(9, areas=30, sources=4, items=2, share=0.6)
    order = np.random.default_rng(1).permutation(problem.needs.size)
    needs, stock = problem.needs, problem.stock
    turned = replace(
        problem,
        needs=replace(
            needs, **{f: getattr(needs, f)[order] for f in ("area", "item", "units", "least", "weight")}
        ),
        stock=replace(stock, **{f: getattr(stock, f)[::-1].copy() for f in ("source", "item", "packs")}),
    )

    first, second = solved(problem), solved(turned)

    assert (first.objective, first.metres) == (second.objective, second.metres)


def test_every_executor_gives_the_same_bytes():
    problem = town(11, areas=40, sources=5, items=4, share=0.7)
    plans = [solved(problem), solved(problem)]
    with ThreadPoolExecutor(2) as threads:
        plans.append(solved(problem, executor=threads))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        plans.append(solved(problem, executor=processes))

    assert len({plan.envelope().to_json() for plan in plans}) == 1


@pytest.mark.parametrize(("budget_s", "ways"), [(0, 1 << 50), (ALL_TIME, 0), (ALL_TIME, 3)])
def test_cut_short_plan_is_lawful_and_its_gap_true(budget_s, ways):
    problem = town(12, areas=60, sources=6, items=2, share=0.7)

    plan = solve(problem, budget_s=budget_s, seed=0, effort=Effort(most_ways=ways))

    assert check(problem, plan) == []
    assert plan.bound <= solved(problem).objective <= plan.objective


def test_person_who_calls_off_is_obeyed():
    with pytest.raises(Cancelled):
        solved(town(1), progress=lambda step: False)


EMPTY = {"stock": {"source": [], "item": [], "units": []}, "needs": {"area": [], "item": [], "units": []}}


@pytest.mark.parametrize(
    ("places", "stock", "need", "changes", "objective"),
    [
        ([0], [5], [], {}, 0),
        ([0, 10], [], [], {}, 0),
        ([0, 0], [5], [5], {}, 0),
        ([0, 0, 0, 0], [3, 3], [3, 3], {}, 0),
        ([0, 10], [0], [2], {}, 750_001 + 250_001),
        ([0, 10], [5], [0], {}, 0),
        ([0, 10], [5], [5], {"reach_m": 5}, 5 * 1 + 900_000 + 700_000 + 500_000 + 300_000 + 100_000),
        ([0, 10], [5], [5], {"lanes": {"source": [], "area": [], "metres": []}}, 2_500_005),
        ([0, 10], [5], [5], EMPTY, 0),
    ],
)
def test_degenerate_town_has_its_plan(places, stock, need, changes, objective):
    if not stock and not need:
        places = []
    problem = line(places, stock, need, **changes)

    plan = solved(problem)

    assert check(problem, plan) == []
    assert (plan.objective, plan.bound) == (objective, objective)


@pytest.mark.parametrize(
    ("changes", "cure"),
    [
        (
            {"pins": {"area": ["a0"], "item": ["rice"], "source": ["s0"], "packs": [11]}},
            "promised_beyond_stock",
        ),
        (
            {"pins": {"area": ["a0"], "item": ["rice"], "source": ["s0"], "packs": [1]}, "reach_m": 5},
            "promised_without_way",
        ),
        (
            {
                "pins": {"area": ["a0"], "item": ["rice"], "source": ["s0"], "packs": [3]},
                "limits": {"name": ["van"], "amount": [5]},
                "uses": {"limit": ["van"], "source": ["s0"], "item": ["rice"], "each": [2]},
            },
            "promised_beyond_limit",
        ),
        ({"needs": {"units": [30_000_000]}}, "too_many_packs"),
        ({"needs": {"least": [6]}}, "least_above_need"),
        ({"areas": {"x_m": [2_000_000]}}, "too_far"),
        ({"needs": {"area": ["a0", "a0"], "item": ["rice"] * 2, "units": [1, 2]}}, "row_twice"),
        ({"areas": {"x_m": None, "lon": [104.0], "lat": [30.0]}}, "same_positions"),
        ({"sources": {"x_m": None}}, "where_it_is"),
        ({"stand_ins": {"item": ["rice"], "by": ["rice"]}}, "once"),
        ({"limits": {"name": [f"m{n}" for n in range(201)], "amount": [1] * 201}}, "too_many_limits"),
        ({"uses": {"limit": ["van"], "source": ["s0"], "item": ["rice"], "each": [2]}}, "known"),
    ],
)
def test_problem_that_cannot_be_planned_is_refused(changes, cure):
    with pytest.raises(BadProblem) as caught:
        line([0, 10], [10], [5], **changes)

    assert caught.value.cure.rsplit(".", 1)[1] == cure
    assert str(caught.value)


def test_ten_times_too_large_is_refused_with_the_figure():
    many = [f"a{n}" for n in range(100_000)]
    givers = [f"s{n}" for n in range(101)]
    with pytest.raises(BadProblem, match="10100000"):
        make_problem(
            items={"name": ["rice"]},
            sources={"name": givers, "x_m": np.zeros(101), "y_m": np.zeros(101)},
            areas={"name": many, "x_m": np.zeros(100_000), "y_m": np.zeros(100_000)},
            stock={"source": givers, "item": ["rice"] * 101, "units": [1] * 101},
            needs={"area": many, "item": ["rice"] * 100_000, "units": [1] * 100_000},
        )


def test_each_fault_is_found():
    problem = line(
        [0, 1000, 100, 900],
        [20, 10],
        [30, 30],
        items={"pack": [2]},
        needs={"least": [4, 0]},
        pins={"area": ["a0"], "item": ["rice"], "source": ["s1"], "packs": [2]},
        limits={"name": ["van"], "amount": [100]},
        uses={"limit": ["van"], "source": ["s0"], "item": ["rice"], "each": [9]},
    )
    plan = solved(problem)
    lines = plan.lines

    def rules(**changes):
        return {violation.rule for violation in check(problem, replace(plan, **changes))}

    def of_lines(**changes):
        return rules(lines=replace(lines, **changes))

    def of_prices(**changes):
        return rules(prices=replace(plan.prices, **changes))

    assert rules() == set()
    assert of_lines(source=("nowhere", *lines.source[1:])) == {"lines_are_known"}
    assert of_lines(area=(lines.area[0],) * lines.size, source=(lines.source[0],) * lines.size) == {
        "lines_stand_once"
    }
    assert "ways_are_open" in of_lines(metres=lines.metres + 1)
    assert "units_are_whole_packs" in of_lines(units=lines.units + 1)
    assert "stock_is_enough" in of_lines(packs=lines.packs + 20, units=lines.units + 40)
    assert "limits_are_kept" in of_lines(packs=lines.packs + 20, units=lines.units + 40)
    assert "nobody_gets_more_than_needed" in of_lines(packs=lines.packs + 20, units=lines.units + 40)
    assert "pins_are_kept" in of_lines(packs=np.minimum(lines.packs, 1), units=np.minimum(lines.units, 2))
    assert "guarantees_are_kept_or_named" in rules(
        unmet=replace(plan.unmet, area=("a0",), item=("rice",), units=np.array([1]))
    )
    assert "figures_add_up" in rules(objective=plan.objective + 1)
    assert "figures_add_up" in rules(metres=plan.metres + 1)
    assert rules(bound=plan.bound + 1) == {"bound_is_proved"}
    assert rules(metres_bound=plan.metres_bound + 1) == {"bound_is_proved"}
    assert of_prices(urgency=plan.prices.urgency - 1) == {"bound_is_proved"}
    assert of_prices(urgency=plan.prices.urgency - plan.prices.urgency - 1) == {"bound_is_proved"}
    assert of_prices(source=("nowhere", *plan.prices.source[1:])) == {"bound_is_proved"}


def test_closed_way_and_wrong_goods_are_found():
    problem = town(3, areas=5, sources=3, items=2, share=1.0)
    plan = solved(problem)
    closed = replace(problem, metres=np.full_like(problem.metres, -1))
    plain = replace(problem, stands_in={})
    swapped = replace(plan, lines=replace(plan.lines, given=tuple("k1" for _ in plan.lines.given)))

    assert "ways_are_open" in {violation.rule for violation in check(closed, plan)}
    assert "ways_are_open" in {violation.rule for violation in check(plain, swapped)}


def test_plain_python_finds_the_same():
    code = (
        "from tests.planning.allocating.towns import town\n"
        "from muster.planning.allocating import solve\n"
        "print(solve(town(3), budget_s=1e9, seed=2).envelope().to_json(), end='')\n"
    )
    root = str(Path(__file__).resolve().parents[3])
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": root}

    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert done.stdout == solve(town(3), budget_s=ALL_TIME, seed=2).envelope().to_json()
