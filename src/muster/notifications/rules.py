# SPDX-License-Identifier: Apache-2.0
"""When a message may go out: quiet hours, rest, caps, tries. All of it is pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from muster.notifications.states import Fault, Priority, Way

QUIET_FROM, QUIET_UNTIL = time(22), time(7)
# So many messages in an hour reach one phone, or one group: more is noise that hides the next one.
CAPS: dict[str, int] = {Way.SMS: 6, Way.CHANNEL: 20}
CAP_WITHIN = timedelta(hours=1)
MOST_TRIES = 6
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=30)
# While somebody sends it nobody else does; a sender that died is over after this, and it is sent again.
CLAIM = timedelta(minutes=2)
LOOK_AGAIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that is due, as the rules see it."""

    way: str
    priority: int
    pages: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Ruling:
    """Send now, or not before `wait_until`, or never with a fault."""

    wait_until: datetime | None = None
    fault: str = ""

    @property
    def sends(self) -> bool:
        return self.wait_until is None and not self.fault


def judge(
    one: Waiting,
    *,
    zone: str,
    is_off_duty: bool,
    sent_lately: int,
    cap_free_at: datetime | None,
    at: datetime,
) -> Ruling:
    """What to do with a message now. A life is exempt from quiet hours and caps, never from rest: whoever is
    off duty is not paged, somebody else is asked.
    """
    if at >= one.expires_at:
        return Ruling(fault=Fault.EXPIRED)
    if one.pages and is_off_duty:
        return Ruling(fault=Fault.OFF_DUTY)
    if one.priority == Priority.LIFE:
        return Ruling()
    if (quiet_until := quiet_end(at, zone=zone)) is not None:
        return Ruling(wait_until=quiet_until)
    if sent_lately >= CAPS[one.way]:
        return Ruling(wait_until=max(cap_free_at or at, at + timedelta(seconds=1)))
    return Ruling()


def quiet_end(at: datetime, *, zone: str) -> datetime | None:
    """Until when it is quiet there, or None by day. Read on the wall clock of the place."""
    local = at.astimezone(ZoneInfo(zone))
    if QUIET_UNTIL <= local.time() < QUIET_FROM:
        return None
    day = local.date() + timedelta(days=1) if local.time() >= QUIET_FROM else local.date()
    return datetime.combine(day, QUIET_UNTIL, tzinfo=ZoneInfo(zone)).astimezone(at.tzinfo)


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many tries: twice as long each time."""
    doubled: timedelta = FIRST_PAUSE * (1 << max(0, min(attempts - 1, 16)))
    return min(LONGEST_PAUSE, doubled)
