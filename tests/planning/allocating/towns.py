# SPDX-License-Identifier: Apache-2.0
"""Small generated towns for the allocating tests, and slow ways to the fairest plan."""

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_matrix

from muster.planning.allocating import make_problem

GUARANTEE = 100_000_002


def urgency(units, pack, weight, least, number):
    """How urgent a pack is, by the sentence in the documents and in plain integers."""
    missing = units - number * pack
    part = min(pack, missing)
    share = part * 1_000_000 // pack * (2 * missing - part) // (2 * units)
    return 1 + share * weight // 10_000 + (GUARANTEE if number * pack < least else 0)


def town(seed, *, areas=None, sources=None, items=None, share=None, boxes=6, plain=False, **changes):
    """Return a random problem: stock short or ample, packs, weights, guarantees, stand-ins, reach."""
    rng = np.random.default_rng(seed)
    areas = int(rng.integers(1, 7)) if areas is None else areas
    sources = int(rng.integers(1, 4)) if sources is None else sources
    items = int(rng.integers(1, 4)) if items is None else items
    share = float(rng.choice([0.3, 0.7, 1.3])) if share is None else share
    names = [
        [f"{letter}{n}" for n in range(count)]
        for letter, count in zip("ask", (areas, sources, items), strict=True)
    ]
    pack = rng.integers(1, 5, items)
    if items > 1:
        pack[1] = pack[0]
    need = rng.poisson(boxes * 2, (areas, items)) * (rng.random((areas, items)) < 0.9)
    stock = (rng.dirichlet(np.ones(sources), items).T * need.sum(0) * share).astype(int)
    side = 300 * areas**0.5
    a, k = np.nonzero(need >= 0)
    s, g = np.nonzero(stock >= 0)
    least = (need * 0.4).astype(int) * (rng.random(need.shape) < 0.3)
    facts = {
        "items": {"name": names[2], "pack": pack},
        "sources": {
            "name": names[1],
            "x_m": rng.uniform(0, side, sources),
            "y_m": rng.uniform(0, side, sources),
        },
        "areas": {
            "name": names[0],
            "x_m": rng.uniform(0, side, areas),
            "y_m": rng.uniform(0, side, areas),
            "weight": rng.choice([100, 100, 150], areas),
        },
        "stock": {"source": [names[1][i] for i in s], "item": [names[2][i] for i in g], "units": stock[s, g]},
        "needs": {"area": [names[0][i] for i in a], "item": [names[2][i] for i in k], "units": need[a, k]},
    }
    if not plain:
        facts["needs"]["least"] = least[a, k]
        facts["reach_m"] = int(side)
        if items > 1 and seed % 2:
            facts["stand_ins"] = {"item": [names[2][0]], "by": [names[2][1]], "extra_m": [50]}
    return make_problem(**(facts | changes))


def fairest(problem):
    """Return the least shortage, and with it the least metres, by a mixed integer programme (HiGHS)."""
    needs, stock = problem.needs, problem.stock
    promised = problem.packs_promised()
    packs = problem.packs_needed()
    ways = [
        (row, s, problem.way(row, s))
        for row in range(needs.size)
        for s in range(stock.size)
        if problem.way(row, s) >= 0
    ]
    levels = [
        (row, urgency(int(needs.units[row]), int(problem.items.pack[needs.item[row]]),
                      int(needs.weight[row]), int(needs.least[row]), number))
        for row in range(needs.size)
        for number in range(int(promised[row]), int(packs[row]))
    ]  # fmt: skip
    count, wide = len(ways), len(ways) + len(levels)
    if not wide:
        return 0, 0
    rows, columns, values, high = [], [], [], []
    low = []

    def add(entries, least, most):
        for column, value in entries:
            rows.append(len(high))
            columns.append(column)
            values.append(value)
        low.append(least)
        high.append(most)

    left = problem.stock_left()
    for s in range(stock.size):
        add([(n, 1) for n, way in enumerate(ways) if way[1] == s], 0, int(left[s]))
    for row in range(needs.size):
        own = [(n, 1) for n, way in enumerate(ways) if way[0] == row]
        add(own + [(count + n, -1) for n, one in enumerate(levels) if one[0] == row], 0, 0)
    limits = problem.limits
    taken = stock.packs - left
    for limit in range(limits.size):
        each = {
            int(s): int(e)
            for at, s, e in zip(limits.limit, limits.stock, limits.each, strict=True)
            if at == limit
        }
        used = sum(value * int(taken[s]) for s, value in each.items())
        entries = [(n, each[s]) for n, (_, s, _) in enumerate(ways) if s in each]
        add(entries, 0, int(limits.amount[limit]) - used)
    upper = np.concatenate((np.full(count, 1 << 30), np.ones(len(levels))))
    worth = np.concatenate((np.zeros(count), [float(one[1]) for one in levels]))
    metres = np.concatenate(([float(way[2]) for way in ways], np.zeros(len(levels))))

    def best(cost, extra):
        table = coo_matrix((values, (rows, columns)), (len(high), wide))
        rules = [LinearConstraint(table, low, high), *extra]
        options = {"mip_rel_gap": 0.0}
        done = milp(
            cost, constraints=rules, integrality=np.ones(wide), bounds=Bounds(0, upper), options=options
        )
        assert done.status == 0, done.message
        return done

    delivered = round(float(np.rint(best(-worth, []).x) @ worth))
    same = LinearConstraint(worth, delivered - 0.5, np.inf)
    least = round(float(np.rint(best(metres, [same]).x) @ metres))
    promises = problem.promises
    least += sum(
        int(p) * problem.way(int(n), int(s))
        for n, s, p in zip(promises.need, promises.stock, promises.packs, strict=True)
    )
    return sum(one[1] for one in levels) - delivered, least
