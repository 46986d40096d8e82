# SPDX-License-Identifier: Apache-2.0
"""A city's supplies given out, 9,310 areas x 50 items from 20 depots, beside desks by hand and solvers.

python -m benchmarks.planning.allocating [--share 1.0]

By hand: each item is divided in proportion to need (largest remainders), or areas are served one after
another; both then take the nearest depot that has some left. OR-tools solves the same flow for one item,
HiGHS (scipy) the same integer programme for a small district. Each solver runs in a process of its own.
`unevenness_over_bound` is the shortage measured as the engine measures it, over what no plan can be below.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from benchmarks.planning.machine import alone, machine, memory_mb, timed, write_result
from muster.planning.allocating import Problem, check, make_problem, solve
from muster.planning.allocating.bounding import all_urgency
from muster.planning.allocating.grouping import Group, groups

SEED = 4
AREAS, ITEMS, DEPOTS = 9_310, 50, 20


def city(areas: int, items: int, depots: int, *, reach_m: int | None = None, money: bool = False) -> Problem:
    """Return areas in clusters, some items scarce and some ample, stock not where it is needed."""
    rng = np.random.default_rng(SEED)
    side = 150.0 * areas**0.5
    middle = rng.uniform(0, side, (max(3, areas // 300), 2))
    at = middle[rng.integers(0, len(middle), areas)] + rng.normal(0, side / 12, (areas, 2))
    where = rng.uniform(0, side, (depots, 2))
    people = np.rint(rng.lognormal(6.0, 0.6, areas))
    pack = rng.choice([1, 5, 10, 12, 20, 24], items) * 5
    rate = rng.uniform(0.1, 1.0, items) * pack / 20
    need = rng.poisson(people[:, None] * rate).astype(np.int64)
    share = rng.permutation(np.linspace(0.4, 1.2, items))
    stock = (rng.dirichlet(np.full(depots, 2.0), items).T * need.sum(axis=0) * share).astype(np.int64)
    names = [
        [f"{letter}{n}" for n in range(n_of)]
        for letter, n_of in zip("adi", (areas, depots, items), strict=True)
    ]
    a, i = np.nonzero(need >= 0)
    d, g = np.nonzero(stock >= 0)
    held = {"source": [names[1][n] for n in d], "item": [names[2][n] for n in g]}
    price = rng.integers(2, 200, items)
    limits = {}
    if money:
        spent = int((np.minimum(stock.sum(axis=0), need.sum(axis=0)) // pack * price).sum())
        limits = {
            "limits": {"name": ["money"], "amount": [spent * 6 // 10]},
            "uses": {"limit": ["money"] * len(d), **held, "each": price[g]},
        }
    return make_problem(
        items={"name": names[2], "pack": pack},
        sources={"name": names[1], "x_m": where[:, 0], "y_m": where[:, 1]},
        areas={"name": names[0], "x_m": at[:, 0], "y_m": at[:, 1]},
        stock={**held, "units": stock[d, g]},
        needs={
            "area": [names[0][n] for n in a],
            "item": [names[2][n] for n in i],
            "units": need[a, i],
            "least": np.where(need >= 10 * pack, need // 10, 0)[a, i],
        },
        reach_m=reach_m,
        detour_permille=1_300,
        **limits,
    )


def ours(facts: dict[str, Any]) -> dict[str, Any]:
    solve(city(40, 2, 3), budget_s=1e9, seed=SEED)  # compile, or load what is compiled
    problem = city(**facts)
    total = all_urgency(problem)
    plan, took = timed(lambda: solve(problem, budget_s=1e9, seed=SEED))
    memory = memory_mb()
    wrong, looked = timed(lambda: check(problem, plan))
    return {
        **took.facts(),
        "rows_of_needs": problem.needs.size,
        "packs_needed": int(problem.packs_needed().sum()),
        "packs_given": int(plan.lines.packs.sum()),
        "lines": plan.lines.size,
        "status": str(plan.status),
        "objective": plan.objective,
        "bound": plan.bound,
        "gap": plan.envelope().gap,
        "metres": plan.metres,
        "metres_bound": plan.metres_bound,
        "all_missing": total,
        "memory_mb": memory,
        "independent_check": {**looked.facts(), "violations": len(wrong)},
    }


def by_hand(facts: dict[str, Any]) -> dict[str, Any]:
    """Return shortage and metres of dividing in proportion, and of serving areas one after another."""
    problem = city(**facts)
    found: dict[str, Any] = {}
    for name, wanted in (("in_proportion", _in_proportion), ("one_after_another", _all)):

        def run(wanted: Any = wanted) -> tuple[int, int]:
            shortage = metres = 0
            for group in groups(problem):
                packs = wanted(group)
                given, far = _from_nearest(group, packs)
                so_far = np.concatenate(([0], np.cumsum(group.urgency)))
                worth = so_far[group.first[:-1] + given] - so_far[group.first[:-1]]
                shortage += int(group.urgency.sum() - worth.sum())
                metres += far
            return shortage, metres

        (shortage, metres), took = timed(run)
        found[name] = {**took.facts(), "objective": shortage, "metres": metres}
    return found


def _all(group: Group) -> np.ndarray:
    return np.diff(group.first)


def _in_proportion(group: Group) -> np.ndarray:
    """Return packs in proportion to need, the largest remainders rounded up (Hamilton)."""
    needed = np.diff(group.first)
    total = int(min(needed.sum(), group.capacity.sum()))
    exact = needed * (total / max(1, int(needed.sum())))
    packs = np.floor(exact).astype(np.int64)
    rest = np.argsort(packs - exact, kind="stable")[: total - int(packs.sum())]
    packs[rest] += 1
    return np.minimum(packs, needed)


def _from_nearest(group: Group, packs: np.ndarray) -> tuple[np.ndarray, int]:
    """Take the packs of each area, in the order of the list, from the nearest depots that have some left."""
    left = group.capacity.copy()
    given = np.zeros(len(packs), np.int64)
    metres = 0
    nearest = np.argsort(group.metres, axis=0, kind="stable")
    for row, wanted in enumerate(packs.tolist()):
        for depot in nearest[:, row].tolist():
            some = min(wanted - int(given[row]), int(left[depot]))
            if group.metres[depot, row] >= 0 and some > 0:
                left[depot] -= some
                given[row] += some
                metres += some * int(group.metres[depot, row])
    return given, metres


def flow_of_one_item(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the same flow of the first item in OR-tools: an arc for each way, one for each pack missing."""
    from ortools.graph.python import min_cost_flow

    problem = city(**facts)
    group = next(iter(groups(problem)))
    bins, rows = group.metres.shape
    packs = np.diff(group.first)
    source, nobody = bins + rows, bins + rows + 1
    flow = min_cost_flow.SimpleMinCostFlow()
    add = flow.add_arcs_with_capacity_and_unit_cost

    def run() -> Any:
        depot, area = np.nonzero(group.metres >= 0)
        add(depot, bins + area, packs[area], group.metres[depot, area].astype(np.int64))
        owner = np.repeat(np.arange(rows), packs)
        ones = np.ones(len(owner), np.int64)
        missing = add(np.full(len(owner), nobody), bins + owner, ones, group.urgency * group.scale)
        add(np.full(bins, source), np.arange(bins), group.capacity, np.zeros(bins, np.int64))
        add([source], [nobody], [int(packs.sum())], [0])
        supply = np.concatenate((np.zeros(bins, np.int64), -packs, [int(packs.sum()), 0]))
        flow.set_nodes_supplies(np.arange(bins + rows + 2), supply)
        return flow.solve(), missing

    (status, missing), took = timed(run)
    lacking = flow.flows(missing).astype(np.int64)
    shortage = int((lacking * group.urgency).sum())
    done = status == flow.OPTIMAL
    cost = int(flow.optimal_cost()) - shortage * group.scale if done else None
    return {
        **took.facts(),
        "solved": bool(done),
        "objective": shortage if done else None,
        "metres": cost,
        "memory_mb": memory_mb(),
    }


