# SPDX-License-Identifier: Apache-2.0
"""From buildings to atoms and pieces: what moves as one, and what can share a grid at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from muster.planning._kernel.arrays import Bools, Floats, Longs
from muster.planning.districting.counts import Piece, target_of
from muster.planning.districting.problem import Problem
from muster.planning.districting.region import Region

# A tie inside a compound that may be divided counts as this many: it is cut last.
_OWN_TIE = 4


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Buildings as atoms, atoms as connected pieces.

    `atom_of` is by building, -1 for buildings that take no part. Pieces are lists of atoms, numbered in the
    order of their first atom, atoms in the order of their first building.
    """

    atom_of: Longs
    region: Region
    pieces: tuple[Longs, ...]

    def facts(self) -> list[Piece]:
        """Return what the counts of grids depend on."""
        weight = self.region.weight
        return [Piece(int(weight[p].sum()), int(weight[p].max()), len(p)) for p in self.pieces]

    def capped(self, count: int | None, size: Fraction, tolerance: float) -> Ground:
        """Return the ground with no atom heavier than a grid can be.

        A compound of two grids' weight that stays whole takes one grid, and the others share what is left
        among one grid fewer; with its weight cut down to theirs they come out even. It is left a little
        heavier than they are, so that nothing is added to it.
        """
        weight = self.region.weight
        heavy = np.zeros(len(weight), np.bool_)
        cap, full = float(size), 1 + 0.85 * tolerance
        while True:
            left = 0 if count is None else count - int(heavy.sum())
            if left > 0:
                cap = max(1.0, float(weight[~heavy].sum()) / left)
            more = (weight > cap * (1 + tolerance)) & ~heavy
            if not more.any() or (count is not None and left <= int(more.sum())):
                break
            heavy |= more
        region = replace(self.region, weight=np.where(heavy, round(cap * full), weight).astype(np.int64))
        return replace(self, region=region)


def lay_out(problem: Problem, used: Bools | None = None) -> Ground:
    """Return atoms and pieces of the buildings that are used (all, if not said otherwise)."""
    taking_part = np.ones(problem.size, np.bool_) if used is None else used
    whole = whole_compounds(problem)
    atom_of = _atoms(problem, taking_part, whole)
    region = _region(problem, taking_part, atom_of)
    return Ground(atom_of, region, pieces_of(region))


def whole_compounds(problem: Problem) -> Bools:
    """Say of each building whether its compound is kept whole."""
    in_compound = problem.compound >= 0
    if not problem.divide_large_compounds or not in_compound.any():
        return in_compound
    weight = problem.weights()
    level = problem.levels[0]
    most = target_of(int(weight.sum()), level.count, level.size) * (1 + problem.tolerance_ppm / 1e6)
    heavy = np.bincount(problem.compound[in_compound], weight[in_compound]) > float(most)
    return in_compound & ~heavy[np.where(in_compound, problem.compound, 0)]


def pieces_of(region: Region) -> tuple[Longs, ...]:
    """Return the connected pieces of a region, each as its atoms in order."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    if region.size == 0:
        return ()
    ties = (np.ones(len(region.heads), np.int8), region.heads, region.rows)
    links = csr_matrix(ties, shape=(region.size, region.size))
    found = connected_components(links, directed=False)[1]
    _, first, piece = np.unique(found, return_index=True, return_inverse=True)
    number = np.empty(len(first), np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    order = np.argsort(number[piece.reshape(-1)], kind="stable")
    borders = np.cumsum(np.bincount(number[piece.reshape(-1)]))[:-1]
    return tuple(np.split(order, borders))


def _atoms(problem: Problem, used: Bools, whole: Bools) -> Longs:
    """Number the atoms: what of a whole compound lies on one piece of ground is one, else each building."""
    size = problem.size
    piece = _pieces_of_buildings(problem, used)
    own = problem.compound.astype(np.int64) * (int(piece.max(initial=0)) + 1) + piece
    key = np.where(whole, own, int(own.max(initial=0)) + 1 + np.arange(size))
    atom_of = np.full(size, -1, np.int64)
    _, first, atom = np.unique(key[used], return_index=True, return_inverse=True)
    number = np.empty(len(first), np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    atom_of[used] = number[atom.reshape(-1)]
    return atom_of


def _pieces_of_buildings(problem: Problem, used: Bools) -> Longs:
    """Return the connected piece of each building: one community, one side of every hard line."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    a, b = problem.links.a, problem.links.b
    joins = used[a] & used[b] & (problem.community[a] == problem.community[b])
    links = coo_matrix((np.ones(int(joins.sum()), np.int8), (a[joins], b[joins])), shape=(problem.size,) * 2)
    return np.asarray(connected_components(links.tocsr(), directed=False)[1], np.int64)


def _region(problem: Problem, used: Bools, atom_of: Longs) -> Region:
    links, compound = problem.links, problem.compound
    a, b = links.a, links.b
    joins = used[a] & used[b] & (problem.community[a] == problem.community[b])
    a, b = a[joins], b[joins]
    ties = np.ones(len(a), np.int64) if problem.strength is None else problem.strength[joins]
    own = (compound[a] == compound[b]) & (compound[a] >= 0)
    count = int(atom_of.max(initial=-1)) + 1
    weight = np.bincount(atom_of[used], problem.weights()[used], count).astype(np.int64)
    mass = np.bincount(atom_of[used], minlength=count).astype(np.int64)
    x, y = (_middle(side, used, atom_of, mass) for side in (problem.x_m, problem.y_m))
    return Region.of(atom_of[a], atom_of[b], np.where(own, _OWN_TIE, 1) * ties, weight, mass, x, y)


def _middle(side: Floats, used: Bools, atom_of: Longs, mass: Longs) -> Floats:
    if len(side) == 0:
        return np.zeros(len(mass))
    return np.bincount(atom_of[used], side[used], len(mass)) / np.maximum(mass, 1)
