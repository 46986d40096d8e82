# SPDX-License-Identifier: Apache-2.0
"""Steps beside the work: held, passed on, linked, refused, withdrawn, answered, opened again, noted."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from muster.base.errors import Refusal
from muster.incidents.packs import pack_of
from muster.incidents.services import incident_with_id
from muster.requests import telling
from muster.requests.models import Contact, Note, Offer, Request, WorkItem
from muster.requests.rules import (
    MOST_ESCALATIONS,
    UNANSWERED_CALLS,
    clocks,
    demand_open,
    demand_transition,
    highest,
)
from muster.requests.services import LONGEST_TEXT, add_item, category_of, keep, locked, settle_status
from muster.requests.states import (
    ITEM_TAKEN,
    RANK,
    ContactResult,
    HoldReason,
    ItemStatus,
    OfferStatus,
    RequestStatus,
    Urgency,
)
from muster.responders.services import give_job_back
from muster.trail.services import record_event

LONGEST_HOLD = timedelta(days=14)
SAID_TWICE = timedelta(minutes=1)


def hold(request: uuid.UUID, *, reason: str, until: datetime, by: uuid.UUID | None, at: datetime) -> Request:
    """Waits for something, until then; of two holds the longer one stands.

    Raises:
        Refusal: request_step, hold_reason_unknown, hold_until_bad.
    """
    if reason not in HoldReason.values:
        raise Refusal("hold_reason_unknown", reason=reason[:20])
    if not at < until <= at + LONGEST_HOLD:
        raise Refusal("hold_until_bad", days=LONGEST_HOLD.days)
    with transaction.atomic():
        row = locked(request)
        before = row.status
        if row.status == RequestStatus.ON_HOLD:
            until = max(until, row.hold_until or until)
        else:
            demand_transition(row.status, RequestStatus.ON_HOLD)
        row.status, row.hold_reason, row.hold_until = RequestStatus.ON_HOLD, reason, until
        keep(row)
        record_event("Request", row.id, "hold", at=at, actor=by, incident=row.incident, from_state=before,
                     to_state=row.status, reason=reason, until=until.isoformat())  # fmt: skip
    return row


def resume(request: uuid.UUID, *, by: uuid.UUID | None, at: datetime) -> Request:
    with transaction.atomic():
        row = locked(request)
        if row.status != RequestStatus.ON_HOLD:
            raise Refusal("request_step", status=row.status, to=RequestStatus.TRIAGED)
        settle_status(row, at=at)
        keep(row)
        record_event("Request", row.id, "resume", at=at, actor=by, incident=row.incident,
                     from_state=RequestStatus.ON_HOLD, to_state=row.status)  # fmt: skip
    return row


def escalate(request: uuid.UUID, *, by: uuid.UUID | None, at: datetime, reason: str = "") -> Request:
    """One level up: it stands first in the inbox of who is above."""
    with transaction.atomic():
        row = locked(request)
        demand_open(row.status)
        row.escalation, row.escalated_at = min(MOST_ESCALATIONS, row.escalation + 1), at
        keep(row)
        record_event("Request", row.id, "escalate", at=at, actor=by, incident=row.incident,
                     reason=reason[:40], level=row.escalation)  # fmt: skip
        telling.escalated(row, at=at)
    return row


def transfer(
    request: uuid.UUID, *, to_area: int, from_area: int | None, by: uuid.UUID, at: datetime
) -> Request:
    """Passed on to another desk; it comes back when that desk does not take it up in time."""
    with transaction.atomic():
        row = locked(request)
        demand_open(row.status)
        row.held_by_area, row.transferred_from, row.transferred_at = to_area, from_area, at
        keep(row)
        record_event("Request", row.id, "transfer", at=at, actor=by, incident=row.incident, to=to_area)
    return row


def come_back(request: uuid.UUID, *, at: datetime) -> Request:
    """Not taken up where it was passed to: it is the sender's again, and one level up."""
    with transaction.atomic():
        row = locked(request)
        row.held_by_area, row.transferred_from, row.transferred_at = row.transferred_from, None, None
        row.escalation, row.escalated_at = min(MOST_ESCALATIONS, row.escalation + 1), at
        keep(row)
        record_event(
            "Request", row.id, "come_back", at=at, actor=None, incident=row.incident, to=row.held_by_area
        )
    return row


