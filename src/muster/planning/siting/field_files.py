# SPDX-License-Identifier: Apache-2.0
"""Files of the field: p-median graphs of OR-Library, and single-source capacitated location by rows."""

from __future__ import annotations

import math
import re

import numpy as np

from muster.planning._kernel.arrays import Floats, Ints, Longs
from muster.planning.contract import BadProblem
from muster.planning.siting.problem import (
    MOST_COST,
    MOST_PEOPLE,
    UNLIMITED,
    Candidates,
    Points,
    Problem,
    Walks,
    require_lawful,
    require_size,
)
from muster.planning.siting.walking import in_order

_FORMS = "JSON, OR-Library p-median (n edges p), single-source capacitated location (sites customers)"
_MOST_DECIMALS = 6
# Below so many vertices the plain way over all pairs is the quickest.
_FEW = 1_500
FAR = np.int32(1 << 29)


def problem_from_text(text: str, name: str) -> Problem:
    """Read either form; which one it is can be told from the first line and the count of numbers."""
    words = text.split()
    head = len(next((line.split() for line in text.splitlines() if line.strip()), []))
    if head not in {2, 3} and len(words) < 3:
        raise BadProblem("", name, "planning.cure.file_form", allowed=_FORMS)
    numbers = _numbers(text, words)
    is_graph = len(numbers) >= 3 and len(numbers) == 3 + 3 * numbers[1]
    is_table = len(numbers) >= 2 and len(numbers) == _table_size(numbers)
    if is_graph and not (is_table and head == 2):
        return _graph_problem(numbers)
    if is_table:
        return _table_problem(numbers, words)
    if head == 3:
        found = (len(numbers) - 3) / 3
        stated = int(numbers[1])
        raise BadProblem(
            "",
            name,
            "planning.siting.edge_count",
            stated=stated,
            found=int(found) if found.is_integer() else round(found, 1),
        )
    if head == 2:
        stated = int(_table_size(numbers))
        raise BadProblem("", name, "planning.siting.number_count", stated=stated, found=len(numbers))
    raise BadProblem("", name, "planning.cure.file_form", allowed=_FORMS)


def _table_size(numbers: Floats) -> float:
    sites, customers = numbers[:2]
    return float(2 + 2 * sites + customers + sites * customers)


def _numbers(text: str, words: list[str]) -> Floats:
    """Return all words as numbers; raises BadProblem with the line of the first that is none."""
    try:
        numbers = np.asarray(words, np.float64)
        if np.isfinite(numbers).all() and (numbers >= 0).all():
            return numbers
    except ValueError:
        pass
    for row, line in enumerate(text.splitlines(), 1):
        for column, word in enumerate(line.split(), 1):
            is_number = re.fullmatch(r"\+?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", word)
            if not is_number or not math.isfinite(float(word)):
                raise BadProblem(
                    str(column), str(row), "planning.siting.number_in_line", row=row, word=word[:40]
                )
    raise BadProblem("", "", "planning.cure.file_form", allowed=_FORMS)


