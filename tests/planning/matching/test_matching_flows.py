# SPDX-License-Identifier: Apache-2.0
"""Flows in the DIMACS form: least cost against a linear programme, faults in files, budgets."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog

from muster.planning._kernel.words import say
from muster.planning.contract import BadProblem, Cancelled, Status
from muster.planning.matching import bound, check, explain, read_plan, read_problem, solve, write_plan
from muster.planning.matching.flow_files import flow_from_text

SMALL = """c a small one
p min 4 5
n 1 4
n 4 -4
a 1 2 0 4 2
a 1 3 0 2 2
a 2 3 0 2 1
a 2 4 0 3 3
a 3 4 1 5 1
"""


def network(seed, nodes=9, arcs=26):
    rng = np.random.default_rng(seed)
    sent = rng.integers(-4, 5, nodes)
    sent[0] -= sent.sum()
    lines = [f"p min {nodes} {arcs}"]
    lines += [f"n {node + 1} {amount}" for node, amount in enumerate(sent) if amount]
    for _ in range(arcs):
        tail, head = rng.integers(1, nodes + 1, 2)
        low = int(rng.integers(0, 2))
        lines.append(f"a {tail} {head} {low} {low + rng.integers(0, 9)} {rng.integers(-6, 20)}")
    return flow_from_text("\n".join(lines), "network.min")


def least_cost(problem):
    balance = np.zeros((problem.nodes, problem.arcs))
    balance[problem.tail, np.arange(problem.arcs)] += 1
    balance[problem.head, np.arange(problem.arcs)] -= 1
    limits = np.stack((problem.low, problem.capacity), axis=1)
    done = linprog(problem.cost, A_eq=balance, b_eq=problem.supply, bounds=limits)
    return round(done.fun) if done.success else None


@pytest.mark.parametrize("seed", range(5))
def test_flow_costs_what_the_linear_programme_says(seed):
    problem = network(seed)

    plan = solve(problem, budget_s=60, seed=0)

    assert plan.objective == least_cost(problem)
    assert check(problem, plan) == []
    if plan.objective is None:
        assert plan.status is Status.INFEASIBLE
    else:
        assert plan.bound == plan.objective
        assert plan.status is Status.OPTIMAL
        assert bound(problem) <= plan.objective


def test_file_is_read_and_solution_written_beside_the_plan(tmp_path):
    path = tmp_path / "small.min"
    path.write_text(SMALL, encoding="utf-8")
    problem = read_problem(path)

    plan = solve(problem, budget_s=60, seed=0)
    files = write_plan(plan, tmp_path / "plan.json")

    assert plan.objective == 14
    assert [file.name for file in files] == ["plan.json", "plan.sol"]
    assert files[1].read_text(encoding="utf-8").startswith("s 14\nf ")
    assert read_plan(files[0]).envelope().to_json() == plan.envelope().to_json()


@pytest.mark.parametrize(
    ("old", "new", "cure"),
    [
        ("p min 4 5", "p max 4 5", "planning.matching.flow_line"),
        ("p min 4 5", "p min 4 6", "planning.matching.flow_arcs"),
        ("n 4 -4", "n 4 -3", "planning.matching.flow_balance"),
        ("n 4 -4", "n 5 -4", "planning.cure.integer"),
        ("n 4 -4", "n 1 -4", "planning.cure.once"),
        ("a 3 4 1 5 1", "a 3 4 6 5 1", "planning.matching.flow_low"),
        ("a 3 4 1 5 1", "a 3 4 1 5", "planning.matching.flow_line"),
        ("a 3 4 1 5 1", "a 3 4 1 x 1", "planning.cure.integer"),
        ("p min 4 5\n", "", "planning.matching.flow_line"),
    ],
)
def test_fault_in_a_file_is_named_with_its_line(old, new, cure):
    with pytest.raises(BadProblem) as caught:
        flow_from_text(SMALL.replace(old, new), "small.min")

    assert caught.value.cure == cure
    assert "small.min" in str(caught.value)


def test_changed_flow_is_found():
    problem = flow_from_text(SMALL, "small.min")
    plan = solve(problem, budget_s=60, seed=0)

    def rules(**changes):
        return {violation.rule for violation in check(problem, replace(plan, **changes))}

    more = plan.flow + np.array([0, 0, 0, 0, 9])
    assert rules() == set()
    assert rules(flow=more) == {"flow_is_within_capacity", "supply_is_met", "objective_adds_up"}
    assert rules(flow=plan.flow[:2]) == {"flow_is_whole"}
    assert rules(tail=plan.head) == {"arcs_are_the_problem_s"}
    assert rules(bound=plan.bound + 1) == {"bound_is_proved"}


def test_spent_budget_and_calling_off_end_the_work():
    problem = flow_from_text(SMALL, "small.min")

    unfinished = solve(problem, budget_s=0, seed=0)

    assert (unfinished.objective, unfinished.status) == (None, Status.FEASIBLE)
    assert check(problem, unfinished) == []
    with pytest.raises(Cancelled):
        solve(problem, budget_s=60, seed=0, progress=lambda step: False)


def test_reasons_say_what_is_known():
    problem = flow_from_text(SMALL, "small.min")
    plan = solve(problem, budget_s=60, seed=0)
    nothing = replace(plan, objective=None, status=Status.INFEASIBLE)
    states = [plan, replace(plan, bound=1), nothing, replace(nothing, status=Status.FEASIBLE)]

    codes = [reason.code.split(".")[-1] for state in states for reason in explain(problem, state)]

    assert codes == ["flow_proved", "flow_found", "flow_impossible", "flow_unfinished"]
    for state in states:
        for reason in explain(problem, state):
            assert say(reason.code, reason.facts, language="zh")