def by_highs(facts: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Return the same integer programme of all items in HiGHS."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_matrix

    problem = city(**facts)
    found: dict[str, Any] = {"objective": 0, "proved": True, "cpu_s": 0.0, "wall_s": 0.0}
    for group in groups(problem):
        bins, rows = group.metres.shape
        depot, area = np.nonzero(group.metres >= 0)
        packs = np.diff(group.first)
        owner = np.repeat(np.arange(rows), packs)
        ways, wide = len(depot), len(depot) + len(owner)
        columns = np.concatenate((np.arange(ways), np.arange(ways), ways + np.arange(len(owner))))
        lines = np.concatenate((depot, bins + area, bins + owner))
        values = np.concatenate((np.ones(2 * ways), -np.ones(len(owner))))
        table = csr_matrix((values, (lines, columns)), (bins + rows, wide))
        rules = LinearConstraint(
            table, np.zeros(bins + rows), np.concatenate((group.capacity, np.zeros(rows)))
        )
        cost = np.concatenate((group.metres[depot, area] / group.scale, -group.urgency.astype(float)))
        upper = np.concatenate((packs[area].astype(float), np.ones(len(owner))))
        options = {"time_limit": seconds, "mip_rel_gap": 0.0}

        def run(cost: Any = cost, rules: Any = rules, upper: Any = upper, options: Any = options) -> Any:
            return milp(
                cost,
                constraints=rules,
                integrality=np.ones(len(cost)),
                bounds=Bounds(0, upper),
                options=options,
            )

        done, took = timed(run)
        found["cpu_s"] += took.cpu_s
        found["wall_s"] += took.wall_s
        found["proved"] &= done.status == 0
        delivered = np.rint(done.x[ways:]) if done.x is not None else np.zeros(len(owner))
        found["objective"] += int(group.urgency.sum()) - int((delivered * group.urgency).sum())
    return {
        **found,
        "cpu_s": round(found["cpu_s"], 3),
        "wall_s": round(found["wall_s"], 3),
        "memory_mb": memory_mb(),
    }


def over(value: int | None, least: int) -> float | None:
    return round(value / max(1, least), 3) if value is not None else None


def whole_city(areas: int, items: int) -> dict[str, Any]:
    size = {"areas": areas, "items": items, "depots": DEPOTS}
    result: dict[str, Any] = {**size, "ours": alone(ours, size), "by_hand": alone(by_hand, size)}
    for name, hand in result["by_hand"].items():
        result[f"{name}_unevenness_over_bound"] = over(hand["objective"], result["ours"]["bound"])
        result[f"{name}_metres_over_ours"] = over(hand["metres"], result["ours"]["metres"])
    return result


def one_item(areas: int) -> dict[str, Any]:
    size = {"areas": areas, "items": 1, "depots": DEPOTS}
    result: dict[str, Any] = {**size, "ours": alone(ours, size), "or_tools": alone(flow_of_one_item, size)}
    result["or_tools_over_ours_cpu"] = round(result["or_tools"]["cpu_s"] / result["ours"]["cpu_s"], 1)
    return result


def district(areas: int, items: int, seconds: float) -> dict[str, Any]:
    size = {"areas": areas, "items": items, "depots": 5}
    result: dict[str, Any] = {**size, "ours": alone(ours, size), "highs": alone(by_highs, size, seconds)}
    result["highs_over_ours_cpu"] = round(result["highs"]["cpu_s"] / result["ours"]["cpu_s"], 1)
    return result


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--share", type=float, default=1.0, help="how much of the city")
    asked = words.parse_args()
    areas = round(AREAS * asked.share)
    result: dict[str, Any] = {"machine": machine(), "seed": SEED}
    result["city"] = whole_city(areas, ITEMS)
    near = {"areas": areas, "items": 5, "depots": 60, "reach_m": 4_000}
    result["near_depots_only"] = {**near, "ours": alone(ours, near)}
    result["one_item"] = one_item(areas)
    result["district"] = district(round(200 * asked.share**0.5), 5, 30.0)
    money = {"areas": round(931 * asked.share), "items": ITEMS, "depots": DEPOTS, "money": True}
    result["money"] = {**money, "ours": alone(ours, money)}
    print(write_result("allocating", result).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
