# SPDX-License-Identifier: Apache-2.0
"""A front door whose store takes a fixed number of batches a second, so that its capacity is known.

SLOW_DOOR_UNBOUNDED=1 takes its bounds away: the careless way, a queue that only grows.
"""

import os
import time

from granian import Granian
from granian.constants import Interfaces

from muster.intake import limits

CAPACITY = 200

if os.environ.get("SLOW_DOOR_UNBOUNDED"):
    limits.QUEUE_BATCHES, limits.QUEUE_BYTES = 10**9, 1 << 50
    limits.QUEUE_SECONDS, limits.LAG_SECONDS, limits.HARD_PRESSED = 1e6, 1e6, 2.0
else:
    limits.QUEUE_BATCHES, limits.QUEUE_SECONDS = 60, 0.7
limits.GROUP_BATCHES = 4

from muster.intake.app import IntakeApp  # noqa: E402 -- reads the limits when it is imported
from muster.intake.journal.segments import SegmentJournal  # noqa: E402
from muster.intake.settings import read_settings  # noqa: E402


class PacedJournal(SegmentJournal):
    """Each batch takes its share of a second; a late wake-up is made good by the next."""

    def __init__(self, *told, **more):
        super().__init__(*told, **more)
        self._due = 0.0

    def append(self, entries):
        answers = super().append(entries)
        self._due = max(self._due, time.monotonic() - 0.05) + len(entries) / CAPACITY
        time.sleep(max(0.0, self._due - time.monotonic()))
        return answers


def application():
    return IntakeApp(
        read_settings(), open_stream=lambda settings, keys: PacedJournal(settings.data / "journal", keys)
    )


if __name__ == "__main__":
    Granian(
        "tests.intake.slow_door:application",
        factory=True,
        port=int(os.environ["MUSTER_INTAKE_PORT"]),
        interface=Interfaces.RSGI,
        websockets=False,
        log_access=False,
    ).serve()