def _graph_problem(numbers: Floats) -> Problem:
    """Every vertex is a person and a candidate; the way between two is the shortest over the edges."""
    vertices, count = _whole(numbers[0], "n", "1"), _whole(numbers[2], "p", "1")
    require_size(vertices, vertices, vertices * vertices)
    if not 1 <= count <= vertices:
        raise BadProblem("p", "1", "planning.cure.integer", lowest=1, highest=vertices)
    edges = numbers[3:].reshape(-1, 3)
    for column, name, lowest, highest in (
        (0, "i", 1, vertices),
        (1, "j", 1, vertices),
        (2, "c", 0, (1 << 28) // vertices),
    ):
        values = edges[:, column]
        wrong = np.flatnonzero((values < lowest) | (values > highest) | (values != np.floor(values)))
        if len(wrong):
            row = str(wrong[0] + 2)
            raise BadProblem(name, row, "planning.cure.integer", lowest=lowest, highest=highest)
    ways = shortest_ways(vertices, edges.astype(np.int64))
    point, candidate = np.nonzero(ways < FAR)
    names = tuple(str(number) for number in range(1, vertices + 1))
    nothing = np.zeros(vertices, np.int64)
    return Problem(
        Points(names, np.ones(vertices, np.int64)),
        Candidates(names, np.full(vertices, UNLIMITED), nothing),
        _sorted(point, candidate, ways),
        count=count,
    )


def _sorted(point: Longs, candidate: Longs, ways: Ints) -> Walks:
    size = len(ways)
    if len(point) == ways.size:
        # One number holds the way and the candidate: sorting those is the quickest.
        both = np.sort(ways.astype(np.int64) * size + np.arange(size), axis=1).ravel()
        cost, site = np.divmod(both, size)
        return Walks(np.arange(size + 1, dtype=np.int64) * size, site.astype(np.int32), cost)
    return in_order(len(ways), point, candidate, ways[point, candidate].astype(np.int64))


def shortest_ways(vertices: int, edges: Longs) -> Ints:
    """Return the lengths of the shortest ways; of edges that are given twice the last counts."""
    length = np.full((vertices, vertices), FAR, np.int32)
    for i, j, cost in edges.tolist():
        length[i - 1, j - 1] = length[j - 1, i - 1] = cost
    np.fill_diagonal(length, 0)
    if vertices <= _FEW:
        from muster.planning.siting._ways import over_all

        over_all(length)
        return length
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    row, column = np.nonzero(length < FAR)
    graph = csr_matrix((length[row, column], (row, column)), shape=length.shape)
    found = dijkstra(graph, directed=False)
    return np.where(np.isfinite(found), found, FAR).astype(np.int32)


def _table_problem(numbers: Floats, words: list[str]) -> Problem:
    """Rows of numbers: room and cost of each site, people of each customer, what each costs at each site."""
    sites, customers = _whole(numbers[0], "sites", "1"), _whole(numbers[1], "customers", "1")
    require_size(customers, sites, sites * customers)
    room, opening, people = np.split(numbers[2 : 2 + 2 * sites + customers], (sites, 2 * sites))
    for name, values in (("capacity", room), ("people", people)):
        wrong = np.flatnonzero((values > MOST_PEOPLE) | (values != np.floor(values)))
        if len(wrong):
            place = f"{name}[{wrong[0]}]"
            raise BadProblem(place, "", "planning.cure.integer", lowest=0, highest=MOST_PEOPLE)
    costs = np.concatenate((opening, numbers[2 + 2 * sites + customers :]))
    scale = _scale(costs, words)
    wrong = np.flatnonzero(costs * scale > MOST_COST)
    if len(wrong):
        raise BadProblem("cost", "", "planning.cure.number", lowest=0, highest=MOST_COST // scale)
    whole = np.rint(costs * scale).astype(np.int64)
    cost = whole[sites:]
    point, candidate = np.divmod(np.arange(customers * sites), max(1, sites))
    problem = Problem(
        Points(tuple(str(number) for number in range(1, customers + 1)), people.astype(np.int64)),
        Candidates(
            tuple(str(number) for number in range(1, sites + 1)), room.astype(np.int64), whole[:sites]
        ),
        in_order(customers, point, candidate, cost),
        scale=scale,
    )
    require_lawful(problem)
    return problem


def _scale(costs: Floats, words: list[str]) -> int:
    """Return the power of ten that makes all costs whole."""
    if (costs == np.floor(costs)).all():
        return 1
    decimals = max(len(word.partition(".")[2].rstrip("0")) for word in words)
    if decimals > _MOST_DECIMALS or any("e" in word.lower() for word in words):
        decimals = _MOST_DECIMALS
    return int(10**decimals)


def _whole(value: float, name: str, where: str) -> int:
    if value != int(value):
        raise BadProblem(name, where, "planning.cure.integer", lowest=0, highest=1 << 31)
    return int(value)
