# SPDX-License-Identifier: Apache-2.0
"""Writes of the outbox: something is told, once; somebody has read it.

Call `notify` inside the transaction that makes the change: then nothing is told that did not happen, and
nothing that happened is not told.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from muster.base.ids import new_id
from muster.notifications.models import Message
from muster.notifications.queries import channels_of, phone_target, phone_targets
from muster.notifications.rules import quiet_end
from muster.notifications.states import Delivery, Priority, Way
from muster.notifications.templates import demand_facts, templates
from muster.storage.many_rows import Insert, bare
from muster.storage.sealed import seal_rows
from muster.storage.writes import chunks


@dataclass(frozen=True, slots=True)
class ToAccount:
    """Somebody who signs in: reads it at the desk or in the field app."""

    account: uuid.UUID
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class ToResponder:
    """Somebody who serves: in the app by his account, outside it by his phone while on duty.

    in_app: False where he has no app: a row that nobody ever reads is not written.
    """

    responder: uuid.UUID
    account: uuid.UUID | None = None
    phone: str = ""
    sub_district: int = 0
    language: str = "zh"
    in_app: bool = True


@dataclass(frozen=True, slots=True)
class ToPhone:
    """A phone, such as that of who asked for something."""

    phone: str
    sub_district: int = 0
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class ToArea:
    """The channels of an area, or of the nearest area above that has any."""

    path: str


Audience = ToAccount | ToResponder | ToPhone | ToArea


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told to whom. `key` says which occasion it is: the same occasion is never told twice."""

    template: str
    key: str
    audience: Audience
    facts: Mapping[str, object] = field(default_factory=dict)
    priority: int = Priority.NORMAL
    expires_at: datetime | None = None


def notify(
    template: str,
    *,
    key: str,
    audience: Audience,
    incident: uuid.UUID,
    at: datetime,
    facts: Mapping[str, object] | None = None,
    priority: int = Priority.NORMAL,
    expires_at: datetime | None = None,
) -> int:
    """Tells one reader something. Returns how many messages are new: 0 where it was told before.

    facts: numbers and moments only, as the template names them; moments may be datetimes.
    """
    one = Telling(template, key, audience, facts or {}, priority, expires_at)
    return notify_many([one], incident=incident, at=at)


def notify_many(tellings: Iterable[Telling], *, incident: uuid.UUID, at: datetime) -> int:
    """Tells many at once; a key that stands in the outbox already is passed over."""
    rows: dict[str, Message] = {}
    for telling in tellings:
        for row in _rows(telling, incident, at):
            rows.setdefault(row.key, row)
    made = 0
    for some in chunks(list(rows.values())):
        with transaction.atomic():
            known = set(
                Message.objects.across(reason="messages")
                .filter(key__in=[row.key for row in some])
                .values_list("key", flat=True)
            )
            new = [row for row in some if row.key not in known]
            # Two who tell the same at once: the unique key lets one in, and the other is content.
            Message.objects.bulk_create(new, ignore_conflicts=True)
            made += len(new)
    return made


class Notices:
    """What is told to some hundreds at once: ready before the transaction of the change, `write` within it.

    zone: of the incident. What would wait for the morning waits from the beginning, so that nobody has to
    look at it all night.
    """

    def __init__(self, tellings: Iterable[Telling], *, incident: uuid.UUID, zone: str, at: datetime) -> None:
        rows: dict[str, Message] = {}
        morning = quiet_end(at, zone=zone)
        told = list(tellings)
        targets = phone_targets({phone for one in told if (phone := _phone_of(one.audience))})
        for telling in told:
            for row in _rows(telling, incident, at, targets):
                if morning is not None and row.priority != Priority.LIFE:
                    row.next_at = morning
                rows.setdefault(row.key, row)
        _seal_phones(rows.values())
        self._insert = Insert(Message, list(rows.values()), once_by="key")

    def write(self) -> None:
        """A key that stands in the outbox already is passed over."""
        self._insert.execute()


