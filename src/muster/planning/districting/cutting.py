# SPDX-License-Identifier: Apache-2.0
"""Cutting one connected piece of ground into parts near their goals: METIS, repair of fragments, balance.

METIS gives parts with short borders quickly, but lets some fall apart or miss their weight; both are
mended here, and the rest is left to `balancing`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from muster.planning._kernel.arrays import Bools, Floats, Ints, Longs
from muster.planning.districting.balancing import improve, loads
from muster.planning.districting.tiny import MOST_ATOMS, best_of_all

# METIS takes 32-bit weights.
_METIS_MOST = 1 << 30

# Rounds of balancing: how warm each begins, how steep the tolerance is, how many times the trials it has.
# Where parts have few atoms, a round that melts the division finds what small steps never do; where they
# have many, it would only spoil their shape.
_FEW_ATOMS = 150
_ROUNDS_OF_FEW = ((0.01, 10.0, 1), (1.0, 3.0, 1), (2.0, 1.5, 3), (2.0, 6.0, 6), (2.0, 3.0, 12))
_ROUNDS_OF_MANY = ((0.01, 10.0, 1), (0.03, 10.0, 1), (0.1, 10.0, 2))
_COLD = 0.0003

# Where the steepness stands in the prices of `balancing`.
_STEEP = 1

# Ground of more atoms is wide: few of them lie on a border.
_WIDE = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Atoms (buildings, or compounds that stay whole) and their ties, as rows of a graph.

    `weight` is what is balanced, `mass` how many buildings an atom is, `home` the part it was in (-1: none).
    """

    rows: Longs
    heads: Ints
    ties: Ints
    weight: Longs
    mass: Longs
    x: Floats
    y: Floats

    @property
    def size(self) -> int:
        return len(self.weight)

    @classmethod
    def of(cls, a: Longs, b: Longs, ties: Longs, weight: Longs, mass: Longs, x: Floats, y: Floats) -> Region:
        """Build the rows from links; loops vanish and parallel links add up."""
        size = len(weight)
        outer = a != b
        low, high = np.minimum(a, b)[outer].astype(np.int64), np.maximum(a, b)[outer].astype(np.int64)
        keys, at = np.unique(low * size + high, return_inverse=True)
        total = np.bincount(at.reshape(-1), ties[outer], len(keys)).astype(np.int64)
        low, high = keys // max(size, 1), keys % max(size, 1)
        tail, head = np.concatenate([low, high]), np.concatenate([high, low])
        order = np.lexsort((head, tail))
        rows = np.zeros(size + 1, np.int64)
        np.cumsum(np.bincount(tail, minlength=size), out=rows[1:])
        ties_ = np.concatenate([total, total])[order].astype(np.int32)
        return cls(rows, head[order].astype(np.int32), ties_, weight, mass, x, y)

    def part(self, atoms: Longs) -> Region:
        """Return the region of some of the atoms, in their order."""
        number = np.full(self.size, -1, np.int64)
        number[atoms] = np.arange(len(atoms))
        counts = np.diff(self.rows)[atoms]
        first = np.cumsum(counts) - counts
        source = np.repeat(self.rows[:-1][atoms] - first, counts) + np.arange(counts.sum())
        tail, head = np.repeat(np.arange(len(atoms)), counts), number[self.heads[source]]
        inner = head >= 0
        rows = np.zeros(len(atoms) + 1, np.int64)
        np.cumsum(np.bincount(tail[inner], minlength=len(atoms)), out=rows[1:])
        return Region(
            rows,
            head[inner].astype(np.int32),
            self.ties[source][inner],
            self.weight[atoms],
            self.mass[atoms],
            self.x[atoms],
            self.y[atoms],
        )

    def merged(self, group: Longs, count: int) -> Region:
        """Return the region in which each group of atoms is one atom."""
        tail = np.repeat(np.arange(self.size), np.diff(self.rows))
        once = tail < self.heads
        mass = np.bincount(group, self.mass, count).astype(np.int64)
        return Region.of(
            group[tail[once]],
            group[self.heads[once]],
            self.ties[once].astype(np.int64),
            np.bincount(group, self.weight, count).astype(np.int64),
            mass,
            np.bincount(group, self.x * self.mass, count) / np.maximum(mass, 1),
            np.bincount(group, self.y * self.mass, count) / np.maximum(mass, 1),
        )


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard the balancing tries: trials per atom, and no further round beyond `most_steps` trials."""

    trials: int = 60
    most_steps: int = 3_000_000

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
    home = np.full(region.size, -1, np.int32) if home is None else home
    spent = 0
    many = region.size > _FEW_ATOMS * len(goal)
    for attempt, (heat, steep, times) in enumerate(_ROUNDS_OF_MANY if many else _ROUNDS_OF_FEW):
        steps = effort.first_steps(region.size) * times
        if attempt and spent + steps > effort.most_steps:
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


@numba.njit(cache=True, nogil=True)
def fragments(rows: Longs, heads: Ints, label: Ints) -> tuple[Longs, int]:
    """Return for each atom the number of its fragment: a connected piece of one part."""
    size = len(label)
    fragment = np.full(size, -1, np.int64)
    queue = np.empty(size, np.int64)
    count = 0
    for start in range(size):
        if fragment[start] >= 0:
            continue
        fragment[start] = count
        queue[0] = start
        at, end = 0, 1
        while at < end:
            u = queue[at]
            at += 1
            for p in range(rows[u], rows[u + 1]):
                t = heads[p]
                if fragment[t] < 0 and label[t] == label[u]:
                    fragment[t] = count
                    queue[end] = t
                    end += 1
        count += 1
    return fragment, count


@numba.njit(cache=True, nogil=True)
def whole_parts(rows: Longs, heads: Ints, weight: Longs, label: Ints, goal: Longs) -> Ints:
    """Return a division of a connected region in which each part is one piece and none is empty.

    Of each part the heaviest fragment stays; the others go to the neighbouring part that is least full.
    An empty part takes the better half of the fullest part that can be halved.
    """
    size, parts = len(label), len(goal)
    label = label.copy()
    while True:
        fragment, count = fragments(rows, heads, label)
        heavy = np.zeros(count, np.int64)
        owner = np.zeros(count, np.int64)
        for v in range(size):
            heavy[fragment[v]] += weight[v] + 1
            owner[fragment[v]] = label[v]
        main = np.full(parts, -1, np.int64)
        load = np.zeros(parts, np.int64)
        for f in range(count):
            if main[owner[f]] < 0 or heavy[f] > heavy[main[owner[f]]]:
                main[owner[f]] = f
            load[owner[f]] += heavy[f]
        target = np.full(count, -1, np.int64)
        strays = 0
        for v in range(size):
            f = fragment[v]
            if main[label[v]] == f:
                continue
            strays += 1
            for p in range(rows[v], rows[v + 1]):
                b = label[heads[p]]
                if b == label[v]:
                    continue
                if target[f] < 0 or load[b] / goal[b] < load[target[f]] / goal[target[f]]:
                    target[f] = b
        if strays == 0:
            break
        for v in range(size):
            if target[fragment[v]] >= 0:
                label[v] = target[fragment[v]]
    for empty in range(parts):
        if main[empty] < 0:
            _take_half(rows, heads, weight, label, goal, empty)
    return label


@numba.njit(cache=True, nogil=True)
def _take_half(rows: Longs, heads: Ints, weight: Longs, label: Ints, goal: Longs, empty: int) -> None:
    """Give the empty part about half of the fullest part of two atoms or more, cut along a tree."""
    size, parts = len(label), len(goal)
    load = np.zeros(parts, np.int64)
    atoms = np.zeros(parts, np.int64)
    for v in range(size):
        load[label[v]] += weight[v]
        atoms[label[v]] += 1
    donor = -1
    for part in range(parts):
        if atoms[part] >= 2 and (donor < 0 or load[part] / goal[part] > load[donor] / goal[donor]):
            donor = part
    order = np.empty(atoms[donor], np.int64)
    parent = np.full(size, -1, np.int64)
    below = weight.copy()
    end = 0
    for v in range(size):
        if label[v] == donor:
            order[0] = v
            parent[v] = v
            end = 1
            break
    at = 0
    while at < end:
        u = order[at]
        at += 1
        for p in range(rows[u], rows[u + 1]):
            t = heads[p]
            if label[t] == donor and parent[t] < 0:
                parent[t] = u
                order[end] = t
                end += 1
    best = order[end - 1]
    least = -1.0
    for i in range(end - 1, 0, -1):
        v = order[i]
        below[parent[v]] += below[v]
        uneven = abs(2.0 * below[v] - load[donor])
        if least < 0.0 or uneven < least:
            least, best = uneven, v
    label[best] = empty
    for i in range(1, end):
        if label[parent[order[i]]] == empty:
            label[order[i]] = empty
