# SPDX-License-Identifier: Apache-2.0
"""Writes of channels: opened for an area by somebody who may, tried, closed. What opens them is sealed."""

from __future__ import annotations

import uuid
from datetime import datetime
from urllib.parse import quote, urlsplit

from django.db import transaction

from muster.base.errors import Refusal
from muster.incidents.models import Incident
from muster.notifications.models import Channel
from muster.notifications.senders import NotSent, Outgoing, send_to_channel, short_key
from muster.notifications.states import ChannelKind, Fault
from muster.notifications.templates import words
from muster.trail.services import record_event

LONGEST_NAME, LONGEST_ADDRESS, LEAST_SECRET, MOST_CHANNELS = 80, 500, 16, 20
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# What Apprise reads, by kind; the address that a robot's settings page shows is turned into it.
SCHEMES: dict[str, tuple[str, ...]] = {
    ChannelKind.WECOM: ("wecombot",),
    ChannelKind.DINGTALK: ("dingtalk",),
    ChannelKind.FEISHU: ("feishu",),
    ChannelKind.EMAIL: ("mailto", "mailtos"),
}
HOSTS: dict[str, str] = {
    ChannelKind.WECOM: "qyapi.weixin.qq.com",
    ChannelKind.DINGTALK: "oapi.dingtalk.com",
    ChannelKind.FEISHU: "open.feishu.cn",
}


def open_channel(
    *,
    incident: Incident,
    area: int,
    area_path: str,
    kind: str,
    name: str,
    address: str,
    secret: str = "",
    language: str = "zh",
    by: uuid.UUID,
    at: datetime,
) -> Channel:
    """Opens a channel for an area.

    Raises:
        Refusal: channel_kind_unknown, channel_name_missing, channel_address_bad, channel_secret_missing,
        channel_many.
    """
    if kind not in ChannelKind.values:
        raise Refusal("channel_kind_unknown", field="kind", kind=kind[:20])
    if not name.strip() or len(name.strip()) > LONGEST_NAME:
        raise Refusal("channel_name_missing", field="name", most=LONGEST_NAME)
    ready = read_address(kind, address.strip(), secret.strip(), is_drill=incident.is_drill)
    if kind == ChannelKind.WEBHOOK and len(secret.strip()) < LEAST_SECRET:
        raise Refusal("channel_secret_missing", field="secret", least=LEAST_SECRET)
    standing = Channel.objects.across(reason="messages").filter(
        incident=incident.id, area=area, closed_at__isnull=True
    )
    if standing.count() >= MOST_CHANNELS:
        raise Refusal("channel_many", most=MOST_CHANNELS)
    row = Channel(
        incident=incident.id, purpose=str(incident.id), area=area, area_path=area_path, kind=kind,
        name=name.strip(), language=language if language in ("zh", "en") else "zh", address=ready,
        secret=secret.strip(), made_at=at, made_by=by,
    )  # fmt: skip
    with transaction.atomic():
        row.save(force_insert=True)
        record_event("Channel", row.id, "open", at=at, actor=by, incident=incident.id, kind=kind, area=area)
    return row


def read_address(kind: str, address: str, secret: str, *, is_drill: bool) -> str:
    """The address as a sender wants it. Raises Refusal("channel_address_bad").

    A webhook is https; in a drill it may be http on this very machine.
    """
    bad = Refusal("channel_address_bad", field="address", kind=kind)
    if not address or len(address) > LONGEST_ADDRESS or any(c.isspace() or ord(c) < 32 for c in address):
        raise bad
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise bad from None
    if kind == ChannelKind.WEBHOOK:
        if not host or not (
            parts.scheme == "https" or (parts.scheme == "http" and is_drill and host in LOOPBACK)
        ):
            raise bad
        return address
    if parts.scheme == "https" and host == HOSTS.get(kind):
        address = _of_robot(kind, parts.path, parts.query, secret) or address
    if urlsplit(address).scheme not in SCHEMES[kind] or not _is_understood(address):
        raise bad
    return address


def _of_robot(kind: str, path: str, query: str, secret: str) -> str:
    """The address of a robot as its own settings page shows it, in Apprise's form; empty where it is none."""
    asked = dict(part.partition("=")[::2] for part in query.split("&"))
    if kind == ChannelKind.WECOM and asked.get("key"):
        return f"wecombot://{quote(asked['key'], safe='')}/"
    if kind == ChannelKind.DINGTALK and asked.get("access_token"):
        sign = f"{quote(secret, safe='')}@" if secret else ""
        return f"dingtalk://{sign}{quote(asked['access_token'], safe='')}/"
    token = path.rstrip("/").rpartition("/")[2]
    return f"feishu://{quote(token, safe='')}/" if kind == ChannelKind.FEISHU and token else ""


def _is_understood(address: str) -> bool:
    import apprise

    try:
        return apprise.Apprise.instantiate(address, suppress_exceptions=True) is not None
    except Exception:  # noqa: BLE001 -- what its many readers raise is not told; unread is unread
        return False


def close_channel(row: Channel, *, by: uuid.UUID, at: datetime) -> None:
    with transaction.atomic():
        Channel.objects.across(reason="messages").filter(id=row.id, closed_at__isnull=True).update(
            closed_at=at
        )
        record_event("Channel", row.id, "close", at=at, actor=by, incident=row.incident, kind=row.kind)


def try_channel(row: Channel, *, zone: str, by: uuid.UUID, at: datetime) -> None:
    """Sends a test sentence now. Raises Refusal("channel_did_not_answer")."""
    text = words("channel_test", {}, row.language, zone=zone)
    one = Outgoing(short_key(f"channel_test|{row.id}|{at.isoformat()}"), text, row.language, at, row.incident)
    fault = ""
    try:
        send_to_channel(row.kind, row.address or "", row.secret or "", one)
    except NotSent as not_sent:
        fault = not_sent.fault
    told(row.id, at=at, fault=fault)
    record_event("Channel", row.id, "try", at=at, actor=by, incident=row.incident, reason=fault)
    if fault:
        raise Refusal("channel_did_not_answer", fault=fault)


def told(channel: uuid.UUID, *, at: datetime, fault: str) -> None:
    """Keeps when a channel last worked, and what was wrong last."""
    rows = Channel.objects.across(reason="messages").filter(id=channel)
    rows.update(last_fault=fault) if fault else rows.update(last_sent_at=at, last_fault=Fault.NONE)
