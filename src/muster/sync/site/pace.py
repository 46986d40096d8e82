# SPDX-License-Identifier: Apache-2.0
"""When to try again: later each time, never all sites at once, never before the city asked for."""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST, LONGEST = 2.0, 120.0
SPREAD = 0.5


class Pace:
    def __init__(self, *, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._failures = 0

    def went_well(self) -> None:
        self._failures = 0

    def wait(self, asked: float = 0.0) -> float:
        """Seconds until the next try after a failure."""
        self._failures += 1
        own = min(FIRST * 2 ** (self._failures - 1), LONGEST) if self._failures < 30 else LONGEST
        # What was asked for is the least; what is added spreads those who were asked together.
        return max(asked, own * (1 - SPREAD)) + own * SPREAD * self._chance()
