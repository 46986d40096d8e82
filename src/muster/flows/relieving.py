# SPDX-License-Identifier: Apache-2.0
"""Relieving: somebody who has served long enough rests; what he was asked and had not begun goes to others.

Who stands at a door finishes there: nobody is called away from somebody he helps.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from muster.base.errors import Refusal
from muster.requests import work
from muster.requests.models import Offer, WorkItem
from muster.requests.states import DeclineReason, ItemStatus, OfferStatus
from muster.requests.work import Asking
from muster.responders import telling
from muster.responders.models import Responder
from muster.responders.queries import responder_with_id
from muster.responders.rules import demand_transition
from muster.responders.standing import change_status
from muster.responders.states import CAN_BE_ASKED, ResponderStatus


@dataclass(frozen=True, slots=True)
class Relieved:
    """items: back in the queue; asked: of these, those that his relief was asked for; still_at: at a door."""

    items: tuple[uuid.UUID, ...]
    offers: int
    asked: int
    still_at: int


def relieve(row: Responder, *, relief: Responder | None, by: uuid.UUID, at: datetime) -> Relieved:
    """He rests from now on; his relief, if one is named, takes his grid and is asked for what he had.

    Raises:
        Refusal: responder_step, responder_changed_meanwhile, relief_himself, relief_not_free.
    """
    if relief is not None:
        _demand_free(row, relief)
    with transaction.atomic():
        row = Responder.objects.across(reason="own").select_for_update().get(id=row.id)
        demand_transition(row.status, ResponderStatus.RESTING)
        handed = hand_on(row, by=by, at=at)
        row.refresh_from_db(fields=["open_jobs"])
        change_status(row, ResponderStatus.RESTING, by=by, at=at, verb="relieve")
        asked = _hand_over(row, relief, handed.items, by=by, at=at) if relief is not None else 0
        if by != row.user:
            telling.relieved(row, at=at)
        if relief is not None:
            telling.takes_over(relief, at=at)
    return replace(handed, asked=asked)


def hand_on(row: Responder, *, by: uuid.UUID, at: datetime) -> Relieved:
    """Inside a transaction: he is asked no more, and what he had not begun is back in the queue."""
    offers = _withdraw_offers(row, by=by, at=at)
    taken = WorkItem.objects.across(reason="own").filter(responder=row.id)
    begun = taken.filter(status=ItemStatus.ON_SITE).count()
    items = tuple(taken.filter(status=ItemStatus.ACCEPTED).values_list("id", flat=True))
    for item in items:
        work.release(item, responder=row.id, at=at, by=by)
    return Relieved(items, offers, 0, begun)


def _demand_free(row: Responder, relief: Responder) -> None:
    if relief.id == row.id:
        raise Refusal("relief_himself")
    if relief.status not in CAN_BE_ASKED or relief.incident != row.incident:
        raise Refusal("relief_not_free")


def _withdraw_offers(row: Responder, *, by: uuid.UUID, at: datetime) -> int:
    asked = Offer.objects.filter(responder=row.id, status=OfferStatus.OFFERED)
    offers = 0
    for item in list(asked.values_list("item_id", flat=True)):
        try:
            work.decline(item, responder=row.id, reason=DeclineReason.RESTING, at=at, by=by)
        except Refusal:  # it was over in this very moment
            continue
        offers += 1
    return offers


def _hand_over(
    row: Responder, relief: Responder, items: tuple[uuid.UUID, ...], *, by: uuid.UUID, at: datetime
) -> int:
    if relief.status != ResponderStatus.ON_DUTY:
        relief.grid = relief.grid or row.grid
        change_status(relief, ResponderStatus.ON_DUTY, by=by, at=at, verb="relief", columns=("grid",))
    relief = responder_with_id(relief.id)
    asked = 0
    for item in items:
        try:
            work.offer(item, [Asking(relief.id)], by=by, at=at)
        except Refusal:  # somebody was quicker, or he has served long enough himself: it waits in the queue
            continue
        asked += 1
    return asked
