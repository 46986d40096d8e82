# SPDX-License-Identifier: Apache-2.0
"""Who is told that a round is closing: everybody who has a post in one of its grids."""

from __future__ import annotations

from datetime import datetime

from muster.campaigns.models import Round, RoundGrid
from muster.notifications.services import Telling, ToAccount, notify_many
from muster.places.models import GridPost


def closing(round_: Round, *, at: datetime) -> int:
    """How many hear of it for the first time; asked again, nobody hears it twice."""
    if round_.closes_at is None or round_.closes_at <= at:
        return 0
    grids = RoundGrid.objects.filter(round=round_.id).values("grid")
    posts = GridPost.objects.filter(grid__in=grids, until__isnull=True, holder__isnull=False)
    holders = sorted({one for one in posts.values_list("holder", flat=True) if one is not None})
    return notify_many(
        (
            Telling("round_closing", str(round_.id), ToAccount(one), {"time": round_.closes_at})
            for one in holders
        ),
        incident=round_.incident, at=at,
    )  # fmt: skip
