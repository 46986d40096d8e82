# SPDX-License-Identifier: Apache-2.0
"""Work on requests: offered, accepted by one, declined, lapsed, arrived, done, handed on.

Accepting is a race that the database decides: one conditional update wins, everybody else is told who has it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from muster.base.errors import Refusal
from muster.requests import telling
from muster.requests.models import Offer, Request, WorkItem
from muster.requests.queries import item_with_id
from muster.requests.rules import demand_open, lease_end
from muster.requests.services import add_item, locked, settle_status
from muster.requests.states import (
    ITEM_FREE,
    ITEM_TAKEN,
    DeclineReason,
    ItemStatus,
    OfferStatus,
    Outcome,
)
from muster.responders.queries import responder_with_id
from muster.responders.rules import demand_can_be_asked
from muster.responders.services import count_job, give_job_back, take_job
from muster.trail.services import record_event


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom to ask, how far he walks, and why he: message codes with facts."""

    responder: uuid.UUID
    walk_m: int | None = None
    reasons: tuple[dict[str, Any], ...] = ()


def offer(item: uuid.UUID, asking: Iterable[Asking], *, by: uuid.UUID | None, at: datetime) -> list[Offer]:
    """Asks one or several whether they will; the first who says yes has it.

    Raises:
        Refusal: item_taken, request_ended, responder_not_free, responder_needs_rest.
    """
    made: list[Offer] = []
    with transaction.atomic():
        row = _locked_item(item)
        request = locked(row.request_id)
        demand_open(request.status)
        if row.status not in ITEM_FREE:
            raise taken(row)
        until = lease_end(request.urgency, at=at)
        lapse(row, at=at)
        for one in asking:
            responder = responder_with_id(one.responder)
            demand_can_be_asked(responder.status, responder.on_duty_since, at=at)
            found, _ = Offer.objects.update_or_create(
                item=row, responder=one.responder, status=OfferStatus.OFFERED,
                defaults={
                    "incident": row.incident, "made_at": at, "made_by": by, "lease_until": until,
                    "walk_m": one.walk_m, "reasons": list(one.reasons),
                },
            )  # fmt: skip
            made.append(found)
        row.status = ItemStatus.OFFERED
        _keep_item(row)
        _keep_request(request, verb="offer", by=by, at=at, people=len(made))
        telling.offered(request, made, at=at)
    return made


def lapse(item: WorkItem, *, at: datetime) -> int:
    """Writes down that offers whose lease ended are over; reads never wait for this."""
    return Offer.objects.filter(item=item, status=OfferStatus.OFFERED, lease_until__lte=at).update(
        status=OfferStatus.EXPIRED, answered_at=at
    )


def lapse_all(incident: uuid.UUID, *, at: datetime, limit: int = 500) -> list[uuid.UUID]:
    """Lapses what is over, and puts items that nobody is asked about any more back into the queue.

    Returns the items that need somebody else.
    """
    rows = Offer.objects.filter(incident=incident, status=OfferStatus.OFFERED, lease_until__lte=at)
    free: list[uuid.UUID] = []
    for item in sorted(set(rows.order_by("lease_until").values_list("item_id", flat=True)[:limit])):
        with transaction.atomic():
            row = _locked_item(item)
            lapse(row, at=at)
            if _back_to_queue(row, at=at):
                request = locked(row.request_id)
                _keep_request(request, verb="lapse", by=None, at=at)
                telling.lapsed(request, row.id, at=at)
                free.append(row.id)
    return free


def accept(item: uuid.UUID, *, responder: uuid.UUID, at: datetime, by: uuid.UUID | None = None) -> WorkItem:
    """Takes a piece of work, offered or from the pool. One wins; the others hear who has it.

    Raises:
        Refusal: item_taken (with who), item_gone, request_ended, responder_full, responder_not_free,
        responder_needs_rest, item_needs_skill.
    """
    somebody = responder_with_id(responder)
    demand_can_be_asked(somebody.status, somebody.on_duty_since, at=at)
    with transaction.atomic():
        row = item_with_id(item)
        if row.needs_skill and row.needs_skill not in somebody.skills:
            raise Refusal("item_needs_skill", skill=row.needs_skill)
        won = (
            WorkItem.objects.across(reason="own")
            .filter(id=item, status__in=ITEM_FREE)
            .update(status=ItemStatus.ACCEPTED, responder=responder, accepted_at=at, version=F("version") + 1)
        )
        if not won:
            row = item_with_id(item)
            if row.status in ITEM_TAKEN and row.responder == responder:
                return row  # the same yes, told twice
            raise taken(row)
        take_job(responder)
        Offer.objects.filter(item_id=item, responder=responder, status=OfferStatus.OFFERED).update(
            status=OfferStatus.ACCEPTED, answered_at=at
        )
        Offer.objects.filter(item_id=item, status=OfferStatus.OFFERED).update(
            status=OfferStatus.LOST, answered_at=at
        )
        request = locked(row.request_id)
        demand_open(request.status)
        _keep_request(request, verb="accept", by=by or somebody.user, at=at, responder=str(responder))
        telling.accepted(request, at=at)
    return item_with_id(item)