def _phone_of(audience: Audience) -> str:
    return audience.phone if isinstance(audience, ToResponder | ToPhone) else ""


def _seal_phones(rows: Iterable[Message]) -> None:
    """All numbers of a sub-district at once: the key is looked for once and not for each."""
    waiting: dict[tuple[str, int], list[Message]] = {}
    for row in rows:
        if row.__dict__["phone"]:
            waiting.setdefault((row.purpose, row.sub_district), []).append(row)
    for (purpose, sub_district), some in waiting.items():
        seal_rows(Message, "phone", some, purpose=purpose, sub_district=sub_district)


def _rows(
    telling: Telling, incident: uuid.UUID, at: datetime, targets: Mapping[str, str] | None = None
) -> list[Message]:
    """targets: of the phones, where many are told at once."""

    def target_of(phone: str) -> str:
        return targets[phone] if targets is not None else phone_target(phone)

    facts = {name: _plain(value) for name, value in telling.facts.items()}
    demand_facts(telling.template, facts)
    expires = telling.expires_at or at + timedelta(minutes=templates()[telling.template].lives)

    def row(way: str, target: str, *, language: str, sub_district: int = 0, phone: str | None = None,
            account: uuid.UUID | None = None, responder: uuid.UUID | None = None,
            channel: uuid.UUID | None = None) -> Message:  # fmt: skip
        in_app = way == Way.APP
        return bare(
            Message, id=new_id(), incident=incident, purpose=str(incident), sub_district=sub_district,
            key=f"{telling.template}|{telling.key[:80]}|{target}", template=telling.template, facts=facts,
            priority=telling.priority, way=way, target=target, account=account, responder=responder,
            channel=channel, phone=phone, language=language,
            # What is read on our own pages is there at once.
            status=Delivery.SENT if in_app else Delivery.QUEUED, sent_at=at if in_app else None,
            fault="", attempts=0, made_at=at, next_at=at, expires_at=expires, read_at=None, told_in=None,
        )  # fmt: skip

    match telling.audience:
        case ToAccount(account, language):
            return [row(Way.APP, f"app:{account}", language=language, account=account)]
        case ToResponder(responder, account, phone, sub_district, language, in_app):
            made = []
            if in_app:
                made.append(
                    row(Way.APP, f"app:{responder}", language=language, account=account, responder=responder)
                )
            if phone:
                made.append(
                    row(Way.SMS, target_of(phone), language=language, sub_district=sub_district,
                        phone=phone, responder=responder)
                )  # fmt: skip
            return made
        case ToPhone(phone, sub_district, language):
            if not phone:
                return []
            return [row(Way.SMS, target_of(phone), language=language, sub_district=sub_district, phone=phone)]
        case ToArea(path):
            return [
                row(Way.CHANNEL, f"channel:{c.id}", language=c.language, channel=c.id)
                for c in channels_of(incident, path)
            ]


def _plain(value: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def mark_read(
    *, account: uuid.UUID, responder: uuid.UUID | None, at: datetime, only: Collection[uuid.UUID] = ()
) -> int:
    """The reader has seen them, all or some: that is their acknowledgement. How many were new to him."""
    mine = Q(account=account) if responder is None else Q(account=account) | Q(responder=responder)
    rows = Message.objects.across(reason="own").filter(mine, way=Way.APP, read_at__isnull=True)
    if only:
        rows = rows.filter(id__in=only)
    seen: int = rows.update(read_at=at, status=Delivery.ACK)
    return seen


def forget_reader(responder: uuid.UUID) -> None:
    """Somebody had himself deleted: what waits for his phone does not go out, and no number of his stays."""
    rows = Message.objects.across(reason="own").filter(responder=responder)
    rows.filter(status=Delivery.QUEUED).delete()
    rows.update(phone=None)