def link(request: uuid.UUID, *, to: uuid.UUID, by: uuid.UUID, at: datetime) -> Request:
    """This request is the same as another; it stays in sight and its asker follows the other one.

    Raises:
        Refusal: link_to_itself, request_step, request_unknown, request_under_way.
    """
    if request == to:
        raise Refusal("link_to_itself")
    with transaction.atomic():
        row, main = locked(request), locked(to)
        if main.status == RequestStatus.LINKED:
            raise Refusal("link_to_linked")
        demand_transition(row.status, RequestStatus.LINKED)
        before = row.status
        _call_off(row, at=at)
        row.status, row.linked_to, row.ended_at = RequestStatus.LINKED, main.id, at
        keep(row)
        # A chain would hide the last link: what pointed here points there now.
        Request.objects.across(reason="requests").filter(
            linked_to=row.id, status=RequestStatus.LINKED
        ).update(linked_to=main.id)
        main.repeats += 1
        main.urgency = highest(main.urgency, row.urgency)
        main.rank = RANK[main.urgency]
        main.respond_by = min(main.respond_by, row.respond_by)
        keep(main)
        record_event("Request", row.id, "link", at=at, actor=by, incident=row.incident, from_state=before,
                     to_state=row.status, to=str(main.id))  # fmt: skip
    return row


def propose_refusal(request: uuid.UUID, *, reason: str, by: uuid.UUID, at: datetime) -> Request:
    """Somebody thinks that it cannot be done for now; nothing changes until a second person agrees.

    Raises:
        Refusal: request_life_not_refused, refusal_without_reason, request_step.
    """
    if not reason.strip():
        raise Refusal("refusal_without_reason")
    with transaction.atomic():
        row = locked(request)
        if row.urgency == Urgency.LIFE:
            raise Refusal("request_life_not_refused")
        demand_transition(row.status, RequestStatus.REFUSED)
        row.refused_text, row.refusal_by = reason.strip()[:LONGEST_TEXT], by
        keep(row)
        record_event("Request", row.id, "propose_refusal", at=at, actor=by, incident=row.incident)
    return row


def refuse(
    request: uuid.UUID, *, reason: str, by: uuid.UUID, approved_by: uuid.UUID, at: datetime
) -> Request:
    """Cannot be done for now; the reason is told to who asked. Two persons, never for what threatens a life.

    Raises:
        Refusal: request_life_not_refused, refusal_without_reason, refusal_needs_two, request_step.
    """
    if not reason.strip():
        raise Refusal("refusal_without_reason")
    if by == approved_by:
        raise Refusal("refusal_needs_two")
    with transaction.atomic():
        row = locked(request)
        if row.urgency == Urgency.LIFE:
            raise Refusal("request_life_not_refused")
        demand_transition(row.status, RequestStatus.REFUSED)
        before = row.status
        _call_off(row, at=at)
        row.status, row.refused_text, row.ended_at = RequestStatus.REFUSED, reason.strip(), at
        keep(row)
        record_event("Request", row.id, "refuse", at=at, actor=by, incident=row.incident, from_state=before,
                     to_state=row.status, approved_by=str(approved_by))  # fmt: skip
    return row


def withdraw(request: uuid.UUID, *, by: uuid.UUID | None, at: datetime) -> Request:
    """Who asked does not need it any more; whoever was on the way is told."""
    with transaction.atomic():
        row = locked(request)
        demand_transition(row.status, RequestStatus.WITHDRAWN)
        before = row.status
        _call_off(row, at=at)
        row.status, row.ended_at = RequestStatus.WITHDRAWN, at
        keep(row)
        record_event("Request", row.id, "withdraw", at=at, actor=by, incident=row.incident,
                     from_state=before, to_state=row.status)  # fmt: skip
    return row


def _call_off(row: Request, *, at: datetime) -> None:
    """Ends what was still to be done; who had taken it is free again."""
    items = WorkItem.objects.across(reason="requests").select_for_update().filter(request_id=row.id)
    for item in items.filter(status__in=ITEM_TAKEN):
        if item.responder is not None:
            give_job_back(item.responder)
    Offer.objects.filter(item__request_id=row.id, status=OfferStatus.OFFERED).update(
        status=OfferStatus.TAKEN_BACK, answered_at=at
    )
    items.exclude(status=ItemStatus.DONE).update(
        status=ItemStatus.CANCELLED, ended_at=at, version=F("version") + 1
    )


