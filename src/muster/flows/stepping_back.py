# SPDX-License-Identifier: Apache-2.0
"""Stepping back: somebody who serves falls ill, goes on leave or goes home; what he had in hand goes on
without him at once.

Nobody has to be told on the phone: his open work is back in the queue, what he was asked is asked of others,
and the desk sees which place is empty.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from muster.base.errors import Refusal
from muster.requests import work
from muster.requests.models import Offer, WorkItem
from muster.requests.states import ITEM_TAKEN, DeclineReason, OfferStatus
from muster.responders.models import Responder
from muster.responders.standing import change_status
from muster.responders.states import ResponderStatus

# Who is in one of these has nothing in hand.
HANDS_FREE = frozenset({ResponderStatus.ISOLATED, ResponderStatus.UNAVAILABLE, ResponderStatus.RELEASED})


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """What others have to take up: pieces of work in the queue again, questions, a place."""

    items: tuple[uuid.UUID, ...] = ()
    offers: int = 0
    grid: int | None = None
    post: str = ""


def step_back(
    row: Responder,
    to: str,
    *,
    by: uuid.UUID | None,
    at: datetime,
    reason: str = "",
    away_until: date | None = None,
) -> LeftBehind:
    """Changes his status and frees all that he had.

    Raises:
        Refusal: responder_step, responder_changed_meanwhile.
    """
    with transaction.atomic():
        left = _free(row, by=by, at=at) if to in HANDS_FREE else LeftBehind()
        row.refresh_from_db(fields=["open_jobs"])
        row.away_until = away_until if to == ResponderStatus.UNAVAILABLE else None
        change_status(row, to, by=by, at=at, reason=reason, columns=("away_until",))
    return left


def _free(row: Responder, *, by: uuid.UUID | None, at: datetime) -> LeftBehind:
    taken = WorkItem.objects.across(reason="own").filter(responder=row.id, status__in=ITEM_TAKEN)
    items = tuple(taken.values_list("id", flat=True))
    for item in items:
        work.release(item, responder=row.id, at=at, by=by)
    asked = Offer.objects.filter(responder=row.id, status=OfferStatus.OFFERED).values_list(
        "item_id", flat=True
    )
    offers = 0
    for item in list(asked):
        try:
            work.decline(item, responder=row.id, reason=DeclineReason.NOT_ABLE, at=at, by=by)
        except Refusal:  # it was over in this very moment
            continue
        offers += 1
    return LeftBehind(items, offers, row.grid, row.post)
