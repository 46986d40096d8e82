# SPDX-License-Identifier: Apache-2.0
"""The worker's hands: each looks after one kind of long work, one process at a time.

A process of its own can be killed when it takes too long, and gives its memory back when it is done. What a
process that died leaves is gone on with, or said to have failed.
"""

from __future__ import annotations

import subprocess
import time
import uuid
from abc import ABC, abstractmethod
from datetime import timedelta
from math import inf

from muster.base.clock import now
from muster.cli.supervisor import dying_with_us, muster

TIDY_EVERY = timedelta(hours=1)


class Hand(ABC):
    """One kind of long work. `command` is the word of `muster` that does one piece of it."""

    command: str
    most_seconds: float = inf
    # After a piece that fell the next one waits for so long.
    rest_seconds: float = 0.0

    def __init__(self) -> None:
        self.child: subprocess.Popen[bytes] | None = None
        self.work: uuid.UUID | None = None
        self.until = self.rest_until = 0.0
        self.has_looked = False

    def take_up(self) -> None:  # noqa: B027 -- most have nothing to take up
        """Before the first look: a worker that was killed took its child with it."""

    @abstractmethod
    def next_piece(self) -> uuid.UUID | None:
        """What has waited longest."""

    def fell(self, work: uuid.UUID) -> None:  # noqa: B027
        """Its process ended badly, or took too long."""

    def look_after(self) -> None:
        """Start the next piece when none runs; end what is past its time; rest after one that fell."""
        if not self.has_looked:
            self.take_up()
            self.has_looked = True
        if self.is_busy():
            return
        if time.monotonic() < self.rest_until:
            return
        self.work = self.next_piece()
        if self.work is not None:
            self.child = subprocess.Popen(dying_with_us(muster(self.command, str(self.work))))
            self.until = time.monotonic() + self.most_seconds

    def is_busy(self) -> bool:
        if self.child is None:
            return False
        if self.child.poll() is None:
            if time.monotonic() < self.until:
                return True
            self.stop()
        child, work = self.child, self.work
        self.child = self.work = None
        if child.returncode != 0 and work is not None:
            self.rest_until = time.monotonic() + self.rest_seconds
            self.fell(work)
        return False

    def stop(self) -> None:
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.child.wait()


class GridPlans(Hand):
    """Proposals of grids."""

    command = "solve-plan"
    most_seconds = 600.0

    def take_up(self) -> None:
        from muster.register.division_plans import queue_left_behind

        queue_left_behind()

    def next_piece(self) -> uuid.UUID | None:
        from muster.register.division_plans import next_queued

        plan = next_queued()
        return plan.id if plan else None

    def fell(self, work: uuid.UUID) -> None:
        from muster.register.division_plans import fail_plan

        fail_plan(work, "plan_child_failed")


class Placements(Hand):
    """Proposals of who serves where, their adoption and its taking back: what was begun is gone on with."""

    command = "place-people"
    most_seconds = 1_200.0
    rest_seconds = 30.0

    def take_up(self) -> None:
        from muster.responders.placement.services import queue_left_behind

        queue_left_behind()

    def next_piece(self) -> uuid.UUID | None:
        from muster.responders.placement.queries import next_work

        plan = next_work()
        return plan.id if plan else None

    def fell(self, work: uuid.UUID) -> None:
        from muster.responders.placement.services import fail_plan

        fail_plan(work, "plan_child_failed")


class Rosters(Hand):
    """Rosters of rounds: the next process goes on at the grid where one stopped."""

    command = "freeze-round"
    rest_seconds = 10.0

    def next_piece(self) -> uuid.UUID | None:
        from muster.campaigns.services import next_to_freeze

        waiting = next_to_freeze()
        return waiting.id if waiting else None


class Imports(Hand):
    """Lists that desks brought: a batch says itself whether somebody is at it."""

    command = "import-job"

    def __init__(self) -> None:
        super().__init__()
        self.tidy_at = now()

    def next_piece(self) -> uuid.UUID | None:
        from muster.flows.import_jobs import forget_old, next_job

        at = now()
        batch = next_job(at=at)
        if batch is None and at >= self.tidy_at:
            forget_old(at=at)
            self.tidy_at = at + TIDY_EVERY
        return batch
