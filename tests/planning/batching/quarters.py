# SPDX-License-Identifier: Apache-2.0
"""Small generated quarters for the batching tests, and a slow way to the lowest peak."""

from itertools import product

import numpy as np

from muster.planning.batching import make_problem


def quarter(seed, *, houses=None, places=None, hours=3, mean=3.0, **changes):
    """Return a random problem: houses in clusters, sites that open at times, people who come at times."""
    rng = np.random.default_rng(seed)
    units = int(rng.integers(1, 7)) if houses is None else houses
    sites = int(rng.integers(1, 4)) if places is None else places
    side = 40 * (units + 20) ** 0.5
    names = [f"h{t}" for t in range(hours)]
    lanes = rng.integers(0, 4, (sites, hours))
    lanes[:, 0] = rng.integers(1, 4, sites)
    comes = rng.random((units, hours)) < 0.6
    comes[:, 0] = True
    facts = {
        "units": {
            "x_m": rng.uniform(0, side, units),
            "y_m": rng.uniform(0, side, units),
            "people": np.maximum(1, rng.lognormal(mean, 0.7, units).astype(int)),
            "slots": [[names[t] for t in np.flatnonzero(row)] for row in comes],
        },
        "sites": {
            "x_m": rng.uniform(0, side, sites),
            "y_m": rng.uniform(0, side, sites),
            "lanes": [row.tolist() for row in lanes],
        },
        "slots": {"name": names, "start_min": [480 + 60 * t for t in range(hours)], "minutes": [60] * hours},
        "stagger_min": int(rng.integers(0, 20)),
    }
    return make_problem(**(facts | changes))


def lowest_peak(problem):
    """Return the lowest peak by trying every way of spreading."""
    first, cell = problem.choices.first, problem.choices.cell
    lanes = problem.lanes_of_cells()
    choices = [cell[first[u] : first[u + 1]].tolist() for u in range(problem.units.size)]
    best = None
    for way in product(*choices):
        loads = np.bincount(way, problem.units.people, len(lanes)).astype(np.int64)
        peak = max((-(-1000 * int(load) // int(lanes[c])) for c, load in enumerate(loads) if load), default=0)
        best = peak if best is None else min(best, peak)
    return best
