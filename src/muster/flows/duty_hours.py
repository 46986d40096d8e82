# SPDX-License-Identifier: Apache-2.0
"""Hours on duty: who has served too long hears it once, and his desk hears how many, once an hour."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from muster.incidents.models import Incident
from muster.notifications.queries import accounts_over
from muster.notifications.services import Telling, ToAccount, notify_many
from muster.places.models import Grid
from muster.responders import telling
from muster.responders.models import Responder
from muster.responders.rules import LONGEST_DUTY
from muster.responders.states import ResponderStatus

DESKS = ("desk", "street")
AT_ONCE = 500


def look_after(incident: Incident, *, at: datetime) -> int:
    """How many are over their hours now. Safe to run twice, or never: lists compute it when read."""
    rows = Responder.objects.across(reason="reinforcement").filter(
        incident=incident.id, status=ResponderStatus.ON_DUTY, on_duty_since__lte=at - LONGEST_DUTY
    )
    over = list(rows.order_by("on_duty_since")[:AT_ONCE])
    telling.over_hours(over, at=at)
    grids = Grid.objects.filter(id__in={one.grid for one in over if one.grid is not None})
    paths = dict(grids.values_list("id", "area__path"))
    counts = Counter(paths[one.grid] for one in over if one.grid in paths)
    tellings = [
        Telling("hours_over_desk", f"{path}|{at:%Y%m%d%H}", ToAccount(desk), {"count": count})
        for path, count in counts.items()
        for desk in accounts_over(path, roles=DESKS, at=at)
    ]
    notify_many(tellings, incident=incident.id, at=at)
    return len(over)
