# SPDX-License-Identifier: Apache-2.0
"""A calendar of somebody's times, as phones read it (RFC 5545): hours only, no place, no names, no needs.

The address holds a secret, and only the secret's digest is kept: who loses it makes a new one.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from muster.incidents.models import Incident
from muster.responders.models import Responder
from muster.responders.placement.models import CalendarFeed
from muster.responders.placement.queries import open_assignments
from muster.responders.states import SERVING
from muster.trail.services import record_event

# When the parts of a day are, by the clock of the incident's zone; a night ends the next morning.
HOURS = {"morning": (8, 12), "afternoon": (14, 18), "evening": (18, 22), "night": (22, 30)}
DAYS_AHEAD = 28
_LONGEST_LINE = 75
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Slot:
    """A time of service."""

    begins: datetime
    ends: datetime


def open_feed(person: Responder, *, at: datetime) -> str:
    """Makes the secret of somebody's calendar address; an older address answers no more."""
    secret = secrets.token_urlsafe(24)
    with transaction.atomic():
        CalendarFeed.objects.update_or_create(
            responder=person.id,
            defaults={"incident": person.incident, "secret": _digest(secret), "made_at": at},
        )
        record_event(
            "Responder", person.id, "open_calendar", at=at, actor=person.user, incident=person.incident
        )
    return secret


def feed_of(secret: str) -> uuid.UUID | None:
    """Whose calendar an address is; None for one that is not in force."""
    if not 20 <= len(secret) <= 64:
        return None
    return CalendarFeed.objects.filter(secret=_digest(secret)).values_list("responder", flat=True).first()


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def slots_of(person: Responder, incident: Incident, *, at: datetime) -> list[Slot]:
    """When somebody serves in the next weeks: the parts of the days that he named, while he has a place."""
    place = open_assignments([person.id]).get(person.id)
    if place is None or person.status not in SERVING:
        return []
    zone = ZoneInfo(incident.time_zone)
    today = at.astimezone(zone).date()
    named = set(person.free_times or ())
    slots = []
    for day in (today + timedelta(days=number) for number in range(DAYS_AHEAD)):
        kind = "weekend" if day.weekday() >= _SATURDAY else "workday"
        for part, (first, last) in HOURS.items():
            slot = Slot(_moment(day, first, zone), _moment(day, last, zone))
            if f"{kind}_{part}" in named and place.since <= slot.ends and slot.ends <= incident.ends_at:
                slots.append(slot)
    return slots


def _moment(day: date, hour: int, zone: ZoneInfo) -> datetime:
    """An hour of a day by the clock on the wall; 30 is six in the morning of the next day."""
    local = datetime.combine(day + timedelta(days=hour // 24), time(hour % 24), zone)
    return local.astimezone(UTC)


def calendar_text(slots: Sequence[Slot], *, owner: uuid.UUID, name: str, summary: str, at: datetime) -> str:
    """The calendar as a text of RFC 5545. The times are UTC, so that no zone has to be described."""
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Muster//Muster//ZH", "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escaped(name)}", "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        # A calendar holds at least one component, also on a day without events.
        "BEGIN:VTIMEZONE", "TZID:UTC", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:+0000",
        "TZOFFSETTO:+0000", "TZNAME:UTC", "END:STANDARD", "END:VTIMEZONE",
    ]  # fmt: skip
    for slot in slots:
        lines += [
            "BEGIN:VEVENT", f"UID:{uuid.uuid5(owner, slot.begins.isoformat())}@muster", f"DTSTAMP:{_utc(at)}",
            f"DTSTART:{_utc(slot.begins)}", f"DTEND:{_utc(slot.ends)}", f"SUMMARY:{escaped(summary)}",
            "CLASS:PRIVATE", "TRANSP:OPAQUE", "END:VEVENT",
        ]  # fmt: skip
    return "".join(f"{folded(line)}\r\n" for line in [*lines, "END:VCALENDAR"])


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def escaped(raw: str) -> str:
    """A text value: what the format uses itself is written with a backslash, other controls go."""
    plain = raw.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    plain = plain.replace("\r\n", "\\n").replace("\n", "\\n")
    return "".join(c for c in plain if c == "\t" or (c >= " " and c != "\x7f"))


def folded(line: str) -> str:
    """Lines of at most 75 octets, never broken inside a character."""
    parts, length = [""], 0
    for character in line:
        size = len(character.encode())
        if length + size > _LONGEST_LINE:
            parts.append(" ")
            length = 1
        parts[-1] += character
        length += size
    return "\r\n".join(parts)
