# SPDX-License-Identifier: Apache-2.0
"""The worker's hand on large rosters: one child at a time; after one that dies another goes on at the grid
where it stopped.
"""

from __future__ import annotations

import subprocess
import time

from muster.cli.supervisor import muster

AGAIN_SECONDS = 10.0


class FreezeChild:
    """Freezes what desks asked for, round by round, each in a process of its own."""

    def __init__(self) -> None:
        self.child: subprocess.Popen[bytes] | None = None
        self.not_before = 0.0

    def look_after(self) -> None:
        """Start the next one when none runs; after a failure wait a little."""
        from muster.campaigns.services import next_to_freeze

        if self.child is not None:
            if self.child.poll() is None:
                return
            if self.child.returncode != 0:
                self.not_before = time.monotonic() + AGAIN_SECONDS
            self.child = None
        waiting = next_to_freeze() if time.monotonic() >= self.not_before else None
        if waiting is not None:
            self.child = subprocess.Popen(muster("freeze-round", str(waiting.id)))

    def stop(self) -> None:
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.child.wait()
