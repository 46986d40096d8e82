# SPDX-License-Identifier: Apache-2.0
"""A budget of seconds, read from the monotonic clock: only surfaces and engines with a budget ask it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

_clock: Callable[[], float] = time.monotonic


def count_by(clock: Callable[[], float]) -> None:
    """Let the budgets of this process count by another clock: a benchmark's, on a machine that others use."""
    global _clock
    _clock = clock


def _now() -> float:
    return _clock()


@dataclass(frozen=True, slots=True)
class Budget:
    """So many seconds from the moment it is made."""

    seconds: float
    started: float = field(default_factory=_now)

    def left_s(self) -> float:
        return max(0.0, self.seconds - (_now() - self.started))

    def spent(self) -> bool:
        return self.left_s() <= 0.0
