# SPDX-License-Identifier: Apache-2.0
"""The worker's hand on placement: one child at a time; one that dies leaves work that can be gone on with."""

from __future__ import annotations

import subprocess
import time
import uuid

from muster.cli.supervisor import dying_with_us, muster

MOST_SECONDS = 1_200.0
REST_SECONDS = 30.0


class PlacementChild:
    """Solves, adopts and takes back placement plans, each in a process of its own."""

    def __init__(self) -> None:
        self.child: subprocess.Popen[bytes] | None = None
        self.plan: uuid.UUID | None = None
        self.until = 0.0
        self.rest_until = 0.0
        self.has_looked = False

    def look_after(self) -> None:
        """Start the next work when none runs; end what is past its time; rest after a child that fell."""
        from muster.responders.placement.queries import next_work
        from muster.responders.placement.services import fail_plan, queue_left_behind

        if not self.has_looked:  # a worker that was killed took its child with it
            queue_left_behind()
            self.has_looked = True
        if self.child is not None:
            if self.child.poll() is None and time.monotonic() < self.until:
                return
            if self.child.poll() is None:
                self.stop()
            if self.child is not None and self.child.returncode != 0:
                if self.plan is not None:
                    fail_plan(self.plan, "plan_child_failed")
                self.rest_until = time.monotonic() + REST_SECONDS
            self.child = self.plan = None
        if time.monotonic() < self.rest_until:
            return
        waiting = next_work()
        if waiting is not None:
            self.plan = waiting.id
            self.child = subprocess.Popen(dying_with_us(muster("place-people", str(waiting.id))))
            self.until = time.monotonic() + MOST_SECONDS

    def stop(self) -> None:
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.child.wait()
