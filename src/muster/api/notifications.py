# SPDX-License-Identifier: Apache-2.0
"""Messages for who reads them here, and the channels by which an area hears outside."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from muster.api.auth import AUTH, Caller, allow, caller, operation
from muster.api.phone_trips import holder
from muster.base.clock import now
from muster.base.errors import Refusal
from muster.incidents.models import Incident
from muster.incidents.services import current_incident, incident_with_id
from muster.notifications import channels, services
from muster.notifications.models import Channel, Message
from muster.notifications.queries import channel_with_id, channels_below, told_to
from muster.notifications.templates import templates, words
from muster.places.models import Area
from muster.places.queries import area as area_with_id

router = Router(tags=["messages"], auth=AUTH)
sync_router = Router(tags=["sync"])


class Seen(Schema):
    """Which were seen; none named: all."""

    ids: list[uuid.UUID] = []


class NewChannel(Schema):
    area: int
    kind: str
    name: str
    address: str
    secret: str = ""
    language: str = "zh"


def shown(rows: Sequence[Message]) -> list[dict[str, Any]]:
    """Each in both languages; words are made here, in the incident's time."""
    zones = dict(Incident.objects.filter(id__in={r.incident for r in rows}).values_list("id", "time_zone"))
    return [
        {
            "id": row.id, "template": row.template, "link": templates()[row.template].link,
            "text": {
                lang: words(row.template, row.facts, lang, zone=zones.get(row.incident, "UTC"))
                for lang in ("zh", "en")
            },
            "priority": row.priority, "at": row.made_at, "read_at": row.read_at,
        }
        for row in rows
        if row.template in templates()
    ]  # fmt: skip


def _page(rows: Sequence[Message]) -> dict[str, Any]:
    unread = sum(1 for row in rows if row.read_at is None)
    return {"items": shown(rows), "next": None, "count": len(rows), "unread": unread}


@router.get("/messages", operation_id="messages_list")
@operation("messages.read")
def list_messages(request: HttpRequest) -> dict[str, Any]:
    who = caller(request)
    return _page(told_to(account=who.user.id, responder=None, at=who.at))


@router.post("/messages/read", operation_id="messages_read")
@operation("messages.read")
def read_them(request: HttpRequest, body: Seen) -> dict[str, Any]:
    who = caller(request)
    return {"read": services.mark_read(account=who.user.id, responder=None, at=who.at, only=body.ids[:500])}


@sync_router.get("/messages", auth=None, operation_id="phone_messages", include_in_schema=True)
@operation("session.read")
def phone_messages(request: HttpRequest) -> dict[str, Any]:
    """What the holder of this phone was told."""
    lease, me = holder(request)
    return _page(told_to(account=lease.actor_id, responder=me.id if me else None, at=now()))


@sync_router.post("/messages/read", auth=None, operation_id="phone_messages_read", include_in_schema=True)
@operation("session.read")
def phone_read(request: HttpRequest, body: Seen) -> dict[str, Any]:
    lease, me = holder(request)
    responder = me.id if me else None
    seen = services.mark_read(account=lease.actor_id, responder=responder, at=now(), only=body.ids[:500])
    return {"read": seen}


@router.get("/channels", operation_id="channels_list")
@operation("channels.manage")
def list_channels(request: HttpRequest) -> dict[str, Any]:
    who, row = allow(request, "channels.manage")
    incident = current_incident(who.at)
    paths = [g.area_path for g in who.grants if g.role in row.roles and g.area_path]
    rows = channels_below(incident.id, paths) if incident is not None else []
    areas = {a.id: a for a in Area.objects.filter(id__in={c.area for c in rows})}
    return {"items": [_channel(c, areas.get(c.area)) for c in rows], "next": None, "count": len(rows)}


def _channel(row: Channel, area: Area | None) -> dict[str, Any]:
    """Neither address nor secret is ever shown again."""
    return {
        "id": row.id, "kind": row.kind, "name": row.name, "language": row.language,
        "area": {"id": area.id, "name": area.name, "name_en": area.name_en} if area else None,
        "made_at": row.made_at, "last_sent_at": row.last_sent_at, "last_fault": row.last_fault,
    }  # fmt: skip


@router.post("/channels", operation_id="channels_open")
@operation("channels.manage")
def open_one(request: HttpRequest, body: NewChannel) -> dict[str, Any]:
    area = area_with_id(body.area)
    who, _ = allow(request, "channels.manage", path=area.path)
    incident = current_incident(who.at)
    if incident is None:
        raise Refusal("no_incident")
    made = channels.open_channel(
        incident=incident, area=area.id, area_path=area.path, kind=body.kind, name=body.name,
        address=body.address, secret=body.secret, language=body.language, by=who.user.id, at=who.at,
    )  # fmt: skip
    return _channel(made, area)


def _own_channel(request: HttpRequest, channel_id: uuid.UUID) -> tuple[Caller, Channel]:
    try:
        row = channel_with_id(channel_id)
    except Refusal:
        allow(request, "channels.manage")
        raise Refusal("not_found") from None
    who, _ = allow(request, "channels.manage", path=row.area_path)
    return who, row


@router.post("/channels/{channel_id}/try", operation_id="channels_try")
@operation("channels.manage")
def try_one(request: HttpRequest, channel_id: uuid.UUID) -> dict[str, Any]:
    """Sends a test sentence now and says whether it got through."""
    who, row = _own_channel(request, channel_id)
    channels.try_channel(row, zone=incident_with_id(row.incident).time_zone, by=who.user.id, at=who.at)
    return {"ok": True}


@router.delete("/channels/{channel_id}", operation_id="channels_close")
@operation("channels.manage")
def close_one(request: HttpRequest, channel_id: uuid.UUID) -> dict[str, Any]:
    who, row = _own_channel(request, channel_id)
    channels.close_channel(row, by=who.user.id, at=who.at)
    return {"ok": True}
