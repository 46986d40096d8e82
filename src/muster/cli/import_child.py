# SPDX-License-Identifier: Apache-2.0
"""The worker's hand on imports: one child at a time; a child that dies leaves a batch that can be gone on
with.
"""

from __future__ import annotations

import subprocess
from datetime import timedelta

from muster.base.clock import now
from muster.cli.supervisor import dying_with_us, muster

TIDY_EVERY = timedelta(hours=1)


class ImportChild:
    """Does what desks asked for, batch by batch, each in a process of its own."""

    def __init__(self) -> None:
        self.child: subprocess.Popen[bytes] | None = None
        self.tidy_at = now()

    def look_after(self) -> None:
        """Start the next job when none runs."""
        from muster.flows.import_jobs import forget_old, next_job

        if self.child is not None and self.child.poll() is None:
            return
        self.child = None
        at = now()
        batch = next_job(at=at)
        if batch is not None:
            self.child = subprocess.Popen(dying_with_us(muster("import-job", str(batch))))
        elif at >= self.tidy_at:
            forget_old(at=at)
            self.tidy_at = at + TIDY_EVERY

    def stop(self) -> None:
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.child.wait()
