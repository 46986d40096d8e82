# SPDX-License-Identifier: Apache-2.0
"""Who is told what about a request: its number and a moment, in the transaction that makes the change."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from muster.notifications.queries import accounts_over
from muster.notifications.services import (
    Telling,
    ToAccount,
    ToArea,
    ToPhone,
    ToResponder,
    notify,
    notify_many,
)
from muster.notifications.states import Priority
from muster.places.models import Grid
from muster.requests.models import Offer, Request
from muster.requests.states import Urgency
from muster.responders.queries import responders_with_ids

DESKS = ("desk", "street")
ABOVE = ("street", "district")
PRIORITY = {Urgency.LIFE: Priority.LIFE, Urgency.URGENT: Priority.URGENT}


def offered(request: Request, offers: Iterable[Offer], *, at: datetime) -> None:
    """Each who is asked hears until when he can answer; asked anew, he hears it anew."""
    offers = list(offers)
    people = responders_with_ids({offer.responder for offer in offers})
    tellings = [
        Telling(
            "request_offered", f"{offer.id}|{at.isoformat()}",
            ToResponder(one.id, one.user, one.phone or "", one.sub_district),
            {"time": offer.lease_until}, _priority(request), offer.lease_until,
        )
        for offer in offers
        if (one := people.get(offer.responder)) is not None
    ]  # fmt: skip
    notify_many(tellings, incident=request.incident, at=at)


def expiring(offers: Iterable[Offer], *, incident: uuid.UUID, at: datetime) -> int:
    """Whoever has not answered hears once that his time is nearly over: a no is an answer too."""
    offers = list(offers)
    people = responders_with_ids({offer.responder for offer in offers})
    tellings = [
        Telling(
            "offer_expiring", str(offer.id),
            ToResponder(one.id, one.user, one.phone or "", one.sub_district),
            {"time": offer.lease_until}, _priority(offer.item.request),
            offer.lease_until,
        )
        for offer in offers
        if (one := people.get(offer.responder)) is not None
    ]  # fmt: skip
    return notify_many(tellings, incident=incident, at=at)


def accepted(request: Request, *, at: datetime) -> None:
    """Who asked hears that somebody has it, where he left a number."""
    notify(
        "request_accepted", key=f"{request.id}|{request.reopened}", incident=request.incident, at=at,
        audience=ToPhone(request.phone or "", request.sub_district, request.language),
        facts={"number": request.number}, priority=_priority(request),
    )  # fmt: skip


def lapsed(request: Request, item: uuid.UUID, *, at: datetime) -> None:
    """Nobody answered: the desk asks somebody else."""
    _tell_desks("request_expired", f"{item}|{at.isoformat()}", request, DESKS, {"count": 1}, at=at)


def escalated(request: Request, *, at: datetime) -> None:
    """Who is above hears of it; of a life in danger the desk too, at once."""
    roles = (*DESKS, *ABOVE) if request.urgency == Urgency.LIFE else ABOVE
    key = f"{request.id}|{request.escalation}"
    _tell_desks("request_escalated", key, request, roles, {"number": request.number}, at=at)


def _tell_desks(
    template: str, key: str, request: Request, roles: Iterable[str], facts: dict[str, object], *, at: datetime
) -> None:
    grids = Grid.objects.filter(id__in=[one for one in (request.grid,) if one is not None])
    path = grids.values_list("area__path", flat=True).first()
    if path is None:
        return  # nobody knows yet where it is: every desk has it in its list
    told = [Telling(template, key, ToArea(path), facts, _priority(request))]
    told += [
        Telling(template, key, ToAccount(desk), facts, _priority(request))
        for desk in accounts_over(path, roles=list(roles), at=at)
    ]
    notify_many(told, incident=request.incident, at=at)


def _priority(request: Request) -> int:
    return PRIORITY.get(Urgency(request.urgency), Priority.NORMAL)
