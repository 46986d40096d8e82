# SPDX-License-Identifier: Apache-2.0
"""A budget of seconds, read from the monotonic clock: only surfaces and engines with a budget ask it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Budget:
    """So many seconds from the moment it is made."""

    seconds: float
    started: float = field(default_factory=time.monotonic)

    def left_s(self) -> float:
        return max(0.0, self.seconds - (time.monotonic() - self.started))

    def spent(self) -> bool:
        return self.left_s() <= 0.0