def step_in(item: uuid.UUID, *, responder: uuid.UUID, at: datetime, by: uuid.UUID | None = None) -> None:
    """Somebody is already doing it, without having been asked: it is his, whatever his caps.

    Raises:
        Refusal: item_taken (with who), item_gone, request_ended.
    """
    with transaction.atomic():
        won = (
            WorkItem.objects.across(reason="own")
            .filter(id=item, status__in=ITEM_FREE)
            .update(status=ItemStatus.ACCEPTED, responder=responder, accepted_at=at, version=F("version") + 1)
        )
        row = item_with_id(item)
        if not won:
            raise taken(row)
        count_job(responder)
        Offer.objects.filter(item_id=item, status=OfferStatus.OFFERED).update(
            status=OfferStatus.LOST, answered_at=at
        )
        request = locked(row.request_id)
        demand_open(request.status)
        _keep_request(request, verb="step_in", by=by, at=at, responder=str(responder))


def taken(item: WorkItem) -> Refusal:
    """The answer to who came too late."""
    if item.status in ITEM_TAKEN and item.responder is not None:
        return Refusal("item_taken", responder=str(item.responder))
    return Refusal("item_gone", status=item.status)


def decline(
    item: uuid.UUID, *, responder: uuid.UUID, reason: str, at: datetime, by: uuid.UUID | None = None
) -> None:
    """Says no, with a reason, without any consequence. Raises Refusal decline_reason_unknown, offer_over."""
    if reason not in DeclineReason.values:
        raise Refusal("decline_reason_unknown", reason=reason[:20])
    with transaction.atomic():
        row = _locked_item(item)
        changed = Offer.objects.filter(item=row, responder=responder, status=OfferStatus.OFFERED).update(
            status=OfferStatus.DECLINED, decline_reason=reason, answered_at=at
        )
        if not changed:
            raise Refusal("offer_over")
        _back_to_queue(row, at=at)
        _keep_request(locked(row.request_id), verb="decline", by=by, at=at, reason=reason)


def arrive(item: uuid.UUID, *, responder: uuid.UUID, at: datetime, by: uuid.UUID | None = None) -> WorkItem:
    """At the door. Raises Refusal item_not_yours."""
    with transaction.atomic():
        row = _own_item(item, responder)
        if row.status == ItemStatus.ACCEPTED:
            row.status, row.on_site_at = ItemStatus.ON_SITE, at
            _keep_item(row)
            _keep_request(locked(row.request_id), verb="arrive", by=by, at=at)
    return row


def finish(
    item: uuid.UUID,
    *,
    responder: uuid.UUID,
    outcome: str,
    note: str = "",
    photo: str = "",
    left_to_do: str = "",
    at: datetime,
    by: uuid.UUID | None = None,
) -> WorkItem:
    """Done, with how it ended. What is left to do stays open as a piece of work of its own.

    Raises:
        Refusal: item_not_yours, outcome_unknown.
    """
    if outcome not in Outcome.values:
        raise Refusal("outcome_unknown", outcome=outcome[:20])
    with transaction.atomic():
        row = _own_item(item, responder)
        row.status, row.outcome, row.ended_at = ItemStatus.DONE, outcome, at
        row.note, row.photo = note[:2000], photo[:64]
        _keep_item(row)
        give_job_back(responder)
        request = locked(row.request_id)
        if outcome == Outcome.PARTLY or left_to_do:
            add_item(request, what=left_to_do[:2000], needs_skill=row.needs_skill, at=at, by=by)
        elif outcome in (Outcome.NOT_HOME, Outcome.NOT_POSSIBLE):
            # Nothing was done at the door: the request is open, and a person decides what next.
            add_item(request, what="", needs_skill=row.needs_skill, at=at, by=by)
        _keep_request(request, verb="finish", by=by, at=at, outcome=outcome)
    return row


def release(item: uuid.UUID, *, responder: uuid.UUID, at: datetime, by: uuid.UUID | None = None) -> WorkItem:
    """Gives a piece of work back, for somebody else to do."""
    with transaction.atomic():
        row = _own_item(item, responder)
        row.status, row.responder, row.accepted_at, row.on_site_at = ItemStatus.OPEN, None, None, None
        _keep_item(row)
        Offer.objects.filter(item=row, status=OfferStatus.ACCEPTED).update(
            status=OfferStatus.TAKEN_BACK, answered_at=at
        )
        give_job_back(responder)
        _keep_request(locked(row.request_id), verb="release", by=by, at=at)
    return row


def _locked_item(item: uuid.UUID) -> WorkItem:
    rows = WorkItem.objects.across(reason="requests").select_for_update()
    row: WorkItem | None = rows.filter(id=item).first()
    if row is None:
        raise Refusal("item_unknown")
    return row


def _own_item(item: uuid.UUID, responder: uuid.UUID) -> WorkItem:
    row = _locked_item(item)
    if row.responder != responder or row.status not in ITEM_TAKEN:
        raise Refusal("item_not_yours")
    return row


def _back_to_queue(item: WorkItem, *, at: datetime) -> bool:
    """An item that nobody is asked about any more waits for the desk again."""
    standing = Offer.objects.filter(item=item, status=OfferStatus.OFFERED, lease_until__gt=at)
    if item.status != ItemStatus.OFFERED or standing.exists():
        return False
    item.status = ItemStatus.OPEN
    _keep_item(item)
    return True


def _keep_item(item: WorkItem) -> None:
    item.version += 1
    item.save()


def _keep_request(
    request: Request, *, verb: str, by: uuid.UUID | None, at: datetime, reason: str = "", **facts: Any
) -> None:
    before = request.status
    settle_status(request, at=at)
    request.version += 1
    request.save()
    record_event("Request", request.id, verb, at=at, actor=by, incident=request.incident, from_state=before,
                 to_state=request.status, reason=reason, **facts)  # fmt: skip
