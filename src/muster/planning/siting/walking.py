# SPDX-License-Identifier: Apache-2.0
"""Who could walk where: given, or straight lines within the limit; and whose hours meet a site's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from muster.planning._kernel.arrays import Bools, Floats, Longs
from muster.planning.contract import BadProblem
from muster.planning.siting.problem import MOST_TOTAL, MOST_WALKS, Walks, require_size

_BLOCK = 1 << 22
_PLACES = tuple[Floats, Floats]

# Opening hours of one candidate: minutes from and to, some of them in a day.
Hours = tuple[tuple[int, int], ...]


def straight_walks(
    points: _PLACES, candidates: _PLACES, *, limit_m: int, walk_permille: int
) -> tuple[Longs, Longs, Longs]:
    """Return point, candidate and metres of every pair within the limit. Raises BadProblem."""
    found = list(_blocks(points, candidates, limit_m, walk_permille))
    if not found:
        nothing = np.zeros(0, np.int64)
        return nothing, nothing, nothing
    point, candidate, metres = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return point, candidate, metres


def _blocks(
    points: _PLACES, candidates: _PLACES, limit_m: int, walk_permille: int
) -> Iterator[tuple[Longs, Longs, Longs]]:
    """Yield pairs, some points at a time in the order of their x, with the candidates near that x."""
    x, y = points
    by_x = np.argsort(x, kind="stable")
    other_by_x = np.argsort(candidates[0], kind="stable")
    other_x = candidates[0][other_by_x]
    stretch = walk_permille / 1000.0
    far = (limit_m + 1) / stretch
    rows = max(1, _BLOCK // max(1, len(other_x)))
    total = 0
    for start in range(0, len(x), rows):
        own = by_x[start : start + rows]
        low, high = np.searchsorted(other_x, (x[own[0]] - far, x[own[-1]] + far))
        near = other_by_x[low:high]
        gap = np.hypot(
            x[own][:, None] - candidates[0][near][None, :], y[own][:, None] - candidates[1][near][None, :]
        )
        metres = np.floor(gap * stretch + 0.5).astype(np.int64)
        row, column = np.nonzero(metres <= limit_m)
        total += len(row)
        if total > MOST_WALKS:
            require_size(0, 0, total)
        yield own[row], near[column], metres[row, column]


def hours_meet(point: Longs, candidate: Longs, windows: tuple[Longs, Longs], opens: Sequence[Hours]) -> Bools:
    """Tell for each pair whether the candidate is open at a time when the people of the point can come."""
    kinds = sorted(set(opens))
    number_of = {hours: number for number, hours in enumerate(kinds)}
    kind = np.asarray([number_of[hours] for hours in opens], np.int64)
    meets = np.zeros((len(windows[0]), len(kinds)), np.bool_)
    for number, hours in enumerate(kinds):
        for start, end in hours:
            meets[:, number] |= (windows[0] < end) & (windows[1] > start)
    return meets[point, kind[candidate]]


def in_order(size: int, point: Longs, candidate: Longs, cost: Longs) -> Walks:
    """Return the walks by point, the cheapest first; a pair that is given twice counts as its cheapest.

    Raises BadProblem when the sums of costs would leave 64 bits.
    """
    order = np.lexsort((cost, candidate, point))
    point, candidate, cost = point[order], candidate[order], cost[order]
    fresh = np.ones(len(point), np.bool_)
    fresh[1:] = (point[1:] != point[:-1]) | (candidate[1:] != candidate[:-1])
    point, candidate, cost = point[fresh], candidate[fresh], cost[fresh]
    order = np.lexsort((candidate, cost, point))
    first = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(point, minlength=size), out=first[1:])
    walks = Walks(first, candidate[order].astype(np.int32), cost[order])
    require_sums(walks)
    return walks


def require_sums(walks: Walks) -> None:
    """Raise BadProblem when the dearest walks of all points together are beyond what can be added up."""
    has = np.diff(walks.first) > 0
    dearest = walks.cost[walks.first[1:][has] - 1]
    if float(dearest.astype(np.float64).sum()) > MOST_TOTAL / max(1, 4 * len(dearest)):
        raise BadProblem("walks", "", "planning.siting.costs_too_large")
