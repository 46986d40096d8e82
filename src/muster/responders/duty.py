# SPDX-License-Identifier: Apache-2.0
"""Duty: how long somebody has served, to the minute."""

from __future__ import annotations

from datetime import datetime

from muster.responders.models import Responder
from muster.responders.states import ResponderStatus


def minutes_served(row: Responder, *, at: datetime) -> int:
    """All his minutes on duty, those of this moment too."""
    running = 0
    if row.status == ResponderStatus.ON_DUTY:
        began = row.on_duty_since or row.status_since
        running = max(0, int((at - began).total_seconds() // 60))
    return row.minutes_served + running
