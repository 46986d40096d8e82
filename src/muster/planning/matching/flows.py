# SPDX-License-Identifier: Apache-2.0
"""Minimum-cost flows of any form, solved in a child process, with node prices that prove the cost."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning._kernel.budget import Budget
from muster.planning._kernel.files import write_text
from muster.planning._kernel.reading import Fields
from muster.planning.contract import (
    BadProblem,
    PlanEnvelope,
    Progress,
    Reason,
    Status,
    Step,
    Violation,
    report,
)
from muster.planning.matching.flow_files import FlowProblem, solution_text

_LOOK_EVERY_S = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class FlowPlan:
    """The flow on each arc and a price for each node; both are empty when nothing lawful was found.

    No arc with room is cheaper than the difference of its nodes' prices, and none in use is dearer: that
    proves the cost. `tail` and `head` are the problem's.
    """

    tail: Longs
    head: Longs
    flow: Longs
    price: Longs
    status: Status
    objective: int | None
    bound: int | None
    seed: int

    def envelope(self) -> PlanEnvelope:
        solution = {
            "form": "dimacs",
            "tail": self.tail,
            "head": self.head,
            "flow": self.flow,
            "price": self.price,
        }
        return PlanEnvelope("matching", self.status, self.objective, self.bound, self.seed, solution)

    @classmethod
    def from_envelope(cls, envelope: PlanEnvelope) -> FlowPlan:
        """Read the engine's part of an envelope; raises BadProblem."""
        fields = Fields(envelope.solution, "solution")
        most = 1 << 53
        tail, head = fields.integers("tail", 0, most), fields.integers("head", 0, most)
        flow, price = fields.integers("flow", -most, most), fields.integers("price", -most, most)
        if len(tail) != len(head) or len(flow) not in {0, len(tail)}:
            raise BadProblem("flow", fields.where, "planning.cure.same_length", fields="tail, head, flow")
        costs = [None if value is None else int(value) for value in (envelope.objective, envelope.bound)]
        return cls(tail, head, flow, price, envelope.status, costs[0], costs[1], envelope.seed)


def solve_flow(problem: FlowProblem, *, budget_s: float, seed: int, progress: Progress | None) -> FlowPlan:
    """Return a flow of least cost, or an infeasible plan. Raises Cancelled.

    The solver cannot be interrupted, so it works in a child process that is ended when the budget is spent
    or the person calls off; then no flow is known, and the status is FEASIBLE without an objective.
    """
    budget = Budget(budget_s)
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(theirs, problem), daemon=True)
    child.start()
    theirs.close()
    answer: tuple[str, Longs] | None = None
    try:
        while answer is None and not budget.spent():
            report(progress, Step("flow", 0, 1))
            if ours.poll(min(_LOOK_EVERY_S, budget.left_s())):
                try:
                    answer = ours.recv()
                except EOFError as error:
                    raise MemoryError("the flow solver ended without an answer") from error
    finally:
        child.terminate()
        child.join()
        ours.close()
    nothing = np.zeros(0, np.int64)
    if answer is None:
        return FlowPlan(problem.tail, problem.head, nothing, nothing, Status.FEASIBLE, None, None, seed)
    outcome, flow = answer
    if outcome == "COST_RANGE":
        raise BadProblem("cost", "", "planning.matching.flow_range")
    if outcome != "OPTIMAL":
        return FlowPlan(problem.tail, problem.head, nothing, nothing, Status.INFEASIBLE, None, None, seed)
    price = node_prices(problem, flow)
    cost = flow_cost(problem, flow)
    proved = bound_of_prices(problem, price)
    status = Status.OPTIMAL if proved == cost else Status.FEASIBLE
    report(progress, Step("flow", 1, 1, cost, proved))
    return FlowPlan(problem.tail, problem.head, flow, price, status, cost, proved, seed)


def _work(answer: Connection, problem: FlowProblem) -> None:
    """Solve in the child and send (outcome, flow)."""
    from ortools.graph.python import min_cost_flow

    # What must flow at least is sent in advance; the solver sees what is left.
    supply = problem.supply.copy()
    np.subtract.at(supply, problem.tail, problem.low)
    np.add.at(supply, problem.head, problem.low)
    solver = min_cost_flow.SimpleMinCostFlow()
    room = problem.capacity - problem.low
    if problem.arcs:
        solver.add_arcs_with_capacity_and_unit_cost(
            problem.tail.astype(np.int32), problem.head.astype(np.int32), room, problem.cost
        )
    if problem.nodes:
        solver.set_nodes_supplies(np.arange(problem.nodes, dtype=np.int32), supply)
    status = solver.solve()
    flow = problem.low.copy()
    if status == solver.OPTIMAL and problem.arcs:
        flow += np.asarray(solver.flows(np.arange(problem.arcs, dtype=np.int32)), np.int64)
    names = {solver.OPTIMAL: "OPTIMAL", solver.BAD_COST_RANGE: "COST_RANGE"}
    answer.send((names.get(status, "INFEASIBLE"), flow))
    answer.close()


