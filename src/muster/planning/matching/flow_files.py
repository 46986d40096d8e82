# SPDX-License-Identifier: Apache-2.0
"""Minimum-cost flow problems in the DIMACS form (`.min`), and their solution files (`.sol`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning.contract import BadProblem

# Beyond these the exact solver's whole numbers would overflow.
_MOST_NODES = 50_000_000
_MOST = 1 << 48


@dataclass(frozen=True, slots=True, eq=False)
class FlowProblem:
    """Nodes are numbered from 0; arcs carry between `low` and `capacity` units at `cost` each.

    `supply` is what a node sends out (positive) or takes in (negative).
    """

    supply: Longs
    tail: Longs
    head: Longs
    low: Longs
    capacity: Longs
    cost: Longs

    @property
    def nodes(self) -> int:
        return len(self.supply)

    @property
    def arcs(self) -> int:
        return len(self.tail)


def flow_from_text(text: str, name: str) -> FlowProblem:
    """Read a DIMACS minimum-cost flow problem; raises BadProblem with the line that is wrong."""
    supply: Longs | None = None
    stated = 0
    arcs: list[tuple[int, ...]] = []
    sent: set[int] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        parts = line.lower().split()
        if not parts or parts[0].startswith("c"):
            continue
        where = f"{name}:{number}"
        if parts[0] == "p":
            if supply is not None or len(parts) != 4 or parts[1] != "min":
                raise BadProblem("p", where, "planning.matching.flow_line", form="p min NODES ARCS")
            nodes, stated = (_number(part, where, 0, _MOST_NODES) for part in parts[2:])
            supply = np.zeros(nodes, np.int64)
        elif supply is None:
            raise BadProblem("p", where, "planning.matching.flow_line", form="p min NODES ARCS")
        elif parts[0] == "n" and len(parts) == 3:
            node = _number(parts[1], where, 1, len(supply))
            if node in sent:
                raise BadProblem("n", where, "planning.cure.once", name=parts[1])
            sent.add(node)
            supply[node - 1] = _number(parts[2], where, -_MOST, _MOST)
        elif parts[0] == "a" and len(parts) == 6:
            arcs.append(_arc(parts, where, len(supply)))
        else:
            form = "n NODE SUPPLY / a FROM TO LOW CAPACITY COST"
            raise BadProblem(parts[0], where, "planning.matching.flow_line", form=form)
    if supply is None:
        raise BadProblem("p", name, "planning.matching.flow_line", form="p min NODES ARCS")
    if len(arcs) != stated:
        raise BadProblem("a", name, "planning.matching.flow_arcs", stated=stated, found=len(arcs))
    if int(supply.sum()) != 0:
        raise BadProblem("n", name, "planning.matching.flow_balance", sum=int(supply.sum()))
    columns = np.asarray(arcs, np.int64).reshape(-1, 5).T
    return FlowProblem(supply, columns[0] - 1, columns[1] - 1, columns[2], columns[3], columns[4])


def _arc(parts: list[str], where: str, nodes: int) -> tuple[int, ...]:
    tail, head = (_number(part, where, 1, nodes) for part in parts[1:3])
    low, capacity = (_number(part, where, 0, _MOST) for part in parts[3:5])
    cost = _number(parts[5], where, -_MOST, _MOST)
    if low > capacity:
        raise BadProblem("a", where, "planning.matching.flow_low", low=low, capacity=capacity)
    return tail, head, low, capacity, cost


def _number(text: str, where: str, lowest: int, highest: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = highest + 1
    if not lowest <= value <= highest:
        raise BadProblem("", where, "planning.cure.integer", lowest=lowest, highest=highest)
    return value


def solution_text(tail: Longs, head: Longs, flow: Longs, cost: int) -> str:
    """Return a DIMACS solution: the cost and the arcs that carry something."""
    lines = [f"s {cost}"]
    used = np.flatnonzero(flow)
    lines += [f"f {tail[arc] + 1} {head[arc] + 1} {flow[arc]}" for arc in used]
    return "\n".join(lines) + "\n"
