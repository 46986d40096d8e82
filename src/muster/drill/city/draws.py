# SPDX-License-Identifier: Apache-2.0
"""Seeded draws. Only `random()` of the Mersenne twister is used: its stream is fixed for all Python versions.

A stream is named by its seed and a path of words and numbers, never by Python's own `hash`.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")


def stream_seed(seed: int, *path: str | int) -> int:
    text = "/".join(map(str, (seed, *path)))
    return int.from_bytes(blake2b(text.encode(), digest_size=16).digest(), "big")


class Table(Generic[T]):
    """Things with weights, drawn by one random number."""

    __slots__ = ("items", "sums", "total")

    def __init__(self, weights: Mapping[T, float]) -> None:
        self.items = tuple(weights)
        self.sums = tuple(accumulate(weights.values()))
        self.total = self.sums[-1]

    def at(self, share: float) -> T:
        return self.items[min(bisect_right(self.sums, share * self.total), len(self.items) - 1)]


class Draws:
    """One stream of random numbers with the few questions a generator asks."""

    __slots__ = ("_twister", "random")

    def __init__(self, seed: int, *path: str | int) -> None:
        self._twister = random.Random(stream_seed(seed, *path))
        self.random = self._twister.random

    def chance(self, share: float) -> bool:
        return self.random() < share

    def below(self, bound: int) -> int:
        return int(self.random() * bound)

    def between(self, low: int, high: int) -> int:
        """An integer, both ends included."""
        return low + int(self.random() * (high - low + 1))

    def within(self, low: float, high: float) -> float:
        return low + self.random() * (high - low)

    def pick(self, items: Sequence[T]) -> T:
        return items[int(self.random() * len(items))]

    def weighted(self, table: Table[T]) -> T:
        return table.at(self.random())

    def shuffled(self, items: Sequence[T]) -> list[T]:
        keys = [(self.random(), place) for place in range(len(items))]
        return [items[place] for _, place in sorted(keys)]

    def bell(self, low: float, mode: float, high: float) -> float:
        """A triangular draw: most often near `mode`."""
        share = self.random()
        cut = (mode - low) / (high - low)
        if share < cut:
            return low + math.sqrt(share * (high - low) * (mode - low))
        return high - math.sqrt((1 - share) * (high - low) * (high - mode))
