# SPDX-License-Identifier: Apache-2.0
"""Whatever the ground looks like, a plan keeps every rule, or the problem is refused with a reason."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.planning import districting
from muster.planning.contract import BadProblem
from muster.planning.districting import HardLine, Level, Measure, make_problem


def ground(seed: int) -> dict:
    """Return the columns of an odd problem: few or no people, all on one spot, lines across, pins, today."""
    rng = np.random.default_rng(seed)

    def sometimes(share: float) -> bool:
        return bool(rng.random() < share)

    size = int(rng.choice([1, 2, 3, 5, 9, 12, 30, 80, 200]))
    side = float(rng.choice([0, 1, 50, 500, 3000]))
    x, y = np.round(rng.random((2, size)) * side, 1)
    people = rng.integers(0, int(rng.choice([1, 2, 60, 5000])), size)
    columns = {"population": people, "x_m": x, "y_m": y, "levels": levels(size, rng)}
    if sometimes(0.5):
        columns["community"] = [str(number) for number in rng.integers(0, 3, size)]
    if sometimes(0.5):
        columns["compound"] = [None if number > 3 else f"c{number}" for number in rng.integers(0, 9, size)]
    if sometimes(0.4):
        kinds = rng.choice(["river", "wall"], 2)
        columns["hard_lines"] = [HardLine(str(kind), *(rng.random((2, 4)) * side)) for kind in kinds]
    if sometimes(0.3):
        columns["gates"] = [(*(rng.random(2) * side).tolist(), f"c{number}") for number in range(3)]
    if sometimes(0.3):
        columns |= {"workload": rng.integers(0, 9, size), "measure": Measure(str(rng.choice(list(Measure))))}
    columns["divide_large_compounds"] = sometimes(0.3)
    names = "p"
    if sometimes(0.4):
        names = "g"
        columns["today"] = [[None if sometimes(0.1) else f"g{number}" for number in rng.integers(0, 4, size)]]
        if sometimes(0.5):
            columns["kept"] = sorted({name for name in columns["today"][0] if name})[:1]
    if sometimes(0.3):
        columns["pins"] = {str(rng.integers(1, size + 1)): f"{names}{rng.integers(0, 2)}" for _ in range(3)}
    return columns


def levels(size: int, rng: np.random.Generator) -> list[Level]:
    found, count = [], int(rng.integers(1, max(2, size // 3 + 1)))
    for number in range(int(rng.integers(1, 4))):
        if rng.random() < 0.6:
            found.append(Level(f"level {number}", count=count))
            count = max(1, count // int(rng.integers(1, 5)))
        else:
            across = number > 0 and bool(rng.random() < 0.3)
            found.append(Level(f"level {number}", size=500 * 10**number, across=across))
    return found


@settings(max_examples=120, deadline=None)
@given(seed=st.integers(0, 1_000_000))
def test_plan_is_lawful_or_the_problem_is_refused(seed):
    plan, reason = None, ""
    try:
        problem = make_problem(**ground(seed))
        plan = districting.solve(problem, budget_s=20, seed=seed)
    except BadProblem as refused:
        reason = str(refused)
    if plan is None:
        assert reason
        return

    assert districting.check(problem, plan) == []
    assert districting.bound(problem) <= plan.worst_ppm or plan.bound_ppm == plan.worst_ppm
    assert districting.explain(problem, plan)


def test_most_odd_grounds_are_not_refused_for_nothing():
    """A negative control: the test above would pass if everything were refused."""
    planned = 0
    for seed in range(60):
        try:
            districting.solve(make_problem(**ground(seed)), budget_s=20, seed=1)
            planned += 1
        except BadProblem:
            pass

    assert planned >= 20


def test_smallest_grids_across_communities_are_refused():
    with pytest.raises(BadProblem, match="smallest"):
        make_problem(population=[1], x_m=[0], y_m=[0], levels=[Level("small", size=5, across=True)])


def test_more_pins_than_grids_are_refused():
    problem = make_problem(
        population=[1, 1, 1],
        x_m=[0, 10, 20],
        y_m=[0, 0, 0],
        levels=[Level("small", count=1)],
        pins={"1": "a", "3": "b"},
    )

    with pytest.raises(BadProblem, match="only 1 grids"):
        districting.solve(problem, budget_s=5, seed=1)


def test_pins_that_cut_each_other_off_are_refused():
    """In a row of houses, a grid cannot reach over another one."""
    row = np.arange(12) * 20.0
    problem = make_problem(
        population=[1] * 12,
        x_m=row,
        y_m=row * 0,
        pairs=(np.arange(11), np.arange(1, 12)),
        levels=[Level("small", count=3)],
        pins={"2": "a", "10": "a", "6": "b"},
    )

    with pytest.raises(BadProblem, match="cut each other off"):
        districting.solve(problem, budget_s=5, seed=1)
