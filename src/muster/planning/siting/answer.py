# SPDX-License-Identifier: Apache-2.0
"""What a search found so far: which sites open, at which of its walks each point goes, what is proved."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from muster.planning._kernel.arrays import Bools, Floats, Longs

if TYPE_CHECKING:
    from muster.planning.siting._prices import Room, Worth
    from muster.planning.siting._swaps import Ground

NOWHERE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """`at` is the entry (a walk) of each point, NOWHERE when it is left out; `flow` are people by entry."""

    is_open: Bools
    at: Longs
    cost: int
    flow: Longs | None = None


@dataclass(slots=True)
class Proof:
    """The best prices so far; `steps_left` and the length of steps go on from turn to turn."""

    room: Room
    price: Longs
    value: int
    steps_left: int
    state: Floats = field(default_factory=lambda: np.ones(1))
    searched: int | None = None
    upper: int = 1 << 62

    @classmethod
    def begin(cls, room: Room, steps: int) -> Proof:
        """Begin where every point pays its cheapest walk."""
        return cls(room, room.lowest.copy(), int(room.lowest.sum()), steps)

    @property
    def bound(self) -> int:
        """Return the least cost that is proved, in whole units."""
        by_prices = -(-self.value // int(self.room.scale[0]))
        return by_prices if self.searched is None else max(by_prices, self.searched)

    @property
    def is_stuck(self) -> bool:
        return self.steps_left <= 0 or float(self.state[0]) < 1e-4

    def climb(self, ground: Ground, upper: int, steps: int) -> None:
        """Take some steps towards an upper bound that a plan has reached."""
        from muster.planning.siting._prices import ascend

        if self.is_stuck or not len(self.price):
            return
        if upper < self.upper - self.upper // 50:
            # Steps aimed at a far too high goal were too long: begin again with whole ones.
            self.state[0], self.upper = 1.0, upper
        goal = upper * int(self.room.scale[0])
        self.value = int(ascend(ground, self.room, self.price, self.value, goal, self.state, steps))
        self.steps_left -= steps

    @contextmanager
    def climbing(self, ground: Ground, upper: int, steps: int) -> Iterator[None]:
        """Climb on a second processor while the body works; the body must not ask what is proved."""
        with ThreadPoolExecutor(1) as beside:
            climbing = beside.submit(self.climb, ground, upper, steps)
            yield
            climbing.result()

    def worth(self, ground: Ground) -> Worth:
        """Return what the best prices come to."""
        from muster.planning.siting._prices import Worth, worth_of

        sites, points = len(ground.open_cost), len(self.price)
        worth = Worth(np.empty(sites, np.int64), np.zeros(sites, np.int32), np.empty(points))
        worth_of(ground, self.room, self.price, worth)
        return worth
