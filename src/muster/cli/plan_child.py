# SPDX-License-Identifier: Apache-2.0
"""The worker's hand on planning: one child at a time, killed when it takes too long or the house stops."""

from __future__ import annotations

import subprocess
import time
import uuid

from muster.cli.supervisor import dying_with_us, muster

MOST_SECONDS = 600.0


class PlanChild:
    """Runs queued plans one after another, each in a process of its own."""

    def __init__(self) -> None:
        self.child: subprocess.Popen[bytes] | None = None
        self.plan: uuid.UUID | None = None
        self.until = 0.0
        self.has_looked = False

    def look_after(self) -> None:
        """Starts the next plan when none runs; ends one that is past its time."""
        from muster.register.division_plans import fail_plan, next_queued, queue_left_behind

        if not self.has_looked:  # a worker that was killed took its child with it
            queue_left_behind()
            self.has_looked = True
        if self.child is not None:
            if self.child.poll() is None and time.monotonic() < self.until:
                return
            if self.child.poll() is None:
                self.stop()
            if self.plan is not None and self.child is not None and self.child.returncode != 0:
                fail_plan(self.plan, "plan_child_failed")
            self.child = self.plan = None
        queued = next_queued()
        if queued is not None:
            self.plan = queued.id
            self.child = subprocess.Popen(dying_with_us(muster("solve-plan", str(queued.id))))
            self.until = time.monotonic() + MOST_SECONDS

    def stop(self) -> None:
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.child.wait()
