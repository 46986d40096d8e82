# SPDX-License-Identifier: Apache-2.0
"""The worker's hand on the clocks of care, of hours and of requests, once a minute."""

from __future__ import annotations

from datetime import datetime, timedelta

EVERY = timedelta(minutes=1)
QUIET_EVERY = timedelta(hours=1)


class CareClock:
    """Looks once a minute. Nothing depends on it being in time: what is late is computed when read."""

    def __init__(self) -> None:
        self.due: datetime | None = None
        self.quiet_due: datetime | None = None

    def look_after(self, *, at: datetime) -> None:
        from muster.flows import duty_hours, medical_trip, request_clock
        from muster.incidents.services import current_incident, is_in_force

        if self.due is not None and at < self.due:
            return
        self.due = at + EVERY
        incident = current_incident(at)
        if incident is not None and is_in_force(incident, at=at):
            medical_trip.look_after(incident, at=at)
            duty_hours.look_after(incident, at=at)
            with_quiet = self.quiet_due is None or at >= self.quiet_due
            if with_quiet:
                self.quiet_due = at + QUIET_EVERY
            request_clock.look_after(incident, at=at, with_quiet=with_quiet)
