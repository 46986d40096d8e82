# SPDX-License-Identifier: Apache-2.0
"""Reads of the outbox: what is due, what somebody was told, which channels an area has."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

from django.db import connection
from django.db.models import Count, Max, Min, Q

from muster.accounts.models import Grant
from muster.base.crypto import blind_indexes
from muster.base.errors import Refusal
from muster.notifications.models import Channel, Message
from muster.notifications.rules import CAP_WITHIN
from muster.notifications.states import Delivery, Way
from muster.storage.keys import keystore

MOST_READ = 100


def phone_target(phone: str) -> str:
    """The reader behind a number, without the number."""
    return phone_targets([phone])[phone]


def phone_targets(phones: Collection[str]) -> dict[str, str]:
    """The readers behind many numbers, with one look at the keys."""
    digits = [phone if phone.isdigit() else "".join(filter(str.isdigit, phone)) for phone in phones]
    found = blind_indexes(keystore(), purpose="notifications:phone", values=digits)
    return {phone: "sms:" + one.hex() for phone, one in zip(phones, found, strict=True)}


def due(*, at: datetime, limit: int) -> list[Message]:
    """What waits to go out, lives first."""
    rows = Message.objects.across(reason="messages").filter(status=Delivery.QUEUED, next_at__lte=at)
    return list(rows.order_by("priority", "next_at", "id")[:limit])


def sent_lately(targets: Collection[str], *, at: datetime) -> dict[str, tuple[int, datetime]]:
    """target -> how many went out within the cap's hour, and when the first of them leaves it."""
    rows = Message.objects.across(reason="messages").filter(
        target__in=targets, sent_at__gt=at - CAP_WITHIN, status__in=[Delivery.SENT, Delivery.ACK]
    )
    found: dict[str, tuple[int, datetime]] = {}
    # Counted by moments: what was merged into one sentence was one message.
    for target, sent_at in rows.exclude(way=Way.APP).order_by("sent_at").values_list("target", "sent_at"):
        count, first = found.get(target, (0, sent_at))
        found[target] = (count + 1, first)
    return {target: (count, first + CAP_WITHIN) for target, (count, first) in found.items()}


def told_to(*, account: uuid.UUID | None, responder: uuid.UUID | None, at: datetime) -> list[Message]:
    """What somebody reads on our own pages, newest first; what is over is not shown any more."""
    mine = Q(pk__in=[])
    if account is not None:
        mine |= Q(account=account)
    if responder is not None:
        mine |= Q(responder=responder)
    rows = Message.objects.across(reason="own").filter(mine, way=Way.APP, expires_at__gt=at)
    return list(rows.order_by("-made_at", "-id")[:MOST_READ])


def unread_count(account: uuid.UUID, *, at: datetime) -> int:
    rows = Message.objects.across(reason="own").filter(
        account=account, way=Way.APP, read_at__isnull=True, expires_at__gt=at
    )
    return rows.count()


def channels_of(incident: uuid.UUID, path: str) -> list[Channel]:
    """The open channels of an area, or of the nearest area above that has any."""
    rows = [
        c for c in Channel.objects.across(reason="messages").filter(incident=incident, closed_at__isnull=True)
        if path.startswith(c.area_path)
    ]  # fmt: skip
    nearest = max((len(c.area_path) for c in rows), default=0)
    return sorted((c for c in rows if len(c.area_path) == nearest), key=lambda c: c.id)


def channels_below(incident: uuid.UUID, paths: Collection[str]) -> list[Channel]:
    """Every open channel of these areas and what lies below them, for the page that sets them."""
    rows = Channel.objects.across(reason="messages").filter(incident=incident, closed_at__isnull=True)
    return [
        c for c in rows.order_by("area_path", "name") if any(c.area_path.startswith(path) for path in paths)
    ]


def channel_with_id(channel: uuid.UUID) -> Channel:
    """Raises Refusal("channel_unknown")."""
    rows = Channel.objects.across(reason="messages").filter(id=channel, closed_at__isnull=True)
    found: Channel | None = rows.first()
    if found is None:
        raise Refusal("channel_unknown")
    return found


def accounts_over(path: str, *, roles: Collection[str], at: datetime) -> list[uuid.UUID]:
    """Who holds one of these roles over an area, or over the nearest area above where somebody does."""
    rows = Grant.objects.filter(role__in=roles, valid_from__lte=at).exclude(area_path="")
    rows = rows.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=at))
    steps = [path[: i + 1] for i, c in enumerate(path) if c == "/"]
    held = list(rows.filter(area_path__in=steps).values_list("user_id", "area_path"))
    nearest = max((len(p) for _, p in held), default=0)
    return sorted({user for user, p in held if len(p) == nearest})


def delivery_counts(templates: Collection[str], *, occasion: str) -> dict[str, dict[str, int]]:
    """What became of everything that was told on an occasion: by phone waiting, sent, failed; in the app
    there, read.
    """
    rows = Message.objects.across(reason="count")
    found = rows.none()
    for template in templates:
        begin = f"{template}|{occasion}|"
        # SQLite does not look up the beginning of a text in an index, but it does look up a range.
        some = rows.filter(key__startswith=begin)
        if connection.vendor == "sqlite":
            some = rows.filter(key__gte=begin, key__lt=f"{begin[:-1]}}}")
        found = found | some
    sms = {"waiting": 0, "sent": 0, "failed": 0}
    app = {"there": 0, "read": 0}
    read = Q(read_at__isnull=False)
    told = (
        found.order_by().values_list("way", "status").annotate(n=Count("id"), seen=Count("id", filter=read))
    )
    for way, status, number, seen in told:
        if way == Way.APP:
            app["there"] += number
            app["read"] += seen
        else:
            sms[_SMS_STATE[status]] += number
    return {"sms": sms, "app": app}


_SMS_STATE = {Delivery.QUEUED: "waiting", Delivery.FAILED: "failed"} | dict.fromkeys(
    (Delivery.SENT, Delivery.ACK, Delivery.MERGED), "sent"
)


def outbox_state(incident: uuid.UUID) -> dict[str, int]:
    """How many messages stand in each state."""
    rows = Message.objects.across(reason="count").filter(incident=incident).exclude(way=Way.APP)
    counts: dict[str, int] = {}
    for status in rows.order_by().values_list("status", flat=True):
        counts[status] = counts.get(status, 0) + 1
    return counts


def oldest_due(*, at: datetime) -> datetime | None:
    rows = Message.objects.across(reason="count").filter(status=Delivery.QUEUED, next_at__lte=at)
    oldest: datetime | None = rows.aggregate(oldest=Min("next_at"), newest=Max("next_at"))["oldest"]
    return oldest
