# SPDX-License-Identifier: Apache-2.0
"""Cutting one connected piece of ground into parts near their goals: METIS, repair of fragments, balance.

METIS gives parts with short borders quickly, but lets some fall apart or miss their weight; both are
mended here, and the rest is left to `balancing`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from muster.planning._kernel.arrays import Bools, Floats, Ints, Longs
from muster.planning.districting.balancing import improve, loads
from muster.planning.districting.mending import whole_parts
from muster.planning.districting.region import Region
from muster.planning.districting.tiny import MOST_ATOMS, best_of_all

# METIS takes 32-bit weights, and is at a loss with fewer atoms in a part.
_FEWEST_PER_PART = 3
_METIS_MOST = 1 << 30

# Rounds of balancing: how warm each begins, how steep the tolerance is, how many times the trials it has.
# Where parts have few atoms, a round that melts the division finds what small steps never do; where they
# have many, it would only spoil their shape.
_FEW_ATOMS = 150
_ROUNDS_OF_FEW = ((0.01, 10.0, 1), (1.0, 3.0, 1), (2.0, 1.5, 3), (2.0, 6.0, 6), (2.0, 3.0, 12))
_ROUNDS_OF_MANY = ((0.01, 10.0, 1), (0.03, 10.0, 1), (0.1, 10.0, 2))
# Where people have grids already, melting comes last: it moves many of them.
_ROUNDS_AT_HOME = ((0.01, 10.0, 1), (0.05, 10.0, 2), (0.2, 10.0, 4), (1.0, 3.0, 6))
# The rounds that are made for the tolerance; those after them only for what is `enough`.
_ROUNDS_FOR_TOLERANCE = 2
_COLD = 0.0003

# Where the steepness stands in the prices of `balancing`.
_STEEP = 1

# Ground of more atoms is wide: few of them lie on a border.
_WIDE = 10_000


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard the balancing tries: trials per atom, and no further round beyond `most_steps` trials.

    A division that is not as even as wished, but `enough`, gets no long search.
    """

    trials: int = 60
    most_steps: int = 3_000_000
    enough: float = 0.03

    def first_steps(self, atoms: int) -> int:
        """Return the trials of the first round: on wide ground most atoms are inside, not on a border."""
        return self.trials * min(atoms, _WIDE) + self.trials // 8 * max(0, atoms - _WIDE)


def cut(region: Region, goal: Longs, *, tolerance: float, seed: int, effort: Effort) -> Ints:
    """Return a part for each atom of a connected region: each part whole, near its goal.

    With fewer atoms than parts some parts stay empty.
    """
    parts = len(goal)
    if parts == 1:
        return np.zeros(region.size, np.int32)
    if parts >= region.size:
        return np.arange(region.size, dtype=np.int32)
    if region.size <= MOST_ATOMS:
        return best_of_all(region.rows, region.heads, region.ties, region.weight, goal)
    if _FEWEST_PER_PART * parts > int((region.weight > 0).sum()):
        # METIS needs a few atoms in each part; mending halves the fullest part until all have some
        label = np.zeros(region.size, np.int32)
    else:
        label = _by_metis(region, goal, tolerance, seed)
    label = whole_parts(region.rows, region.heads, region.weight, label, goal)
    return balanced(region, label, goal, tolerance=tolerance, seed=seed, effort=effort)


def balanced(
    region: Region,
    label: Ints,
    goal: Longs,
    *,
    tolerance: float,
    seed: int,
    effort: Effort,
    home: Ints | None = None,
    movable: Bools | None = None,
) -> Ints:
    """Improve a division of whole parts until it is within the tolerance, or the effort is spent.

    With a `home` for each atom (-1: none) atoms move only for balance, and as few people as possible.
    """
    movable = np.ones(region.size, np.bool_) if movable is None else movable
    price = _prices(region, label, goal, tolerance, moving=home is not None)
    rounds: tuple[tuple[float, float, int], ...] = (
        _ROUNDS_OF_MANY if region.size > _FEW_ATOMS * len(goal) else _ROUNDS_OF_FEW
    )
    rounds = rounds if home is None else _ROUNDS_AT_HOME
    home = np.full(region.size, -1, np.int32) if home is None else home
    spent = 0
    for attempt, (heat, steep, times) in enumerate(rounds):
        steps = effort.first_steps(region.size) * times
        good_enough = attempt >= _ROUNDS_FOR_TOLERANCE and _worst(region, label, goal) <= effort.enough
        if attempt and (good_enough or spent + steps > effort.most_steps):
            break
        price[_STEEP] = steep
        spent += steps
        trial = label.copy()
        worst = improve(
            region.rows,
            region.heads,
            region.ties,
            region.weight,
            region.x,
            region.y,
            region.mass,
            movable,
            home,
            trial,
            goal,
            price,
            heat,
            _COLD,
            steps,
            seed + attempt,
        )
        if worst <= max(tolerance, _worst(region, label, goal)):
            label = trial
        if worst <= tolerance:
            break
    return label


def _worst(region: Region, label: Ints, goal: Longs) -> float:
    return float(np.abs(loads(region.weight, label, len(goal)) / goal - 1.0).max())


def _prices(region: Region, label: Ints, goal: Longs, tolerance: float, *, moving: bool) -> Floats:
    """Weigh the complaints: a cut neighbourhood or a bulge costs about as much as a few percent off.

    When today's grids are kept, their shape is what it is, and moving one percent of a grid's people costs
    a fifth of what one percent beyond the tolerance does.
    """
    parts = len(goal)
    bulk = np.maximum(np.bincount(label, region.mass, parts), 1)
    mid_x = np.bincount(label, region.mass * region.x, parts) / bulk
    mid_y = np.bincount(label, region.mass * region.y, parts) / bulk
    away = (region.x - mid_x[label]) ** 2 + (region.y - mid_y[label]) ** 2
    inertia = float((away * region.mass).sum())
    tie = float(region.ties.mean()) if len(region.ties) else 1.0
    shape = 0.2 * parts / inertia if inertia > 0 else 0.0
    share = 0.1 if moving else 1.0
    move = 2.0 / float(goal.mean()) if moving else 0.0
    return np.asarray([0.9 * tolerance, 10.0, share * 0.002 / tie, share * shape, move, tolerance])


def _by_metis(region: Region, goal: Longs, tolerance: float, seed: int) -> Ints:
    import pymetis

    scale = max(1, int(region.weight.sum()) // _METIS_MOST + 1)
    slack = max(1, min(20, round(tolerance * 700)))
    options = pymetis.Options(ufactor=slack, contig=1, seed=seed % 1_000_003)
    _, label = pymetis.part_graph(
        len(goal),
        pymetis.CSRAdjacency(region.rows.astype(np.int32), region.heads),
        vweights=(region.weight // scale).astype(np.int32),
        eweights=region.ties,
        tpwgts=(goal / goal.sum()).tolist(),
        recursive=False,
        options=options,
    )
    return np.asarray(label, np.int32)
