# SPDX-License-Identifier: Apache-2.0
"""How urgent each pack is: the share of the need that is missing half-way through that pack.

An area that has little counts more than one that has much, so that giving the most urgent pack first evens
out the shares. Packs of a guarantee come before all others.
"""

from __future__ import annotations

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning.allocating.problem import Problem

SHARE = 1_000_000
USUAL_WEIGHT = 10_000
MOST_WEIGHT = 1_000_000
# Above every urgency without a guarantee: 1 + SHARE * MOST_WEIGHT / USUAL_WEIGHT at most.
GUARANTEE = SHARE * MOST_WEIGHT // USUAL_WEIGHT + 2


def urgencies(problem: Problem, rows: Longs, skipped: Longs) -> tuple[Longs, Longs]:
    """Return, for these rows of needs, the urgency of each pack after those skipped, and where rows begin.

    Within a row urgencies never rise.
    """
    counts = np.maximum(0, problem.packs_needed()[rows] - skipped)
    first = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(counts, out=first[1:])
    row = np.repeat(np.arange(len(rows)), counts)
    before = np.arange(int(first[-1])) - first[row] + skipped[row]
    needs, at = problem.needs, rows[row]
    pack, units = problem.items.pack[needs.item[at]], needs.units[at]
    missing = units - before * pack
    covered = np.minimum(pack, missing)
    # A pack that covers half a pack's worth is half as urgent.
    share = covered * SHARE // pack * (2 * missing - covered) // (2 * units)
    level = 1 + share * needs.weight[at] // USUAL_WEIGHT
    return first, level + np.where(before * pack < needs.least[at], GUARANTEE, 0)