def node_prices(problem: FlowProblem, flow: Longs) -> Longs:
    """Return for each node the length of the shortest way to it through what can still change.

    With a flow of least cost there is no way around with negative length, so the prices settle.
    """
    price = np.zeros(problem.nodes, np.int64)
    ahead = flow < problem.capacity
    back = flow > problem.low
    tails = np.concatenate((problem.tail[ahead], problem.head[back]))
    heads = np.concatenate((problem.head[ahead], problem.tail[back]))
    costs = np.concatenate((problem.cost[ahead], -problem.cost[back]))
    for _ in range(problem.nodes + 1):
        reached = price.copy()
        np.minimum.at(reached, heads, price[tails] + costs)
        if np.array_equal(reached, price):
            break
        price = reached
    return price


def bound_of_prices(problem: FlowProblem, price: Longs) -> int:
    """Return the least cost of any flow that these node prices prove."""
    total = 0
    for supply, node_price in zip(problem.supply.tolist(), price.tolist(), strict=True):
        total -= supply * node_price
    reduced = problem.cost + price[problem.tail] - price[problem.head]
    amount = np.where(reduced < 0, problem.capacity, problem.low)
    total += sum(r * a for r, a in zip(reduced.tolist(), amount.tolist(), strict=True))
    return total


def flow_cost(problem: FlowProblem, flow: Longs) -> int:
    return sum(c * f for c, f in zip(problem.cost.tolist(), flow.tolist(), strict=True))


def check_flow(problem: FlowProblem, plan: FlowPlan) -> list[Violation]:
    """Return what is wrong with a flow; an empty list means that it keeps every rule."""
    if plan.objective is None:
        return []
    found = []
    if not (np.array_equal(plan.tail, problem.tail) and np.array_equal(plan.head, problem.head)):
        return [Violation("arcs_are_the_problem_s", "")]
    if len(plan.flow) != problem.arcs or len(plan.price) != problem.nodes:
        return [Violation("flow_is_whole", "", {"arcs": problem.arcs, "nodes": problem.nodes})]
    wrong = np.flatnonzero((plan.flow < problem.low) | (plan.flow > problem.capacity))
    found += [Violation("flow_is_within_capacity", str(int(arc) + 1)) for arc in wrong[:20]]
    net = [0] * problem.nodes
    for tail, head, amount in zip(problem.tail, problem.head, plan.flow, strict=True):
        net[tail] += int(amount)
        net[head] -= int(amount)
    uneven = [node for node, sent in enumerate(net) if sent != int(problem.supply[node])]
    found += [Violation("supply_is_met", str(node + 1), {"sent": net[node]}) for node in uneven[:20]]
    cost = sum(int(c) * int(f) for c, f in zip(problem.cost, plan.flow, strict=True))
    if cost != plan.objective:
        found.append(Violation("objective_adds_up", "", {"stated": plan.objective, "found": cost}))
    proved = bound_of_prices(problem, plan.price)
    if plan.bound is not None and proved < plan.bound:
        found.append(Violation("bound_is_proved", "", {"stated": plan.bound, "proved": proved}))
    return found


def explain_flow(problem: FlowProblem, plan: FlowPlan) -> list[Reason]:
    """Return what is known about a flow."""
    facts = {"nodes": problem.nodes, "arcs": problem.arcs}
    if plan.objective is None:
        code = "flow_impossible" if plan.status is Status.INFEASIBLE else "flow_unfinished"
        return [Reason(f"planning.matching.{code}", facts)]
    code = "flow_proved" if plan.objective == plan.bound else "flow_found"
    return [Reason(f"planning.matching.{code}", facts | {"cost": plan.objective})]


def write_flow(plan: FlowPlan, path: Path) -> list[Path]:
    """Write the plan file and, beside it, the solution in the form of the field."""
    write_text(path, plan.envelope().to_json())
    if plan.objective is None:
        return [path]
    beside = path.with_suffix(".sol")
    write_text(beside, solution_text(plan.tail, plan.head, plan.flow, plan.objective))
    return [path, beside]
