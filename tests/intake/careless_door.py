# SPDX-License-Identifier: Apache-2.0
"""A front door that answers before the commit. The crash test must find it out, or it proves nothing."""

import os
import threading
import time

from granian import Granian
from granian.constants import Interfaces

from muster.intake.app import IntakeApp
from muster.intake.journal.segments import SegmentJournal
from muster.intake.settings import read_settings

LAG = 0.1


class CarelessJournal(SegmentJournal):
    """Says that entries are durable and writes them a moment later."""

    def __init__(self, *told, **more):
        super().__init__(*told, **more)
        self._promised = []
        self._guard = threading.Lock()
        super().append([])
        threading.Thread(target=self._write_later, daemon=True).start()

    def append(self, entries):
        with self._guard:
            self._promised += entries
        return list(range(len(entries)))

    def _write_later(self):
        while True:
            time.sleep(LAG)
            with self._guard:
                due, self._promised = self._promised, []
            super().append(due)


def application():
    return IntakeApp(
        read_settings(), open_stream=lambda settings, keys: CarelessJournal(settings.data / "journal", keys)
    )


if __name__ == "__main__":
    Granian(
        "tests.intake.careless_door:application",
        factory=True,
        port=int(os.environ["MUSTER_INTAKE_PORT"]),
        interface=Interfaces.RSGI,
        websockets=False,
    ).serve()
