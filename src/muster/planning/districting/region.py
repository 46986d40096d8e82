# SPDX-License-Identifier: Apache-2.0
"""A region: atoms and the ties between them, as rows of a graph that can be cut into parts or merged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from muster.planning._kernel.arrays import Floats, Ints, Longs


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
