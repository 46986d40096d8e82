# SPDX-License-Identifier: Apache-2.0
"""The worker's hand on the outbox: a thread, so that a slow mail server holds up nothing else."""

from __future__ import annotations

import logging
import threading

from django.db import close_old_connections

from muster.base.clock import now

log = logging.getLogger("muster.processes")
IDLE_SECONDS = 1.0


class MessageThread:
    """Sends what is due until told to stop. Killed at any time it loses nothing (notifications.delivery)."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        self.thread = threading.Thread(target=self._run, name="messages", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def join(self, seconds: float = 5.0) -> None:
        self.thread.join(seconds)

    def _run(self) -> None:
        from muster.flows.telling import deliver

        while not self.stop.is_set():
            try:
                report = deliver(now=now, stopping=self.stop.is_set)
                idle = IDLE_SECONDS if not report.sent else 0.0
            except Exception:
                log.exception("messages: will try again")
                close_old_connections()
                idle = 5 * IDLE_SECONDS
            self.stop.wait(idle)