def answer_solved(
    request: uuid.UUID, *, result: str, by: uuid.UUID | None, by_resident: bool, at: datetime
) -> Request:
    """ "解决了吗？": the resident's own answer, or a call-back's. "No" beats "yes".

    Three calls that nobody answers end it as not reached, never as confirmed.

    Raises:
        Refusal: request_not_done, contact_result_unknown.
    """
    if result not in ContactResult.values:
        raise Refusal("contact_result_unknown", result=result[:20])
    with transaction.atomic():
        row = locked(request)
        before = row.status
        if before not in {RequestStatus.DONE, RequestStatus.CONFIRMED, RequestStatus.CLOSED_UNREACHED}:
            raise Refusal("request_not_done", status=before)
        Contact.objects.create(request=row, at=at, by=by, by_resident=by_resident, result=result)
        if result == ContactResult.NOT_SOLVED:
            _reopen(row, at=at)
        elif result == ContactResult.SOLVED:
            row.status, row.solved, row.ended_at = RequestStatus.CONFIRMED, True, at
        elif before == RequestStatus.DONE:
            row.unanswered_calls += 1
            if row.unanswered_calls >= UNANSWERED_CALLS:
                row.status, row.ended_at = RequestStatus.CLOSED_UNREACHED, at
        keep(row)
        record_event("Request", row.id, "answer", at=at, actor=by, incident=row.incident, from_state=before,
                     to_state=row.status, reason=result, by_resident=by_resident)  # fmt: skip
    return row


def _reopen(row: Request, *, at: datetime) -> None:
    """Not solved: a new piece of work with a clock of its own, for somebody else than before unless the desk
    says otherwise. Nobody is on the way any more.
    """
    demand_transition(row.status, RequestStatus.TRIAGED)
    row.status, row.solved, row.ended_at, row.done_at = RequestStatus.TRIAGED, False, None, None
    row.accepted_at = row.on_site_at = None
    until = clocks(category_of(pack_of(incident_with_id(row.incident)), row.category), row.urgency, at=at)
    row.respond_by, row.finish_by = until.respond_by, until.finish_by
    row.reopened += 1
    row.unanswered_calls = 0
    row.escalation, row.escalated_at = min(MOST_ESCALATIONS, row.escalation + 1), at
    add_item(row, what="", needs_skill=row.needs_skill, at=at, by=None)


def reopen(request: uuid.UUID, *, by: uuid.UUID | None, at: datetime) -> Request:
    """Opens an ended request again, also one that was refused or withdrawn."""
    with transaction.atomic():
        row = locked(request)
        before = row.status
        _reopen(row, at=at)
        keep(row)
        record_event("Request", row.id, "reopen", at=at, actor=by, incident=row.incident, from_state=before,
                     to_state=row.status)  # fmt: skip
    return row


def add_piece(request: uuid.UUID, *, what: str, needs_skill: str, by: uuid.UUID, at: datetime) -> WorkItem:
    """A further piece of work of an open request, for somebody else to do beside it."""
    with transaction.atomic():
        row = locked(request)
        demand_open(row.status)
        made = add_item(row, what=what[:LONGEST_TEXT], needs_skill=needs_skill[:40], at=at, by=by)
        keep(row)
    return made


def add_note(
    request: Request, *, text: str, by: uuid.UUID | None, by_resident: bool = False, at: datetime
) -> Note:
    """The same sentence twice within a minute is two taps on one button.

    Raises:
        Refusal: note_empty, request_too_long.
    """
    if not text.strip():
        raise Refusal("note_empty")
    if len(text) > LONGEST_TEXT:
        raise Refusal("request_too_long", most=LONGEST_TEXT)
    said = Note.objects.across(reason="own").filter(request=request, at__gt=at - SAID_TWICE)
    last: Note | None = said.order_by("at").last()
    if last is not None and (last.text, last.by, last.by_resident) == (text.strip(), by, by_resident):
        return last
    note = Note(
        request=request, purpose=request.purpose, sub_district=request.sub_district, grid=request.grid, at=at,
        by=by, by_resident=by_resident, text=text.strip(),
    )  # fmt: skip
    with transaction.atomic():
        note.save(force_insert=True)
        record_event("Request", request.id, "note", at=at, actor=by, incident=request.incident)
    return note
