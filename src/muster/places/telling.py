# SPDX-License-Identifier: Apache-2.0
"""Who is told that a grid has no head any more: the desks over it, and their channels."""

from __future__ import annotations

from datetime import datetime

from muster.incidents.services import current_incident
from muster.notifications.queries import accounts_over
from muster.notifications.services import Audience, Telling, ToAccount, ToArea, notify_many
from muster.places.models import GridPost

HEAD = "head"
DESKS = ("desk", "street")


def post_ended(post: GridPost, *, at: datetime) -> None:
    """Tells of a head's post that nobody took over; of other posts nothing."""
    incident = current_incident(at)
    if post.type != HEAD or incident is None:
        return
    path = post.grid.area.path
    readers: list[Audience] = [ToArea(path)]
    readers += [ToAccount(desk) for desk in accounts_over(path, roles=DESKS, at=at)]
    tellings = [Telling("head_missing", str(post.id), reader, {"count": 1}) for reader in readers]
    notify_many(tellings, incident=incident.id, at=at)
