# SPDX-License-Identifier: Apache-2.0
"""Made-up towns to divide: clustered buildings, communities in squares, compounds, rivers."""

from __future__ import annotations

import numpy as np

from muster.planning.districting import HardLine, Level, Plan, Problem, make_problem


def town(
    size: int,
    *,
    seed: int = 1,
    counts: tuple[int, ...] = (20, 5),
    communities: int = 1,
    compounds: int = 0,
    rivers: int = 0,
    **wishes,
) -> Problem:
    """Return a town; `communities` is a square number."""
    rng = np.random.default_rng(seed)
    side = 35.0 * np.sqrt(size)
    middles = rng.random((max(1, size // 150), 2)) * side
    clustered = middles[rng.integers(0, len(middles), size // 2)] + rng.normal(0, 120, (size // 2, 2))
    spots = np.concatenate([clustered, rng.random((size - size // 2, 2)) * side])
    x, y = np.round(np.clip(spots, 0, side), 1).T
    across = np.linspace(-100, side + 100, 60)
    lines = [
        HardLine("river", across, side * (number + 1) / (rivers + 1) + 40 * np.sin(across / 300))
        for number in range(rivers)
    ]
    many = round(np.sqrt(communities))
    column, row = (np.minimum((spot / (side + 1) * many).astype(int), many - 1) for spot in (x, y))
    names = [f"community {number}" for number in column * many + row]
    levels = [
        Level(name, count=count) for name, count in zip(("small", "medium", "large"), counts, strict=False)
    ]
    return make_problem(
        **{
            "population": np.maximum(1, np.rint(rng.lognormal(3.5, 0.7, size))).astype(int),
            "levels": levels,
            "x_m": x,
            "y_m": y,
            "community": names,
            "compound": compound_labels(x, y, names, compounds, rng) if compounds else None,
            "hard_lines": lines,
        }
        | wishes
    )


def compound_labels(x, y, community, count, rng) -> list[str | None]:
    """Return the compound of each building: those around some middles, each within one community."""
    labels: list[str | None] = [None] * len(x)
    for number, middle in enumerate(rng.integers(0, len(x), count)):
        near = np.hypot(x - x[middle], y - y[middle]) < rng.uniform(30, 70)
        for building in np.flatnonzero(near):
            if labels[building] is None and community[building] == community[middle]:
                labels[building] = f"compound {number}"
    return labels


def grid_names(plan: Plan, level: int = 0) -> list[str]:
    """Return the grid of each building by name."""
    found = plan.levels[level]
    return [found.grids[grid] for grid in found.grid_of]


def street(count: int, people, **wishes) -> Problem:
    """Return buildings in a row, each next to the following one."""
    ends = np.arange(count - 1), np.arange(1, count)
    x = np.arange(count) * 20.0
    return make_problem(**{"population": people, "x_m": x, "y_m": x * 0, "pairs": ends} | wishes)
