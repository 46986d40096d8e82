# SPDX-License-Identifier: Apache-2.0
"""What a request may become, how long each step may take, and who may be asked.

All of it is pure: rows come in as plain values, times are passed in.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from muster.base.errors import Refusal
from muster.packs.schema import RequestCategory
from muster.requests.states import (
    ENDED,
    ITEM_TAKEN,
    RANK,
    TRANSITIONS,
    ItemStatus,
    RequestStatus,
    Urgency,
)

# How long an offer waits for its answer before somebody else is asked.
LEASE_MINUTES: dict[str, int] = {Urgency.LIFE: 3, Urgency.URGENT: 15, Urgency.NORMAL: 60}
# A life-threatening request is somebody's at once, whatever its category allows.
LIFE_RESPOND_MINUTES = 3
LIFE_FINISH_MINUTES = 60
URGENT_FINISH_MINUTES = 480
REPEAT_WITHIN = timedelta(hours=24)
UNANSWERED_CALLS = 3
MOST_ESCALATIONS = 5
# From so many open requests of one phone on, a person is asked to look; each is kept all the same.
MANY_OPEN = 3
PASTE_LIVES = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Clocks:
    """Until when somebody answers, and until when it is done."""

    respond_by: datetime
    finish_by: datetime


@dataclass(frozen=True, slots=True)
class Earlier:
    """An open request that a new one may be a repeat of."""

    id: uuid.UUID
    category: str
    dwelling: uuid.UUID | None
    phone_index: bytes | None
    made_at: datetime
    place: str = ""


def clocks(category: RequestCategory, urgency: str, *, at: datetime) -> Clocks:
    """The category's own minutes, shorter where the urgency is higher than the category's usual one."""
    respond, finish = category.clock.respond_minutes, category.clock.finish_minutes
    if urgency == Urgency.LIFE:
        respond, finish = min(respond, LIFE_RESPOND_MINUTES), min(finish, LIFE_FINISH_MINUTES)
    elif urgency == Urgency.URGENT:
        respond, finish = min(respond, 30), min(finish, URGENT_FINISH_MINUTES)
    return Clocks(at + timedelta(minutes=respond), at + timedelta(minutes=max(respond, finish)))


def lease_end(urgency: str, *, at: datetime) -> datetime:
    return at + timedelta(minutes=LEASE_MINUTES[urgency])


def highest(one: str, other: str) -> str:
    """Of two urgencies the higher one."""
    return one if RANK[one] <= RANK[other] else other


def demand_transition(status: str, to: str) -> None:
    """Raises Refusal("request_step")."""
    if to not in TRANSITIONS[status]:
        raise Refusal("request_step", status=status, to=to)


def demand_open(status: str) -> None:
    """Raises Refusal("request_ended")."""
    if status in ENDED:
        raise Refusal("request_ended", status=status)


def status_of_items(items: Iterable[str]) -> str:
    """What a request is, given the states of its work items; those that were called off do not count."""
    states = {state for state in items if state != ItemStatus.CANCELLED}
    if ItemStatus.ON_SITE in states:
        return RequestStatus.ON_SITE
    if ItemStatus.ACCEPTED in states:
        return RequestStatus.ACCEPTED
    if ItemStatus.OFFERED in states:
        return RequestStatus.DISPATCHED
    if states == {ItemStatus.DONE}:
        return RequestStatus.DONE
    return RequestStatus.TRIAGED


def is_taken(item_status: str) -> bool:
    return item_status in ITEM_TAKEN


def repeat_of(
    *,
    category: str,
    dwelling: uuid.UUID | None,
    phone_index: bytes | None,
    at: datetime,
    earlier: Collection[Earlier],
    place: str = "",
) -> uuid.UUID | None:
    """The open request that this one repeats: the same door or phone, the same kind, within a day.

    Two blanks never match each other. Who asks for two homes with his own phone asks twice: another door, or
    another place where neither door is known, is no repeat.
    """
    for one in sorted(earlier, key=lambda e: e.made_at, reverse=True):
        same_door = dwelling is not None and one.dwelling == dwelling
        same_phone = phone_index is not None and one.phone_index == phone_index
        if not same_door and _is_elsewhere(dwelling, place, one):
            continue
        if one.category == category and (same_door or same_phone) and at - one.made_at <= REPEAT_WITHIN:
            return one.id
    return None


def _is_elsewhere(dwelling: uuid.UUID | None, place: str, one: Earlier) -> bool:
    if dwelling is not None and one.dwelling is not None:
        return dwelling != one.dwelling
    if dwelling is not None or one.dwelling is not None:
        return False
    here, there = ("".join(said.split()) for said in (place, one.place))
    return bool(here and there) and here != there


def place_in_queue(mine: tuple[int, datetime, int], others: Iterable[tuple[int, datetime, int]]) -> int:
    """How many waiting requests come before mine, plus one; order is (rank, respond_by, number)."""
    return 1 + sum(1 for other in others if other < mine)
