# SPDX-License-Identifier: Apache-2.0
"""What is due goes out: judged, merged, claimed, sent, written down.

At least once, never lost: a row is claimed by moving its next try ahead, sent outside every transaction, and
written down afterwards. Whoever dies in between leaves a row that becomes due again, with the same key.
"""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import models, transaction

from muster.incidents.models import Incident
from muster.notifications import channels
from muster.notifications.models import Channel, Message
from muster.notifications.queries import due, sent_lately
from muster.notifications.rules import CLAIM, MOST_TRIES, Waiting, judge, pause_after
from muster.notifications.senders import NotSent, Outgoing, SmsSender, send_to_channel, short_key
from muster.notifications.states import Delivery, Fault, Priority, Way
from muster.notifications.templates import templates, words

log = logging.getLogger("muster.notifications")
AT_ONCE = 100
# responder ids -> those of them who may be paged at this moment
OnDuty = Callable[[Collection[uuid.UUID]], Collection[uuid.UUID]]
# What else is to be done where messages will never go out; called in the transaction that says so.
Unsent = Callable[[Collection[uuid.UUID]], None]


@dataclass(slots=True)
class Report:
    """What one look at the outbox did."""

    sent: int = 0
    merged: int = 0
    waiting: int = 0
    failed: int = 0

    @property
    def did_something(self) -> bool:
        return bool(self.sent or self.merged or self.failed or self.waiting)


def deliver_due(
    *, now: Callable[[], datetime], on_duty: OnDuty, sms: SmsSender, limit: int = AT_ONCE,
    stopping: Callable[[], bool] = lambda: False, unsent: Unsent = lambda _: None,
) -> Report:  # fmt: skip
    """Sends what is due. `now` is asked before each message: sending takes time. unsent: hears of messages
    that will never go out.
    """
    at = now()
    rows = due(at=at, limit=limit)
    report = Report()
    if not rows:
        return report
    zones = dict(Incident.objects.filter(id__in={r.incident for r in rows}).values_list("id", "time_zone"))
    lately = sent_lately({r.target for r in rows}, at=at)
    asked = {r.responder for r in rows if r.responder is not None}
    free = set(on_duty(asked)) if asked else set()
    counts = {target: count for target, (count, _) in lately.items()}
    for row in _lead_rows(rows):
        if stopping():
            break
        at = now()
        lead, others = row[0], row[1:]
        waiting = Waiting(lead.way, lead.priority, templates()[lead.template].pages, lead.expires_at)
        ruling = judge(
            waiting, zone=zones.get(lead.incident, "UTC"), at=at,
            is_off_duty=lead.responder is not None and lead.responder not in free,
            sent_lately=counts.get(lead.target, 0),
            cap_free_at=lately[lead.target][1] if lead.target in lately else None,
        )  # fmt: skip
        if ruling.fault:
            report.failed += _fail([lead.id], ruling.fault, unsent)
            continue
        if ruling.wait_until is not None:
            report.waiting += _queued([r.id for r in row]).update(next_at=ruling.wait_until)
            continue
        if not _claim(lead, at=at):
            continue
        told = [other for other in others if other.expires_at > at and _claim(other, at=at)]
        counts[lead.target] = counts.get(lead.target, 0) + 1
        zone = zones.get(lead.incident, "UTC")
        _send(lead, told, zone=zone, sms=sms, at=at, report=report, unsent=unsent)
    return report


def _lead_rows(rows: list[Message]) -> list[list[Message]]:
    """Rows of one reader and one template told together; the first of them speaks for all."""
    groups: dict[object, list[Message]] = defaultdict(list)
    for row in rows:
        alone = not templates()[row.template].merges or row.priority == Priority.LIFE
        groups[row.id if alone else (row.target, row.template, row.priority)].append(row)
    return list(groups.values())


def _queued(ids: Collection[uuid.UUID]) -> models.QuerySet[Message]:
    return Message.objects.across(reason="messages").filter(id__in=ids, status=Delivery.QUEUED)


def _claim(row: Message, *, at: datetime) -> bool:
    """One sender wins: whoever moves the next try of the row that he read."""
    won = _queued([row.id]).filter(next_at=row.next_at, attempts=row.attempts)
    if not won.update(next_at=at + CLAIM, attempts=row.attempts + 1):
        return False
    row.attempts += 1
    return True


def _fail(ids: Collection[uuid.UUID], fault: str, unsent: Unsent) -> int:
    with transaction.atomic():
        failed = _queued(ids).update(status=Delivery.FAILED, fault=fault)
        unsent(ids)
    return failed


def _send(
    lead: Message, others: list[Message], *, zone: str, sms: SmsSender, at: datetime, report: Report,
    unsent: Unsent,
) -> None:  # fmt: skip
    many = _total(lead, others)
    text = words(lead.template, lead.facts, lead.language, zone=zone, many=many if others else 0)
    one = Outgoing(short_key(lead.key), text, lead.language, at, lead.incident)
    rows = [lead.id, *(other.id for other in others)]
    try:
        is_answered = _out(lead, one, sms)
    except NotSent as not_sent:
        _not_out(lead, rows, not_sent.fault, at=at, report=report, unsent=unsent)
        return
    except Exception:
        # A bug in one message must not hold up the others; it is tried again and ends as not sent.
        log.exception("a message of the template %s did not go out", lead.template)
        _not_out(lead, rows, Fault.UNREACHABLE, at=at, report=report, unsent=unsent)
        return
    status = Delivery.ACK if is_answered else Delivery.SENT
    _queued([lead.id]).update(status=status, sent_at=at, fault=Fault.NONE)
    report.sent += 1
    if others:
        report.merged += _queued([o.id for o in others]).update(status=Delivery.MERGED, told_in=lead.id)


def _total(lead: Message, others: list[Message]) -> int:
    """How many there are: counts add up, everything else counts as one."""
    return sum(int(row.facts.get("count", 1)) for row in (lead, *others))


def _out(row: Message, one: Outgoing, sms: SmsSender) -> bool:
    if row.way == Way.SMS:
        sms.send(one, row.phone or "")
        return False
    channel = Channel.objects.across(reason="messages").filter(id=row.channel, closed_at__isnull=True).first()
    if channel is None:
        raise NotSent(Fault.CHANNEL_CLOSED)
    try:
        is_answered = send_to_channel(channel.kind, channel.address or "", channel.secret or "", one)
    except NotSent as not_sent:
        channels.told(channel.id, at=one.at, fault=not_sent.fault)
        raise
    channels.told(channel.id, at=one.at, fault="")
    return is_answered


def _not_out(
    lead: Message, rows: list[uuid.UUID], fault: str, *, at: datetime, report: Report, unsent: Unsent
) -> None:
    if fault == Fault.CHANNEL_CLOSED or lead.attempts >= MOST_TRIES:
        report.failed += _fail(rows, fault, unsent)
    else:
        report.waiting += _queued(rows).update(next_at=at + pause_after(lead.attempts))
